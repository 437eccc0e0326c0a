//===- LowerCollectives.cpp - collectives that upstream does not lower ----===//
//
// `quant-lower-collectives`. Upstream's `convert-shard-to-mpi` (MLIR 22) has no
// gather and no sum that is divided, and wants static sizes of a sum.
//
//===----------------------------------------------------------------------===//

#include "quant/Shard/Passes.h"

#include "CollectiveFunctions.h"
#include "MPICall.h"
#include "RankCheck.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MPI/IR/MPI.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Shard/IR/ShardDialect.h"
#include "mlir/Dialect/Shard/IR/ShardOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

#include "quant/Dialect/Quant/Utils/DiscardableAttrs.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

#include "llvm/ADT/TypeSwitch.h"

#include <limits>

namespace quantmlir {
#define GEN_PASS_DEF_QUANTLOWERCOLLECTIVESPASS
#include "quant/Shard/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

/// Sizes of `value` as they are named when a tensor is made.
static SmallVector<Value> dynamicSizes(OpBuilder &b, Location loc,
                                       Value value) {
  SmallVector<Value> sizes;
  RankedTensorType type = tensorType(value);
  for (int64_t dim : allDims(type.getRank()))
    if (type.isDynamicDim(dim))
      sizes.push_back(tensor::DimOp::create(b, loc, value, dim));
  return sizes;
}

static Value getBuffer(OpBuilder &b, Location loc, Value value,
                       bool isReadOnly) {
  RankedTensorType type = tensorType(value);
  return bufferization::ToBufferOp::create(
      b, loc, MemRefType::get(type.getShape(), type.getElementType()), value,
      isReadOnly);
}

static Value takeBuffer(OpBuilder &b, Location loc, Value buffer,
                        RankedTensorType type) {
  return bufferization::ToTensorOp::create(b, loc, type, buffer,
                                           /*restrict=*/true,
                                           /*writable=*/true);
}

//===----------------------------------------------------------------------===//
// Sums and maxima
//===----------------------------------------------------------------------===//

static std::optional<mpi::MPI_ReductionOpEnum>
getReduction(shard::ReductionKind kind) {
  switch (kind) {
  case shard::ReductionKind::Sum:
    return mpi::MPI_ReductionOpEnum::MPI_SUM;
  case shard::ReductionKind::Max:
    return mpi::MPI_ReductionOpEnum::MPI_MAX;
  case shard::ReductionKind::BitwiseOr:
    return mpi::MPI_ReductionOpEnum::MPI_BOR;
  default:
    return std::nullopt;
  }
}

/// All dimensions of `value` as one.
static Value flatten(OpBuilder &b, Location loc, Value value) {
  RankedTensorType type = tensorType(value);
  if (type.getRank() == 1)
    return value;
  if (type.getRank() == 0)
    return tensor::ExpandShapeOp::create(
        b, loc, RankedTensorType::get({1}, type.getElementType()), value,
        ArrayRef<ReassociationIndices>());
  return tensor::CollapseShapeOp::create(
      b, loc, value, ReassociationIndices(allDims(type.getRank())));
}

/// `flat` with the shape of `like`.
static Value unflatten(OpBuilder &b, Location loc, Value flat, Value like) {
  RankedTensorType type = tensorType(like);
  if (type.getRank() == 1)
    return flat;
  if (type.getRank() == 0)
    return tensor::CollapseShapeOp::create(b, loc, type, flat,
                                           ArrayRef<ReassociationIndices>());
  return tensor::ExpandShapeOp::create(
      b, loc, type, flat, ReassociationIndices(allDims(type.getRank())),
      tensor::getMixedSizes(b, loc, like));
}

/// Types that MPI has, and what the LLVM dialect makes of them.
static bool isReduced(Type type) {
  return type.isF32() || type.isF64() || type.isSignlessInteger(8) ||
         type.isSignlessInteger(16) || type.isSignlessInteger(32) ||
         type.isSignlessInteger(64);
}

/// MPI counts in i32. Fails where `value` has 2^31 elements of `width` bytes
/// each, and where the run knows its sizes, stops it there; on all ranks, whose
/// sizes are the same.
static LogicalResult checkCount(OpBuilder &b, Operation *op, Value value,
                                int64_t width, StringRef what) {
  constexpr int64_t limit = int64_t(1) << 31;
  auto type = cast<RankedTensorType>(value.getType());
  int64_t known = width;
  for (int64_t size : type.getShape())
    if (!ShapedType::isDynamic(size) && size != 0 &&
        (known >= limit || llvm::MulOverflow(known, size, known)))
      known = limit;
  bool isEmpty = llvm::is_contained(type.getShape(), 0);
  if (known >= limit && !isEmpty)
    return op->emitOpError("expected a part of less than 2^31 ")
           << what << ", found " << type;
  if (type.hasStaticShape() || isEmpty)
    return success();
  Location loc = op->getLoc();
  Value count = arith::ConstantIndexOp::create(b, loc, known);
  for (Value size : dynamicSizes(b, loc, value))
    count = arith::MulIOp::create(b, loc, count, size);
  Value most = arith::ConstantIndexOp::create(b, loc, limit);
  Value fits =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, count, most);
  cf::AssertOp::create(b, loc, fits,
                       b.getStringAttr(op->getName().getStringRef() +
                                       ": expected a part of less than 2^31 " +
                                       what));
  return success();
}

/// How elements of `type` are combined, or an error.
static FailureOr<mpi::MPI_ReductionOpEnum>
verifyReduction(Operation *op, shard::ReductionKind reduction, Type type) {
  std::optional<mpi::MPI_ReductionOpEnum> kind = getReduction(reduction);
  if (!kind)
    return op->emitOpError("expected a sum, a maximum or an or of bits, found ")
           << shard::stringifyReductionKind(reduction);
  if (*kind == mpi::MPI_ReductionOpEnum::MPI_BOR &&
      !getElementTypeOrSelf(type).isInteger())
    return op->emitOpError("expected integers for an or of bits, found ")
           << type;
  return *kind;
}

static LogicalResult lowerReduce(shard::AllReduceOp op) {
  auto type = dyn_cast<RankedTensorType>(op.getInput().getType());
  if (!type || type != op.getType() || !isReduced(type.getElementType()))
    return op.emitOpError(
               "expected ranked tensors of one type, of f32, f64, i8, "
               "i16, i32 or i64, found ")
           << op.getInput().getType() << " and " << op.getType();
  FailureOr<mpi::MPI_ReductionOpEnum> kind =
      verifyReduction(op, op.getReduction(), type);
  if (failed(kind))
    return failure();
  OpBuilder b(op);
  Location loc = op.getLoc();
  if (failed(checkCount(b, op, op.getInput(), 1, "elements")))
    return failure();
  Value flat = flatten(b, loc, op.getInput());
  // In place: bufferization copies what others read, too.
  Value sum = getBuffer(b, loc, flat, /*isReadOnly=*/false);
  Value world =
      mpi::CommWorldOp::create(b, loc, mpi::CommType::get(op.getContext()));
  mpi::AllReduceOp::create(b, loc, TypeRange(), sum, sum, *kind, world);
  Value result = takeBuffer(b, loc, sum, tensorType(flat));
  op.getResult().replaceAllUsesWith(unflatten(b, loc, result, op.getInput()));
  op.erase();
  return success();
}

//===----------------------------------------------------------------------===//
// Gathers
//===----------------------------------------------------------------------===//

/// [N, d0, .., p, ..], the parts of all ranks one after the other, as
/// [d0, .., N * p, ..].
static Value joinParts(OpBuilder &b, Location loc, Value parts, int64_t axis,
                       RankedTensorType whole) {
  SmallVector<int64_t> order = allDims(whole.getRank() + 1);
  // The dimension of ranks comes before `axis`.
  std::rotate(order.begin(), order.begin() + 1, order.begin() + axis + 1);
  RankedTensorType type = tensorType(parts);
  if (axis != 0) {
    SmallVector<int64_t> shape;
    SmallVector<Value> sizes;
    for (int64_t dim : order) {
      shape.push_back(type.getDimSize(dim));
      if (type.isDynamicDim(dim))
        sizes.push_back(tensor::DimOp::create(b, loc, parts, dim));
    }
    Value empty =
        tensor::EmptyOp::create(b, loc, shape, type.getElementType(), sizes);
    parts =
        linalg::TransposeOp::create(b, loc, parts, empty, order)->getResult(0);
  }
  SmallVector<ReassociationIndices> groups;
  for (int64_t dim : allDims(whole.getRank())) {
    if (dim == axis)
      groups.push_back({dim, dim + 1});
    else
      groups.push_back({dim < axis ? dim : dim + 1});
  }
  return tensor::CollapseShapeOp::create(b, loc, whole, parts, groups);
}

static LogicalResult lowerGather(shard::AllGatherOp op, int64_t ranks,
                                 CollectiveFunctions &functions) {
  auto whole = cast<RankedTensorType>(op.getType());
  if (!whole.getElementType().isIntOrFloat())
    return op.emitOpError(
               "expected elements that are integers or floats, found ")
           << whole.getElementType();
  OpBuilder b(op);
  int64_t width = llvm::divideCeil(whole.getElementTypeBitWidth(), 8);
  if (failed(verifyMPI(op->getParentOfType<ModuleOp>(), op)) ||
      failed(checkCount(b, op, op.getInput(), width, "bytes")))
    return failure();
  Location loc = op.getLoc();
  Value part = op.getInput();
  SmallVector<int64_t> shape = {ranks};
  llvm::append_range(shape, tensorType(part).getShape());
  auto type = RankedTensorType::get(shape, whole.getElementType());
  Value from = getBuffer(b, loc, part, /*isReadOnly=*/true);
  Value to = memref::AllocOp::create(
      b, loc, MemRefType::get(shape, whole.getElementType()),
      dynamicSizes(b, loc, part));
  func::CallOp::create(b, loc,
                       functions.getGather(from.getType(), to.getType()),
                       ValueRange{from, to});
  Value parts = takeBuffer(b, loc, to, type);
  op.getResult().replaceAllUsesWith(
      joinParts(b, loc, parts, op.getGatherAxis().getSExtValue(), whole));
  op.erase();
  return success();
}

//===----------------------------------------------------------------------===//
// Sums that are divided
//===----------------------------------------------------------------------===//

/// `x` [.., N * r, ..] as [N, .., r, ..], a part for each rank. Where the run
/// knows the size it is stopped unless that has N parts.
static Value divide(OpBuilder &b, shard::ReduceScatterOp op, Value x,
                    int64_t ranks, RankedTensorType part) {
  Location loc = op.getLoc();
  RankedTensorType type = tensorType(x);
  int64_t axis = op.getScatterAxis().getSExtValue();
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, x);
  if (type.isDynamicDim(axis)) {
    Value size = cast<Value>(sizes[axis]);
    Value count = arith::ConstantIndexOp::create(b, loc, ranks);
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    Value rest = arith::RemUIOp::create(b, loc, size, count);
    Value isWhole =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, rest, zero);
    cf::AssertOp::create(b, loc, isWhole,
                         "shard.reduce_scatter: expected a size that is a "
                         "multiple of the ranks");
    sizes[axis] = arith::DivUIOp::create(b, loc, size, count).getResult();
  } else {
    sizes[axis] = b.getIndexAttr(part.getDimSize(axis));
  }
  SmallVector<int64_t> shape(part.getShape());
  shape.insert(shape.begin() + axis, ranks);
  sizes.insert(sizes.begin() + axis, b.getIndexAttr(ranks));
  SmallVector<ReassociationIndices> groups;
  for (int64_t dim : allDims(type.getRank())) {
    if (dim == axis)
      groups.push_back({dim, dim + 1});
    else
      groups.push_back({dim < axis ? dim : dim + 1});
  }
  Value parts = tensor::ExpandShapeOp::create(
      b, loc, RankedTensorType::get(shape, type.getElementType()), x, groups,
      sizes);
  if (axis == 0)
    return parts;
  // The dimension of ranks comes first.
  SmallVector<int64_t> order = allDims(part.getRank() + 1);
  std::rotate(order.begin(), order.begin() + axis, order.begin() + axis + 1);
  applyPermutationToVector(sizes, order);
  Value empty = tensor::EmptyOp::create(b, loc, sizes, type.getElementType());
  return linalg::TransposeOp::create(b, loc, parts, empty, order)->getResult(0);
}

static Value combine(OpBuilder &b, Location loc, mpi::MPI_ReductionOpEnum kind,
                     Value x, Value y) {
  bool isFloat = isa<FloatType>(x.getType());
  switch (kind) {
  case mpi::MPI_ReductionOpEnum::MPI_SUM:
    if (isFloat)
      return arith::AddFOp::create(b, loc, x, y);
    return arith::AddIOp::create(b, loc, x, y);
  case mpi::MPI_ReductionOpEnum::MPI_MAX:
    if (isFloat)
      return arith::MaximumFOp::create(b, loc, x, y);
    return arith::MaxSIOp::create(b, loc, x, y);
  default:
    return arith::OrIOp::create(b, loc, x, y);
  }
}

/// Part `rank` of `parts` [N, ..], as [..].
static Value partOf(OpBuilder &b, Location loc, Value parts, Value rank,
                    RankedTensorType type) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, parts);
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> steps(sizes.size(), b.getIndexAttr(1));
  offsets.front() = rank;
  sizes.front() = b.getIndexAttr(1);
  return tensor::ExtractSliceOp::create(b, loc, type, parts, offsets, sizes,
                                        steps);
}

/// `own` [..] and the parts of `others` [N, ..], one after the other. A loop,
/// which for one is none when it is canonicalized, so that what follows is
/// fused with it.
static Value combineParts(OpBuilder &b, Location loc,
                          mpi::MPI_ReductionOpEnum kind, Value own,
                          Value others) {
  RankedTensorType type = tensorType(own);
  Value begin = arith::ConstantIndexOp::create(b, loc, 0);
  Value end =
      arith::ConstantIndexOp::create(b, loc, tensorType(others).getDimSize(0));
  Value step = arith::ConstantIndexOp::create(b, loc, 1);
  auto loop = scf::ForOp::create(b, loc, begin, end, step, own);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value sum = loop.getRegionIterArg(0);
  Value part = partOf(b, loc, others, loop.getInductionVar(), type);
  SmallVector<int64_t> dims = allDims(type.getRank());
  auto combined = elementwise(
      b, loc, {{sum, dims}, {part, dims}}, sum,
      [&](OpBuilder &b, Location loc, ValueRange in) -> SmallVector<Value> {
        return {combine(b, loc, kind, in[0], in[1])};
      });
  scf::YieldOp::create(b, loc, combined.getResult(0));
  return loop.getResult(0);
}

static LogicalResult lowerScatter(shard::ReduceScatterOp op, int64_t ranks,
                                  CollectiveFunctions &functions) {
  auto type = dyn_cast<RankedTensorType>(op.getInput().getType());
  // Upstream's verifier reads the size of whatever dimension it is.
  if (type && op.getScatterAxis().uge(type.getRank()))
    return op.emitOpError("expected scatter_axis to be a dimension of ")
           << type << ", found " << op.getScatterAxis().getSExtValue();
  auto part = cast<RankedTensorType>(op.getType());
  if (!type || type.getElementType() != part.getElementType() ||
      !isReduced(type.getElementType()) ||
      !llvm::equal(llvm::map_range(type.getShape(), ShapedType::isDynamic),
                   llvm::map_range(part.getShape(), ShapedType::isDynamic)))
    return op.emitOpError("expected ranked tensors of one element type, f32, "
                          "f64, i8, i16, i32 or i64, with the same dynamic "
                          "sizes, found ")
           << op.getInput().getType() << " and " << part;
  FailureOr<mpi::MPI_ReductionOpEnum> kind =
      verifyReduction(op, op.getReduction(), type);
  OpBuilder b(op);
  int64_t width = type.getElementTypeBitWidth() / 8;
  if (failed(kind) || failed(verifyMPI(op->getParentOfType<ModuleOp>(), op)) ||
      failed(checkCount(b, op, op.getInput(), width, "bytes")))
    return failure();
  Location loc = op.getLoc();
  // Of no elements nothing is sent.
  if (llvm::is_contained(part.getShape(), 0)) {
    op.getResult().replaceAllUsesWith(emptyLike(b, loc, part, op.getInput()));
    op.erase();
    return success();
  }
  Value sent = divide(b, op, op.getInput(), ranks, part);
  Value from = getBuffer(b, loc, sent, /*isReadOnly=*/true);
  SmallVector<int64_t> shape(tensorType(sent).getShape());
  shape.front() = ranks - 1;
  auto others = RankedTensorType::get(shape, type.getElementType());
  Value to = memref::AllocOp::create(
      b, loc, MemRefType::get(shape, type.getElementType()),
      dynamicSizes(b, loc, sent));
  func::FuncOp exchange = functions.getExchange(
      cast<MemRefType>(from.getType()), cast<MemRefType>(to.getType()));
  auto call = func::CallOp::create(b, loc, exchange, ValueRange{from, to});
  Value own = partOf(b, loc, sent, call.getResult(0), part);
  Value received = takeBuffer(b, loc, to, others);
  op.getResult().replaceAllUsesWith(combineParts(b, loc, *kind, own, received));
  op.erase();
  return success();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct QuantLowerCollectivesPass final
    : quantmlir::impl::QuantLowerCollectivesPassBase<
          QuantLowerCollectivesPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<Operation *> found;
    getOperation()->walk([&](Operation *op) {
      if (isa<shard::AllGatherOp, shard::AllReduceOp, shard::ReduceScatterOp>(
              op))
        found.push_back(op);
    });
    if ((getOperation()->hasAttr(kRankAttr) || !found.empty()) &&
        failed(verifyMPINames(getOperation())))
      return signalPassFailure();
    CollectiveFunctions functions(getOperation());
    SymbolTableCollection symbols;
    for (Operation *op : found)
      if (failed(lower(op, functions, symbols)))
        return signalPassFailure();
    if (failed(addRankCheck(getOperation())))
      signalPassFailure();
  }

private:
  /// Of one that upstream lowers.
  static LogicalResult verifyStatic(shard::AllReduceOp op) {
    auto type = dyn_cast<RankedTensorType>(op.getInput().getType());
    if (!type || !type.hasStaticShape())
      return success();
    OpBuilder b(op);
    return checkCount(b, op, op.getInput(), 1, "elements");
  }

  /// The ranks that take part in `op`: all.
  template <typename Collective>
  static FailureOr<int64_t> count(Collective op,
                                  SymbolTableCollection &symbols) {
    shard::GridOp grid = shard::getGridOrNull(op, op.getGridAttr(), symbols);
    if (!grid || grid.getShape().size() != 1 || op.getGridAxes().size() != 1 ||
        ShapedType::isDynamicShape(grid.getShape()))
      return op->emitOpError(
          "expected all ranks of a grid of one static dimension");
    int64_t ranks = grid.getShape().front();
    if (ranks < 1 || ranks > std::numeric_limits<int32_t>::max())
      return op->emitOpError("expected 1 to ")
             << std::numeric_limits<int32_t>::max()
             << " ranks, as MPI counts them, found " << ranks;
    return ranks;
  }

  LogicalResult lower(Operation *op, CollectiveFunctions &functions,
                      SymbolTableCollection &symbols) {
    auto reduce = dyn_cast<shard::AllReduceOp>(op);
    if (reduce && !all)
      return verifyStatic(reduce);
    FailureOr<int64_t> ranks =
        TypeSwitch<Operation *, FailureOr<int64_t>>(op)
            .Case<shard::AllGatherOp, shard::AllReduceOp,
                  shard::ReduceScatterOp>(
                [&](auto collective) { return count(collective, symbols); });
    if (failed(ranks))
      return failure();
    if (reduce)
      return lowerReduce(reduce);
    if (auto scatter = dyn_cast<shard::ReduceScatterOp>(op))
      return lowerScatter(scatter, *ranks, functions);
    return lowerGather(cast<shard::AllGatherOp>(op), *ranks, functions);
  }
};
} // namespace
