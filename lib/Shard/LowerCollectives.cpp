//===- LowerCollectives.cpp - collectives that upstream does not lower ----===//
//
// `quant-lower-collectives`. Upstream's `convert-shard-to-mpi` (MLIR 22) has no
// gather, and wants static sizes of a sum.
//
//===----------------------------------------------------------------------===//

#include "quant/Shard/Passes.h"

#include "GatherFunctions.h"
#include "MPICall.h"
#include "RankCheck.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MPI/IR/MPI.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Shard/IR/ShardDialect.h"
#include "mlir/Dialect/Shard/IR/ShardOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include "quant/Dialect/Quant/Utils/DiscardableAttrs.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

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

static LogicalResult lowerReduce(shard::AllReduceOp op) {
  auto type = dyn_cast<RankedTensorType>(op.getInput().getType());
  if (!type || type != op.getType() || !isReduced(type.getElementType()))
    return op.emitOpError(
               "expected ranked tensors of one type, of f32, f64, i8, "
               "i16, i32 or i64, found ")
           << op.getInput().getType() << " and " << op.getType();
  std::optional<mpi::MPI_ReductionOpEnum> kind =
      getReduction(op.getReduction());
  if (!kind)
    return op.emitOpError("expected a sum, a maximum or an or of bits, found ")
           << shard::stringifyReductionKind(op.getReduction());
  if (*kind == mpi::MPI_ReductionOpEnum::MPI_BOR &&
      !type.getElementType().isInteger())
    return op.emitOpError("expected integers for an or of bits, found ")
           << type;
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
                                 GatherFunctions &functions) {
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
  func::CallOp::create(b, loc, functions.get(from.getType(), to.getType()),
                       ValueRange{from, to});
  Value parts = takeBuffer(b, loc, to, type);
  op.getResult().replaceAllUsesWith(
      joinParts(b, loc, parts, op.getGatherAxis().getSExtValue(), whole));
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
      if (isa<shard::AllGatherOp, shard::AllReduceOp>(op))
        found.push_back(op);
    });
    if ((getOperation()->hasAttr(kRankAttr) || !found.empty()) &&
        failed(verifyMPINames(getOperation())))
      return signalPassFailure();
    GatherFunctions functions(getOperation());
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

  LogicalResult lower(Operation *op, GatherFunctions &functions,
                      SymbolTableCollection &symbols) {
    auto reduce = dyn_cast<shard::AllReduceOp>(op);
    auto gather = dyn_cast<shard::AllGatherOp>(op);
    if (reduce && !all)
      return verifyStatic(reduce);
    FlatSymbolRefAttr name =
        reduce ? reduce.getGridAttr() : gather.getGridAttr();
    ArrayRef<int16_t> axes =
        reduce ? reduce.getGridAxes() : gather.getGridAxes();
    shard::GridOp grid = shard::getGridOrNull(op, name, symbols);
    if (!grid || grid.getShape().size() != 1 || axes.size() != 1 ||
        ShapedType::isDynamicShape(grid.getShape()))
      return op->emitOpError(
          "expected all ranks of a grid of one static dimension");
    return reduce ? lowerReduce(reduce)
                  : lowerGather(gather, grid.getShape().front(), functions);
  }
};
} // namespace
