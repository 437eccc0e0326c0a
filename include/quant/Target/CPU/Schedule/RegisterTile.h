//===- RegisterTile.h - the tile that stays in registers --------*- C++ -*-===//

#ifndef QUANT_TARGET_CPU_SCHEDULE_REGISTERTILE_H
#define QUANT_TARGET_CPU_SCHEDULE_REGISTERTILE_H

#include "quant/Target/IR/KernelRow.h"

#include <cstdint>

namespace quantmlir {

using qtarget::RegisterTile;

/// The most rows of a tile with `vectors` vectors in each; 0 if there is none.
/// `nibbles`: the right operand's elements are unpacked from 4 bits.
int64_t getMaxTileRows(const qtarget::KernelRow &intrinsic, int64_t vectors,
                       bool nibbles = false);

/// The tile for an [M, K] x [N, K] matmul with `intrinsic`; a dynamic size is
/// ShapedType::kDynamic. MR is the largest number of rows of a tile: rows that
/// do not divide are cut in tiles as equal as can be. The accumulators, one
/// panel of the right operand and a broadcast of the left one fit in the
/// register file, and the tile is not larger than the matmul, rounded up to
/// the vector.
RegisterTile chooseRegisterTile(const qtarget::KernelRow &intrinsic, int64_t m,
                                int64_t n, bool nibbles = false);

/// The blocks for that tile: `schedule.rows` is `tile.mr`, and the other sizes
/// follow from the caches of `target` (typical ones where it is null).
qtarget::ScheduleAttr chooseSchedule(mlir::MLIRContext *context,
                                     const qtarget::KernelRow &intrinsic,
                                     RegisterTile tile,
                                     qtarget::TargetAttr target, int64_t m,
                                     int64_t k);

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_SCHEDULE_REGISTERTILE_H
