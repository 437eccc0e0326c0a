//===- RescaleFormula.h - the formulas of rescale and saturate --*- C++ -*-===//
//
// The order of the float steps is a promise: every target computes the same
// bits. So the steps stand here once, for scalars (the reference lowering) and
// for vectors (a tile in registers) alike.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_DIALECT_QUANT_UTILS_RESCALEFORMULA_H
#define QUANT_DIALECT_QUANT_UTILS_RESCALEFORMULA_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/APFloat.h"

#include <optional>

namespace quantmlir {

/// clamp(rounded + zeroPoint, lo, hi) as an integer of `element`: `rounded` is
/// a whole f32, or a vector of them, clamped before it is converted; NaN gives
/// the zero point. `zeroPoint` is an f32 of the same shape, or null for 0.
mlir::Value saturate(mlir::OpBuilder &b, mlir::Location loc,
                     mlir::Value rounded, mlir::Value zeroPoint, int64_t lo,
                     int64_t hi, mlir::Type element);

/// What a rescale applies to one accumulator (or a vector of them). Values have
/// the accumulator's shape; null means that the term is not there. A multiplier
/// makes it the fixed-point one, a scale the float one.
struct RescaleTerms {
  mlir::Value rowScale, channelScale;
  /// i32, added before scaling, or f32, added after.
  mlir::Value bias;
  /// f32, added last.
  mlir::Value residual;
  std::optional<llvm::APFloat> clampMin, clampMax;
  /// Of i32 and i8, together.
  mlir::Value multiplier, shift;
  bool doubleRound = false;
  /// Of an integer result.
  int32_t zeroPoint = 0;
  llvm::ArrayRef<int64_t> range;
};

/// The formula of quant.rescale, or of quant.rescale_fixed_point, for `acc`,
/// with results of `element`; `acc` where there is neither scale nor
/// multiplier.
mlir::Value emitRescale(mlir::OpBuilder &b, mlir::Location loc, mlir::Value acc,
                        const RescaleTerms &terms, mlir::Type element);

/// What of quant.rescale's formula follows the scales, for f32: an f32 bias,
/// the residual, the clamp and the conversion to `element`.
mlir::Value emitRescaled(mlir::OpBuilder &b, mlir::Location loc, mlir::Value y,
                         const RescaleTerms &terms, mlir::Type element);

} // namespace quantmlir

#endif // QUANT_DIALECT_QUANT_UTILS_RESCALEFORMULA_H
