//===- MatmulOutcome.h - what became of one float matmul --------*- C++ -*-===//

#ifndef QUANT_QUANTIZE_MATMULOUTCOME_H
#define QUANT_QUANTIZE_MATMULOUTCOME_H

#include "quant/Quantize/QuantScheme.h"

#include "mlir/IR/Location.h"

namespace quantmlir {

/// What `quant-quantize-matmul` did with a matmul, and why it did no more.
struct MatmulOutcome {
  enum class Kind {
    Quantized,        // both operands
    ActivationsFloat, // the program gives the weight in integers
    Float
  };

  mlir::Location location;
  /// Empty where matmuls have no names.
  std::string name;
  Kind kind = Kind::Float;
  /// As it was applied: what the program gives itself is the program's.
  QuantScheme scheme = {};
  /// Why it is not quantized, and whether that is what was asked for.
  std::string reason = {};
  bool asAsked = false;
  /// Quantized, but not by all of the scheme that was asked for: by what not,
  /// and why.
  std::string missing = {};
};

} // namespace quantmlir

#endif // QUANT_QUANTIZE_MATMULOUTCOME_H
