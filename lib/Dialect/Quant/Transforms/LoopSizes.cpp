//===- LoopSizes.cpp - which sizes an op's definition makes one -----------===//

#include "LoopSizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "quant/Dialect/Quant/IR/CachedAttention.h"
#include "quant/Dialect/Quant/IR/FloatAttention.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/IR/QuantizeBlocks.h"
#include "quant/Dialect/Quant/IR/QuantizeRows.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace quantmlir;

static SmallVector<int64_t> upTo(int64_t end) {
  return llvm::to_vector(llvm::seq<int64_t>(end));
}

static SmallVector<int64_t> append(SmallVector<int64_t> loops, int64_t last) {
  loops.push_back(last);
  return loops;
}

/// ceil(size / divisor).
static RuntimeSize divideUp(OpBuilder &builder, Location loc,
                            const RuntimeSize &size, int64_t divisor) {
  if (std::optional<int64_t> number = size.getNumber())
    return RuntimeSize::of(llvm::divideCeil(static_cast<uint64_t>(*number),
                                            static_cast<uint64_t>(divisor)));
  Value by = arith::ConstantIndexOp::create(builder, loc, divisor);
  return RuntimeSize::of(Value(
      arith::CeilDivUIOp::create(builder, loc, size.emit(builder, loc), by)));
}

static void addLoops(MatmulOp op, LoopSizes &loops) {
  SmallVector<int64_t> batch = upTo(op.getNumBatchDims());
  int64_t m = batch.size(), n = m + 1, k = m + 2;
  loops.add(append(append(batch, m), k), op.getLhs(), "lhs");
  SmallVector<int64_t> columns =
      op.hasBatchedRhs() ? batch : SmallVector<int64_t>();
  bool transposed = op.getTransposeRhs();
  loops.add(append(append(columns, transposed ? n : k), transposed ? k : n),
            op.getRhs(), "rhs");
  loops.add(append(batch, m), op.getLhsZeroPoint(), "lhs_zero_point");
  loops.add(append(columns, n), op.getRhsZeroPoint(), "rhs_zero_point");
  loops.add(append(append(batch, m), n), op.getInit(), "init");
}

static void addLoops(ScaledMatmulOp op, LoopSizes &loops) {
  int64_t m = op.getNumBatchDims(), n = m + 1, k = m + 2, group = m + 3;
  int64_t block = m + 4;
  SmallVector<int64_t> rows = upTo(m + 1);
  loops.add(append(rows, k), op.getLhs(), "lhs");
  loops.add({n, k}, op.getRhs(), "rhs");
  loops.add(rows, op.getLhsZeroPoint(), "lhs_zero_point");
  loops.add(rows, op.getRowScale(), "row_scale");
  loops.add({n, group}, op.getRhsScale(), "rhs_scale");
  loops.add({n, group}, op.getRhsZeroPoint(), "rhs_zero_point");
  loops.add({n, group}, op.getRhsOffset(), "rhs_offset");
  loops.add({n}, op.getBias(), "bias");
  loops.add(append(rows, block), op.getLhsScale(), "lhs_scale");
  loops.addResult(append(rows, n), op.getResult());
  OpBuilder builder(op);
  if (op.getRhs().getType().isDynamicDim(1) ||
      op.getRhsScale().getType().isDynamicDim(1))
    loops.add(group,
              divideUp(builder, op.getLoc(), RuntimeSize::of(op.getRhs(), 1),
                       op.getGroupSize()),
              "the groups of rhs");
  if (Value scale = op.getLhsScale();
      scale && (op.getLhs().getType().isDynamicDim(m + 1) ||
                cast<RankedTensorType>(scale.getType()).isDynamicDim(m + 1)))
    loops.add(block,
              divideUp(builder, op.getLoc(),
                       RuntimeSize::of(op.getLhs(), m + 1),
                       *op.getLhsGroupSize()),
              "the blocks of lhs");
}

template <typename OpTy>
static void addRescaleLoops(OpTy op, LoopSizes &loops) {
  int64_t rank = op.getAcc().getType().getRank();
  loops.add(upTo(rank), op.getAcc(), "acc");
  loops.add({rank - 1}, op.getBias(), "bias");
  loops.addResult(upTo(rank), op.getResult());
}

static void addLoops(RescaleOp op, LoopSizes &loops) {
  addRescaleLoops(op, loops);
  int64_t rank = op.getAcc().getType().getRank();
  loops.add(upTo(rank - 1), op.getRowScale(), "row_scale");
  loops.add({rank - 1}, op.getChannelScale(), "channel_scale");
  loops.add(upTo(rank), op.getResidual(), "residual");
}

static void addLoops(RescaleFixedPointOp op, LoopSizes &loops) {
  addRescaleLoops(op, loops);
  int64_t last = op.getAcc().getType().getRank() - 1;
  loops.add({last}, op.getMultiplier(), "multiplier");
  loops.add({last}, op.getShift(), "shift");
}

/// quantize and dequantize.
template <typename OpTy>
static void addParameterLoops(OpTy op, LoopSizes &loops) {
  SmallVector<int64_t> all = upTo(op.getInput().getType().getRank());
  loops.add(all, op.getInput(), "input");
  loops.add(op.getAxes(), op.getScale(), "scale");
  loops.add(op.getAxes(), op.getZeroPoint(), "zero_point");
  loops.addResult(all, op.getResult());
}

static void addLoops(ChooseQParamsOp op, LoopSizes &loops) {
  loops.add(upTo(op.getInput().getType().getRank()), op.getInput(), "input");
  for (Value result : op->getResults())
    loops.addResult(op.getAxes(), result);
}

static void addLoops(RotateOp op, LoopSizes &loops) {
  SmallVector<int64_t> all = upTo(op.getInput().getType().getRank());
  loops.add(all, op.getInput(), "input");
  loops.addResult(all, op.getResult());
}

static void addLoops(RotateRowsOp op, LoopSizes &loops) {
  SmallVector<int64_t> all =
      upTo(cast<RankedTensorType>(op.getInput().getType()).getRank());
  loops.add(all, op.getInput(), "input");
  loops.add(all, op.getRotated(), "rotated");
}

/// Of rows of `k` elements, parts of `part` each.
static RuntimeSize countParts(int64_t k, int64_t part) {
  return RuntimeSize::of(llvm::divideCeilSigned(k, part));
}

static void addLoops(QuantizeRowsOp op, LoopSizes &loops) {
  enum : int64_t { m, k, tile, one, kr };
  loops.add({m, k}, op.getInput(), "input");
  loops.add({m}, op.getScale(), "scale");
  if (op.isPlain())
    return loops.add({m, k}, op.getPacked(), "packed");
  auto packed = cast<RankedTensorType>(op.getPacked().getType());
  auto input = cast<RankedTensorType>(op.getInput().getType());
  loops.add({m, tile, one, kr}, op.getPacked(), "packed");
  loops.add(tile, countParts(input.getDimSize(1), packed.getDimSize(3)),
            "the tiles of input");
  loops.add(one, RuntimeSize::of(1), "the rows of a tile");
}

static void addLoops(QuantizeBlocksOp op, LoopSizes &loops) {
  enum : int64_t { m, k, block };
  loops.add({m, k}, op.getInput(), "input");
  loops.add({m, k}, op.getInts(), "ints");
  loops.add({m, block}, op.getScale(), "scale");
  loops.add({m, block}, op.getSums(), "sums");
  loops.add(block, countParts(op.getK(), op.getBlock()), "the blocks of input");
}

static void addLoops(CachedAttentionOp op, LoopSizes &loops) {
  enum : int64_t { h, g, s, d, p, w };
  loops.add({h, g, s, d}, op.getQuery(), "query");
  loops.add({h, g, s}, op.getQueryScale(), "query_scale");
  for (const auto &[tokens, t, name] : {std::tuple(op.getPast(), p, "past_"),
                                        std::tuple(op.getNew(), s, "new_")}) {
    loops.add({h, w, t}, tokens.keys, Twine(name) + "keys");
    loops.add({h, t}, tokens.keyScale, Twine(name) + "key_scale");
    loops.add({h, t, w}, tokens.values, Twine(name) + "values");
    loops.add({h, t}, tokens.valueScale, Twine(name) + "value_scale");
  }
  loops.add(w, RuntimeSize::of(op.getNumWords()), "the words of a head");
  loops.add({s, h, g, d}, op.getInit(), "init");
}

static void addLoops(FloatAttentionOp op, LoopSizes &loops) {
  enum : int64_t { h, g, s, d, p };
  loops.add({h, g, s, d}, op.getQuery(), "query");
  for (const auto &[tokens, t, name] : {std::tuple(op.getPast(), p, "past_"),
                                        std::tuple(op.getNew(), s, "new_")}) {
    loops.add({h, d, t}, tokens.keys, Twine(name) + "keys");
    loops.add({h, t, d}, tokens.values, Twine(name) + "values");
  }
  loops.add({s, h, g, d}, op.getInit(), "init");
}

/// The last dimension of one side is a half, or quarter, of the other's.
static void addNarrowLoops(Operation *op, Value unpacked, Value packed,
                           int64_t perByte, LoopSizes &loops) {
  Value input = op->getOperand(0), result = op->getResult(0);
  int64_t last = cast<RankedTensorType>(input.getType()).getRank() - 1;
  loops.add(upTo(last), input, "input");
  auto resultType = cast<RankedTensorType>(result.getType());
  for (int64_t dim = 0; dim < last; ++dim)
    if (!resultType.isDynamicDim(dim))
      loops.add(dim, result, dim, "the result");
  // What a dynamic result has is what the input says.
  if (resultType.isDynamicDim(last) ||
      !cast<RankedTensorType>(input.getType()).isDynamicDim(last))
    return;
  OpBuilder builder(op);
  loops.add(last, packed, last, packed == input ? "input" : "the result");
  loops.add(
      last,
      divideUp(builder, op->getLoc(), RuntimeSize::of(unpacked, last), perByte),
      perByte == 2 ? "the bytes of two elements each"
                   : "the bytes of four elements each");
}

static void addLoops(linalg::LinalgOp op, LoopSizes &loops) {
  if (!op.hasPureTensorSemantics())
    return;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<RankedTensorType>(operand.get().getType()))
      continue;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (auto [dim, expr] : llvm::enumerate(map.getResults()))
      if (auto loop = dyn_cast<AffineDimExpr>(expr))
        loops.add(loop.getPosition(), operand.get(), dim,
                  "operand " + Twine(operand.getOperandNumber()));
  }
}

/// A cast to more static sizes claims what its source has.
static void addLoops(tensor::CastOp op, LoopSizes &loops) {
  auto source = dyn_cast<RankedTensorType>(op.getSource().getType());
  auto result = dyn_cast<RankedTensorType>(op.getType());
  if (!source || !result)
    return;
  for (int64_t dim = 0, e = source.getRank(); dim < e; ++dim) {
    if (!source.isDynamicDim(dim) || result.isDynamicDim(dim))
      continue;
    loops.add(dim, op.getSource(), dim, "the source");
    loops.add(dim, RuntimeSize::of(result.getDimSize(dim)), "the result");
  }
}

/// A dimension is split without a rest.
static void addLoops(tensor::ExpandShapeOp op, LoopSizes &loops) {
  for (const ReassociationIndices &group : op.getReassociationIndices())
    if (!areDimensions(group, op.getResultType()))
      return;
  for (auto [dim, group] : llvm::enumerate(op.getReassociationIndices())) {
    RuntimeSize product = RuntimeSize::of(1);
    for (int64_t part : group)
      product = product * RuntimeSize::of(op.getResult(), part);
    loops.add(dim, op.getSrc(), dim, "the source");
    loops.add(dim, product, "its parts");
  }
}

void quantmlir::addSizes(Operation *op, LoopSizes &loops) {
  // Some stand on buffers as well.
  if (llvm::any_of(op->getOperandTypes(), llvm::IsaPred<BaseMemRefType>))
    return;
  llvm::TypeSwitch<Operation *>(op)
      .Case<MatmulOp, ScaledMatmulOp, RescaleOp, RescaleFixedPointOp,
            ChooseQParamsOp, RotateOp, RotateRowsOp, QuantizeRowsOp,
            QuantizeBlocksOp, CachedAttentionOp, FloatAttentionOp,
            tensor::CastOp, tensor::ExpandShapeOp, linalg::LinalgOp>(
          [&](auto op) { addLoops(op, loops); })
      .Case<QuantizeOp, DequantizeOp>(
          [&](auto op) { addParameterLoops(op, loops); })
      .Case<PackInt4Op, PackInt2Op>([&](auto op) {
        addNarrowLoops(op, op.getInput(), op.getResult(), op.kPerByte, loops);
      })
      .Case<UnpackInt4Op, UnpackInt2Op>([&](auto op) {
        addNarrowLoops(op, op.getResult(), op.getInput(), op.kPerByte, loops);
      });
}
