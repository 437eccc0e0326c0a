//===- EmitMicrokernel.cpp - the loop over K ------------------------------===//
//
// One step multiplies KR columns of MR rows by KR columns of NR rows of the
// right operand: each vector of the right operand is loaded once and used by
// all rows; each row's KR elements are broadcast as one 32-bit lane.
//
// Where a byte of the right operand holds two elements of 4 bits, a vector
// makes two: `byte << 4` and `byte & 0xf0` are 16 times the low and the high
// one, as signed bytes. The sums then are 16 times as large, exactly, and are
// shifted back before the epilogue.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/CPU/Kernel/EmitMicrokernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

static Value mergeInnerDims(OpBuilder &b, Location loc, Value packed) {
  SmallVector<ReassociationIndices> groups = {{0}, {1}, {2, 3}};
  return memref::CollapseShapeOp::create(b, loc, packed, groups);
}

PackedKernel::PackedKernel(qtarget::PackedMatmulOp op, OpBuilder &b)
    : op(op), kernel(op.getKernel()), row(kernel.getRow()),
      nr(cast<MemRefType>(op.getRhs().getType()).getDimSize(2)),
      lhs(op.getLhs()), rhs(mergeInnerDims(b, op.getLoc(), op.getRhs())) {}

int64_t PackedKernel::getM() const {
  return cast<MemRefType>(op.getInit().getType()).getDimSize(0);
}
int64_t PackedKernel::getK() const {
  return cast<MemRefType>(lhs.getType()).getDimSize(1);
}

VectorType PackedKernel::accType() const {
  return VectorType::get({row.n}, IntegerType::get(op.getContext(), 32));
}

/// How far accumulators are shifted while 4-bit elements are summed.
static constexpr int64_t kNibbleShift = 4;

/// KR elements of a row of the left operand, the `part`-th of the step; all of
/// them, or those before the end of K.
static Value loadLhs(OpBuilder &b, Location loc, const PackedKernel &kernel,
                     TilePosition at, Value step, int64_t part,
                     int64_t rowInTile, bool isPartial) {
  const qtarget::KernelRow &row = kernel.row;
  Type element = b.getIntegerType(row.lhs.storedBits);
  auto groupType = VectorType::get({row.k}, element);
  Value m = arith::AddIOp::create(
      b, loc, at.row, arith::ConstantIndexOp::create(b, loc, rowInTile));
  Value k = arith::MulIOp::create(
      b, loc, step, arith::ConstantIndexOp::create(b, loc, kernel.stepSize()));
  if (part > 0)
    k = arith::AddIOp::create(
        b, loc, k, arith::ConstantIndexOp::create(b, loc, part * row.k));
  if (isPartial) {
    Value size = memref::DimOp::create(b, loc, kernel.lhs, 1);
    Value left = arith::SubIOp::create(b, loc, size, k);
    Value mask = vector::CreateMaskOp::create(
        b, loc, VectorType::get({row.k}, b.getI1Type()), left);
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(groupType));
    return vector::MaskedLoadOp::create(b, loc, groupType, kernel.lhs,
                                        ValueRange{m, k}, mask, zero);
  }
  return vector::LoadOp::create(b, loc, groupType, kernel.lhs,
                                ValueRange{m, k});
}

/// The left operand of an instruction whose first row is `rowInTile`: a row's
/// elements in every lane, or several rows, one after the other. Of rows that
/// the tile does not have, its last one stands there.
static Value emitLhs(OpBuilder &b, Location loc, const PackedKernel &kernel,
                     TilePosition at, Value step, int64_t part,
                     int64_t rowInTile, bool isPartial) {
  const qtarget::KernelRow &row = kernel.row;
  auto load = [&](int64_t r) {
    return loadLhs(b, loc, kernel, at, step, part, std::min(r, at.height - 1),
                   isPartial);
  };
  Value group = load(rowInTile);
  if (row.m == 2) {
    auto all = llvm::to_vector(llvm::seq<int64_t>(0, 2 * row.k));
    return vector::ShuffleOp::create(b, loc, group, load(rowInTile + 1), all);
  }
  Type laneType = b.getIntegerType(row.k * row.lhs.storedBits);
  Value lane =
      vector::BitCastOp::create(b, loc, VectorType::get({1}, laneType), group);
  Value scalar = vector::ExtractOp::create(b, loc, lane, ArrayRef<int64_t>{0});
  Value lanes = vector::BroadcastOp::create(
      b, loc, VectorType::get({row.n}, laneType), scalar);
  Type element = b.getIntegerType(row.lhs.storedBits);
  return vector::BitCastOp::create(
      b, loc, VectorType::get({row.n * row.k}, element), lanes);
}

/// Accumulators of rows, as those of the instruction: `m` rows in one vector.
static SmallVector<Value> mergeRows(OpBuilder &b, Location loc,
                                    const PackedKernel &kernel, int64_t height,
                                    ValueRange rows) {
  if (kernel.row.m == 1)
    return SmallVector<Value>(rows);
  SmallVector<int64_t> order = kernel.kernel.getAccumulatorOrder();
  int64_t vectors = kernel.vectorsPerRow();
  SmallVector<Value> merged;
  for (int64_t r = 0; r < height; r += 2)
    for (int64_t j = 0; j < vectors; ++j) {
      int64_t second = std::min(r + 1, height - 1);
      merged.push_back(vector::ShuffleOp::create(
          b, loc, rows[r * vectors + j], rows[second * vectors + j], order));
    }
  return merged;
}

/// The rows of the tile again.
static SmallVector<Value> splitRows(OpBuilder &b, Location loc,
                                    const PackedKernel &kernel, int64_t height,
                                    ArrayRef<Value> merged) {
  if (kernel.row.m == 1)
    return SmallVector<Value>(merged);
  SmallVector<int64_t> places =
      invertPermutationVector(kernel.kernel.getAccumulatorOrder());
  int64_t vectors = kernel.vectorsPerRow();
  SmallVector<Value> rows;
  for (int64_t r = 0; r < height; ++r)
    for (int64_t j = 0; j < vectors; ++j) {
      Value both = merged[r / 2 * vectors + j];
      rows.push_back(vector::ShuffleOp::create(
          b, loc, both, both,
          ArrayRef(places).slice(r % 2 * kernel.row.n, kernel.row.n)));
    }
  return rows;
}

/// Each byte's low, and its high element, times 16.
static SmallVector<Value> splitNibbles(OpBuilder &b, Location loc,
                                       Value bytes) {
  auto splat = [&](int64_t value) -> Value {
    auto type = cast<VectorType>(bytes.getType());
    auto element = static_cast<int8_t>(value);
    return arith::ConstantOp::create(b, loc,
                                     DenseElementsAttr::get(type, element));
  };
  Value low = arith::ShLIOp::create(b, loc, bytes, splat(kNibbleShift));
  Value high = arith::AndIOp::create(b, loc, bytes, splat(0xF0));
  return {low, high};
}

/// Vector `j` of the right operand's panel at one step over K, or the two that
/// its nibbles make.
static SmallVector<Value> loadRhs(OpBuilder &b, Location loc,
                                  const PackedKernel &kernel, Value nPanel,
                                  Value step, int64_t j) {
  const qtarget::KernelRow &row = kernel.row;
  int64_t length = row.n * row.k;
  Value offset = arith::ConstantIndexOp::create(b, loc, j * length);
  Value stored = vector::LoadOp::create(
      b, loc, VectorType::get({length}, b.getIntegerType(row.rhs.storedBits)),
      kernel.rhs, ValueRange{nPanel, step, offset});
  SmallVector<Value> parts = {stored};
  if (kernel.op.hasNibbles())
    parts = splitNibbles(b, loc, stored);
  if (row.rhs.storedBits == row.rhs.bits)
    return parts;
  auto wide = VectorType::get({length}, b.getIntegerType(row.rhs.bits));
  for (Value &part : parts)
    part = arith::ExtSIOp::create(b, loc, wide, part);
  return parts;
}

/// Asks for `bytes` of the right operand from byte `first` after step `step` of
/// the panel on. Past the panel's end these are bytes of the next one, or of
/// nothing: prefetches do not fault.
static void prefetch(OpBuilder &b, Location loc, const PackedKernel &kernel,
                     Value nPanel, Value step, Value first, int64_t bytes,
                     int64_t locality) {
  constexpr int64_t lineBytes = 64;
  for (int64_t byte = 0; byte < bytes; byte += lineBytes) {
    Value offset = arith::AddIOp::create(
        b, loc, first, arith::ConstantIndexOp::create(b, loc, byte));
    memref::PrefetchOp::create(b, loc, kernel.rhs,
                               ValueRange{nPanel, step, offset},
                               /*isWrite=*/false, locality,
                               /*isDataCache=*/true);
  }
}

/// Asks for what `unroll` steps from `step` on are followed by. A tile that
/// alone uses its panel takes it from memory, some steps ahead, into L1. Of
/// several tiles each asks for a share of what comes after their part of the
/// panel, into L2, so that memory works while they compute.
static void prefetchRhs(OpBuilder &b, Location loc, const PackedKernel &kernel,
                        TilePosition at, Value begin, Value end, Value step,
                        int64_t unroll) {
  constexpr int64_t lineBytes = 64, aheadBytes = 3072;
  auto index = [&](int64_t v) -> Value {
    return arith::ConstantIndexOp::create(b, loc, v);
  };
  if (at.mayBeAlone) {
    int64_t distance = llvm::divideCeil(aheadBytes, kernel.bytesPerStep());
    Value ahead = arith::AddIOp::create(b, loc, step, index(distance));
    prefetch(b, loc, kernel, at.nPanel, ahead, index(0),
             kernel.bytesPerStep() * unroll, /*locality=*/3);
  }
  if (!at.share)
    return;
  int64_t bytes =
      llvm::divideCeil(kernel.linesPerStep(), at.shares) * lineBytes;
  // Byte `bytes` * (share * (end - begin) + step - begin) of the next part.
  Value length = arith::SubIOp::create(b, loc, end, begin);
  Value done = arith::SubIOp::create(b, loc, step, begin);
  Value before = arith::MulIOp::create(b, loc, at.share, length);
  Value position = arith::AddIOp::create(b, loc, before, done);
  Value first = arith::MulIOp::create(b, loc, position, index(bytes));
  prefetch(b, loc, kernel, at.nPanel, end, first, bytes * unroll,
           /*locality=*/2);
}

static Value shiftOf(OpBuilder &b, Location loc, const PackedKernel &kernel) {
  auto shift = static_cast<int32_t>(kNibbleShift);
  return arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(kernel.accType(), shift));
}

SmallVector<Value> quantmlir::emitUnscaledSums(OpBuilder &b, Location loc,
                                               const PackedKernel &kernel,
                                               ArrayRef<Value> accumulators) {
  SmallVector<Value> sums(accumulators);
  if (kernel.op.hasNibbles())
    for (Value &sum : sums)
      sum = arith::ShRSIOp::create(b, loc, sum, shiftOf(b, loc, kernel));
  return sums;
}

SmallVector<Value> quantmlir::emitInitialAccumulators(
    OpBuilder &b, Location loc, const PackedKernel &kernel, TilePosition at) {
  SmallVector<Value> rowStart;
  for (int64_t j = 0; j < kernel.vectorsPerRow(); ++j) {
    if (!kernel.op.getColBias()) {
      rowStart.push_back(
          arith::ConstantOp::create(b, loc, b.getZeroAttr(kernel.accType())));
      continue;
    }
    Value offset = arith::ConstantIndexOp::create(b, loc, j * kernel.row.n);
    Value bias =
        vector::LoadOp::create(b, loc, kernel.accType(), kernel.op.getColBias(),
                               ValueRange{at.nPanel, offset});
    if (kernel.op.hasNibbles())
      bias = arith::ShLIOp::create(b, loc, bias, shiftOf(b, loc, kernel));
    rowStart.push_back(bias);
  }
  SmallVector<Value> accs;
  for (int64_t r = 0; r < at.height; ++r)
    llvm::append_range(accs, rowStart);
  return accs;
}

/// One step along K: every row times every vector of the panel.
static SmallVector<Value> emitStep(OpBuilder &b, Location loc,
                                   const PackedKernel &kernel, TilePosition at,
                                   Value step, ValueRange accs,
                                   bool isPartial) {
  int64_t vectors = kernel.vectorsPerRow();
  SmallVector<SmallVector<Value>> panel;
  for (int64_t j = 0; j < vectors; ++j)
    panel.push_back(loadRhs(b, loc, kernel, at.nPanel, step, j));
  SmallVector<Value> next(accs);
  for (int64_t part = 0; part < kernel.dotsPerStep(); ++part)
    for (int64_t r = 0; r < at.height; r += kernel.row.m) {
      Value lhs = emitLhs(b, loc, kernel, at, step, part, r, isPartial);
      for (int64_t j = 0; j < vectors; ++j) {
        Value &acc = next[r / kernel.row.m * vectors + j];
        acc =
            kernel.kernel.multiplyAccumulate(b, loc, acc, lhs, panel[j][part]);
      }
    }
  return next;
}

/// for step in [from, to) by `unroll`: that many steps along K.
static SmallVector<Value> emitSteps(OpBuilder &b, Location loc,
                                    const PackedKernel &kernel, TilePosition at,
                                    Value from, Value to, int64_t unroll,
                                    ValueRange accs) {
  Value by = arith::ConstantIndexOp::create(b, loc, unroll);
  auto loop = scf::ForOp::create(
      b, loc, from, to, by, accs,
      [&](OpBuilder &b, Location loc, Value step, ValueRange accs) {
        // One step alone is the rest of a loop: what follows was asked for.
        if (unroll > 1)
          prefetchRhs(b, loc, kernel, at, from, to, step, unroll);
        SmallVector<Value> next(accs);
        for (int64_t i = 0; i < unroll; ++i) {
          Value at_i = arith::AddIOp::create(
              b, loc, step, arith::ConstantIndexOp::create(b, loc, i));
          next = emitStep(b, loc, kernel, at, at_i, next, false);
        }
        scf::YieldOp::create(b, loc, next);
      });
  return SmallVector<Value>(loop.getResults());
}

SmallVector<Value> quantmlir::emitMicrokernel(OpBuilder &b, Location loc,
                                              const PackedKernel &kernel,
                                              TilePosition at, Value begin,
                                              Value end, ArrayRef<Value> accs) {
  // The loop's own instructions take slots that the dot products need: two
  // steps in each iteration are about 5 % faster than one.
  constexpr int64_t unroll = 2;
  Value by = arith::ConstantIndexOp::create(b, loc, unroll);
  Value count = arith::SubIOp::create(b, loc, end, begin);
  Value odd = arith::RemUIOp::create(b, loc, count, by);
  Value even = arith::SubIOp::create(b, loc, end, odd);
  SmallVector<Value> sums = mergeRows(b, loc, kernel, at.height, accs);
  sums = emitSteps(b, loc, kernel, at, begin, even, unroll, sums);
  sums = emitSteps(b, loc, kernel, at, even, end, 1, sums);
  return splitRows(b, loc, kernel, at.height, sums);
}

SmallVector<Value> quantmlir::emitPartialStep(OpBuilder &b, Location loc,
                                              const PackedKernel &kernel,
                                              TilePosition at, Value step,
                                              ArrayRef<Value> accs) {
  SmallVector<Value> sums = mergeRows(b, loc, kernel, at.height, accs);
  sums = emitStep(b, loc, kernel, at, step, sums, true);
  return splitRows(b, loc, kernel, at.height, sums);
}
