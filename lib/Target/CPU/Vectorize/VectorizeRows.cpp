//===- VectorizeRows.cpp - elementwise ops and row reductions as vectors --===//
//
// What stands between matmuls (abs-max and quantization of activations, sums of
// rows, softmax, normalization, activations, transposes) are linalg ops whose
// innermost loop runs over neighbours in memory. LLVM's vectorizer finds
// llvm.maximum and llvm.roundeven too dear and leaves them as scalars, and
// calls libm for each element; here they are written as vectors. A lane
// computes what the scalar would. Reductions whose order does not matter are
// split over lanes; sums of floats are those of `quant-sum-rows`.
//
//===----------------------------------------------------------------------===//

#include "Attention/CachedAttention.h"
#include "Attention/FloatAttention.h"
#include "QuantizeBlocks.h"
#include "QuantizeRows.h"
#include "RotateRows.h"
#include "RowBody.h"
#include "quant/Target/CPU/Parallel/IndependentLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "quant/Target/CPU/Passes.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTVECTORIZEROWSPASS
#include "quant/Target/CPU/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

/// Two registers of 512 bits of f32: two chains of a reduction, which hide the
/// latency.
static constexpr int64_t kLanes = 32;

namespace {

/// An op that fits, and how it is cut.
struct RowOp {
  mutable linalg::LinalgOp op;
  /// The reduction of the innermost loop, if it is one.
  std::optional<vector::CombiningKind> reduction;
  /// The op that combines, and its operand that is not the accumulator.
  Operation *combiner = nullptr;
  Value combined;
  /// Of the combiner, if it is one of floats.
  arith::FastMathFlagsAttr fastMath;

  /// Elements of a vector.
  int64_t lanes = kLanes;

  unsigned innermost() const { return op.getNumLoops() - 1; }
  bool isAlongRow(AffineMap map) const {
    return map.isFunctionOfDim(innermost());
  }
};

/// Emits one position of the outer loops.
struct RowEmitter {
  OpBuilder &b;
  Location loc;
  const RowOp &row;
  /// Of the outer loops.
  ValueRange outer;
  /// What operands that do not lie along the row hold there; null for others.
  ArrayRef<Value> scalars;

  Value index(int64_t v) const {
    return arith::ConstantIndexOp::create(b, loc, v);
  }
  SmallVector<Value> indicesOf(AffineMap map, Value column) const;
  Value load(OpOperand &operand, Value column, int64_t lanes, Value mask) const;
  /// Loads `scalars`, which LLVM would not always move out of the row's loop.
  SmallVector<Value> loadScalars() const;
  /// Computes `lanes` columns from `column` on and returns the new accumulator,
  /// or stores. Lanes outside of `mask`, if there is one, are left alone.
  Value emitLanes(Value column, int64_t lanes, Value mask, Value acc) const;
  Value combine(Value x, Value acc) const {
    return vector::makeArithReduction(b, loc, *row.reduction, x, acc,
                                      row.fastMath);
  }
  Value reduce(Value lanes) const {
    auto flags =
        row.fastMath ? row.fastMath.getValue() : arith::FastMathFlags::none;
    return vector::ReductionOp::create(b, loc, *row.reduction, lanes, flags);
  }
  void emitRow() const;
};

} // namespace

//===----------------------------------------------------------------------===//
// What fits
//===----------------------------------------------------------------------===//

/// Reductions whose result does not depend on the order.
static std::optional<vector::CombiningKind> getKind(Operation *op) {
  if (isa<arith::MaximumFOp>(op))
    return vector::CombiningKind::MAXIMUMF;
  if (isa<arith::MinimumFOp>(op))
    return vector::CombiningKind::MINIMUMF;
  if (isa<arith::AddIOp>(op))
    return vector::CombiningKind::ADD;
  if (isa<arith::MaxSIOp>(op))
    return vector::CombiningKind::MAXSI;
  if (isa<arith::MinSIOp>(op))
    return vector::CombiningKind::MINSI;
  return std::nullopt;
}

/// Operands along the row have neighbours in their last dimension.
static bool hasContiguousRows(const RowOp &row) {
  for (OpOperand &operand : row.op->getOpOperands())
    if (auto type = dyn_cast<MemRefType>(operand.get().getType()))
      if (row.isAlongRow(row.op.getMatchingIndexingMap(&operand)) &&
          !type.areTrailingDimsContiguous(1))
        return false;
  return true;
}

/// One result, which is its old value combined with something once.
static bool findReduction(RowOp &row) {
  linalg::LinalgOp op = row.op;
  if (op.getNumDpsInits() != 1)
    return false;
  BlockArgument acc = op.getBlock()->getArguments().back();
  Value yielded = op.getBlock()->getTerminator()->getOperand(0);
  row.combiner = yielded.getDefiningOp();
  if (!row.combiner || row.combiner->getBlock() != op.getBlock() ||
      !acc.hasOneUse() || *acc.getUsers().begin() != row.combiner)
    return false;
  row.reduction = getKind(row.combiner);
  if (!row.reduction)
    return false;
  row.combined = row.combiner->getOperand(row.combiner->getOperand(0) == acc);
  if (auto floats = dyn_cast<arith::ArithFastMathInterface>(row.combiner))
    row.fastMath = floats.getFastMathFlagsAttr();
  return row.combined != acc &&
         !row.isAlongRow(op.getMatchingIndexingMap(op.getDpsInitOperand(0)));
}

static std::optional<RowOp> matchRowOp(linalg::LinalgOp op) {
  RowOp row{op, std::nullopt};
  if (op.getNumDpsInits() == 0 || !op.hasPureBufferSemantics() ||
      !hasRowMaps(op) || !hasContiguousRows(row) || !hasElementwiseBody(op))
    return std::nullopt;
  int64_t size = op.getStaticLoopRanges().back();
  if (!ShapedType::isDynamic(size) && size < kLanes / 2)
    return std::nullopt;
  // Its quotient of polynomials needs registers: with two of each intermediate,
  // some would be spilled.
  if (llvm::any_of(*op.getBlock(), llvm::IsaPred<math::TanhOp>))
    row.lanes = kLanes / 2;
  if (op.getIteratorTypesArray().back() == utils::IteratorType::reduction)
    return findReduction(row) ? std::optional(row) : std::nullopt;
  for (OpOperand &init : op.getDpsInitsMutable())
    if (!row.isAlongRow(op.getMatchingIndexingMap(&init)))
      return std::nullopt;
  return row;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

SmallVector<Value> RowEmitter::indicesOf(AffineMap map, Value column) const {
  SmallVector<Value> indices;
  for (AffineExpr result : map.getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(result);
    if (!dim)
      indices.push_back(index(0));
    else
      indices.push_back(dim.getPosition() == row.innermost()
                            ? column
                            : outer[dim.getPosition()]);
  }
  return indices;
}

Value RowEmitter::load(OpOperand &operand, Value column, int64_t lanes,
                       Value mask) const {
  linalg::LinalgOp op = row.op;
  AffineMap map = op.getMatchingIndexingMap(&operand);
  Value memory = operand.get();
  if (Value scalar = scalars[operand.getOperandNumber()])
    return vector::BroadcastOp::create(
        b, loc, VectorType::get({lanes}, scalar.getType()), scalar);
  Type element = cast<MemRefType>(memory.getType()).getElementType();
  auto type = VectorType::get({lanes}, element);
  SmallVector<Value> indices = indicesOf(map, column);
  if (!mask)
    return vector::LoadOp::create(b, loc, type, memory, indices);
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  return vector::MaskedLoadOp::create(b, loc, type, memory, indices, mask,
                                      zero);
}

SmallVector<Value> RowEmitter::loadScalars() const {
  linalg::LinalgOp op = row.op;
  SmallVector<Value> loaded;
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    bool isUsed = !op.getMatchingBlockArgument(&operand).use_empty();
    if (op.isScalar(&operand))
      loaded.push_back(operand.get());
    else if (isUsed && !row.isAlongRow(map) && !op.isDpsInit(&operand))
      loaded.push_back(memref::LoadOp::create(b, loc, operand.get(),
                                              indicesOf(map, Value())));
    else
      loaded.push_back({});
  }
  return loaded;
}

Value RowEmitter::emitLanes(Value column, int64_t lanes, Value mask,
                            Value acc) const {
  linalg::LinalgOp op = row.op;
  Block *body = op.getBlock();
  IRMapping mapping;
  for (OpOperand &operand : op->getOpOperands()) {
    BlockArgument argument = body->getArgument(operand.getOperandNumber());
    if (!argument.use_empty() && !(acc && op.isDpsInit(&operand)))
      mapping.map(argument, load(operand, column, lanes, mask));
  }
  auto vectorOf = [&](Value value) -> Value {
    if (Value mapped = mapping.lookupOrNull(value))
      return mapped;
    auto type = VectorType::get({lanes}, value.getType());
    Value splat = vector::BroadcastOp::create(b, loc, type, value);
    mapping.map(value, splat);
    return splat;
  };
  for (Operation &inner : body->without_terminator()) {
    if (acc && &inner == row.combiner)
      continue;
    for (Value operand : inner.getOperands())
      vectorOf(operand);
    Operation *clone = b.clone(inner, mapping);
    for (OpResult result : clone->getResults())
      result.setType(VectorType::get({lanes}, result.getType()));
  }
  if (acc) {
    Value next = combine(vectorOf(row.combined), acc);
    return mask ? arith::SelectOp::create(b, loc, mask, next, acc).getResult()
                : next;
  }
  for (auto [init, value] : llvm::zip_equal(
           op.getDpsInitsMutable(), body->getTerminator()->getOperands())) {
    SmallVector<Value> indices =
        indicesOf(op.getMatchingIndexingMap(&init), column);
    if (mask)
      vector::MaskedStoreOp::create(b, loc, init.get(), indices, mask,
                                    vectorOf(value));
    else
      vector::StoreOp::create(b, loc, vectorOf(value), init.get(), indices);
  }
  return {};
}

/// Whole vectors in a loop, then what is left: a shorter vector where its
/// length is known, else a mask. (A constant mask of one i8 lane is stored
/// wrongly by LLVM 22.)
void RowEmitter::emitRow() const {
  linalg::LinalgOp op = row.op;
  int64_t staticSize = op.getStaticLoopRanges().back();
  bool isDynamic = ShapedType::isDynamic(staticSize);
  OpOperand *along = nullptr;
  for (OpOperand &operand : op->getOpOperands())
    if (row.isAlongRow(op.getMatchingIndexingMap(&operand)))
      along = &operand;
  int64_t lastDim = cast<MemRefType>(along->get().getType()).getRank() - 1;
  Value size = memref::DimOp::create(b, loc, along->get(), lastDim);
  Value lanes = index(row.lanes);
  Value left = arith::RemUIOp::create(b, loc, size, lanes);
  Value whole = arith::SubIOp::create(b, loc, size, left);
  OpOperand *init = op.getDpsInitOperand(0);
  SmallVector<Value> at = indicesOf(op.getMatchingIndexingMap(init), Value());
  SmallVector<Value> start;
  if (row.reduction) {
    // Combining the old value in every lane changes nothing but for a sum.
    Type element = cast<MemRefType>(init->get().getType()).getElementType();
    Value old = memref::LoadOp::create(b, loc, init->get(), at);
    if (row.reduction == vector::CombiningKind::ADD)
      old = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
    start.push_back(vector::BroadcastOp::create(
        b, loc, VectorType::get({row.lanes}, element), old));
  }
  auto loop = scf::ForOp::create(
      b, loc, index(0), whole, lanes, start,
      [&](OpBuilder &b, Location loc, Value column, ValueRange accs) {
        RowEmitter inner{b, loc, row, outer, scalars};
        Value next = inner.emitLanes(column, row.lanes, Value(),
                                     accs.empty() ? Value() : accs[0]);
        scf::YieldOp::create(b, loc, next ? ValueRange(next) : ValueRange());
      });
  Value acc = row.reduction ? loop.getResult(0) : Value();
  int64_t staticLeft = isDynamic ? 0 : staticSize % row.lanes;
  auto emitMasked = [&](OpBuilder &b, Location loc) {
    auto type = VectorType::get({row.lanes}, b.getI1Type());
    Value mask = vector::CreateMaskOp::create(b, loc, type, left);
    return RowEmitter{b, loc, row, outer, scalars}.emitLanes(whole, row.lanes,
                                                             mask, acc);
  };
  if (isDynamic && acc) {
    acc = emitMasked(b, loc);
  } else if (isDynamic) {
    Value some =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, left, index(0));
    scf::IfOp::create(b, loc, some, [&](OpBuilder &b, Location loc) {
      emitMasked(b, loc);
      scf::YieldOp::create(b, loc);
    });
  } else if (staticLeft && !acc) {
    emitLanes(whole, staticLeft, Value(), Value());
  }
  if (!acc)
    return;
  Value result = reduce(acc);
  if (staticLeft) {
    Value rest = vector::ExtractStridedSliceOp::create(
        b, loc, loop.getInits()[0], ArrayRef<int64_t>{0},
        ArrayRef<int64_t>{staticLeft}, ArrayRef<int64_t>{1});
    rest = emitLanes(whole, staticLeft, Value(), rest);
    rest = reduce(rest);
    result = combine(result, rest);
  }
  if (row.reduction == vector::CombiningKind::ADD) {
    Value old = memref::LoadOp::create(b, loc, init->get(), at);
    result = combine(result, old);
  }
  memref::StoreOp::create(b, loc, result, init->get(), at);
}

/// Loops over all dimensions but the innermost one.
static void emitLoops(OpBuilder &b, const RowOp &row, SmallVector<Value> &outer,
                      ArrayRef<Value> sizes) {
  linalg::LinalgOp op = row.op;
  Location loc = op.getLoc();
  if (outer.size() == row.innermost()) {
    SmallVector<Value> scalars =
        RowEmitter{b, loc, row, outer, {}}.loadScalars();
    return RowEmitter{b, loc, row, outer, scalars}.emitRow();
  }
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  size_t depth = outer.size();
  auto loop =
      scf::ForOp::create(b, loc, zero, sizes[depth], one, ValueRange{},
                         [&](OpBuilder &b, Location loc, Value i, ValueRange) {
                           outer.push_back(i);
                           emitLoops(b, row, outer, sizes);
                           outer.pop_back();
                           scf::YieldOp::create(b, loc);
                         });
  if (op.getIteratorTypesArray()[depth] == utils::IteratorType::parallel)
    markIndependent(loop, countInner(op.getStaticLoopRanges(), depth + 1));
}

namespace {

struct QuantVectorizeRowsPass
    : quantmlir::impl::QuantVectorizeRowsPassBase<QuantVectorizeRowsPass> {
  using Base::Base;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<RowOp> rows;
    if (failed(expandAll<QuantizeRowsOp>(rewriter, expandQuantizeRows)) ||
        failed(expandAll<RotateRowsOp>(rewriter, expandRotateRows)) ||
        failed(expandAll<QuantizeBlocksOp>(rewriter, expandQuantizeBlocks)) ||
        failed(expandAll<CachedAttentionOp>(rewriter, expandCachedAttention)) ||
        failed(expandAll<FloatAttentionOp>(rewriter, expandFloatAttention)))
      return signalPassFailure();
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (std::optional<RowOp> row = matchRowOp(op))
        rows.push_back(*row);
    });
    for (const RowOp &row : rows) {
      rewriter.setInsertionPoint(row.op);
      SmallVector<Value> outer;
      emitLoops(rewriter, row, outer, getLoopSizes(rewriter, row.op));
      rewriter.eraseOp(row.op);
      ++numVectorized;
    }
  }

private:
  template <typename OpT>
  LogicalResult expandAll(IRRewriter &rewriter,
                          LogicalResult (*expand)(RewriterBase &, OpT)) {
    SmallVector<OpT> ops;
    getOperation()->walk([&](OpT op) { ops.push_back(op); });
    for (OpT op : ops)
      if (failed(expand(rewriter, op)))
        return failure();
    return success();
  }
};

} // namespace
