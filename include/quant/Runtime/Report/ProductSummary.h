//===- ProductSummary.h - what became of products, counted ------*- C++ -*-===//
//
// The account of a program's products (Import/ProductAccount.h) as counts by
// reason, which outlive the program.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_RUNTIME_REPORT_PRODUCTSUMMARY_H
#define QUANT_RUNTIME_REPORT_PRODUCTSUMMARY_H

#include "quant/Import/ProductAccount.h"

#include <string>
#include <vector>

namespace quantmlir {

struct ProductSummary {
  /// What several ops have in common.
  struct Line {
    /// `float`, `integer`, `activations-float`, `every-call` or `portable`.
    std::string outcome;
    std::string reason;
    /// Whether the user asked for it.
    bool asAsked = false;
    int64_t count = 0;
    /// Of each, in walk order; empty where it has none.
    std::vector<std::string> locations;

    /// The outcome in words.
    llvm::StringRef getText() const;
    /// Whether the product was left as it was.
    bool isLeft() const { return outcome == "float" || outcome == "integer"; }
  };

  int64_t numInteger = 0, numLeft = 0;
  /// Of the float matmuls that are left: those with a weight, and those of two
  /// activations.
  int64_t numFloatWithWeight = 0, numFloatActivations = 0;
  int64_t numConvolutions = 0;
  std::vector<Line> lines;

  static ProductSummary of(const ProductAccount &account);
  /// Adds what packing has noted on the module, if it has run.
  void addPortable(mlir::ModuleOp module);
};

/// Counts by reason, and how they add up.
void printProducts(const ProductSummary &summary, llvm::raw_ostream &os);

} // namespace quantmlir

#endif // QUANT_RUNTIME_REPORT_PRODUCTSUMMARY_H
