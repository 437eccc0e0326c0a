//===- Tune.h - measure the schedules of a program's matmuls ----*- C++ -*-===//
//
// `quant-run --tune=FILE`: for each size of matmul that the program multiplies
// on vector registers, schedules are compiled into a program of that matmul
// alone, with a random constant weight, and run by turns on this machine. What
// is fastest goes to a file that `quant-pack-matmul{schedules=FILE}` reads.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_RUNTIME_SEARCH_TUNE_H
#define QUANT_RUNTIME_SEARCH_TUNE_H

#include "quant/Runtime/Execution/Options.h"
#include "quant/Target/CPU/Schedule/ScheduleFile.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace quantmlir {

/// What was measured for one size.
struct TunedMatmul {
  TunedSchedule chosen, best;
  /// Of one call, the least of all; where the number of rows is not known, the
  /// geometric mean over several.
  double chosenMicroseconds = 0, bestMicroseconds = 0;
  int64_t numCandidates = 0;
};

/// Of a program as it was read. Fails where no matmul has a schedule.
llvm::Expected<std::vector<TunedMatmul>>
tuneMatmuls(mlir::OwningOpRef<mlir::ModuleOp> module,
            const RunOptions &options);

/// The file of the schedules that won, and a table for the terminal.
ScheduleFile makeScheduleFile(llvm::ArrayRef<TunedMatmul> matmuls,
                              const RunOptions &options);
void printTuned(llvm::ArrayRef<TunedMatmul> matmuls, llvm::raw_ostream &os);

} // namespace quantmlir

#endif // QUANT_RUNTIME_SEARCH_TUNE_H
