//===- BatchDims.cpp - matmuls without batch dimensions -------------------===//

#include "BatchDims.h"

#include "PackedRescale.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

using namespace mlir;
using namespace quantmlir;

/// The rescale that goes with `op`. One that knows more, or less, of its sizes
/// than the matmul is left where it is.
static Operation *getRescale(MatmulOp op) {
  Operation *rescale = soleRescale(op);
  bool isAlike = rescale && tensorType(rescale->getResult(0)).getShape() ==
                                tensorType(op.getResult()).getShape();
  return isAlike ? rescale : nullptr;
}

Value quantmlir::mergeLeading(OpBuilder &b, Location loc, Value value,
                              int64_t keep) {
  if (!value)
    return value;
  int64_t rank = tensorType(value).getRank();
  if (rank <= keep + 1)
    return value;
  SmallVector<ReassociationIndices> groups(1);
  for (int64_t i = 0; i < rank - keep; ++i)
    groups[0].push_back(i);
  for (int64_t i = rank - keep; i < rank; ++i)
    groups.push_back({i});
  return tensor::CollapseShapeOp::create(b, loc, value, groups);
}

/// Whether all batch dimensions are known to be 1.
static bool isUnitBatch(MatmulOp op) {
  return llvm::all_of(
      op.getLhs().getType().getShape().take_front(op.getNumBatchDims()),
      [](int64_t size) { return size == 1; });
}

/// The right operand [1.., R, C] as [R, C]; a constant stays one, so that it
/// is packed at compile time.
static Value dropUnitBatch(OpBuilder &b, Location loc, Value value) {
  RankedTensorType type = tensorType(value);
  auto matrix = RankedTensorType::get(type.getShape().take_back(2),
                                      type.getElementType());
  if (auto unpack = value.getDefiningOp<UnpackInt4Op>())
    return UnpackInt4Op::create(b, loc, matrix,
                                dropUnitBatch(b, loc, unpack.getInput()));
  Attribute attr;
  if (matchPattern(value, m_Constant(&attr))) {
    if (auto dense = dyn_cast<DenseElementsAttr>(attr))
      return arith::ConstantOp::create(b, loc, matrix, dense.reshape(matrix));
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr))
      return arith::ConstantOp::create(
          b, loc, matrix,
          DenseResourceElementsAttr::get(matrix, resource.getRawHandle()));
  }
  return mergeLeading(b, loc, value, 1);
}

/// Clones matmul and rescale (which may be null) on new operands, those of the
/// matmul given and those of the rescale as `convert` makes them of an operand
/// and the number of its dimensions that are not of the batch. Returns the
/// value that stands for the last of them.
static Value cloneOn(OpBuilder &b, MatmulOp op, Operation *rescale, Value lhs,
                     Value rhs, Value lhsZp, Value rhsZp, Value init,
                     function_ref<Value(Value, int64_t)> convert) {
  auto matmul = MatmulOp::create(b, op.getLoc(), init.getType(), lhs, rhs,
                                 lhsZp, rhsZp, init, op.getTransposeRhs(),
                                 op.getLhsUnsigned(), op.getRhsUnsigned());
  if (!rescale)
    return matmul.getResult();
  IRMapping mapping;
  mapping.map(op.getResult(), matmul.getResult());
  // Columns are of every batch; of the others the float rescale has some.
  if (auto scaled = dyn_cast<RescaleOp>(rescale)) {
    if (Value scale = scaled.getRowScale())
      mapping.map(scale, convert(scale, 1));
    if (Value residual = scaled.getResidual())
      mapping.map(residual, convert(residual, 2));
  }
  Operation *moved = b.clone(*rescale, mapping);
  Type element = tensorType(rescale->getResult(0)).getElementType();
  moved->getResult(0).setType(tensorType(init).clone(element));
  return moved->getResult(0);
}

static void mergeBatchIntoRows(MatmulOp op, RewriterBase &b) {
  Location loc = op.getLoc();
  Operation *rescale = getRescale(op);
  Operation *last = rescale ? rescale : op.getOperation();
  b.setInsertionPoint(last);
  RankedTensorType type = tensorType(last->getResult(0));
  Value rhs = op.getRhs();
  if (op.hasBatchedRhs())
    rhs = dropUnitBatch(b, loc, rhs);
  Value result = cloneOn(b, op, rescale, mergeLeading(b, loc, op.getLhs(), 1),
                         rhs, mergeLeading(b, loc, op.getLhsZeroPoint(), 0),
                         mergeLeading(b, loc, op.getRhsZeroPoint(), 0),
                         mergeLeading(b, loc, op.getInit(), 1),
                         [&](Value v, int64_t inner) {
                           return mergeLeading(b, loc, v, inner == 1 ? 0 : 1);
                         });
  SmallVector<ReassociationIndices> groups = {{}, {type.getRank() - 1}};
  for (int64_t i = 0; i < type.getRank() - 1; ++i)
    groups[0].push_back(i);
  Value expanded = tensor::ExpandShapeOp::create(
      b, loc, type, result, groups,
      tensor::getMixedSizes(b, loc, op.getInit()));
  b.replaceOp(last, expanded);
  if (rescale)
    b.eraseOp(op);
}

namespace {
/// Where slice `i` along the first dimension of a tensor lies.
struct BatchSlice {
  BatchSlice(OpBuilder &b, Location loc, Value value, Value i)
      : sizes(tensor::getMixedSizes(b, loc, value)),
        offsets(sizes.size(), b.getIndexAttr(0)),
        strides(sizes.size(), b.getIndexAttr(1)) {
    offsets[0] = i;
    sizes[0] = b.getIndexAttr(1);
  }
  SmallVector<OpFoldResult> sizes, offsets, strides;
};
} // namespace

/// Slice `i` along the first dimension, without that dimension.
static Value sliceBatch(OpBuilder &b, Location loc, Value value, Value i) {
  RankedTensorType type = tensorType(value);
  BatchSlice at(b, loc, value, i);
  auto slice = RankedTensorType::get(type.getShape().drop_front(),
                                     type.getElementType());
  return tensor::ExtractSliceOp::create(b, loc, slice, value, at.offsets,
                                        at.sizes, at.strides);
}

/// Peels the first batch dimension off into a loop.
static void loopOverBatch(MatmulOp op, RewriterBase &b,
                          SmallVectorImpl<MatmulOp> &worklist) {
  Location loc = op.getLoc();
  Operation *rescale = getRescale(op);
  Operation *last = rescale ? rescale : op.getOperation();
  b.setInsertionPoint(last);
  RankedTensorType type = tensorType(last->getResult(0));
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value count = tensor::DimOp::create(b, loc, op.getInit(), 0);
  Value init = emptyLike(b, loc, type, op.getInit());
  auto slice = [&](Value v, int64_t minRank, Value i) -> Value {
    return !v || tensorType(v).getRank() < minRank ? v
                                                   : sliceBatch(b, loc, v, i);
  };
  auto loop = scf::ForOp::create(b, loc, zero, count, one, init);
  b.setInsertionPointToStart(loop.getBody());
  Value i = loop.getInductionVar();
  Value part = cloneOn(
      b, op, rescale, sliceBatch(b, loc, op.getLhs(), i),
      sliceBatch(b, loc, op.getRhs(), i), slice(op.getLhsZeroPoint(), 1, i),
      slice(op.getRhsZeroPoint(), 2, i), sliceBatch(b, loc, op.getInit(), i),
      [&](Value v, int64_t inner) { return slice(v, inner, i); });
  Value acc = loop.getRegionIterArgs().front();
  BatchSlice at(b, loc, acc, i);
  Value inserted = tensor::InsertSliceOp::create(b, loc, part, acc, at.offsets,
                                                 at.sizes, at.strides);
  scf::YieldOp::create(b, loc, inserted);
  loop.getBody()->walk([&](MatmulOp inner) { worklist.push_back(inner); });
  b.replaceOp(last, loop.getResults());
  if (rescale)
    b.eraseOp(op);
}

void quantmlir::removeBatchDims(Operation *root) {
  SmallVector<MatmulOp> worklist;
  root->walk([&](MatmulOp op) { worklist.push_back(op); });
  IRRewriter rewriter(root->getContext());
  while (!worklist.empty()) {
    MatmulOp op = worklist.pop_back_val();
    if (op.getNumBatchDims() == 0)
      continue;
    if (op.hasBatchedRhs() && !isUnitBatch(op))
      loopOverBatch(op, rewriter, worklist);
    else
      mergeBatchIntoRows(op, rewriter);
  }
}
