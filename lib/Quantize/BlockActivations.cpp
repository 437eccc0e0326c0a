//===- BlockActivations.cpp - activations in blocks of K ------------------===//

#include "BlockActivations.h"

#include "quant/Dialect/Quant/IR/QuantizeBlocks.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"
#include "quant/Import/Contraction/QuantizedOperand.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

/// The largest integer of a block, whose range is narrow.
static int64_t getBlockMagnitude(const QuantScheme &scheme) {
  return (int64_t(1) << (scheme.activationBits - 1)) - 1;
}

std::string quantmlir::explainBlocks(const QuantScheme &scheme, int64_t k,
                                     int64_t group, int64_t weightMagnitude) {
  int64_t block = scheme.blockSize;
  if (ShapedType::isDynamic(k))
    return "expected a contracted dimension of static size for blocks of "
           "activations";
  if (k == 0)
    return "the contracted dimension is empty";
  if (std::max(group, block) < k && group % block != 0 && block % group != 0)
    return "expected one of groups of " + std::to_string(group) +
           " and blocks of " + std::to_string(block) + " to divide the other";
  int64_t size = std::min({k, group, block});
  // What the verifier asks for is of the whole range of i8.
  int64_t safe = getMaxSafeK(128, weightMagnitude);
  if (size > safe)
    return "a block of " + std::to_string(size) +
           " products may overflow i32, safe is " + std::to_string(safe);
  return "";
}

namespace {

/// Tensors whose leading dimensions are one, and back.
struct LeadingDims {
  OpBuilder &b;
  Location loc;
  /// Sizes of all dimensions, K last.
  SmallVector<OpFoldResult> sizes;

  SmallVector<ReassociationIndices> groups() const {
    SmallVector<ReassociationIndices> groups(1);
    int64_t rank = sizes.size();
    for (int64_t i = 0; i + 1 < rank; ++i)
      groups[0].push_back(i);
    groups.push_back({rank - 1});
    return groups;
  }
  Value collapse(Value value) const {
    return sizes.size() == 2
               ? value
               : tensor::CollapseShapeOp::create(b, loc, value, groups());
  }
  /// The same with the last dimension of `value`.
  Value expand(Value value) const {
    if (sizes.size() == 2)
      return value;
    auto type = tensorType(value);
    SmallVector<OpFoldResult> shape(sizes);
    shape.back() = b.getIndexAttr(type.getDimSize(1));
    SmallVector<int64_t> known;
    for (OpFoldResult size : shape)
      known.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
    return tensor::ExpandShapeOp::create(
        b, loc, RankedTensorType::get(known, type.getElementType()), value,
        groups(), shape);
  }
};

} // namespace

ScaledMatmulOp quantmlir::quantizeBlocks(ScaledMatmulOp op,
                                         const QuantScheme &scheme) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  Value x = op.getLhs();
  // The weight knows K where the activations do not.
  auto type = tensorType(x);
  int64_t k = op.getK();
  if (type.isDynamicDim(type.getRank() - 1)) {
    SmallVector<int64_t> shape(type.getShape());
    shape.back() = k;
    x = tensor::CastOp::create(b, loc, type.clone(shape), x);
  }
  LeadingDims dims{b, loc, tensor::getMixedSizes(b, loc, x)};
  Value rows = dims.collapse(x);
  int64_t m = tensorType(rows).getDimSize(0);
  int64_t block = std::min(scheme.blockSize, k);
  int64_t blocks = llvm::divideCeil(k, block);
  auto ints = RankedTensorType::get({m, k}, b.getI8Type());
  auto scales = RankedTensorType::get({m, blocks}, b.getF32Type());
  int64_t qmax = getBlockMagnitude(scheme);
  Value emptyInts = emptyLike(b, loc, ints, rows);
  Value emptyScales = emptyLike(b, loc, scales, rows);
  auto quantized = QuantizeBlocksOp::create(
      b, loc, TypeRange{ints, scales}, rows, emptyInts, emptyScales,
      /*sums=*/Value(), b.getI64IntegerAttr(block),
      b.getDenseI64ArrayAttr({-qmax, qmax}),
      BlockScaleAttr::get(b.getContext(),
                          static_cast<BlockScale>(scheme.activationScales)),
      /*rotation=*/IntegerAttr(), /*rotation_seed=*/IntegerAttr());
  Value lhs = dims.expand(quantized.getResult(0));
  Value lhsScale = dims.expand(quantized.getResult(1));
  auto replacement = ScaledMatmulOp::create(
      b, loc, op.getResult().getType(), lhs, op.getRhs(),
      /*lhs_zero_point=*/Value(), /*row_scale=*/Value(), op.getRhsScale(),
      op.getRhsZeroPoint(), op.getRhsOffset(), op.getBias(), lhsScale,
      op.getGroupSizeAttr(), /*lhs_unsigned=*/UnitAttr(),
      op.getRhsUnsignedAttr(), b.getI64IntegerAttr(block),
      op.getRhsCodebookAttr());
  replacement->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  op.replaceAllUsesWith(replacement.getResult());
  op.erase();
  return replacement;
}
