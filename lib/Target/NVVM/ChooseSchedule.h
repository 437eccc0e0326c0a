//===- ChooseSchedule.h - how kernels are cut for a chip --------*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_NVVM_CHOOSESCHEDULE_H
#define QUANT_LIB_TARGET_NVVM_CHOOSESCHEDULE_H

#include "quant/Target/GPU/ScaledShape.h"
#include "quant/Target/GPU/Schedule.h"

namespace quantmlir::nvvm {

using namespace device;

/// The schedule for `rows` rows (ShapedType::kDynamic: not known).
Schedule chooseSchedule(const Problem &problem, qtarget::TargetAttr target,
                        int64_t rows);

/// The tiled kernel's schedule for `rows` rows (ShapedType::kDynamic: not
/// known).
Schedule chooseScaledSchedule(const ScaledShape &shape,
                              qtarget::TargetAttr target, int64_t rows);

} // namespace quantmlir::nvvm

#endif // QUANT_LIB_TARGET_NVVM_CHOOSESCHEDULE_H
