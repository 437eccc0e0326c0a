//===- ScaledGemvKernel.cpp - weights whose scales differ along K ---------===//
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

#include "quant/Target/GPU/ScaledGemvKernel.h"
#include "quant/Target/GPU/ScaledEpilogue.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <algorithm>

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::device;

/// What a block may take of shared memory on every chip.
static constexpr int64_t kLeastSharedBytes = 48 * 1024;
/// Loads of a lane that are on their way at once. Of several rows the registers
/// hide more as further blocks than as further loads (measured on an H100).
static constexpr int64_t kLoadsAhead = 4, kLoadsAheadOfRows = 1;
/// Numbers of groups that a thread loads at once, and how often before the
/// weights.
static constexpr int64_t kNumbersTogether = 4, kNumbersAhead = 4;
/// Groups of a result whose numbers are loaded together.
static constexpr int64_t kGroupsTogether = 4;
/// Columns of a lane: half of a panel.
static constexpr int64_t kLaneColumns = 4;

ScaledShape::ScaledShape(qtarget::PackedMatmulOp op)
    : n(memrefType(op.getInit()).getDimSize(1)),
      panels(memrefType(op.getRhs()).getDimSize(0)), groups(op.getNumGroups()),
      bits(op.getRhsBits()), hasGroupZeroPoint(!!op.getRhsZeroPoint()),
      hasRowZeroPoint(!!op.getLhsZeroPoint()), steps(op.getStepsPerGroup()),
      stepSize(op.getStepSize()) {
  MemRefType lhs = memrefType(op.getLhs());
  rowBytes = lhs.getDimSize(1) * lhs.getDimSize(3);
  // Two blocks share a multiprocessor.
  int64_t sharedBytes = kLeastSharedBytes;
  if (auto target = qtarget::TargetAttr::lookup(op))
    sharedBytes = std::max(sharedBytes, target.getL1d() / 2);
  hasSharedNumbers = true;
  hasSharedNumbers = bytesOfNumbers() + bytesOfRow() <= sharedBytes;
  rows = std::clamp<int64_t>((sharedBytes - bytesOfNumbers()) / bytesOfRow(), 1,
                             kGemvRows);
  if (!lhs.isDynamicDim(0))
    rows = std::clamp<int64_t>(lhs.getDimSize(0), 1, rows);
}

namespace {

class ScaledEmitter {
public:
  ScaledEmitter(KernelBuilder &k, gpu::GPUFuncOp func,
                qtarget::PackedMatmulOp op, Value sharedMemory)
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
  /// A step of the panel, and of each row, on its way to registers.
  struct Step {
    Value at, isInside, weights;
    SmallVector<Value> activations;
  };
  Step load(Value position, Value isInside);
  Value onesWithin(Value at, Value isInside);
  Sums multiply(const Step &step, ValueRange sums);
  Sums addLanes(ValueRange sums, int64_t steps);
  void storeSums(Value group, ValueRange sums);
  void sumShortGroups();
  void sumChunkGroups();
  void sumLongGroups();
  void loadNumbers();
  void storeNumbers();
  Value loadNumber(unsigned which, Value group, Value column, Type type);
  void emitResult();

  KernelBuilder &k;
  gpu::GPUFuncOp func;
  qtarget::PackedMatmulOp op;
  ScaledShape shape;
  Value sharedMemory;
  Value warp, laneStep, half, panel, firstRow;
  /// This lane's columns of step 0, and the rows of activations.
  Value weights;
  SmallVector<Value> rows;
  int64_t loadsAhead;
  /// This panel's numbers, array by array, and their way to shared memory.
  SmallVector<Value> numbers;
  struct NumberCopy {
    Value source, target, loaded;
  };
  SmallVector<NumberCopy> copies;
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

/// Loads step `position` of the panel, which counts as none where it is not
/// `isInside` (null: it always is).
ScaledEmitter::Step ScaledEmitter::load(Value position, Value isInside) {
  Value last = k.constant(shape.groups * shape.steps - 1);
  Step step;
  step.at = k.min(position, last);
  step.isInside = isInside;
  step.weights = k.load(k.offset(weights, step.at, Problem::panelColumns * 4),
                        k.vec(kLaneColumns, k.i32()), 16);
  // Past K the weight is 0, whatever the activations are.
  Value element = k.min(k.mul(step.at, shape.stepSize),
                        k.constant(shape.rowBytes - shape.stepSize));
  for (Value row : rows)
    step.activations.push_back(k.load(k.offset(row, element, 1),
                                      k.vec(shape.stepSize / 4, k.i32()),
                                      shape.stepSize));
  return step;
}

/// Adds the products of a step.
ScaledEmitter::Sums ScaledEmitter::multiply(const Step &step, ValueRange sums) {
  constexpr int64_t highNibbles = static_cast<int32_t>(0xf0f0f0f0);
  SmallVector<SmallVector<Value>> columns;
  for (int64_t c = 0; c < kLaneColumns; ++c) {
    Value word = k.extract(step.weights, c);
    if (step.isInside)
      word = k.select(step.isInside, word, k.constant(0));
    columns.push_back({word});
    if (shape.isInt4())
      columns.back() = {k.both(k.shiftLeft(word, 4), k.constant(highNibbles)),
                        k.both(word, k.constant(highNibbles))};
  }
  Value ones;
  if (shape.hasGroupZeroPoint)
    ones = onesWithin(step.at, step.isInside);
  Sums next, rowSums;
  auto addProducts = [&](Value x, ArrayRef<Value> by, Value sum) {
    for (int64_t w = 0, e = shape.stepSize / 4; w < e; ++w)
      sum = k.dot4(k.extract(x, w), by[by.size() == 1 ? 0 : w], sum);
    return sum;
  };
  for (auto [r, x] : llvm::enumerate(step.activations)) {
    for (int64_t c = 0; c < kLaneColumns; ++c)
      next.push_back(addProducts(x, columns[c], sums[r * kLaneColumns + c]));
    if (ones)
      rowSums.push_back(
          addProducts(x, ones, sums[rows.size() * kLaneColumns + r]));
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
  k.loop(warp, chunks, kGemvWarps * loadsAhead, {},
         [&](Value chunk, ValueRange) {
           SmallVector<Value> positions;
           SmallVector<Step> loaded;
           for (int64_t i = 0; i < loadsAhead; ++i) {
             Value mine = k.add(chunk, i * kGemvWarps);
             positions.push_back(
                 k.add(k.mul(mine, ScaledShape::chunkSteps), laneStep));
             loaded.push_back(load(positions.back(), Value()));
           }
           for (auto [position, step] : llvm::zip_equal(positions, loaded)) {
             Sums sums = addLanes(multiply(step, zeros()), shape.steps);
             // Steps past the last group have a place of their own.
             Value group = k.div(k.min(position, k.constant(all)), shape.steps);
             storeSums(group, sums);
           }
           return Sums();
         });
}

/// A group has one chunk, which may be shorter.
void ScaledEmitter::sumChunkGroups() {
  Value end = k.constant(shape.groups), isInside;
  if (shape.steps % ScaledShape::chunkSteps)
    isInside = k.less(laneStep, k.constant(shape.steps));
  k.loop(warp, end, kGemvWarps * loadsAhead, {}, [&](Value first, ValueRange) {
    SmallVector<Value> groups;
    SmallVector<Step> loaded;
    for (int64_t i = 0; i < loadsAhead; ++i) {
      groups.push_back(k.min(k.add(first, i * kGemvWarps), end));
      Value position = k.add(k.mul(groups.back(), shape.steps), laneStep);
      loaded.push_back(load(position, isInside));
    }
    for (auto [group, step] : llvm::zip_equal(groups, loaded))
      storeSums(group,
                addLanes(multiply(step, zeros()), ScaledShape::chunkSteps));
    return Sums();
  });
}

/// A group has several chunks, the last of which may be shorter.
void ScaledEmitter::sumLongGroups() {
  int64_t chunks = shape.chunksPerGroup();
  int64_t together = std::min(loadsAhead, chunks);
  k.loop(warp, k.constant(shape.groups), kGemvWarps, {},
         [&](Value group, ValueRange) {
           Value first = k.mul(group, shape.steps);
           auto addChunks = [&](Value chunk, ValueRange carried) {
             SmallVector<Step> loaded;
             for (int64_t i = 0; i < together; ++i) {
               Value step = k.add(
                   k.mul(k.add(chunk, i), ScaledShape::chunkSteps), laneStep);
               Value isInside;
               if (shape.steps % (ScaledShape::chunkSteps * together))
                 isInside = k.less(step, k.constant(shape.steps));
               loaded.push_back(load(k.add(first, step), isInside));
             }
             Sums sums(carried);
             for (const Step &step : loaded)
               sums = multiply(step, sums);
             return sums;
           };
           Sums sums = k.loop(k.constant(0), k.constant(chunks), together,
                              zeros(), addChunks);
           storeSums(group, addLanes(sums, ScaledShape::chunkSteps));
           return Sums();
         });
}

//===----------------------------------------------------------------------===//
// Numbers of groups and columns: scales, zero points, sums of the weight
//===----------------------------------------------------------------------===//

/// Starts loading them into registers: they wait for memory together with the
/// weights. The chain over the groups would wait for each of them in turn.
void ScaledEmitter::loadNumbers() {
  SmallVector<unsigned> arguments = {kGroupScale};
  if (shape.hasGroupZeroPoint)
    arguments.push_back(kGroupZeroPoint);
  if (shape.hasRowZeroPoint)
    arguments.push_back(kGroupSums);
  int64_t panelNumbers = shape.groups * Problem::panelColumns;
  for (unsigned argument : arguments)
    numbers.push_back(k.offset(k.globalPointer(func.getArgument(argument)),
                               panel, panelNumbers * ScaledShape::numberBytes));
  if (!shape.hasSharedNumbers)
    return;
  constexpr int64_t bytes = kNumbersTogether * ScaledShape::numberBytes;
  int64_t count = panelNumbers / kNumbersTogether;
  constexpr int64_t threads = kGemvWarps * 32;
  Value last = k.constant(count - 1), thread = k.threadId();
  for (auto [i, pointer] : llvm::enumerate(numbers))
    for (int64_t first = 0; first < count; first += threads) {
      // Threads past the last all have that one.
      Value index = k.min(k.add(thread, first), last);
      bool ahead = static_cast<int64_t>(copies.size()) < kNumbersAhead;
      Value source = k.offset(pointer, index, bytes);
      Value target = k.add(index, i * count);
      Type quad = k.vec(kNumbersTogether, k.i32());
      copies.push_back(
          {source, target, ahead ? k.load(source, quad, bytes) : Value()});
    }
}

void ScaledEmitter::storeNumbers() {
  constexpr int64_t bytes = kNumbersTogether * ScaledShape::numberBytes;
  Value shared = k.offset(sharedMemory, k.constant(shape.numbersOffset()), 1);
  for (NumberCopy &copy : copies) {
    if (!copy.loaded)
      copy.loaded =
          k.load(copy.source, k.vec(kNumbersTogether, k.i32()), bytes);
    k.store(k.offset(shared, copy.target, bytes), copy.loaded, bytes);
  }
}

/// Number `which` (a scale, then those that there are) of a group and column.
Value ScaledEmitter::loadNumber(unsigned which, Value group, Value column,
                                Type type) {
  Value index = k.add(k.mul(group, Problem::panelColumns), column);
  Value base = numbers[which];
  if (shape.hasSharedNumbers) {
    base = k.offset(sharedMemory, k.constant(shape.numbersOffset()), 1);
    index = k.add(index, which * shape.groups * Problem::panelColumns);
  }
  constexpr int64_t bytes = ScaledShape::numberBytes;
  return k.load(k.offset(base, index, bytes), type, bytes);
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
    ScaledEpilogue epilogue(k, func, op);
    Value rowZeroPoint;
    if (shape.hasRowZeroPoint)
      rowZeroPoint = epilogue.loadRowZeroPoint(m);
    // The corrected sum of a group and its scale.
    auto loadGroup = [&](Value group) -> std::pair<Value, Value> {
      Value sum = k.load(slot(r, group, column), k.i32(), 4);
      if (shape.isInt4())
        sum = k.shiftRight(sum, 4);
      if (shape.hasGroupZeroPoint) {
        Value x = k.load(rowSlot(r, group), k.i32(), 4);
        sum = k.sub(sum, k.mul(loadNumber(1, group, column, k.i32()), x));
      }
      if (shape.hasRowZeroPoint) {
        unsigned which = shape.hasGroupZeroPoint ? 2 : 1;
        Value weights = loadNumber(which, group, column, k.i32());
        sum = k.sub(sum, k.mul(rowZeroPoint, weights));
      }
      return {sum, loadNumber(0, group, column, f32)};
    };
    auto addGroups = [&](Value first, int64_t count, Value t) {
      SmallVector<std::pair<Value, Value>> groups;
      for (int64_t i = 0; i < count; ++i)
        groups.push_back(loadGroup(k.add(first, i)));
      for (auto [sum, scale] : groups) {
        Value x = arith::SIToFPOp::create(k.b, k.loc, f32, sum);
        t = math::FmaOp::create(k.b, k.loc, x, scale, t);
      }
      return t;
    };
    int64_t left = shape.groups % kGroupsTogether;
    int64_t whole = shape.groups - left;
    Value t = arith::ConstantOp::create(k.b, k.loc, k.b.getZeroAttr(f32));
    if (whole)
      t = k.loop(k.constant(0), k.constant(whole), kGroupsTogether, t,
                 [&](Value group, ValueRange carried) {
                   return Sums{addGroups(group, kGroupsTogether, carried[0])};
                 })[0];
    t = addGroups(k.constant(whole), left, t);
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
  loadsAhead = shape.rows > 1 ? kLoadsAheadOfRows : kLoadsAhead;
  loadNumbers();
  if (shape.hasShortGroups())
    sumShortGroups();
  else if (shape.chunksPerGroup() == 1)
    sumChunkGroups();
  else
    sumLongGroups();
  storeNumbers();
  k.barrier();
  emitResult();
}

void device::emitScaledGemvKernel(KernelBuilder &k, gpu::GPUFuncOp func,
                                  qtarget::PackedMatmulOp op,
                                  Value sharedMemory) {
  ScaledEmitter(k, func, op, sharedMemory).emit();
}
