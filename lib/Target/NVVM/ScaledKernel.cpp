//===- ScaledKernel.cpp - weights whose scales differ along K -------------===//
//
// A block owns a panel of 8 columns for up to four rows. Its warps share out
// the groups of K. A warp's load is 512 neighbouring bytes: lane l holds, of
// step l / 2, four columns: 8 elements of K each for int4, of which
//
//   (word << 4) & 0xf0f0f0f0     are the first four, as bytes 16 * w
//   word & 0xf0f0f0f0            are the other four
//
// so that dp4a takes them without a sign extension and the sum is 16 times too
// large. Lanes of one group and column add up by shuffles. The sums wait in
// shared memory, because a result is a chain over its groups,
// t = fma(f32(sum), scale, t), whose order is that of the CPU.
//
// Where groups have zero points, a row of activations is multiplied by ones as
// well, like one more column: sum -= zero point * sum of activations.
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <algorithm>

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::nvvm;

/// What a block's sums may take: every chip has it without asking.
static constexpr int64_t kSharedBytes = 48 * 1024;
/// Columns of a lane: half of a panel.
static constexpr int64_t kLaneColumns = 4;

ScaledShape::ScaledShape(PackedScaledMatmulOp op)
    : n(memrefType(op.getInit()).getDimSize(1)),
      panels(memrefType(op.getRhs()).getDimSize(0)), groups(op.getNumGroups()),
      bits(op.getRhsBits()), hasGroupZeroPoint(!!op.getRhsZeroPoint()),
      hasRowZeroPoint(!!op.getLhsZeroPoint()), steps(op.getStepsPerGroup()),
      stepSize(op.getStepSize()) {
  MemRefType lhs = memrefType(op.getLhs());
  rowBytes = lhs.getDimSize(1) * lhs.getDimSize(3);
  int64_t bytesOfRow =
      slots() * slotWords() * static_cast<int64_t>(sizeof(int32_t));
  rows = std::clamp<int64_t>(kSharedBytes / bytesOfRow, 1, kGemvRows);
  if (!lhs.isDynamicDim(0))
    rows = std::clamp<int64_t>(lhs.getDimSize(0), 1, rows);
}

namespace {

class ScaledEmitter {
public:
  ScaledEmitter(KernelBuilder &k, gpu::GPUFuncOp func, PackedScaledMatmulOp op,
                Value sharedMemory)
      : k(k), func(func), op(op), shape(op), sharedMemory(sharedMemory) {}

  void emit();

private:
  Value slot(Value row, Value group, Value column) {
    Value index = k.add(k.mul(row, shape.slots()), group);
    index = k.add(k.mul(index, Problem::panelColumns), column);
    return k.offset(sharedMemory, index, sizeof(int32_t));
  }
  /// Where the sum of a row of activations is: after those of all columns.
  Value rowSlot(Value row, Value group) {
    Value index = k.add(k.mul(row, shape.slots()), group);
    index = k.add(index, shape.rows * shape.slots() * Problem::panelColumns);
    return k.offset(sharedMemory, index, sizeof(int32_t));
  }
  /// The four columns of the lane for each row, row by row; then, if groups
  /// have zero points, the sum of activations for each row.
  using Sums = SmallVector<Value>;
  Sums zeros() {
    int64_t ofRow = kLaneColumns + (shape.hasGroupZeroPoint ? 1 : 0);
    return Sums(rows.size() * ofRow, k.constant(0));
  }
  Value onesWithin(Value at, Value isInside);
  Sums multiply(Value position, Value isInside, ValueRange sums);
  Sums addLanes(ValueRange sums, int64_t steps);
  void storeSums(Value group, ValueRange sums);
  void sumShortGroups();
  void sumLongGroups();
  Value correct(Value sum, Value r, Value group, Value zeroPoints,
                Value weightSums, Value rowZeroPoint);
  void emitResult();

  KernelBuilder &k;
  gpu::GPUFuncOp func;
  PackedScaledMatmulOp op;
  ScaledShape shape;
  Value sharedMemory;
  Value warp, laneStep, half, panel, firstRow;
  /// This lane's columns of step 0, and the rows of activations.
  Value weights;
  SmallVector<Value> rows;
};

} // namespace

/// Four ones, or zeros where step `at` is not `isInside` (null: it always is)
/// or lies behind the activations, as the last group's padding may.
Value ScaledEmitter::onesWithin(Value at, Value isInside) {
  constexpr int64_t fourOnes = 0x01010101;
  int64_t rowSteps = shape.rowBytes / shape.stepSize;
  if (shape.groups * shape.steps > rowSteps) {
    Value inRow = k.less(at, k.constant(rowSteps));
    isInside = isInside ? k.both(isInside, inRow) : inRow;
  }
  Value ones = k.constant(fourOnes);
  return isInside ? k.select(isInside, ones, k.constant(0)) : ones;
}

/// Adds the products of step `position` of the panel, of none where it is not
/// `isInside` (null: it always is).
ScaledEmitter::Sums ScaledEmitter::multiply(Value position, Value isInside,
                                            ValueRange sums) {
  constexpr int64_t highNibbles = static_cast<int32_t>(0xf0f0f0f0);
  Value last = k.constant(shape.groups * shape.steps - 1);
  Value at = k.min(position, last);
  Value quad = k.load(k.offset(weights, at, Problem::panelColumns * 4),
                      k.vec(kLaneColumns, k.i32()), 16);
  SmallVector<SmallVector<Value>> columns;
  for (int64_t c = 0; c < kLaneColumns; ++c) {
    Value word = k.extract(quad, c);
    if (isInside)
      word = k.select(isInside, word, k.constant(0));
    columns.push_back({word});
    if (shape.isInt4())
      columns.back() = {k.both(k.shiftLeft(word, 4), k.constant(highNibbles)),
                        k.both(word, k.constant(highNibbles))};
  }
  // Past K the weight is 0, whatever the activations are.
  Value element = k.min(k.mul(at, shape.stepSize),
                        k.constant(shape.rowBytes - shape.stepSize));
  int64_t words = shape.stepSize / 4;
  Value ones;
  if (shape.hasGroupZeroPoint)
    ones = onesWithin(at, isInside);
  Sums next, rowSums;
  for (auto [r, row] : llvm::enumerate(rows)) {
    Value x = k.load(k.offset(row, element, 1), k.vec(words, k.i32()),
                     shape.stepSize);
    for (int64_t c = 0; c < kLaneColumns; ++c) {
      Value sum = sums[r * kLaneColumns + c];
      for (int64_t w = 0; w < words; ++w)
        sum = k.dot4(k.extract(x, w), columns[c][w], sum);
      next.push_back(sum);
    }
    if (!ones)
      continue;
    Value sum = sums[rows.size() * kLaneColumns + r];
    for (int64_t w = 0; w < words; ++w)
      sum = k.dot4(k.extract(x, w), ones, sum);
    rowSums.push_back(sum);
  }
  next.append(rowSums);
  return next;
}

/// Sums over the lanes of `steps` neighbouring steps (a power of two).
ScaledEmitter::Sums ScaledEmitter::addLanes(ValueRange sums, int64_t steps) {
  Sums added(sums.begin(), sums.end());
  for (int64_t mask = 2; mask < 2 * steps; mask *= 2)
    for (Value &sum : added)
      sum = k.add(sum, k.shuffleXor(sum, mask));
  return added;
}

/// All lanes of a group have its sums and store the same: a branch would let
/// lanes of a warp drift apart before they shuffle again.
void ScaledEmitter::storeSums(Value group, ValueRange sums) {
  Value column = k.mul(half, kLaneColumns);
  for (size_t r = 0; r < rows.size(); ++r) {
    Value quad = vector::FromElementsOp::create(
        k.b, k.loc, k.vec(kLaneColumns, k.i32()),
        sums.slice(r * kLaneColumns, kLaneColumns));
    k.store(slot(k.constant(r), group, column), quad, 16);
    if (shape.hasGroupZeroPoint)
      k.store(rowSlot(k.constant(r), group),
              sums[rows.size() * kLaneColumns + r], 4);
  }
}

/// A chunk holds whole groups.
void ScaledEmitter::sumShortGroups() {
  int64_t all = shape.groups * shape.steps;
  Value chunks =
      k.constant((all + ScaledShape::chunkSteps - 1) / ScaledShape::chunkSteps);
  k.loop(warp, chunks, kGemvWarps, {}, [&](Value chunk, ValueRange) {
    Value position = k.add(k.mul(chunk, ScaledShape::chunkSteps), laneStep);
    Sums sums = addLanes(multiply(position, Value(), zeros()), shape.steps);
    // Steps past the last group have a place of their own.
    Value group = k.div(k.min(position, k.constant(all)), shape.steps);
    storeSums(group, sums);
    return Sums();
  });
}

/// A group has one or more chunks, the last of which may be shorter.
void ScaledEmitter::sumLongGroups() {
  k.loop(warp, k.constant(shape.groups), kGemvWarps, {},
         [&](Value group, ValueRange) {
           Value first = k.mul(group, shape.steps);
           Sums sums =
               k.loop(k.constant(0), k.constant(shape.chunksPerGroup()), 1,
                      zeros(), [&](Value chunk, ValueRange carried) {
                        Value step = k.add(
                            k.mul(chunk, ScaledShape::chunkSteps), laneStep);
                        Value isInside;
                        if (shape.steps % ScaledShape::chunkSteps)
                          isInside = k.less(step, k.constant(shape.steps));
                        return multiply(k.add(first, step), isInside, carried);
                      });
           sums = addLanes(sums, ScaledShape::chunkSteps);
           storeSums(group, sums);
           return Sums();
         });
}

/// The sum of group `group` of row `r` less what zero points make of it;
/// `zeroPoints` and `weightSums` point to the column's numbers of group 0.
Value ScaledEmitter::correct(Value sum, Value r, Value group, Value zeroPoints,
                             Value weightSums, Value rowZeroPoint) {
  auto number = [&](Value ofColumn) {
    return k.load(k.offset(ofColumn, group,
                           Problem::panelColumns * ScaledShape::numberBytes),
                  k.i32(), ScaledShape::numberBytes);
  };
  if (zeroPoints) {
    Value x = k.load(rowSlot(r, group), k.i32(), 4);
    sum = k.sub(sum, k.mul(number(zeroPoints), x));
  }
  if (weightSums)
    sum = k.sub(sum, k.mul(rowZeroPoint, number(weightSums)));
  return sum;
}

/// t = fma(f32(sum), scale, t) for each group in order; t * row_scale + bias.
void ScaledEmitter::emitResult() {
  Type f32 = k.b.getF32Type();
  Value thread = k.threadId();
  Value r = k.div(thread, Problem::panelColumns);
  Value column = k.rem(thread, Problem::panelColumns);
  Value m = k.add(firstRow, r);
  Value n = k.add(k.mul(panel, Problem::panelColumns), column);
  Value isMine = k.both(
      k.less(thread, k.constant(shape.rows * Problem::panelColumns)),
      k.both(k.less(m, func.getArgument(kM)), k.less(n, k.constant(shape.n))));
  k.ifThen(isMine, [&] {
    auto ofColumn = [&](unsigned argument) {
      constexpr int64_t bytes = ScaledShape::numberBytes;
      Value first = k.globalPointer(func.getArgument(argument));
      first =
          k.offset(first, panel, shape.groups * Problem::panelColumns * bytes);
      return k.offset(first, column, bytes);
    };
    ScaledEpilogue epilogue(k, func, op);
    Value scales = ofColumn(kGroupScale), zeroPoints, weightSums, rowZeroPoint;
    if (shape.hasGroupZeroPoint)
      zeroPoints = ofColumn(kGroupZeroPoint);
    if (shape.hasRowZeroPoint) {
      weightSums = ofColumn(kGroupSums);
      rowZeroPoint = epilogue.loadRowZeroPoint(m);
    }
    Value zero = arith::ConstantOp::create(k.b, k.loc, k.b.getZeroAttr(f32));
    Value t = k.loop(
        k.constant(0), k.constant(shape.groups), 1, zero,
        [&](Value group, ValueRange carried) {
          Value sum = k.load(slot(r, group, column), k.i32(), 4);
          if (shape.isInt4())
            sum = k.shiftRight(sum, 4);
          sum = correct(sum, r, group, zeroPoints, weightSums, rowZeroPoint);
          Value scale = k.load(
              k.offset(scales, group, Problem::panelColumns * sizeof(float)),
              f32, sizeof(float));
          Value x = arith::SIToFPOp::create(k.b, k.loc, f32, sum);
          return Sums{math::FmaOp::create(k.b, k.loc, x, scale, carried[0])};
        })[0];
    epilogue.store(m, n, t, epilogue.loadRowScale(m), epilogue.loadBias(n, 1));
  });
}

void ScaledEmitter::emit() {
  Value thread = k.threadId(), lane = k.rem(thread, 32);
  warp = k.div(thread, 32);
  laneStep = k.div(lane, 2);
  half = k.rem(lane, 2);
  panel = k.blockId(0);
  firstRow = k.mul(k.blockId(1), shape.rows);
  weights =
      k.offset(k.offset(k.globalPointer(func.getArgument(kScaledRhs)), panel,
                        shape.groups * shape.steps * Problem::panelColumns * 4),
               half, kLaneColumns * 4);
  Value last = k.add(func.getArgument(kM), -1);
  for (int64_t r = 0; r < shape.rows; ++r)
    rows.push_back(k.offset(k.globalPointer(func.getArgument(kScaledLhs)),
                            k.min(k.add(firstRow, r), last), shape.rowBytes));
  if (shape.hasShortGroups())
    sumShortGroups();
  else
    sumLongGroups();
  k.barrier();
  emitResult();
}

void nvvm::emitScaledKernel(KernelBuilder &k, gpu::GPUFuncOp func,
                            PackedScaledMatmulOp op, Value sharedMemory) {
  ScaledEmitter(k, func, op, sharedMemory).emit();
}
