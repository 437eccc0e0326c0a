//===- ElementArithmetic.h - one operation on numbers -----------*- C++ -*-===//
//
// Integers are held in 64 bits, by their type's bits read as signed; floats in
// f64, rounded to their type.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_IMPORT_ELEMENTS_ELEMENTARITHMETIC_H
#define QUANT_LIB_IMPORT_ELEMENTS_ELEMENTARITHMETIC_H

#include "quant/Import/Elements/Element.h"

namespace quantmlir {

/// `value` in the precision of `type`.
double roundTo(double value, mlir::Type type);
/// The low `width` bits of `value`.
int64_t wrap(uint64_t value, unsigned width);
/// The bits of a value of `width`, read as unsigned.
uint64_t unsignedOf(int64_t value, unsigned width);
/// `arith.cmpi` and `arith.cmpf` with their predicates' numbers.
bool compareIntegers(int64_t predicate, int64_t a, int64_t b, unsigned width);
bool compareFloats(int64_t predicate, double a, double b);
/// An operation of two integers of `width`. What is undefined or poison gives
/// any value.
int64_t computeInteger(ElementOpcode opcode, int64_t a, int64_t b,
                       unsigned width);
/// An operation of one or two floats, before it is rounded.
double computeFloat(ElementOpcode opcode, double a, double b);
/// Out of range it wraps, as every runtime has it; NaN gives 0.
int64_t convertToInteger(double value, unsigned width);

} // namespace quantmlir

#endif // QUANT_LIB_IMPORT_ELEMENTS_ELEMENTARITHMETIC_H
