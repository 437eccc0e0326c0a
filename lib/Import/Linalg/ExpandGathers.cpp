//===- ExpandGathers.cpp - tensor.gather as a lookup ----------------------===//

#include "quant/Import/Linalg/ExpandGathers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quantmlir;

/// The index into dimension `dim` of `op`'s source, in the body of a nest over
/// its result.
static Value getIndex(OpBuilder &b, Location loc, tensor::GatherOp op,
                      int64_t dim) {
  ArrayRef<int64_t> gathered = op.getGatherDims();
  int64_t numBatch = op.getIndicesType().getRank() - 1;
  const auto *found = llvm::find(gathered, dim);
  if (found == gathered.end()) {
    // Gathered dimensions are of size 1 in the result, or are not there.
    bool isReduced =
        op.getResultType().getRank() < numBatch + op.getSourceType().getRank();
    int64_t before = llvm::count_if(
        gathered, [&](int64_t other) { return isReduced && other < dim; });
    return linalg::IndexOp::create(b, loc, numBatch + dim - before);
  }
  SmallVector<Value> at;
  for (int64_t batch = 0; batch < numBatch; ++batch)
    at.push_back(linalg::IndexOp::create(b, loc, batch));
  at.push_back(
      arith::ConstantIndexOp::create(b, loc, found - gathered.begin()));
  Value index = tensor::ExtractOp::create(b, loc, op.getIndices(), at);
  return index.getType().isIndex()
             ? index
             : arith::IndexCastOp::create(b, loc, b.getIndexType(), index)
                   .getResult();
}

/// The sizes of `op`'s result: of its indices, and of what it has all of.
static SmallVector<OpFoldResult> getSizes(OpBuilder &b, tensor::GatherOp op) {
  RankedTensorType type = op.getResultType();
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(b, op.getLoc(), op.getIndices());
  sizes.pop_back();
  bool isReduced = type.getRank() < static_cast<int64_t>(sizes.size()) +
                                        op.getSourceType().getRank();
  for (int64_t dim = 0, e = op.getSourceType().getRank(); dim < e; ++dim) {
    bool isGathered = llvm::is_contained(op.getGatherDims(), dim);
    if (isGathered && isReduced)
      continue;
    sizes.push_back(
        isGathered ? OpFoldResult(b.getIndexAttr(1))
                   : tensor::getMixedSize(b, op.getLoc(), op.getSource(), dim));
  }
  for (auto [size, known] : llvm::zip_equal(sizes, type.getShape()))
    if (!ShapedType::isDynamic(known))
      size = b.getIndexAttr(known);
  return sizes;
}

void quantmlir::expandGathers(Operation *root) {
  SmallVector<tensor::GatherOp> gathers;
  root->walk([&](tensor::GatherOp op) { gathers.push_back(op); });
  for (tensor::GatherOp op : gathers) {
    OpBuilder builder(op);
    Location loc = op.getLoc();
    RankedTensorType type = op.getResultType();
    Value empty = tensor::EmptyOp::create(builder, loc, getSizes(builder, op),
                                          type.getElementType());
    SmallVector<utils::IteratorType> kinds(type.getRank(),
                                           utils::IteratorType::parallel);
    auto lookup = linalg::GenericOp::create(
        builder, loc, empty.getType(), ValueRange{}, empty,
        builder.getMultiDimIdentityMap(type.getRank()), kinds,
        [&](OpBuilder &b, Location l, ValueRange) {
          SmallVector<Value> indices;
          for (int64_t dim = 0, e = op.getSourceType().getRank(); dim < e;
               ++dim)
            indices.push_back(getIndex(b, l, op, dim));
          Value element =
              tensor::ExtractOp::create(b, l, op.getSource(), indices);
          linalg::YieldOp::create(b, l, element);
        });
    Value result = lookup.getResult(0);
    if (result.getType() != type)
      result = tensor::CastOp::create(builder, loc, type, result);
    op.replaceAllUsesWith(result);
    op.erase();
  }
}
