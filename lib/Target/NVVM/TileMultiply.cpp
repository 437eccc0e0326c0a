//===- TileMultiply.cpp - a warp's tile, by one instruction ---------------===//

#include "MmaTile.h"
#include "WgmmaTile.h"

#include "quant/Target/NVVM/FragmentLayout.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::nvvm;

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

namespace {

/// Lanes are 4 x 8; a lane has every fourth row and every eighth column of the
/// warp's tile. Eight lanes read chunks of eight columns at once: each pair of
/// them starts at another chunk along K, so that no two meet in a bank.
class Dp4aTile : public TileMultiply {
public:
  Dp4aTile(KernelBuilder &k, const Schedule &schedule, Value thread)
      : TileMultiply(k, schedule, thread), y(k.div(lane, 8)),
        x(k.rem(lane, 8)) {}

  SmallVector<Value> multiply(Value stage, ValueRange sums) override;

  SmallVector<Value> rows(Value firstRow) override {
    SmallVector<Value> result;
    Value first = k.add(k.add(firstRow, warpRow), y);
    for (int64_t i = 0; i < numRows(); ++i)
      result.push_back(k.add(first, 4 * i));
    return result;
  }
  SmallVector<Value> columns(Value firstColumn) override {
    SmallVector<Value> result;
    Value first = k.add(k.add(firstColumn, warpColumn), x);
    for (int64_t i = 0; i < numColumns(); ++i)
      result.push_back(k.add(first, 8 * i));
    return result;
  }
  int64_t columnsTogether() const override { return 1; }
  Value sum(ValueRange sums, int64_t r, int64_t c) override {
    return sums[r * numColumns() + c];
  }

private:
  int64_t numRows() const { return schedule.warpM() / 4; }
  int64_t numColumns() const { return schedule.warpN() / 8; }
  int64_t numSums() const override { return numRows() * numColumns(); }

  Value y, x;
};

SmallVector<Value> Dp4aTile::multiply(Value stage, ValueRange sums) {
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

} // namespace

std::unique_ptr<TileMultiply>
TileMultiply::create(KernelBuilder &k, const qtarget::IntrinsicRow &row,
                     const Schedule &schedule, Value thread) {
  if (row.family == qtarget::IntrinsicFamily::Dp4a)
    return std::make_unique<Dp4aTile>(k, schedule, thread);
  if (schedule.warpgroups)
    return std::make_unique<WgmmaTile>(k, row, schedule, thread);
  return std::make_unique<MmaTile>(k, row, schedule, thread);
}
