//===- StageRing.cpp - operands on their way through shared memory --------===//

#include "StageRing.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::nvvm;

/// Tiles of rows whose blocks run together.
static constexpr int64_t kBandTiles = 8;

TileOrigin nvvm::placeBlock(KernelBuilder &k, gpu::GPUFuncOp func,
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

void StageRing::plan(int64_t count, function_ref<Chunk(Value)> describe) {
  int64_t threads = schedule.threads();
  for (int64_t i = 0; i < count; i += threads) {
    Value number = k.add(thread, i);
    Value isMine;
    if (count - i < threads)
      isMine = k.less(number, k.constant(count));
    parts.push_back({describe(number), isMine});
  }
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
  Value target = k.offset(sharedMemory, k.add(stageOffset, chunk.target), 1);
  if (schedule.asyncCopies) {
    // What is outside of the operand is filled with zeros.
    Value size = k.select(inside, k.constant(chunkBytes), k.constant(0));
    NVVM::CpAsyncOp::create(k.b, k.loc, target, source,
                            static_cast<uint32_t>(chunkBytes),
                            NVVM::LoadCacheModifierKind::CG, size);
    return;
  }
  VectorType quad = k.vec(4, k.i32());
  Value zero = arith::ConstantOp::create(k.b, k.loc, k.b.getZeroAttr(quad));
  Value data = k.select(inside, k.load(source, quad, chunkBytes), zero);
  k.store(target, data, chunkBytes);
}

void StageRing::fill(Value block, Value stage) {
  Value stageOffset = k.mul(stage, schedule.stageBytes());
  for (const Part &part : parts) {
    if (part.isMine)
      k.ifThen(part.isMine, [&] { copy(part.chunk, block, stageOffset); });
    else
      copy(part.chunk, block, stageOffset);
  }
}

void StageRing::commit() {
  if (schedule.asyncCopies)
    NVVM::CpAsyncCommitGroupOp::create(k.b, k.loc);
}

Value StageRing::begin(Value first, Value end) {
  std::optional<int64_t> from = getConstantIntValue(first);
  std::optional<int64_t> to = getConstantIntValue(end);
  for (int64_t i = 0; i < schedule.stages - 1; ++i) {
    Value block = k.add(first, i);
    if (!from || !to)
      k.ifThen(k.less(block, end), [&] { fill(block, k.constant(i)); });
    else if (*from + i < *to)
      fill(block, k.constant(i));
    commit();
  }
  return k.constant(schedule.stages - 1);
}

Value StageRing::advance(Value block, Value end, Value &cursor) {
  int64_t ahead = schedule.stages - 1;
  if (schedule.asyncCopies)
    NVVM::CpAsyncWaitGroupOp::create(k.b, k.loc, ahead - 1);
  // Everybody's copies are there, and everybody has left the stage that was
  // read last, which is filled next.
  k.barrier();
  Value fetched = k.add(block, ahead);
  k.ifThen(k.less(fetched, end), [&] { fill(fetched, cursor); });
  commit();
  Value next = k.add(cursor, 1);
  cursor =
      k.select(k.less(next, k.constant(schedule.stages)), next, k.constant(0));
  return pointerTo(cursor);
}

Value StageRing::pointerTo(Value cursor) {
  return k.offset(sharedMemory, k.mul(cursor, schedule.stageBytes()), 1);
}
