//===- Recipe.h - a scheme for each matmul ----------------------*- C++ -*-===//
//
// A recipe is a JSON file that says how matmuls are quantized, one by one:
//
//   {"version": 1,
//    "model": "<hash of the float program's matmuls>",          (optional)
//    "matmuls": [
//      {"name": "main#3", "options": "weight-bits=4 weights=group"},
//      {"name": "main#1*", "options": "none"}]}
//
// `name` is a glob over what a matmul is called: its name (`quant.name`), also
// `<function>#<ordinal>` where it has another, its location or its op
// (`linalg.batch_matmul`; a convolution that became a matmul goes by the op
// that it was). The first rule that fits is taken. `options` are those of
// `quant-quantize-matmul`, on top of the pass's own; `none` leaves the matmul
// in float. An op can carry its rule with it, as the string attribute
// `quant.scheme`, which comes before all rules.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_QUANTIZE_RECIPE_H
#define QUANT_QUANTIZE_RECIPE_H

#include "quant/Dialect/Quant/Utils/DiscardableAttrs.h"
#include "quant/Quantize/QuantScheme.h"

#include "mlir/IR/Operation.h"

#include <string>
#include <vector>

namespace quantmlir {

/// A glob over what a matmul is called.
class MatmulPattern {
public:
  static llvm::Expected<MatmulPattern> create(llvm::StringRef text);

  /// Whether it fits the name, the location (`file:line:column`, or the name
  /// of a NameLoc) or the op's name; notes that it did.
  bool matches(mlir::Operation *op);
  llvm::StringRef getText() const { return text; }
  /// Whether it has fitted anything.
  bool wasUsed() const { return used; }

private:
  std::string text;
  bool used = false;
};

/// All of several patterns.
llvm::Expected<std::vector<MatmulPattern>>
createPatterns(llvm::ArrayRef<std::string> texts);

struct Recipe {
  struct Rule {
    MatmulPattern pattern;
    /// None: the matmul stays in float.
    std::optional<QuantScheme> scheme;
  };
  /// hashMatmuls of the program; empty: for any.
  std::string model;
  std::vector<Rule> rules;

  /// Reads a file, whose options are on top of `base`. Errors name the file,
  /// the field, what was expected and what was found; those of JSON also line
  /// and column.
  static llvm::Expected<Recipe> read(llvm::StringRef path,
                                     const QuantScheme &base);
  /// The first rule that fits, or null.
  const Rule *find(mlir::Operation *op);
};

} // namespace quantmlir

#endif // QUANT_QUANTIZE_RECIPE_H
