//===- MatmulTable.cpp - the matmuls of a run, for people -----------------===//

#include "quant/Runtime/Report/Report.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace quantmlir;

static std::string formatDb(const std::optional<Metrics> &metrics) {
  if (!metrics)
    return "-";
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.2f", metrics->sqnrDb);
  return text;
}

static std::string printSize(std::optional<int64_t> size) {
  return size ? std::to_string(*size) : "?";
}

/// The matmul whose own error is the largest, if any is quantized.
static const MatmulFindings *findWorst(llvm::ArrayRef<MatmulFindings> matmuls) {
  const MatmulFindings *worst = nullptr;
  for (const MatmulFindings &matmul : matmuls)
    if (matmul.local && !std::isnan(matmul.local->sqnrDb) &&
        (!worst || matmul.local->sqnrDb < worst->local->sqnrDb))
      worst = &matmul;
  return worst;
}

void quantmlir::printMatmulTable(llvm::ArrayRef<MatmulFindings> matmuls,
                                 llvm::raw_ostream &os) {
  if (matmuls.empty())
    return;
  size_t nameWidth = 6;
  for (const MatmulFindings &matmul : matmuls)
    nameWidth = std::max(nameWidth, matmul.shape.name.size());
  os << "matmuls one by one: error of the matmul itself (local: float's own "
        "activations) and with all before it (cumulative)\n";
  os << llvm::left_justify("matmul", nameWidth)
     << llvm::format("  %-15s %9s %9s %9s %10s %10s %8s %21s  %s\n",
                     "m x k x n", "local dB", "cosine", "max err", "cumul. dB",
                     "weight dB", "clipped", "weight bytes", "scheme");
  for (const MatmulFindings &matmul : matmuls) {
    std::string sizes = printSize(matmul.shape.m) + "x" +
                        printSize(matmul.shape.k) + "x" +
                        printSize(matmul.shape.n);
    std::string bytes = std::to_string(matmul.weightBytesBefore) + " > " +
                        std::to_string(matmul.weightBytesAfter);
    os << llvm::left_justify(matmul.shape.name, nameWidth)
       << llvm::format("  %-15s %9s ", sizes.c_str(),
                       formatDb(matmul.local).c_str());
    if (matmul.local)
      os << llvm::format("%9.6f %9.3g ", matmul.local->cosine,
                         matmul.local->maxAbsError);
    else
      os << llvm::format("%9s %9s ", "-", "-");
    os << llvm::format("%10s %10s %7.2f%% %21s  ",
                       formatDb(matmul.cumulative).c_str(),
                       formatDb(matmul.weightError).c_str(),
                       100 * matmul.clippedActivations, bytes.c_str())
       << matmul.scheme << "\n";
  }
  if (const MatmulFindings *worst = findWorst(matmuls))
    os << "the matmul that hurts most by itself: " << worst->shape.name << " ("
       << formatDb(worst->local) << " dB"
       << (worst->location.empty() ? "" : ", " + worst->location) << ")\n";
}
