//===- ReciprocalFormula.h - quantize without a division --------*- C++ -*-===//
//
// `x / s` costs 16 cycles for 16 floats on the CPUs that have AVX-512, as much
// as everything else in a quantization together. The scale is the same for a
// row, and the quotient, rounded once as the semantics say, can be had from its
// reciprocal `y = fl(1 / s)` by Newton steps with fused multiply-adds:
//
//   q0 = fl(x * y)            within 2 units in the last place
//   q1 = q0 + (x - q0 * s) y  within 1 unit: the remainder is rounded once
//   q2 = q1 + (x - q1 * s) y  fl(x / s): the remainder is exact
//
// The last line is Markstein's theorem (P. Markstein, "Computation of
// elementary functions on the IBM RISC System/6000 processor", IBM J. Res. Dev.
// 34(1), 1990): from a quotient within one unit and the correctly rounded
// reciprocal it gives the correctly rounded quotient, where nothing over- or
// underflows. So
// - both x and s are first multiplied by the power of two that brings s near 1.
//   An x that then underflows has a quotient that rounds to 0 in any case;
// - x is clamped before, to `fl(qmin * s)` and `fl(qmax * s)`: their quotients
//   are next to qmin and qmax, and rounding keeps the order. Comparisons
//   are written such that NaN passes.
// Then adding 1.5 * 2^23 rounds to nearest even, and the sum's bits end with
// the integer.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_DIALECT_QUANT_UTILS_RECIPROCALFORMULA_H
#define QUANT_DIALECT_QUANT_UTILS_RECIPROCALFORMULA_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

#include <array>

namespace quantmlir {

/// What quantizing an element needs of its scale.
enum ReciprocalParameter {
  kPower,
  kScale,
  kReciprocal,
  kLower,
  kUpper,
  kNumReciprocalParameters
};

/// A float's exponent where its bits have it, the largest one whose power of
/// two has a normal reciprocal, and the sum of the exponents of two
/// reciprocals.
constexpr int32_t kExponentMask = 0x7F800000;
constexpr int32_t kLargestExponent = 253 << 23;
constexpr int32_t kPowerSum = 254 << 23;

/// The parameters of a scale and a zero point that the compiler knows.
std::array<float, kNumReciprocalParameters>
getReciprocalParameters(float scale, float zeroPoint,
                        llvm::ArrayRef<int64_t> range);

/// `roundeven(x / s)`, clamped, as i32; 0 for NaN. `x` and the parameters are
/// f32 or vectors of them.
mlir::Value emitRoundedQuotient(mlir::OpBuilder &b, mlir::Location loc,
                                mlir::Value x, mlir::ValueRange parameters);

} // namespace quantmlir

#endif // QUANT_DIALECT_QUANT_UTILS_RECIPROCALFORMULA_H
