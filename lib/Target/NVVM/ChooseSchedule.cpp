//===- ChooseSchedule.cpp - how kernels are cut for a chip ----------------===//
//
// A warp's tile of 64 x 64 reads 8 KiB of shared memory for 64 * 64 * 64
// products: a quarter of the time that mma.sync takes for them on sm_80. It
// holds 128 sums a thread, so four warps of 255 registers, two blocks a
// multiprocessor. Each tile says how many of its blocks a multiprocessor shall
// hold: as many as the registers allow that it needs.
//
// Few rows take smaller tiles: half-empty tiles cost as much as full ones.
// Where there are fewer tiles than multiprocessors, several blocks share out a
// tile's K, which reads no operand twice; only a short K takes smaller tiles
// instead.
//
//===----------------------------------------------------------------------===//

#include "ChooseSchedule.h"

#include "quant/Target/NVVM/Chips.h"
#include "quant/Target/NVVM/NVVMKernels.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::nvvm;

/// Tiles from large to small: {blockM, blockN, warpsM, warpsN, stages, async,
/// blocks a multiprocessor}.
static constexpr Schedule kMmaTiles[] = {
    {128, 128, 2, 2, 4, true, 2}, {64, 128, 2, 2, 4, true, 3},
    {64, 64, 2, 2, 4, true, 5},   {32, 64, 2, 2, 4, true, 7},
    {16, 64, 1, 4, 4, true, 8},
};
/// For wgmma, which takes 64 rows at least. A large block is alone on its
/// multiprocessor: its operands are read from shared memory least often, and a
/// long ring hides what other blocks would.
static constexpr Schedule kWgmmaTiles[] = {
    {128, 256, 8, 1, 8, true, 1, true}, {128, 128, 8, 1, 6, true, 2, true},
    {64, 128, 4, 1, 6, true, 3, true},  {64, 64, 4, 1, 6, true, 4, true},
    {64, 32, 4, 1, 8, true, 4, true},
};
/// Beside wgmma, for rows of which it would leave three quarters empty.
static constexpr Schedule kFewRowsTile = {16, 32, 1, 4, 8, true, 8};
static constexpr Schedule kDp4aTiles[] = {
    {64, 128, 2, 2, 2, false, 2},
    {64, 64, 2, 2, 2, false, 4},
    {32, 64, 1, 2, 2, false, 8},
};

/// For weights with group scales: a thread holds a tile's sums twice, as
/// integers and as floats. Nobody shares out K, whose groups have an order:
/// small tiles have long rings instead, to keep memory busy.
static constexpr Schedule kScaledTiles[] = {
    {128, 128, 4, 2, 4, true, 1}, {64, 128, 2, 2, 4, true, 2},
    {64, 64, 2, 2, 4, true, 3},   {32, 64, 2, 2, 4, true, 6},
    {16, 64, 1, 4, 6, true, 8},   {16, 32, 1, 4, 6, true, 8},
};

/// As many stages as `tile` asks for, fewer only so that two blocks fit; then
/// as many blocks a multiprocessor as it asks for and shared memory has room
/// for.
static Schedule fitSharedMemory(Schedule tile, qtarget::TargetAttr target) {
  int64_t ofBlock = target.getL1d(), ofAll = ofBlock, reserved = 0;
  if (const Chip *chip = findChip(target.getCpu())) {
    ofAll = chip->multiprocessorSharedKiB * 1024;
    reserved = chip->reservedSharedKiB * 1024;
  }
  auto countFitting = [&] { return ofAll / (tile.sharedBytes() + reserved); };
  constexpr int64_t fewestStages = 2;
  const int64_t fewestBlocks = tile.warpgroups ? 1 : 2;
  while (tile.stages > fewestStages &&
         (tile.sharedBytes() > ofBlock || countFitting() < fewestBlocks))
    --tile.stages;
  tile.blocksPerMultiprocessor =
      std::clamp<int64_t>(countFitting(), 1, tile.blocksPerMultiprocessor);
  return tile;
}

/// At least 1, also of an empty result.
static int64_t countBlocks(const Schedule &s, int64_t rows, int64_t columns) {
  return std::max<int64_t>(llvm::divideCeil(rows, s.blockM) *
                               llvm::divideCeil(columns, s.blockN),
                           1);
}

/// Blocks that share out K, where there are fewer tiles than multiprocessors:
/// as many as give every multiprocessor a block, or two where one has too few
/// bytes on their way to keep memory busy.
static int64_t countSplits(const Schedule &s, const Problem &problem,
                           int64_t rows, int64_t cores) {
  constexpr int64_t fewestBlocksOfK = 8, enoughBytes = 24 * 1024;
  int64_t blocks = countBlocks(s, rows, problem.n);
  if (blocks >= cores)
    return 1;
  bool busy = (s.stages - 1) * s.stageBytes() >= enoughBytes;
  int64_t wanted = (busy ? 1 : 2) * cores / blocks;
  return std::max<int64_t>(std::min(wanted, problem.kBlocks / fewestBlocksOfK),
                           1);
}

/// Whether (nearly) every multiprocessor has a block.
static bool fillsChip(const Schedule &s, const Problem &problem, int64_t rows,
                      int64_t cores) {
  int64_t blocks = countBlocks(s, rows, problem.n);
  int64_t splits = countSplits(s, problem, rows, cores);
  return blocks >= cores || (splits > 1 && 4 * blocks * splits >= 3 * cores);
}

static Schedule fitTarget(Schedule tile, qtarget::TargetAttr target) {
  tile.asyncCopies = target.hasFeature("cp.async");
  if (!tile.asyncCopies)
    tile.stages = 2;
  return fitSharedMemory(tile, target);
}

/// Tiles take turns on multiprocessors; a turn's time, in elements of the
/// result. Fitted to an H100 at K = 4096, where turns of 64 x 32 to 128 x 256
/// took 7.9, 8.8, 10.6, 17 and 30 us: a small tile waits for its operands.
static int64_t estimateTime(const Schedule &s, int64_t rows, int64_t columns,
                            int64_t cores) {
  constexpr int64_t ofOperands = 7000;
  int64_t turns = llvm::divideCeil(countBlocks(s, rows, columns), cores);
  return turns * (s.blockM * s.blockN + ofOperands);
}

/// Measured on an H100 (docs/results/nvidia.md): sharing out K costs more than
/// empty multiprocessors until three of four are.
static Schedule chooseWgmmaSchedule(const Problem &problem, int64_t rows,
                                    int64_t cores) {
  constexpr int64_t emptyToSplit = 4;
  if (ShapedType::isDynamic(rows))
    return kWgmmaTiles[0];
  Schedule best = kFewRowsTile;
  if (rows > kFewRowsTile.blockM)
    best = *std::min_element(std::begin(kWgmmaTiles), std::end(kWgmmaTiles),
                             [&](const Schedule &x, const Schedule &y) {
                               return estimateTime(x, rows, problem.n, cores) <
                                      estimateTime(y, rows, problem.n, cores);
                             });
  int64_t blocks = countBlocks(best, rows, problem.n);
  if (emptyToSplit * blocks <= cores)
    best.splits = countSplits(best, problem, rows, cores);
  else if (blocks <= cores && best.warpgroups) {
    // Nobody else needs the shared memory: as many bytes ahead, half the
    // barriers.
    constexpr int64_t mostBytes = 192 * 1024, mostStages = 8;
    best.blocksTogether = 2;
    best.blocksPerMultiprocessor = 1;
    best.stages = std::min(mostBytes / best.stageBytes(), mostStages);
  }
  return best;
}

Schedule nvvm::chooseSchedule(const Problem &problem,
                              qtarget::TargetAttr target, int64_t rows) {
  int64_t cores = target.getCores();
  auto kernel =
      cast<qtarget::NVVMKernelAttr>(problem.op.getKernel()).getValue();
  if (kernel == NVVMKernel::WGMMA_S8)
    return fitTarget(chooseWgmmaSchedule(problem, rows, cores), target);
  ArrayRef<Schedule> tiles =
      kernel == NVVMKernel::DP4A ? ArrayRef(kDp4aTiles) : ArrayRef(kMmaTiles);
  Schedule best = tiles.front();
  // Smaller tiles while half of a tile would be empty, or while multiprocessors
  // have no work.
  if (!ShapedType::isDynamic(rows)) {
    for (const Schedule &tile : tiles) {
      best = tile;
      if (best.blockM < 2 * rows && fillsChip(best, problem, rows, cores))
        break;
    }
    best.splits = countSplits(best, problem, rows, cores);
  }
  return fitTarget(best, target);
}

Schedule nvvm::chooseScaledSchedule(const ScaledShape &shape,
                                    qtarget::TargetAttr target, int64_t rows) {
  Schedule best = kScaledTiles[0];
  for (const Schedule &tile : kScaledTiles) {
    if (ShapedType::isDynamic(rows))
      break;
    best = tile;
    if (best.blockM < 2 * rows &&
        countBlocks(best, rows, shape.n) >= target.getCores())
      break;
  }
  best.columnBytes = shape.columnBytes();
  // Corrections of zero points take a few registers more than many blocks leave
  // each thread.
  constexpr int64_t manyBlocks = 4;
  if (shape.groupVectors() > 1 && best.blocksPerMultiprocessor >= manyBlocks)
    --best.blocksPerMultiprocessor;
  return fitTarget(best, target);
}
