//===- AttentionToLinalg.cpp - attention to products and a softmax --------===//

#include "Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include "quant/Dialect/Quant/Utils/GenericBuilder.h"
#include "quant/Dialect/TMTensor/IR/TMTensor.h"

#include <cmath>

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::tm_tensor;

namespace {

/// Writes the formula of one op. Tensors are [B..., rows, columns].
class AttentionBuilder {
public:
  AttentionBuilder(OpBuilder &b, AttentionOp op)
      : b(b), loc(op.getLoc()), q(op.getInputs()[0]), k(op.getInputs()[1]),
        v(op.getInputs()[2]),
        mask(op.getInputs().size() == 4 ? op.getInputs()[3] : Value()),
        rank(tensorType(q).getRank()),
        element(cast<FloatType>(tensorType(q).getElementType())) {}

  Value build(RankedTensorType result);

private:
  SmallVector<ReassociationIndices> getBatchGroups();
  /// The batch as one dimension, and back.
  Value collapse(Value matrices);
  Value expand(Value matrices, RankedTensorType type,
               ArrayRef<OpFoldResult> sizes);
  Value transpose(Value matrices);
  /// `a` times `c`, with sizes as `like` has them in the batch.
  Value multiply(Value a, Value c);
  Value divideByRoot(Value weights);
  Value addMask(Value weights);
  /// Along the last dimension.
  Value reduce(Value weights, TypedAttr init, BodyBuilder body);
  Value softmax(Value weights);
  Value map(Value weights, ArrayRef<ElementwiseOperand> others,
            BodyBuilder body);

  OpBuilder &b;
  Location loc;
  Value q, k, v, mask;
  int64_t rank;
  FloatType element;
};

} // namespace

/// All of the batch, rows, columns.
SmallVector<ReassociationIndices> AttentionBuilder::getBatchGroups() {
  SmallVector<ReassociationIndices> groups(3);
  for (int64_t i = 0; i != rank; ++i)
    groups[std::max<int64_t>(0, i - (rank - 3))].push_back(i);
  return groups;
}

Value AttentionBuilder::collapse(Value matrices) {
  if (rank == 3)
    return matrices;
  return tensor::CollapseShapeOp::create(b, loc, matrices, getBatchGroups());
}

Value AttentionBuilder::expand(Value matrices, RankedTensorType type,
                               ArrayRef<OpFoldResult> sizes) {
  if (rank == 3)
    return matrices;
  return tensor::ExpandShapeOp::create(b, loc, type, matrices, getBatchGroups(),
                                       sizes);
}

Value AttentionBuilder::transpose(Value matrices) {
  RankedTensorType type = tensorType(matrices);
  Value init =
      tensor::EmptyOp::create(b, loc,
                              {tensor::getMixedSize(b, loc, matrices, 0),
                               tensor::getMixedSize(b, loc, matrices, 2),
                               tensor::getMixedSize(b, loc, matrices, 1)},
                              type.getElementType());
  return linalg::TransposeOp::create(b, loc, matrices, init,
                                     ArrayRef<int64_t>{0, 2, 1})
      ->getResult(0);
}

Value AttentionBuilder::multiply(Value a, Value c) {
  Value empty = tensor::EmptyOp::create(b, loc,
                                        {tensor::getMixedSize(b, loc, a, 0),
                                         tensor::getMixedSize(b, loc, a, 1),
                                         tensor::getMixedSize(b, loc, c, 2)},
                                        element);
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
  Value init = linalg::FillOp::create(b, loc, zero, empty).getResult(0);
  return linalg::BatchMatmulOp::create(b, loc, ValueRange{a, c}, init)
      ->getResult(0);
}

Value AttentionBuilder::map(Value weights, ArrayRef<ElementwiseOperand> others,
                            BodyBuilder body) {
  SmallVector<ElementwiseOperand> inputs = {{weights, allDims(rank)}};
  inputs.append(others.begin(), others.end());
  Value init = emptyLike(b, loc, tensorType(weights), weights);
  return elementwise(b, loc, inputs, init, body).getResult(0);
}

Value AttentionBuilder::divideByRoot(Value weights) {
  int64_t columns = tensorType(q).getShape().back();
  Value root;
  if (ShapedType::isDynamic(columns)) {
    Value size = tensor::DimOp::create(b, loc, q, rank - 1);
    size = arith::IndexCastUIOp::create(b, loc, b.getI32Type(), size);
    root = math::SqrtOp::create(b, loc,
                                arith::UIToFPOp::create(b, loc, element, size));
  } else {
    root = arith::ConstantOp::create(
        b, loc,
        b.getFloatAttr(element, std::sqrt(static_cast<double>(columns))));
  }
  return map(weights, {}, [&](OpBuilder &b, Location loc, ValueRange args) {
    return SmallVector<Value>{arith::DivFOp::create(b, loc, args[0], root)};
  });
}

/// A size of 1 of the mask stands for every one of the weights.
Value AttentionBuilder::addMask(Value weights) {
  RankedTensorType type = tensorType(mask), whole = tensorType(weights);
  int64_t first = rank - type.getRank();
  SmallVector<int64_t> dims;
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0; i != type.getRank(); ++i) {
    bool isOne = type.getDimSize(i) == 1 && whole.getDimSize(first + i) != 1;
    if (!isOne)
      dims.push_back(first + i);
    if (groups.empty() ||
        (!isOne && llvm::is_contained(dims, first + i) && dims.size() > 1))
      groups.emplace_back();
    groups.back().push_back(i);
  }
  // Dimensions that do not count go to a neighbour that does.
  Value read = mask;
  if (static_cast<int64_t>(dims.size()) != type.getRank())
    read = tensor::CollapseShapeOp::create(
        b, loc, mask,
        dims.empty() ? SmallVector<ReassociationIndices>() : groups);
  bool isChoice = type.getElementType().isInteger(1);
  Value none = arith::ConstantOp::create(
      b, loc,
      b.getFloatAttr(element,
                     APFloat::getInf(element.getFloatSemantics(), true)));
  return map(
      weights, {{read, dims}},
      [&](OpBuilder &b, Location loc, ValueRange args) {
        Value kept =
            isChoice
                ? arith::SelectOp::create(b, loc, args[1], args[0], none)
                      .getResult()
                : arith::AddFOp::create(b, loc, args[0], args[1]).getResult();
        return SmallVector<Value>{kept};
      });
}

Value AttentionBuilder::reduce(Value weights, TypedAttr init,
                               BodyBuilder body) {
  RankedTensorType type = tensorType(weights);
  auto rows = allDims(rank - 1);
  Value dest = filled(
      b, loc, RankedTensorType::get(type.getShape().drop_back(), element),
      weights, rows, init);
  auto reduction = linalg::ReduceOp::create(
      b, loc, weights, dest, ArrayRef<int64_t>{rank - 1},
      [&](OpBuilder &b, Location loc, ValueRange args) {
        linalg::YieldOp::create(b, loc, body(b, loc, args));
      });
  return reduction.getResult(0);
}

Value AttentionBuilder::softmax(Value weights) {
  auto least = b.getFloatAttr(
      element, APFloat::getInf(element.getFloatSemantics(), true));
  Value most =
      reduce(weights, least, [](OpBuilder &b, Location loc, ValueRange args) {
        return SmallVector<Value>{
            arith::MaximumFOp::create(b, loc, args[0], args[1])};
      });
  auto rows = allDims(rank - 1);
  weights = map(weights, {{most, rows}},
                [](OpBuilder &b, Location loc, ValueRange args) {
                  Value x = arith::SubFOp::create(b, loc, args[0], args[1]);
                  return SmallVector<Value>{math::ExpOp::create(b, loc, x)};
                });
  Value sum = reduce(weights, cast<TypedAttr>(b.getZeroAttr(element)),
                     [](OpBuilder &b, Location loc, ValueRange args) {
                       return SmallVector<Value>{
                           arith::AddFOp::create(b, loc, args[0], args[1])};
                     });
  return map(weights, {{sum, rows}},
             [](OpBuilder &b, Location loc, ValueRange args) {
               return SmallVector<Value>{
                   arith::DivFOp::create(b, loc, args[0], args[1])};
             });
}

Value AttentionBuilder::build(RankedTensorType result) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, q);
  sizes.back() = tensor::getMixedSize(b, loc, k, rank - 2);
  SmallVector<int64_t> shape(tensorType(q).getShape());
  shape.back() = tensorType(k).getDimSize(rank - 2);
  Value weights = multiply(collapse(q), transpose(collapse(k)));
  weights = expand(weights, RankedTensorType::get(shape, element), sizes);
  weights = divideByRoot(weights);
  if (mask)
    weights = addMask(weights);
  weights = softmax(weights);
  Value y = multiply(collapse(weights), collapse(v));
  sizes.back() = tensor::getMixedSize(b, loc, v, rank - 1);
  shape.back() = tensorType(v).getShape().back();
  y = expand(y, RankedTensorType::get(shape, element), sizes);
  if (y.getType() != result)
    y = tensor::CastOp::create(b, loc, result, y);
  return y;
}

namespace {
struct LowerAttention : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op,
                                PatternRewriter &rewriter) const override {
    auto result = cast<RankedTensorType>(op.getResult(0).getType());
    rewriter.replaceOp(op, AttentionBuilder(rewriter, op).build(result));
    return success();
  }
};
} // namespace

void quantmlir::populateAttentionToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerAttention>(patterns.getContext());
}
