//===- GroupedContraction.cpp - weights with scales along K ---------------===//
//
// Weights that are quantized in groups arrive as `[N, K / G, G]` with a scale
// for each of `[N, K / G]`, in a contraction with two reduction loops whose
// other operand is `[.., K / G, G]`. The two loops are one, K, of
// `quant.scaled_matmul`, which has the scales inside.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/Groups/GroupedContraction.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Import/Contraction/MatmulEmitter.h"
#include "quant/Import/Contraction/QuantizedOperand.h"
#include "quant/Import/Contraction/RescaledMatmul.h"

using namespace mlir;
using namespace quantmlir;

/// The contracted loops that `vector` is walked by.
static SmallVector<int64_t> getGroupLoops(const Contraction &c,
                                          const LoopTensor &vector) {
  SmallVector<int64_t> loops;
  llvm::copy_if(vector.loops, std::back_inserter(loops),
                [&](int64_t loop) { return llvm::is_contained(c.k, loop); });
  return loops;
}

static bool isGrouped(const Contraction &c,
                      const std::optional<QuantizedOperand> &operand) {
  return operand && !getGroupLoops(c, operand->scale).empty();
}

bool quantmlir::isGroupedContraction(const Contraction &c) {
  return c.isFloat() && (isGrouped(c, matchDequantized(c.lhs)) ||
                         isGrouped(c, matchDequantized(c.rhs)));
}

/// Extent of the loops of `tensor` after `outer`; 0 if one is dynamic.
static int64_t getInnerSize(const Contraction &c, const LoopTensor &tensor,
                            int64_t outer) {
  int64_t size = 1;
  for (auto [dim, loop] : llvm::enumerate(tensor.loops)) {
    if (!llvm::is_contained(c.k, loop) || loop == outer)
      continue;
    if (tensor.getType().isDynamicDim(dim))
      return 0;
    size *= tensor.getType().getDimSize(dim);
  }
  return size;
}

/// Why blocks of the activations `lhs` are not the groups of the weight, along
/// `group`; empty if they are.
static std::string explainBlocks(const Contraction &c,
                                 const QuantizedOperand &lhs, int64_t group) {
  SmallVector<int64_t> wanted(c.m);
  wanted.push_back(group);
  if (lhs.hasZeroPoint())
    return "expected activations without zero points where their scales are "
           "those of blocks";
  SmallVector<int64_t> blocks = getGroupLoops(c, lhs.scale);
  if (c.k.size() < 2 || blocks.size() != 1 || blocks.front() != group ||
      !isParameterOver(c, lhs.scale, wanted))
    return "expected the activations' scales for each row and block, and "
           "blocks that are the weight's groups";
  return "";
}

/// Why the groups of the weight `rhs` are not those of quant.scaled_matmul;
/// empty if they are.
static std::string explainGroups(const Contraction &c,
                                 const QuantizedOperand &rhs) {
  if (c.k.size() < 2)
    return "expected scales for the tensor, for each row or for each column";
  SmallVector<int64_t> groups = getGroupLoops(c, rhs.scale);
  if (groups.size() != 1 || !c.batch.empty())
    return "expected scales along one contracted dimension, and no batch";
  SmallVector<int64_t> wanted(c.n);
  wanted.push_back(groups.front());
  if (!isParameterOver(c, rhs.scale, wanted) ||
      (rhs.hasZeroPoint() && !isParameterOver(c, rhs.zeroPoint, wanted)))
    return "expected scales for each column and group";
  if (getInnerSize(c, rhs.ints, groups.front()) == 0)
    return "expected groups of a static size";
  return "";
}

LogicalResult quantmlir::emitGroupedMatmul(OpBuilder &builder,
                                           const Contraction &c,
                                           std::optional<QuantizedOperand> lhs,
                                           const QuantizedOperand &rhs,
                                           int64_t group, int64_t size,
                                           std::string &reason) {
  bool hasBlocks = isGrouped(c, lhs);
  SmallVector<int64_t> scaled(c.m);
  if (hasBlocks)
    scaled.push_back(group);
  if (lhs)
    spreadParameters(builder, c, *lhs, scaled, c.lhs);
  if (hasBlocks)
    reason = explainBlocks(c, *lhs, group);
  else if (lhs && !isParameterOver(c, lhs->scale, c.m))
    reason = "expected the activations' scales for the tensor or for each row";
  if (!reason.empty())
    return failure();
  if (lhs &&
      size > getMaxSafeK(lhs->getMaxMagnitude(), rhs.getMaxMagnitude())) {
    reason = "a group of " + std::to_string(size) +
             " products may overflow i32, safe is " +
             std::to_string(
                 getMaxSafeK(lhs->getMaxMagnitude(), rhs.getMaxMagnitude()));
    return failure();
  }

  // Groups come before what is in them, so that the elements of a group are
  // together once the weight is [N, K].
  MatmulEmitter emitter(builder, c, group);
  QuantizedMatrix lhsMatrix, rhsMatrix;
  if (hasBlocks)
    lhsMatrix = {emitter.emitLhs(lhs->ints), /*scale=*/Value(),
                 /*zeroPoint=*/Value(), lhs->isUnsigned};
  else if (lhs)
    lhsMatrix = emitGiven(emitter, *lhs, /*isLhs=*/true);
  else
    lhsMatrix.ints = emitter.emitLhs(c.lhs);
  Value blockScale =
      hasBlocks ? emitter.emitBlockMatrix(lhs->scale, group) : Value();
  rhsMatrix.isUnsigned = rhs.isUnsigned;
  rhsMatrix.ints = emitter.emitRhsRows(rhs.ints);
  rhsMatrix.scale = emitter.emitGroupMatrix(rhs.scale, group);
  if (rhs.hasZeroPoint())
    rhsMatrix.zeroPoint = emitter.emitGroupMatrix(rhs.zeroPoint, group);
  emitScaledMatmul(builder, emitter, c, lhsMatrix, rhsMatrix, size, blockScale);
  return success();
}

LogicalResult quantmlir::importGroupedContraction(Contraction c,
                                                  std::string &reason) {
  std::optional<QuantizedOperand> lhs = matchDequantized(c.lhs);
  std::optional<QuantizedOperand> rhs = matchDequantized(c.rhs);
  bool isLhsWeight =
      lhs && lhs->ints.isConstant() && !(rhs && rhs->ints.isConstant());
  if (!isGrouped(c, rhs) || (isGrouped(c, lhs) && isLhsWeight)) {
    c.swapOperands();
    std::swap(lhs, rhs);
  }
  OpBuilder builder(c.op);
  if (failed(setOperands(builder, c, lhs ? lhs->ints : c.lhs, rhs->ints))) {
    reason = "an operand is broadcast over the contracted dimension";
    return failure();
  }
  dropUnitBatch(c);
  if (lhs)
    lhs->ints = c.lhs;
  rhs->ints = c.rhs;
  reason = explainGroups(c, *rhs);
  if (!reason.empty())
    return failure();
  int64_t group = getGroupLoops(c, rhs->scale).front();
  return emitGroupedMatmul(builder, c, lhs, *rhs, group,
                           getInnerSize(c, c.rhs, group), reason);
}
