//===- AutoReport.cpp - what --auto chose ---------------------------------===//

#include "quant/Runtime/Search/AutoScheme.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <map>

using namespace mlir;
using namespace quantmlir;
namespace json = llvm::json;

/// `2 in 2 bits, 1 in 4 bits, ..., 0 in float`; 4 and 8 bits always.
static void printCounts(const AutoReport &report, llvm::raw_ostream &os) {
  std::map<unsigned, int64_t> counts = {{0, 0}, {4, 0}, {8, 0}};
  for (const AutoReport::Choice &choice : report.choices)
    ++counts[choice.bits];
  os << "chosen: ";
  for (auto [bits, count] : counts)
    if (bits)
      os << count << " in " << bits << " bits, ";
  os << counts[0] << " in float; weights " << report.weightBytes << " bytes of "
     << report.floatBytes;
}

void quantmlir::printAuto(const AutoReport &report, llvm::raw_ostream &os) {
  size_t nameWidth = 6;
  for (const AutoReport::Choice &choice : report.choices)
    nameWidth = std::max(nameWidth, choice.shape.name.size());
  // What a matmul alone does to the results, as it is with the fewest bytes,
  // what it got more, and what that bought.
  os << llvm::left_justify("matmul", nameWidth)
     << llvm::format("  %14s %12s %12s %13s  %s\n", "at least bytes",
                     "weight bytes", "above least", "chosen alone", "chosen");
  for (const AutoReport::Choice &choice : report.choices)
    os << llvm::left_justify(choice.shape.name, nameWidth)
       << llvm::format(
              "  %11.2f dB %12lld %12lld %10.2f dB  ", choice.leastSqnr,
              static_cast<long long>(choice.weightBytes),
              static_cast<long long>(choice.weightBytes - choice.leastBytes),
              choice.sqnr)
       << choice.scheme << "\n";
  printCounts(report, os);
  os << llvm::format("\nmeasured over %lld inputs: SQNR %.2f dB, cosine %.6f; ",
                     static_cast<long long>(report.numInputs),
                     report.metrics.sqnrDb, report.metrics.cosine);
  if (report.maxBytes)
    os << "allowed " << *report.maxBytes << " bytes";
  else
    os << llvm::format("wanted %.2f dB", *report.wantedDb);
  os << ": " << (report.isMet ? "met" : "NOT met") << " (" << report.numRuns
     << " measurements)\n";
}

/// The options of a rule. The number of bits is what was chosen, so it is said
/// even where it is the default; so is a format that gave way to it.
static std::string getOptions(const AutoReport::Choice &choice) {
  if (!choice.quantized)
    return kNoScheme.str();
  std::string text = choice.quantized->str();
  if (choice.quantized->weight.bits == QuantScheme().weight.bits)
    text += (text.empty() ? "" : " ") + std::string("weight-bits=8");
  if (choice.hasOtherFormat)
    text += " weight-format=int";
  return text;
}

void quantmlir::printRecipe(const AutoReport &report, llvm::raw_ostream &os) {
  os << "{\"version\": 1,\n\"model\": " << json::Value(report.model)
     << ",\n\"matmuls\": [";
  llvm::interleave(
      report.choices,
      [&](const AutoReport::Choice &choice) {
        os << "\n{\"name\": " << json::Value(choice.shape.name)
           << ", \"options\": " << json::Value(getOptions(choice)) << "}";
      },
      [&] { os << ","; });
  os << "]}\n";
}
