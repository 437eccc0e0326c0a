//===- AutoScheme.h - a scheme for each matmul ------------------*- C++ -*-===//

#ifndef QUANT_RUNTIME_SEARCH_AUTOSCHEME_H
#define QUANT_RUNTIME_SEARCH_AUTOSCHEME_H

#include "quant/Runtime/Search/Sensitivity.h"

namespace quantmlir {

/// What was chosen for each matmul.
struct AutoReport {
  struct Choice {
    MatmulShape shape;
    /// Of the stored weight; 0 for float.
    unsigned bits = 0;
    /// None for float.
    std::optional<QuantScheme> quantized;
    /// Whether its integers took the place of the format that was asked for.
    bool hasOtherFormat = false;
    /// The same in words.
    std::string scheme;
    /// As chosen, and the fewest that it can have.
    int64_t weightBytes = 0, leastBytes = 0;
    /// Of the results when only this matmul is so; +inf for float.
    double sqnr = 0, leastSqnr = 0;
  };
  std::vector<Choice> choices;
  /// Of the results with this choice: measured, not predicted.
  Metrics metrics;
  /// One of them was asked for.
  std::optional<double> wantedDb;
  std::optional<int64_t> maxBytes;
  bool isMet = false;
  int64_t floatBytes = 0, weightBytes = 0;
  int64_t numInputs = 0, numRuns = 0;
  /// hashMatmuls of the float program.
  std::string model;
};

/// Chooses a scheme or float for each matmul, of those that `options.automatic`
/// has: so that the results' SQNR is at least `options.minSqnr` over the
/// inputs, with few bytes of weights, or that it is the best that
/// `options.maxBytes` allow. Buys the most error for a byte, as measured one
/// matmul at a time; what the report says of the whole choice was run.
llvm::Expected<AutoReport>
chooseSchemes(mlir::OwningOpRef<mlir::ModuleOp> module,
              const Signature &signature, InputSet &inputs,
              const RunOptions &options);

void printAuto(const AutoReport &report, llvm::raw_ostream &os);

/// What `--quantize="recipe=FILE"` reads.
void printRecipe(const AutoReport &report, llvm::raw_ostream &os);

} // namespace quantmlir

#endif // QUANT_RUNTIME_SEARCH_AUTOSCHEME_H
