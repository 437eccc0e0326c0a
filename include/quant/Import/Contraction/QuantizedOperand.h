//===- QuantizedOperand.h - a matmul operand as stored integers -*- C++ -*-===//
//
// What a matmul's operand is when it is quantized already: stored integers
// with scale and zero point, read off a `quant.dequantize`.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_IMPORT_CONTRACTION_QUANTIZEDOPERAND_H
#define QUANT_IMPORT_CONTRACTION_QUANTIZEDOPERAND_H

#include "quant/Import/Contraction/ContractionMatcher.h"

#include "mlir/IR/Builders.h"

#include <optional>

namespace quantmlir {

/// `(ints - zeroPoint) * scale`, each tensor with the loops of its dimensions.
struct QuantizedOperand {
  LoopTensor ints;
  LoopTensor scale;
  /// No value where all zero points are 0.
  LoopTensor zeroPoint;
  bool isUnsigned = false;

  bool hasZeroPoint() const { return static_cast<bool>(zeroPoint.value); }
  /// Largest |stored - zero point| when both lie in the stored type's range.
  int64_t getMaxMagnitude() const;
};

/// The integers behind `tensor` when it is, through data movement, the result
/// of a `quant.dequantize`.
std::optional<QuantizedOperand> matchDequantized(const LoopTensor &tensor);

/// Has those of `loops` that have one step and do not walk `tensor` do so.
void walkUnitLoops(mlir::OpBuilder &builder, const Contraction &c,
                   LoopTensor &tensor, llvm::ArrayRef<int64_t> loops);

/// Makes `lhs` and `rhs`, which the operands of `c` were traced to, its
/// operands. Loops of one step that were lost on the way are walked again, so
/// that each still has a role. Fails where others were: an operand is repeated
/// along the contracted dimension.
mlir::LogicalResult setOperands(mlir::OpBuilder &builder, Contraction &c,
                                LoopTensor lhs, LoopTensor rhs);

/// Whether a scale or zero point over `loops` is one number or has one for
/// each index of exactly `wanted`, so that it can leave the sum over k.
bool isRankZeroOrOver(const LoopTensor &vector, llvm::ArrayRef<int64_t> wanted);

/// The same up to loops of one step: `vector` need not have them, nor may its
/// dimensions of size 1 count.
bool isParameterOver(const Contraction &contraction, const LoopTensor &vector,
                     llvm::ArrayRef<int64_t> wanted);

/// Makes parameters of `operand` over some of the loops `wanted` ones over all
/// of them, by repeating them; `like` is a tensor that they walk.
void spreadParameters(mlir::OpBuilder &builder, const Contraction &contraction,
                      QuantizedOperand &operand, llvm::ArrayRef<int64_t> wanted,
                      const LoopTensor &like);

/// A right-hand side, a weight, whose batch dimensions all have size 1 has
/// none.
void dropUnitBatch(Contraction &contraction);

/// Number of products of the operands' largest magnitudes that fit in i32.
int64_t getMaxSafeK(int64_t lhsMagnitude, int64_t rhsMagnitude);

/// Says that a loop of `contraction` has no steps; empty when all may have
/// some.
std::string explainEmpty(const Contraction &contraction);

/// Says why a sum over the k loops of `contraction` may not fit in i32; empty
/// when it always does.
std::string explainOverflow(const Contraction &contraction,
                            int64_t lhsMagnitude, int64_t rhsMagnitude);

} // namespace quantmlir

#endif // QUANT_IMPORT_CONTRACTION_QUANTIZEDOPERAND_H
