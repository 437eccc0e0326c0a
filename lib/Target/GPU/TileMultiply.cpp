//===- TileMultiply.cpp - a warp's tile, by one instruction ---------------===//

#include "quant/Target/GPU/TileMultiply.h"

#include "quant/Target/GPU/Warp.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::device;

TileMultiply::TileMultiply(KernelBuilder &k, const Schedule &schedule,
                           Value thread)
    : k(k), schedule(schedule), lane(k.rem(thread, kLanes)) {
  Value warp = k.div(thread, kLanes);
  warpRow = k.mul(k.div(warp, schedule.warpsN), schedule.warpM());
  warpColumn = k.mul(k.rem(warp, schedule.warpsN), schedule.warpN());
}

SmallVector<Value> TileMultiply::zeros() {
  return SmallVector<Value>(numSums(), k.constant(0));
}

SmallVector<Value, 4> TileMultiply::loadChunk(Value tile, Value row,
                                              Value byte) {
  Value pointer =
      k.offset(tile, k.add(k.mul(row, Problem::blockBytes), byte), 1);
  Value quad = k.load(pointer, k.vec(4, k.i32()), 16);
  SmallVector<Value, 4> registers;
  for (int64_t i = 0; i < 4; ++i)
    registers.push_back(k.extract(quad, i));
  return registers;
}
