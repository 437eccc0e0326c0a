//===- StageRing.cpp - operands on their way through shared memory --------===//

#include "quant/Target/GPU/StageRing.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::device;

/// Tiles of rows whose blocks run together.
static constexpr int64_t kBandTiles = 8;

TileOrigin device::placeBlock(KernelBuilder &k, gpu::GPUFuncOp func,
                              const Schedule &schedule, int64_t rows,
                              int64_t columns) {
  int64_t tilesN = llvm::divideCeil(columns, schedule.blockN);
  Value x = k.blockId(0), y = k.blockId(1);
  bool isOneBand = !ShapedType::isDynamic(rows) && rows <= schedule.blockM;
  if (!isOneBand && tilesN > 1) {
    Value m = func.getArgument(kM);
    Value tilesM = k.div(k.add(m, schedule.blockM - 1), schedule.blockM);
    Value tile = k.add(k.mul(y, tilesN), x);
    Value inBand = k.rem(tile, kBandTiles * tilesN);
    Value bandRow = k.mul(k.div(tile, kBandTiles * tilesN), kBandTiles);
    // The last band may have fewer rows.
    Value bandRows = k.min(k.sub(tilesM, bandRow), k.constant(kBandTiles));
    x = k.div(inBand, bandRows);
    y = k.add(bandRow, k.rem(inBand, bandRows));
  }
  return {k.mul(y, schedule.blockM), k.mul(x, schedule.blockN)};
}

Value StageRing::swizzle(KernelBuilder &k, Value number) {
  // 4 chunks a row: rows 2 i and 2 i + 1 are chunks 8 i ... 8 i + 7.
  Value pair = k.rem(k.div(number, 8), 4);
  return k.mul(k.differ(number, pair), chunkBytes);
}

void StageRing::plan(int64_t count,
                     function_ref<Chunk(Value, int64_t)> describe) {
  int64_t threads = schedule.threads();
  for (int64_t i = 0; i < count; i += threads) {
    Value isMine;
    if (count - i < threads)
      isMine = k.less(k.add(thread, i), k.constant(count));
    parts.push_back({describe(thread, i), isMine});
  }
}

Value StageRing::further(Value pointer, int64_t bytes) {
  return bytes ? k.offset(pointer, k.constant(bytes), 1) : pointer;
}

void StageRing::copy(const Chunk &chunk, Value block, Value stageOffset) {
  if (chunk.blocksTogether > 1)
    block = k.div(block, chunk.blocksTogether);
  Value source, inside = chunk.inside;
  if (chunk.end) {
    Value byte = k.add(chunk.first, k.mul(block, chunk.bytesPerBlock));
    inside = k.both(inside, k.less(byte, k.constant(chunk.end)));
    byte = k.min(byte, k.constant(chunk.end - chunkBytes));
    source = k.offset(chunk.source, byte, 1);
  } else {
    source = k.offset(chunk.source, block, chunk.bytesPerBlock);
  }
  source = further(source, chunk.sourceFurther);
  Value target = k.offset(sharedMemory, k.add(stageOffset, chunk.target), 1);
  target = further(target, chunk.targetFurther);
  if (schedule.asyncCopies) {
    // What is outside of the operand is filled with zeros.
    Value size = k.select(inside, k.constant(chunkBytes), k.constant(0));
    k.instructions.copyAsync(k.b, k.loc, target, source, chunkBytes, size);
    return;
  }
  VectorType quad = k.vec(4, k.i32());
  Value zero = arith::ConstantOp::create(k.b, k.loc, k.b.getZeroAttr(quad));
  Value data = k.select(inside, k.load(source, quad, chunkBytes), zero);
  k.store(target, data, chunkBytes);
}

/// A stage of several blocks is multiplied whole: past `end` it is zeros.
void StageRing::fill(Value block, Value end, Value stage) {
  Value stageOffset = k.mul(stage, schedule.stageBytes());
  for (int64_t i = 0; i < schedule.blocksTogether; ++i) {
    Value one = k.add(block, i);
    Value offset = k.add(stageOffset, i * schedule.blockStageBytes());
    for (const Part &part : parts) {
      Chunk chunk = part.chunk;
      if (i > 0 && !hasWholeStages)
        chunk.inside = k.both(chunk.inside, k.less(one, end));
      if (part.isMine)
        k.ifThen(part.isMine, [&] { copy(chunk, one, offset); });
      else
        copy(chunk, one, offset);
    }
  }
}

void StageRing::commit() {
  if (schedule.asyncCopies)
    k.instructions.commitCopies(k.b, k.loc);
}

Value StageRing::begin(Value first, Value end) {
  std::optional<int64_t> from = getConstantIntValue(first);
  std::optional<int64_t> to = getConstantIntValue(end);
  hasWholeStages = from && to && (*to - *from) % schedule.blocksTogether == 0;
  for (int64_t i = 0; i < schedule.stagesAhead(); ++i) {
    int64_t ahead = i * schedule.blocksTogether;
    Value block = k.add(first, ahead);
    if (!from || !to)
      k.ifThen(k.less(block, end), [&] { fill(block, end, k.constant(i)); });
    else if (*from + ahead < *to)
      fill(block, end, k.constant(i));
    commit();
  }
  return k.constant(schedule.stages - 1);
}

/// `stage` + `count`, of stages that follow each other in a ring.
Value StageRing::move(Value stage, int64_t count) {
  Value stages = k.constant(schedule.stages), moved = k.add(stage, count);
  return k.select(k.less(moved, stages), moved, k.sub(moved, stages));
}

Value StageRing::await(Value &cursor) {
  if (schedule.asyncCopies)
    k.instructions.awaitCopies(k.b, k.loc, schedule.stagesAhead() - 1);
  if (schedule.warpgroups)
    k.instructions.publishCopies(k.b, k.loc);
  // Everybody's copies are there, and everybody has left the stage that was
  // read last (warpgroups: the one before it), which is filled next.
  k.barrier();
  cursor = move(cursor, 1);
  return pointerTo(cursor);
}

void StageRing::refill(Value block, Value end, Value cursor) {
  int64_t ahead = schedule.stagesAhead();
  Value fetched = k.add(block, ahead * schedule.blocksTogether);
  k.ifThen(k.less(fetched, end),
           [&] { fill(fetched, end, move(cursor, ahead)); });
  commit();
}

Value StageRing::advance(Value block, Value end, Value &cursor) {
  Value stage = await(cursor);
  refill(block, end, cursor);
  return stage;
}

Value StageRing::pointerTo(Value cursor) {
  return k.offset(sharedMemory, k.mul(cursor, schedule.stageBytes()), 1);
}
