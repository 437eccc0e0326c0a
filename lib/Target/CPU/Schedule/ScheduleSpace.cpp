//===- ScheduleSpace.cpp - schedules worth measuring ----------------------===//
//
// The space is small because its directions hardly depend on each other: the
// tile decides how many instructions a step over K takes, blocks what the
// caches hold. A tuner takes them one after the other.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/CPU/Schedule/ScheduleSpace.h"

#include "quant/Target/CPU/Schedule/RegisterTile.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

/// The most vectors in a row of a tile that are tried.
static constexpr int64_t kMostVectors = 8;
/// A shorter part of K is not worth sums that go to memory.
static constexpr int64_t kLeastBlockK = 256;
/// Into how many parts K is cut, and how many tiles a block of rows has.
static constexpr int64_t kPartsOfK[] = {1, 2, 3, 4, 8};
static constexpr int64_t kTilesOfBlock[] = {2, 4, 8, 16, 32};

static TunedSchedule makeSchedule(const qtarget::KernelRow &row,
                                  MatmulSizes sizes, RegisterTile tile,
                                  qtarget::TargetAttr target) {
  qtarget::ScheduleAttr blocks =
      chooseSchedule(target.getContext(), row, tile, target, sizes.m, sizes.k);
  TunedSchedule schedule;
  schedule.instruction = row.name.str();
  schedule.sizes = sizes;
  schedule.rows = tile.mr;
  schedule.columns = tile.nr;
  schedule.blockM = blocks.getBlockM();
  schedule.blockK = blocks.getBlockK();
  return schedule;
}

std::vector<TunedSchedule>
quantmlir::getTileCandidates(const qtarget::KernelRow &row, MatmulSizes sizes,
                             qtarget::TargetAttr target) {
  RegisterTile chosen = chooseRegisterTile(row, sizes.m, sizes.n);
  std::vector<TunedSchedule> candidates = {
      makeSchedule(row, sizes, chosen, target)};
  for (int64_t vectors = 1; vectors <= kMostVectors; ++vectors) {
    int64_t rows = getMaxTileRows(row, vectors);
    if (!ShapedType::isDynamic(sizes.m))
      rows = std::min(rows, std::max<int64_t>(sizes.m, 1));
    bool isChosen = rows == chosen.mr && vectors * row.n == chosen.nr;
    if (rows > 0 && !isChosen)
      candidates.push_back(
          makeSchedule(row, sizes, {rows, vectors * row.n}, target));
  }
  return candidates;
}

std::vector<TunedSchedule>
quantmlir::getBlockKCandidates(const qtarget::KernelRow &row,
                               const TunedSchedule &schedule) {
  std::vector<TunedSchedule> candidates = {schedule};
  int64_t k = schedule.sizes.k, unit = 2 * row.k;
  if (ShapedType::isDynamic(k))
    return candidates;
  for (int64_t parts : kPartsOfK) {
    int64_t blockK =
        parts == 1 ? 0 : llvm::alignTo(llvm::divideCeil(k, parts), unit);
    if (blockK == schedule.blockK || (parts > 1 && blockK < kLeastBlockK))
      continue;
    candidates.push_back(schedule);
    candidates.back().blockK = blockK;
  }
  return candidates;
}

std::vector<TunedSchedule>
quantmlir::getBlockMCandidates(const TunedSchedule &schedule) {
  std::vector<TunedSchedule> candidates = {schedule};
  auto add = [&](int64_t blockM) {
    if (blockM == schedule.blockM)
      return;
    candidates.push_back(schedule);
    candidates.back().blockM = blockM;
  };
  bool isDynamic = ShapedType::isDynamic(schedule.sizes.m);
  if (!isDynamic)
    add(0);
  for (int64_t tiles : kTilesOfBlock)
    if (int64_t rows = tiles * schedule.rows;
        isDynamic || rows < schedule.sizes.m)
      add(rows);
  return candidates;
}
