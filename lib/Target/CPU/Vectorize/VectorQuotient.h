//===- VectorQuotient.h - floats over the scale that they share -*- C++ -*-===//
//
// Almost always the elements that share a scale s are finite and s is far from
// the ends of the floats. Then the quotient, rounded once, takes four
// instructions:
//
//   y = fl(1 / s), z = fl((1 - y * s) * y)   once for a scale; 1 - y * s is
//                                            exact, y + z is 1 / s but for
//                                            2^-48
//   q0 = fl(x * y + fl(x * z))               within 1 unit in the last place
//   q1 = fl(q0 + (x - q0 * s) * y)           fl(x / s)
//
// by Markstein's theorem (ReciprocalFormula.h has the source).
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_TARGET_CPU_VECTORIZE_VECTORQUOTIENT_H
#define QUANT_LIB_TARGET_CPU_VECTORIZE_VECTORQUOTIENT_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"

namespace quantmlir {

/// The bits of infinity: those of magnitudes that are finite are less.
inline constexpr int64_t kInfinityBits = 0x7F800000;
/// Added to a number, it leaves the number, rounded to nearest even, in the
/// last bits of the sum.
inline constexpr double kToNearestEven = 12582912.0;

/// A scale (f32) with its reciprocal y and what y lacks, z.
struct ScaleReciprocal {
  mlir::Value scale, y, z;
};

ScaleReciprocal emitReciprocal(mlir::OpBuilder &b, mlir::Location loc,
                               mlir::Value scale);

/// `x`, a vector, over the scale, by fused multiply-adds.
mlir::Value emitQuotient(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x,
                         const ScaleReciprocal &reciprocal);

/// Whether no step of a quotient by `scale` over- or underflows but where the
/// quotient is far below one half.
mlir::Value emitIsUsual(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Value scale);

/// The bits of `x`, a vector, without the signs; `onlyFinite`: 0 for the
/// others.
mlir::Value emitMagnitudeBits(mlir::OpBuilder &b, mlir::Location loc,
                              mlir::Value x, bool onlyFinite);

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_CPU_VECTORIZE_VECTORQUOTIENT_H
