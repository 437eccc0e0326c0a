//===- Report.cpp - what a run found out ----------------------------------===//

#include "quant/Runtime/Report/Report.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace quantmlir;

/// Results of more elements are not printed.
static constexpr int64_t kMaxPrintedElements = 64;

std::optional<double> RunReport::getPeakRatio() const {
  if (!peak || !timing || !timing->gmacPerSecond)
    return std::nullopt;
  return *timing->gmacPerSecond / peak->gmacPerSecond;
}

static void printMetrics(const RunReport &report, llvm::raw_ostream &os) {
  if (!report.reference)
    return;
  const ReferenceReport &reference = *report.reference;
  if (!reference.note.empty())
    os << "compare: " << reference.note << "\n";
  for (auto [i, metrics] : llvm::enumerate(reference.metrics)) {
    os << "compare result" << i << " with " << reference.name << ": SQNR "
       << llvm::format("%.2f dB, cosine %.6f, max abs error %g", metrics.sqnrDb,
                       metrics.cosine, metrics.maxAbsError);
    os << (metrics.bitIdentical ? ", bit-identical\n" : "\n");
  }
}

static void printMatmuls(const RunReport &report, llvm::raw_ostream &os) {
  const ProductSummary &products = report.products;
  os << "matmuls: " << products.numInteger << " of "
     << products.numInteger + products.numFloatWithWeight
     << " with a weight in integers";
  if (products.numFloatActivations)
    os << "; " << products.numFloatActivations
       << " products of activations in float";
  if (products.numConvolutions)
    os << "; " << products.numConvolutions << " convolutions as they are";
  os << "\n";
}

static void printBytes(StringRef name, int64_t before, int64_t after,
                       llvm::raw_ostream &os) {
  os << name << ": " << before << " bytes before, " << after << " after";
  if (before)
    os << llvm::format(" (%.3f of it)", double(after) / double(before));
  os << "\n";
}

static void printTiming(const Twine &name, const Timing &timing,
                        llvm::raw_ostream &os) {
  os << "time " << name << ": "
     << llvm::format("median %.4g ms, min %.4g ms", timing.median, timing.least)
     << " of " << timing.repeats << (timing.repeats == 1 ? " run" : " runs");
  if (timing.gmacPerSecond)
    os << llvm::format(", %.4g GMAC/s", *timing.gmacPerSecond);
  else
    os << ", GMAC/s n/a";
  os << "\n";
}

void quantmlir::printShard(const ShardFacts &facts, llvm::raw_ostream &os) {
  os << "ranks: " << facts.ranks << ", weights of one: " << facts.weightBytes
     << " of " << facts.allWeightBytes << " bytes\n"
     << "sent by a rank in a run: " << facts.getBytesSent() << " bytes ("
     << facts.numSums << " sums of i32: " << facts.sumBytes << ", "
     << facts.numMaxima << " maxima: " << facts.maximaBytes << ", "
     << facts.numGathers << " gathers: " << facts.gatherBytes << ")\n";
}

void quantmlir::printReport(const RunReport &report, bool withValues,
                            llvm::raw_ostream &os) {
  for (auto [i, result] : llvm::enumerate(report.results)) {
    os << "result" << i << ": " << result.getType().str();
    if (withValues && result.getNumElements() <= kMaxPrintedElements)
      os << " = " << printValues(result);
    os << "\n";
  }
  printMetrics(report, os);
  if (report.reference || !report.products.lines.empty())
    printMatmuls(report, os);
  printProducts(report.products, os);
  if (report.shard)
    printShard(*report.shard, os);
  if (report.reference) {
    if (report.reference->name == "float") {
      const ProgramFacts &before = report.reference->facts;
      printBytes("constants", before.constantBytes, report.facts.constantBytes,
                 os);
      printBytes("weights of matmuls", before.matmulWeightBytes,
                 report.facts.matmulWeightBytes, os);
    }
    if (report.reference->timing)
      printTiming(report.reference->name +
                      (report.reference->name == report.target ? " again" : ""),
                  *report.reference->timing, os);
  }
  printMatmulTable(report.matmuls, os);
  if (report.timing)
    printTiming(report.target, *report.timing, os);
  if (report.profile)
    printProfileTable(*report.profile, os);
  if (report.peak) {
    os << "peak of one core: "
       << llvm::format("%.4g GMAC/s", report.peak->gmacPerSecond) << " ("
       << report.peak->instruction << ")";
    if (std::optional<double> ratio = report.getPeakRatio())
      os << llvm::format("; the program reaches %.3f of it", *ratio);
    os << "\n";
  }
}
