//===- Report.h - what a run found out --------------------------*- C++ -*-===//
//
// One record of everything that quant-run says, printed as text and as JSON.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_RUNTIME_REPORT_REPORT_H
#define QUANT_RUNTIME_REPORT_REPORT_H

#include "quant/Runtime/Execution/Options.h"
#include "quant/Runtime/Execution/PeakProbe.h"
#include "quant/Runtime/Execution/Profile.h"
#include "quant/Runtime/Host/HostTensor.h"
#include "quant/Runtime/Host/Metrics.h"
#include "quant/Runtime/Report/ProductSummary.h"
#include "quant/Runtime/Report/ProgramFacts.h"
#include "quant/Runtime/Search/MatmulStudy.h"

#include <vector>

namespace quantmlir {

/// Times of one program's runs, in milliseconds.
struct Timing {
  unsigned repeats = 0;
  double median = 0, least = 0;
  /// 10^9 multiply-adds in a second at the median; empty when their number is
  /// not known, or 0.
  std::optional<double> gmacPerSecond;
};

/// What the program was compared with.
struct ReferenceReport {
  /// `float` or `generic`
  std::string name;
  /// Why it is not the float program.
  std::string note;
  std::vector<Metrics> metrics;
  std::optional<Timing> timing;
  /// Counts of the float program.
  ProgramFacts facts;
};

struct RunReport {
  std::string model, entry, target;
  std::vector<HostTensor> results;
  ProgramFacts facts;
  ProductSummary products;
  std::optional<ReferenceReport> reference;
  std::optional<Timing> timing;
  std::optional<Peak> peak;
  std::optional<Profile> profile;
  /// What this rank holds and sends.
  std::optional<ShardFacts> shard;
  /// Empty unless asked for.
  std::vector<MatmulFindings> matmuls;

  /// Share of the peak that the median run reaches.
  std::optional<double> getPeakRatio() const;
};

/// For people. Results of up to 64 elements are printed if `withValues`.
void printReport(const RunReport &report, bool withValues,
                 llvm::raw_ostream &os);

/// What a rank holds and sends.
void printShard(const ShardFacts &facts, llvm::raw_ostream &os);

/// One line for each matmul.
void printMatmulTable(llvm::ArrayRef<MatmulFindings> matmuls,
                      llvm::raw_ostream &os);

/// Kinds of ops, and the ops that took longest.
void printProfileTable(const Profile &profile, llvm::raw_ostream &os);

/// A page of its own, with plots; needs no network.
void printHtmlReport(const RunReport &report, const RunOptions &options,
                     llvm::raw_ostream &os);

/// The same for programs; the file appears when it is complete.
llvm::Error writeJsonReport(const RunReport &report, const RunOptions &options);

} // namespace quantmlir

#endif // QUANT_RUNTIME_REPORT_REPORT_H
