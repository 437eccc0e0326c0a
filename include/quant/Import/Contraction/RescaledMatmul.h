//===- RescaledMatmul.h - replace a contraction -----------------*- C++ -*-===//
//
// The last step of every importer: from the quantized matrices of a
// contraction to the ops that take its place.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_IMPORT_CONTRACTION_RESCALEDMATMUL_H
#define QUANT_IMPORT_CONTRACTION_RESCALEDMATMUL_H

#include "quant/Import/Contraction/MatmulEmitter.h"
#include "quant/Import/Contraction/QuantizedOperand.h"

namespace quantmlir {

class ScaledMatmulOp;

/// One side of `quant.matmul`: stored integers in the emitter's layout, scale
/// and zero point of rank 0 or one for each row (column); of a weight with a
/// batch of its own one for each column of each. No zero point is 0.
struct QuantizedMatrix {
  mlir::Value ints, scale, zeroPoint;
  bool isUnsigned = false;
};

/// Lays out an operand that the program quantizes itself.
QuantizedMatrix emitGiven(MatmulEmitter &emitter,
                          const QuantizedOperand &operand, bool isLhs);

/// Replaces a float contraction: integer matmul, rescale, and the sum with the
/// contraction's init where that is not zero.
void emitRescaledMatmul(mlir::OpBuilder &builder, MatmulEmitter &emitter,
                        const Contraction &contraction,
                        const QuantizedMatrix &lhs, const QuantizedMatrix &rhs);

/// Replaces a float contraction by quant.scaled_matmul: `rhs` is `[N, K]` with
/// scales `[N, ceil(K / groupSize)]`; an `lhs` without a scale is float, unless
/// it has `blockScale`, one for each row and `groupSize` elements. A constant
/// weight of E2M1 numbers, times 2, gets their code book.
ScaledMatmulOp emitScaledMatmul(mlir::OpBuilder &builder,
                                MatmulEmitter &emitter,
                                const Contraction &contraction,
                                const QuantizedMatrix &lhs,
                                const QuantizedMatrix &rhs, int64_t groupSize,
                                mlir::Value blockScale = {});
/// The contraction and the fixed-point rescale that alone reads it, on `[M, N]`
/// with the init as its bias. Returns false when there is no such rescale, or
/// the init is something else; nothing is emitted then.
bool emitFixedPointMatmul(mlir::OpBuilder &builder, MatmulEmitter &emitter,
                          const Contraction &contraction,
                          const QuantizedMatrix &lhs,
                          const QuantizedMatrix &rhs);

/// The sums of a contraction of integers in its own layout, as i32: an integer
/// matmul on top of its init, or of 0 where that is zero.
mlir::Value emitIntegerSums(mlir::OpBuilder &builder, MatmulEmitter &emitter,
                            const Contraction &contraction,
                            const QuantizedMatrix &lhs,
                            const QuantizedMatrix &rhs);

} // namespace quantmlir

#endif // QUANT_IMPORT_CONTRACTION_RESCALEDMATMUL_H
