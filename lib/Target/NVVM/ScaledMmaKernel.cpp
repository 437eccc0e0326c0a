//===- ScaledMmaKernel.cpp - group scales on tensor cores -----------------===//
//
// A block computes blockM x blockN of the result, like the kernel without group
// scales. A stage of the ring holds 64 elements along K: rows of activations,
// the weight as it is packed (4 bytes of a column are 8 elements of int4, or 4
// of int8), and the numbers of the group that the elements belong to, or of two
// groups of 32: scales, zero points, sums of the weight. How a warp reads them
// is ScaledTile.h's.
//
// At the end of a group, t = fma(f32(sum), scale, t), in the order of the CPU.
// Small sums start from the bits of 1.5 * 2^23, so that what they end with are
// the bits of 1.5 * 2^23 + sum: a subtraction makes a float of the sum, at four
// times the speed of a conversion. What zero points make of a sum is subtracted
// before, as integers.
//
//===----------------------------------------------------------------------===//

#include "ScaledMmaKernel.h"

#include "quant/Target/NVVM/NVVMKernels.h"

#include "ScaledTile.h"
#include "quant/Target/GPU/ScaledEpilogue.h"
#include "quant/Target/GPU/StageRing.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::nvvm;

namespace {

/// 1.5 * 2^23 and its bits: +- 2^22 around it a float's last bit is 1.
constexpr float kBase = 12582912.0f;
constexpr int64_t kBaseBits = 0x4B400000;
constexpr int64_t kBaseRange = 1 << 22;

class ScaledMmaEmitter {
public:
  ScaledMmaEmitter(KernelBuilder &k, gpu::GPUFuncOp func,
                   qtarget::PackedMatmulOp op, const qtarget::KernelRow &row,
                   const Schedule &schedule, Value sharedMemory)
      : k(k), func(func), op(op), shape(op), schedule(schedule),
        thread(k.threadId()), ring(k, schedule, sharedMemory, thread),
        tile(k, row, schedule, shape, thread) {
    if (shape.hasGroupZeroPoint)
      operands.push_back(kGroupZeroPoint);
    if (shape.hasRowZeroPoint)
      operands.push_back(kGroupSums);
  }

  void emit();

private:
  using Values = SmallVector<Value>;
  void loadRowZeroPoints();
  void planRows();
  void planWeights();
  void planNumbers();
  /// Calls `plan` for chunks of the panels of this block's columns, with the
  /// panel's pointer in `operand` and the number in the panel.
  void planPanels(
      unsigned operand, int64_t panelBytes, int64_t chunks,
      function_ref<StageRing::Chunk(Value pointer, Value panel, Value chunk)>
          plan);
  bool startsFromBase();
  Values startSums();
  Value toFloat(Value sum);
  Values addGroup(Value stage, int64_t group, ValueRange sums, ValueRange t);
  Values sumShortGroups(ValueRange carried);
  Values sumLongGroups(ValueRange carried);
  void store(ValueRange t);

  KernelBuilder &k;
  gpu::GPUFuncOp func;
  qtarget::PackedMatmulOp op;
  ScaledShape shape;
  const Schedule &schedule;
  Value thread;
  StageRing ring;
  ScaledTile tile;
  TileOrigin origin;
  /// The kernel's arguments of which each group of a column has a number.
  SmallVector<unsigned, 3> operands = {kGroupScale};
  /// Of this thread's rows, as large as sums are.
  Values negativeZeroPoints;
};

} // namespace

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

void ScaledMmaEmitter::planRows() {
  constexpr int64_t chunk = StageRing::chunkBytes;
  constexpr int64_t rowChunks = Problem::blockBytes / chunk;
  Value m = func.getArgument(kM);
  Value lhs = k.globalPointer(func.getArgument(kScaledLhs));
  ring.plan(schedule.blockM * rowChunks, [&](Value first, int64_t further) {
    Value number = k.add(first, further);
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
  ring.plan(panels * chunks, [&](Value start, int64_t further) {
    Value number = k.add(start, further);
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
               Value at = swizzleWeight(k, shape, number);
               Value target = k.add(k.mul(panel, blockBytes), k.mul(at, chunk));
               target = k.add(target, tile.weightBytes());
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

void ScaledMmaEmitter::planNumbers() {
  constexpr int64_t chunk = StageRing::chunkBytes;
  constexpr int64_t groupBytes =
      Problem::panelColumns * ScaledShape::numberBytes;
  int64_t blockBytes = shape.groupsPerBlock() * groupBytes;
  int64_t panelBytes = shape.groups * groupBytes;
  for (auto [i, operand] : llvm::enumerate(operands))
    planPanels(operand, panelBytes, blockBytes / chunk,
               [&, i = i](Value pointer, Value panel, Value number) {
                 Value first = k.mul(number, chunk);
                 Value target = k.add(k.add(k.mul(panel, blockBytes), first),
                                      tile.numbersBytes(i));
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

bool ScaledMmaEmitter::startsFromBase() {
  return shape.elementsPerGroup() *
             qtarget::getLargestProduct(op.getRhsBits(), !!op.getLhsZeroPoint(),
                                        !!op.getRhsZeroPoint()) <=
         kBaseRange;
}

ScaledMmaEmitter::Values ScaledMmaEmitter::startSums() {
  return tile.startSums(k.constant(startsFromBase() ? kBaseBits : 0));
}

Value ScaledMmaEmitter::toFloat(Value sum) {
  Type f32 = k.b.getF32Type();
  auto number = [&](float value) -> Value {
    return arith::ConstantOp::create(k.b, k.loc, k.b.getF32FloatAttr(value));
  };
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
}

/// t = fma(f32(sum + corrections), scale, t)
ScaledMmaEmitter::Values ScaledMmaEmitter::addGroup(Value stage, int64_t group,
                                                    ValueRange sums,
                                                    ValueRange t) {
  SmallVector<Values> numbers;
  for (auto [i, operand] : llvm::enumerate(operands))
    numbers.push_back(tile.loadNumbers(
        stage, i, group,
        operand == kGroupScale ? Type(k.b.getF32Type()) : k.i32()));
  Values next;
  for (int64_t i = 0; i < tile.numSums(); ++i) {
    Value sum = sums[i], scale;
    for (auto [operand, vector] : llvm::zip_equal(operands, numbers)) {
      Value number = k.extract(vector[tile.columnOf(i)], ScaledTile::partOf(i));
      if (operand == kGroupScale)
        scale = number;
      else
        sum =
            k.add(sum, k.mul(number, operand == kGroupZeroPoint
                                         ? tile.negativeRowSum(sums, i)
                                         : negativeZeroPoints[tile.rowOf(i)]));
    }
    next.push_back(math::FmaOp::create(k.b, k.loc, toFloat(sum), scale, t[i]));
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

void ScaledMmaEmitter::loadRowZeroPoints() {
  if (!shape.hasRowZeroPoint)
    return;
  ScaledEpilogue epilogue(k, func, op);
  Value lastRow = k.add(func.getArgument(kM), -1);
  for (Value row : tile.rows(origin.row)) {
    Value zeroPoint = epilogue.loadRowZeroPoint(k.min(row, lastRow));
    negativeZeroPoints.push_back(
        k.mul(zeroPoint, shape.isInt4() ? -kNibbleFactor : -1));
  }
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
  planNumbers();
  loadRowZeroPoints();
  Value zero = arith::ConstantOp::create(k.b, k.loc, k.b.getF32FloatAttr(0.0f));
  Values carried(1 + tile.numSums(), zero);
  carried[0] = ring.begin(k.constant(0), k.constant(shape.kBlocks()));
  Values last = shape.groupsPerBlock() > 1 ? sumShortGroups(carried)
                                           : sumLongGroups(carried);
  store(ArrayRef<Value>(last).drop_front());
}

const qtarget::KernelRow *nvvm::getScaledMmaRow(qtarget::TargetAttr target) {
  for (NVVMKernel kernel :
       {NVVMKernel::MMA_M16N8K32_S8, NVVMKernel::MMA_M8N8K16_S8})
    if (getRow(kernel).isLegalOn(target))
      return &getRow(kernel);
  return nullptr;
}

void nvvm::emitScaledMmaKernel(KernelBuilder &k, gpu::GPUFuncOp func,
                               qtarget::PackedMatmulOp op,
                               const qtarget::KernelRow &row,
                               const Schedule &schedule, Value sharedMemory) {
  ScaledMmaEmitter(k, func, op, row, schedule, sharedMemory).emit();
}
