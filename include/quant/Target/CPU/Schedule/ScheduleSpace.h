//===- ScheduleSpace.h - schedules worth measuring --------------*- C++ -*-===//

#ifndef QUANT_TARGET_CPU_SCHEDULE_SCHEDULESPACE_H
#define QUANT_TARGET_CPU_SCHEDULE_SCHEDULESPACE_H

#include "quant/Target/CPU/Schedule/ScheduleFile.h"

namespace quantmlir {

/// What the cost model says for each number of vectors in a tile's row, its own
/// choice first.
std::vector<TunedSchedule> getTileCandidates(const qtarget::KernelRow &row,
                                             MatmulSizes sizes,
                                             qtarget::TargetAttr target);

/// `schedule`, of the kernel of `row`, with K, and with the rows, cut in other
/// ways.
std::vector<TunedSchedule> getBlockKCandidates(const qtarget::KernelRow &row,
                                               const TunedSchedule &schedule);
std::vector<TunedSchedule> getBlockMCandidates(const TunedSchedule &schedule);

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_SCHEDULE_SCHEDULESPACE_H
