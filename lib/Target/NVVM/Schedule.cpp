//===- Schedule.cpp - how a kernel is cut ---------------------------------===//
//
// A warp's tile of 64 x 64 reads 8 KiB of shared memory for 64 * 64 * 64
// products: a quarter of the time that mma.sync takes for them on sm_80. It
// holds 128 sums a thread, so four warps of 255 registers, two blocks a
// multiprocessor. Fewer rows, or fewer blocks than multiprocessors, take
// smaller tiles: half-empty tiles cost as much as full ones.
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::nvvm;
using qtarget::IntrinsicFamily;

Problem::Problem(PackedMatmulOp op)
    : op(op), row(qtarget::getIntrinsicRow(op.getIntrinsic())),
      n(memrefType(op.getInit()).getDimSize(1)),
      panels(memrefType(op.getRhs()).getDimSize(0)),
      kBlocks(memrefType(op.getRhs()).getDimSize(1)) {}

/// Tiles from large to small: {blockM, blockN, warpsM, warpsN}.
static constexpr Schedule kMmaTiles[] = {
    {128, 128, 2, 2, 4, true}, {64, 128, 2, 2, 4, true},
    {64, 64, 2, 2, 4, true},   {32, 64, 2, 2, 4, true},
    {16, 64, 1, 4, 4, true},
};
static constexpr Schedule kDp4aTiles[] = {
    {64, 128, 2, 2, 2, false},
    {64, 64, 2, 2, 2, false},
    {32, 64, 1, 2, 2, false},
};

static int64_t countBlocks(const Schedule &s, int64_t rows, int64_t columns) {
  return llvm::divideCeil(rows, s.blockM) * llvm::divideCeil(columns, s.blockN);
}

Schedule nvvm::chooseSchedule(const Problem &problem,
                              qtarget::TargetAttr target, int64_t rows) {
  bool isDp4a = problem.row.family == IntrinsicFamily::Dp4a;
  ArrayRef<Schedule> tiles =
      isDp4a ? ArrayRef(kDp4aTiles) : ArrayRef(kMmaTiles);
  Schedule best = tiles.front();
  // Smaller tiles while half of a tile would be empty, or while there are
  // fewer blocks than multiprocessors.
  if (!ShapedType::isDynamic(rows))
    for (const Schedule &tile : tiles.drop_front())
      if (best.blockM >= 2 * rows ||
          countBlocks(best, rows, problem.n) < target.getCores())
        best = tile;
  best.asyncCopies = target.hasFeature("cp.async");
  if (!best.asyncCopies)
    best.stages = 2;
  while (best.stages > 2 && best.sharedBytes() > target.getL1d())
    --best.stages;
  return best;
}
