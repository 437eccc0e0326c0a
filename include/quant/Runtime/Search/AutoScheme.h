//===- AutoScheme.h - as few bytes as an error allows -----------*- C++ -*-===//

#ifndef QUANT_RUNTIME_SEARCH_AUTOSCHEME_H
#define QUANT_RUNTIME_SEARCH_AUTOSCHEME_H

#include "quant/Runtime/Search/Sensitivity.h"

namespace quantmlir {

/// What was chosen for each matmul.
struct AutoReport {
  struct Choice {
    MatmulShape shape;
    /// 4, 8 or 0 for float.
    unsigned bits = 0;
    /// None for float.
    std::optional<QuantScheme> quantized;
    /// Whether its integers took the place of the format that was asked for.
    bool hasOtherFormat = false;
    /// The same in words.
    std::string scheme;
    int64_t weightBytes = 0;
    /// Of the results when only this matmul is quantized to 4, to 8 bits; +inf
    /// where it cannot be.
    double sqnr4 = 0, sqnr8 = 0;
  };
  std::vector<Choice> choices;
  /// Of the results with this choice: measured, not predicted.
  Metrics metrics;
  double wantedDb = 0;
  bool isMet = false;
  int64_t floatBytes = 0, weightBytes = 0;
  int64_t numInputs = 0, numRuns = 0;
  /// hashMatmuls of the float program.
  std::string model;
};

/// Chooses 4 bits, 8 bits or float for each matmul so that the results' SQNR is
/// at least `options.minSqnr` over the inputs, with few bytes of weights:
/// starts from the fewest, buys the most error for a byte (as measured one
/// matmul at a time), and gives back what is not needed. Every accepted choice
/// was run.
llvm::Expected<AutoReport>
chooseSchemes(mlir::OwningOpRef<mlir::ModuleOp> module,
              const Signature &signature, InputSet &inputs,
              const RunOptions &options);

void printAuto(const AutoReport &report, llvm::raw_ostream &os);

/// What `--quantize="recipe=FILE"` reads.
void printRecipe(const AutoReport &report, llvm::raw_ostream &os);

} // namespace quantmlir

#endif // QUANT_RUNTIME_SEARCH_AUTOSCHEME_H
