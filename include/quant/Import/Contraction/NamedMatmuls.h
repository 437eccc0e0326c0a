//===- NamedMatmuls.h - the matmuls of a float program ----------*- C++ -*-===//
//
// What statistics, reports and recipes mean by "a matmul": a float contraction
// with a name, its activations, its weight and its sizes.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_IMPORT_CONTRACTION_NAMEDMATMULS_H
#define QUANT_IMPORT_CONTRACTION_NAMEDMATMULS_H

#include "quant/Calibration/Statistics.h"
#include "quant/Import/Contraction/ContractionMatcher.h"

#include "mlir/IR/BuiltinOps.h"

namespace quantmlir {

/// A float contraction whose op has the attribute `quant.name`.
struct NamedMatmul {
  std::string name;
  /// The activations are its lhs: operands are exchanged where the lhs of the
  /// op is the weight.
  Contraction contraction;
  /// Whether the rhs is a constant, looked at through data movement.
  bool hasConstantWeight = false;

  MatmulShape getShape() const;
  std::string getLocation() const;
};

/// In walk order.
std::vector<NamedMatmul> collectNamedMatmuls(mlir::ModuleOp module);

/// `file:line:column` or the name of a location; may be empty.
std::string printLocation(mlir::Location loc);

/// hashMatmuls over all of them: identifies the program in a statistics file.
std::string getModelHash(mlir::ModuleOp module);

} // namespace quantmlir

#endif // QUANT_IMPORT_CONTRACTION_NAMEDMATMULS_H
