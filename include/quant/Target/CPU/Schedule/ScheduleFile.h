//===- ScheduleFile.h - measured schedules of matmuls -----------*- C++ -*-===//
//
// What `quant-run --tune` writes and `quant-pack-matmul{schedules=FILE}` reads:
// for a matmul of one shape on one instruction, the register tile and blocks
// that were measured to be fastest. A matmul that is not listed gets the
// schedule of the cost model.
//
//   {"version": 1, "cpu": "icelake-server", "schedules": [
//     {"instruction": "vpdpbusd_512", "m": 128, "n": 4096, "k": 4096,
//      "rows": 8, "columns": 48, "blockM": 0, "blockK": 2048}]}
//
// `m`, `n` and `k` are null where the program does not know them. `rows` and
// `columns` are the tile whose sums stay in registers, `blockM` and `blockK`
// as in `#qtarget.schedule`.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_TARGET_CPU_SCHEDULE_SCHEDULEFILE_H
#define QUANT_TARGET_CPU_SCHEDULE_SCHEDULEFILE_H

#include "quant/Target/IR/MatmulKernelInterface.h"

#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace quantmlir {

/// Sizes of a matmul, ShapedType::kDynamic where they are not known.
struct MatmulSizes {
  int64_t m, n, k;
  bool operator==(const MatmulSizes &other) const {
    return m == other.m && n == other.n && k == other.k;
  }
};

/// A tile and blocks for a matmul of these sizes on one instruction.
struct TunedSchedule {
  std::string instruction;
  MatmulSizes sizes;
  int64_t rows = 1, columns = 1, blockM = 0, blockK = 0;
};

/// Checks a schedule against its instruction: a tile of whole vectors whose
/// accumulators fit in the registers, blocks of whole tiles and steps.
llvm::Error verifySchedule(mlir::MLIRContext *context,
                           const TunedSchedule &schedule);

/// The contents of a file.
struct ScheduleFile {
  std::string cpu;
  std::vector<TunedSchedule> schedules;

  /// Fails with a message that names the file on whatever is not a schedule of
  /// a kernel that `context` knows.
  static llvm::Expected<ScheduleFile> read(mlir::MLIRContext *context,
                                           llvm::StringRef path);
  void print(llvm::raw_ostream &os) const;
  /// The schedule of that matmul, or null.
  const TunedSchedule *find(const qtarget::KernelRow &row,
                            MatmulSizes sizes) const;
};

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_SCHEDULE_SCHEDULEFILE_H
