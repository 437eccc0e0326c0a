//===- Dot4Tile.cpp - a warp's tile, by each thread's own dots ------------===//

#include "quant/Target/GPU/Dot4Tile.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::device;

SmallVector<Value> Dot4Tile::multiply(Value stage, ValueRange sums) {
  Value rhsTile =
      k.offset(stage, k.constant(schedule.blockM * Problem::blockBytes), 1);
  SmallVector<Value> next(sums);
  for (int64_t chunk = 0; chunk < Problem::blockBytes / 16; ++chunk) {
    Value byte = k.mul(k.rem(k.add(k.div(x, 2), chunk), 4), 16);
    SmallVector<SmallVector<Value, 4>> lhs;
    for (Value row : rows(k.constant(0)))
      lhs.push_back(loadChunk(stage, row, byte));
    for (auto [c, column] : llvm::enumerate(columns(k.constant(0)))) {
      SmallVector<Value, 4> rhs = loadChunk(rhsTile, column, byte);
      for (int64_t r = 0; r < numRows(); ++r)
        for (int64_t i = 0; i < 4; ++i) {
          Value &sum = next[r * numColumns() + c];
          sum = k.dot4(lhs[r][i], rhs[i], sum);
        }
    }
  }
  return next;
}
