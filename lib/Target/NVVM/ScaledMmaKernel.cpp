//===- ScaledMmaKernel.cpp - group scales on tensor cores -----------------===//
//
// A block computes blockM x blockN of the result, like the kernel without group
// scales. A stage of the ring holds 64 elements along K: rows of activations,
// the weight as it is packed (4 bytes of a column are 8 elements of int4, or 4
// of int8), and the scales of the group that the elements belong to, or of two
// groups of 32.
//
// 32 elements are a unit. Lane 4 g + j takes elements 8 j .. 8 j + 7 of it for
// row or column g, two registers. For int4 these are one word, `word << 4` and
// `word`, masked by 0xf0f0f0f0: bytes of 16 times the weight. The k that the
// instruction sees is a permutation of memory's, the same for both operands,
// and stays inside of the unit, so that it stays inside of the group:
//
//   registers (r = 0, 1) of lane 4 g + j:  elements 8 j + 4 r .. 8 j + 4 r + 3
//
// In shared memory the chunks of 16 bytes are arranged so that no two lanes of
// a phase meet in a bank: where 8 bytes of each row are read at once, rows 2
// and 3 of each four have their two units exchanged; of int8, the words of
// r = 1 follow those of r = 0, their first half after their second.
//
// At the end of a group, t = fma(f32(sum), scale, t), in the order of the CPU.
// Sums of at most 256 elements start from the bits of 1.5 * 2^23, so that what
// they end with are the bits of 1.5 * 2^23 + sum: a subtraction makes a float
// of the sum, at four times the speed of a conversion.
//
//===----------------------------------------------------------------------===//

#include "MmaTile.h"
#include "StageRing.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::nvvm;

namespace {

constexpr int64_t kScaleBytes = sizeof(float);
constexpr int64_t kNibbleFactor = 16;
/// 1.5 * 2^23 and its bits: +- 2^22 around it a float's last bit is 1.
constexpr float kBase = 12582912.0f;
constexpr int64_t kBaseBits = 0x4B400000;
constexpr int64_t kBaseRange = 1 << 22;

/// Where a byte of a row of activations is in its 64 bytes of a stage.
Value swizzleRow(KernelBuilder &k, Value row, Value byte) {
  Value upper = k.rem(k.div(row, 2), 2);
  return k.differ(byte, k.mul(upper, ScaledShape::unitElements));
}

/// A warp's tile of activations and of a weight as it is packed.
class ScaledTile : public MmaTile {
public:
  ScaledTile(KernelBuilder &k, const qtarget::IntrinsicRow &row,
             const Schedule &schedule, const ScaledShape &shape, Value thread)
      : MmaTile(k, row, schedule, thread), shape(shape) {}

  /// Sums + one block along K.
  SmallVector<Value> multiply(Value stage, ValueRange sums) override;
  /// Sums + one unit of 32 elements.
  SmallVector<Value> multiplyUnit(Value stage, int64_t unit, ValueRange sums);
  /// The scales of this thread's columns in group `group` of a stage.
  SmallVector<Value> loadScales(Value stage, int64_t group);

private:
  Registers loadRow(Value stage, int64_t eighth, int64_t unit);
  Registers loadColumn(Value stage, int64_t panel, int64_t unit);

  const ScaledShape &shape;
};

class ScaledMmaEmitter {
public:
  ScaledMmaEmitter(KernelBuilder &k, gpu::GPUFuncOp func,
                   PackedScaledMatmulOp op, const qtarget::IntrinsicRow &row,
                   const Schedule &schedule, Value sharedMemory)
      : k(k), func(func), op(op), shape(op), schedule(schedule),
        thread(k.threadId()), ring(k, schedule, sharedMemory, thread),
        tile(k, row, schedule, shape, thread) {}

  void emit();

private:
  using Values = SmallVector<Value>;
  void planRows();
  void planWeights();
  void planScales();
  /// Calls `plan` for chunks of the panels of this block's columns, with the
  /// panel's pointer in `operand` and the number in the panel.
  void planPanels(
      unsigned operand, int64_t panelBytes, int64_t chunks,
      function_ref<StageRing::Chunk(Value pointer, Value panel, Value chunk)>
          plan);
  bool startsFromBase() const;
  Values startSums();
  Values addGroup(Value stage, int64_t group, ValueRange sums, ValueRange t);
  Values sumShortGroups(ValueRange carried);
  Values sumLongGroups(ValueRange carried);
  void store(ValueRange t);

  KernelBuilder &k;
  gpu::GPUFuncOp func;
  PackedScaledMatmulOp op;
  ScaledShape shape;
  const Schedule &schedule;
  Value thread;
  StageRing ring;
  ScaledTile tile;
  TileOrigin origin;
};

} // namespace

//===----------------------------------------------------------------------===//
// A warp's tile
//===----------------------------------------------------------------------===//

/// Of row `eighth` * 8 + g: the lane's 8 bytes of the unit.
ScaledTile::Registers ScaledTile::loadRow(Value stage, int64_t eighth,
                                          int64_t unit) {
  // The rows of eights and of warps begin with one that is not exchanged.
  Value byte = k.add(k.mul(part, 8), unit * ScaledShape::unitElements);
  Value first = k.add(k.mul(k.add(warpRow, group), Problem::blockBytes),
                      swizzleRow(k, group, byte));
  Value pointer = k.offset(k.offset(stage, first, 1),
                           k.constant(eighth * 8 * Problem::blockBytes), 1);
  Value pair = k.load(pointer, k.vec(2, k.i32()), 8);
  return {k.extract(pair, 0), k.extract(pair, 1)};
}

/// Of column `panel` * 8 + g: the lane's 8 elements of the unit.
ScaledTile::Registers ScaledTile::loadColumn(Value stage, int64_t panel,
                                             int64_t unit) {
  constexpr int64_t highNibbles = static_cast<int32_t>(0xf0f0f0f0);
  int64_t panelUnit = shape.unitBytes() * Problem::panelColumns;
  Value columns = k.offset(stage,
                           k.add(k.mul(k.div(warpColumn, Problem::panelColumns),
                                       ScaledShape::unitsPerBlock * panelUnit),
                                 schedule.lhsStageBytes()),
                           1);
  int64_t first = (panel * ScaledShape::unitsPerBlock + unit) * panelUnit;
  auto load = [&](Value byte) {
    Value pointer = k.offset(k.offset(columns, byte, 1), k.constant(first), 1);
    return k.load(pointer, k.i32(), 4);
  };
  if (shape.isInt4()) {
    Value word =
        load(k.add(k.mul(part, ScaledShape::stepBytes), k.mul(group, 4)));
    return {k.both(k.shiftLeft(word, 4), k.constant(highNibbles)),
            k.both(word, k.constant(highNibbles))};
  }
  // See planWeights.
  Registers registers;
  Value chunk = k.add(k.mul(part, 2), k.div(group, 4));
  for (int64_t r = 0; r < 2; ++r) {
    Value at = k.add(k.differ(chunk, k.constant(4 * r)), 8 * r);
    registers.push_back(load(
        k.add(k.mul(at, StageRing::chunkBytes), k.mul(k.rem(group, 4), 4))));
  }
  return registers;
}

SmallVector<Value> ScaledTile::multiplyUnit(Value stage, int64_t unit,
                                            ValueRange sums) {
  SmallVector<Registers> lhs, rhs;
  for (int64_t i = 0; i < schedule.warpM() / 8; ++i)
    lhs.push_back(loadRow(stage, i, unit));
  for (int64_t i = 0; i < tilesN(); ++i)
    rhs.push_back(loadColumn(stage, i, unit));
  SmallVector<Value> next(sums);
  for (int64_t step = 0; step < ScaledShape::unitElements / row.k; ++step)
    next = multiplyStep(lhs, rhs, step, next);
  return next;
}

SmallVector<Value> ScaledTile::multiply(Value stage, ValueRange sums) {
  SmallVector<Value> next(sums);
  for (int64_t unit = 0; unit < ScaledShape::unitsPerBlock; ++unit)
    next = multiplyUnit(stage, unit, next);
  return next;
}

SmallVector<Value> ScaledTile::loadScales(Value stage, int64_t group) {
  constexpr int64_t groupBytes = Problem::panelColumns * kScaleBytes;
  int64_t panelBytes = shape.groupsPerBlock() * groupBytes;
  int64_t weights = schedule.lhsStageBytes() + schedule.blockN *
                                                   ScaledShape::unitsPerBlock *
                                                   shape.unitBytes();
  Value first =
      k.add(k.mul(k.div(warpColumn, Problem::panelColumns), panelBytes),
            k.mul(part, 2 * kScaleBytes));
  Value pointer = k.offset(stage, k.add(first, weights), 1);
  SmallVector<Value> scales;
  for (int64_t i = 0; i < tilesN(); ++i) {
    Value place =
        k.offset(pointer, k.constant(i * panelBytes + group * groupBytes), 1);
    scales.push_back(
        k.load(place, k.vec(2, k.b.getF32Type()), 2 * kScaleBytes));
  }
  return scales;
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

void ScaledMmaEmitter::planRows() {
  constexpr int64_t chunk = StageRing::chunkBytes;
  constexpr int64_t rowChunks = Problem::blockBytes / chunk;
  Value m = func.getArgument(kM);
  Value lhs = k.globalPointer(func.getArgument(kScaledLhs));
  ring.plan(schedule.blockM * rowChunks, [&](Value number) {
    Value row = k.div(number, rowChunks), at = k.rem(number, rowChunks);
    Value global = k.add(origin.row, row);
    Value source = k.offset(lhs, k.min(global, k.add(m, -1)), shape.rowBytes);
    Value target = k.add(k.mul(row, Problem::blockBytes),
                         swizzleRow(k, row, k.mul(at, chunk)));
    return StageRing::Chunk{k.offset(source, at, chunk), k.less(global, m),
                            target, Problem::blockBytes};
  });
}

void ScaledMmaEmitter::planPanels(
    unsigned operand, int64_t panelBytes, int64_t chunks,
    function_ref<StageRing::Chunk(Value, Value, Value)> plan) {
  Value first = k.globalPointer(func.getArgument(operand));
  Value firstPanel = k.div(origin.column, Problem::panelColumns);
  int64_t panels = schedule.blockN / Problem::panelColumns;
  ring.plan(panels * chunks, [&](Value number) {
    Value inBlock = k.div(number, chunks);
    Value panel = k.add(firstPanel, inBlock);
    Value clamped = k.min(panel, k.constant(shape.panels - 1));
    StageRing::Chunk chunk = plan(k.offset(first, clamped, panelBytes), inBlock,
                                  k.rem(number, chunks));
    chunk.inside = k.less(panel, k.constant(shape.panels));
    return chunk;
  });
}

void ScaledMmaEmitter::planWeights() {
  constexpr int64_t chunk = StageRing::chunkBytes;
  int64_t blockBytes =
      ScaledShape::unitsPerBlock * shape.unitBytes() * Problem::panelColumns;
  int64_t panelBytes = shape.groups * shape.steps * ScaledShape::stepBytes;
  planPanels(kScaledRhs, panelBytes, blockBytes / chunk,
             [&](Value pointer, Value panel, Value number) {
               Value at = number;
               if (!shape.isInt4()) {
                 // Of the unit's 16 chunks, two for each step: steps 2 j + r,
                 // from 8 r on, whose first four follow the others where r
                 // is 1.
                 Value inUnit = k.rem(number, 16), step = k.div(inUnit, 2);
                 Value r = k.rem(step, 2);
                 at = k.add(k.mul(k.div(step, 2), 2), k.rem(number, 2));
                 at = k.add(k.differ(at, k.mul(r, 4)), k.mul(r, 8));
                 at = k.add(at, k.mul(k.div(number, 16), 16));
               }
               Value target = k.add(k.mul(panel, blockBytes), k.mul(at, chunk));
               target = k.add(target, schedule.lhsStageBytes());
               Value first = k.mul(number, chunk);
               StageRing::Chunk result{pointer, {}, target, blockBytes};
               // Activations have whole blocks, the weight may end before.
               if (panelBytes < shape.kBlocks() * blockBytes) {
                 result.end = panelBytes;
                 result.first = first;
               } else {
                 result.source = k.offset(pointer, first, 1);
               }
               return result;
             });
}

void ScaledMmaEmitter::planScales() {
  constexpr int64_t chunk = StageRing::chunkBytes;
  constexpr int64_t groupBytes = Problem::panelColumns * kScaleBytes;
  int64_t blockBytes = shape.groupsPerBlock() * groupBytes;
  int64_t panelBytes = shape.groups * groupBytes;
  int64_t weights = schedule.lhsStageBytes() + schedule.blockN *
                                                   ScaledShape::unitsPerBlock *
                                                   shape.unitBytes();
  planPanels(kGroupScale, panelBytes, blockBytes / chunk,
             [&](Value pointer, Value panel, Value number) {
               Value first = k.mul(number, chunk);
               Value target =
                   k.add(k.add(k.mul(panel, blockBytes), first), weights);
               StageRing::Chunk result{pointer, {}, target, blockBytes};
               result.blocksTogether = shape.blocksPerGroup();
               // Two groups a block, and an odd number of groups.
               if (panelBytes < shape.kBlocks() * blockBytes &&
                   shape.groupsPerBlock() > 1) {
                 result.end = panelBytes;
                 result.first = first;
               } else {
                 result.source = k.offset(pointer, first, 1);
               }
               return result;
             });
}

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

bool ScaledMmaEmitter::startsFromBase() const {
  constexpr int64_t largestProduct = 128 * 128;
  return shape.elementsPerGroup() * largestProduct <= kBaseRange;
}

ScaledMmaEmitter::Values ScaledMmaEmitter::startSums() {
  Value start = k.constant(startsFromBase() ? kBaseBits : 0);
  return Values(tile.numSums(), start);
}

/// t = fma(f32(sum), scale, t)
ScaledMmaEmitter::Values ScaledMmaEmitter::addGroup(Value stage, int64_t group,
                                                    ValueRange sums,
                                                    ValueRange t) {
  Type f32 = k.b.getF32Type();
  auto number = [&](float value) -> Value {
    return arith::ConstantOp::create(k.b, k.loc, k.b.getF32FloatAttr(value));
  };
  auto toFloat = [&](Value sum) -> Value {
    if (!startsFromBase()) {
      if (shape.isInt4())
        sum = k.shiftRight(sum, 4);
      return arith::SIToFPOp::create(k.b, k.loc, f32, sum);
    }
    Value x = arith::BitcastOp::create(k.b, k.loc, f32, sum);
    if (!shape.isInt4())
      return arith::SubFOp::create(k.b, k.loc, x, number(kBase));
    // Division by a power of two, and the subtraction: nothing is rounded.
    return math::FmaOp::create(k.b, k.loc, x, number(1.0f / kNibbleFactor),
                               number(-kBase / kNibbleFactor));
  };
  Values scales = tile.loadScales(stage, group), next;
  for (int64_t i = 0; i < tile.numSums(); ++i) {
    Value scale = k.extract(scales[tile.columnOf(i)], ScaledTile::partOf(i));
    next.push_back(
        math::FmaOp::create(k.b, k.loc, toFloat(sums[i]), scale, t[i]));
  }
  return next;
}

/// Two groups a block. `carried`: the ring's cursor, then t.
ScaledMmaEmitter::Values ScaledMmaEmitter::sumShortGroups(ValueRange carried) {
  Value end = k.constant(shape.kBlocks());
  return k.loop(
      k.constant(0), end, 1, carried, [&](Value block, ValueRange values) {
        Value cursor = values[0];
        Value stage = ring.advance(block, end, cursor);
        Values next(values.drop_front());
        for (int64_t group = 0; group < shape.groupsPerBlock(); ++group)
          next = addGroup(stage, group,
                          tile.multiplyUnit(stage, group, startSums()), next);
        next.insert(next.begin(), cursor);
        return next;
      });
}

/// One or more blocks a group, of which the last group may have fewer.
ScaledMmaEmitter::Values ScaledMmaEmitter::sumLongGroups(ValueRange carried) {
  int64_t blocks = shape.blocksPerGroup();
  Value end = k.constant(shape.kBlocks());
  return k.loop(
      k.constant(0), k.constant(shape.groups), 1, carried,
      [&](Value group, ValueRange values) {
        Value first = k.mul(group, blocks), last = k.add(first, blocks);
        Values inner = startSums();
        inner.insert(inner.begin(), values[0]);
        inner = k.loop(first, k.min(last, end), 1, inner,
                       [&](Value block, ValueRange sums) {
                         Value cursor = sums[0];
                         Value stage = ring.advance(block, end, cursor);
                         Values next = tile.multiply(stage, sums.drop_front());
                         next.insert(next.begin(), cursor);
                         return next;
                       });
        Values next =
            addGroup(ring.pointerTo(inner[0]), /*group=*/0,
                     ArrayRef<Value>(inner).drop_front(), values.drop_front());
        next.insert(next.begin(), inner[0]);
        return next;
      });
}

void ScaledMmaEmitter::store(ValueRange t) {
  ScaledEpilogue epilogue(k, func, op);
  Value m = func.getArgument(kM), lastRow = k.add(m, -1);
  int64_t together = tile.columnsTogether();
  Value lastColumn =
      k.constant(shape.panels * Problem::panelColumns - together);
  Values rows = tile.rows(origin.row), rowScales;
  for (Value row : rows)
    rowScales.push_back(epilogue.loadRowScale(k.min(row, lastRow)));
  for (auto [c, column] : llvm::enumerate(tile.columns(origin.column))) {
    Value bias = epilogue.loadBias(k.min(column, lastColumn), together);
    for (auto [r, row] : llvm::enumerate(rows)) {
      Value pair = tile.sum(t, r, c);
      k.ifThen(k.less(row, m), [&, r = r, row = row, column = column] {
        epilogue.store(row, column, pair, rowScales[r], bias);
      });
    }
  }
}

void ScaledMmaEmitter::emit() {
  origin = placeBlock(k, func, schedule, memrefType(op.getInit()).getDimSize(0),
                      shape.panels * Problem::panelColumns);
  planRows();
  planWeights();
  planScales();
  Value zero = arith::ConstantOp::create(k.b, k.loc, k.b.getF32FloatAttr(0.0f));
  Values carried(1 + tile.numSums(), zero);
  carried[0] = ring.begin(k.constant(0), k.constant(shape.kBlocks()));
  Values last = shape.groupsPerBlock() > 1 ? sumShortGroups(carried)
                                           : sumLongGroups(carried);
  store(ArrayRef<Value>(last).drop_front());
}

void nvvm::emitScaledMmaKernel(KernelBuilder &k, gpu::GPUFuncOp func,
                               PackedScaledMatmulOp op,
                               const qtarget::IntrinsicRow &row,
                               const Schedule &schedule, Value sharedMemory) {
  ScaledMmaEmitter(k, func, op, row, schedule, sharedMemory).emit();
}
