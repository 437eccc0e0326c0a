//===- PanelGroups.h - loops over groups of panels --------------*- C++ -*-===//

#ifndef QUANT_TARGET_CPU_KERNEL_PANELGROUPS_H
#define QUANT_TARGET_CPU_KERNEL_PANELGROUPS_H

#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <optional>

namespace quantmlir {

/// Emits the body for `size` panels from `first` on.
using GroupBody = llvm::function_ref<void(mlir::OpBuilder &, mlir::Location,
                                          mlir::Value first, int64_t size)>;

/// Groups of `size` panels in [begin, end), then what is left over as a smaller
/// group. `remainder` is what the number of panels leaves modulo `size`, where
/// it is known; else the run finds out.
void forGroups(mlir::OpBuilder &b, mlir::Location loc, mlir::Value begin,
               mlir::Value end, int64_t size, std::optional<int64_t> remainder,
               GroupBody body);

/// What `panels` leave modulo `size`, if it is known.
std::optional<int64_t> getRemainder(int64_t panels, int64_t size);

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_KERNEL_PANELGROUPS_H
