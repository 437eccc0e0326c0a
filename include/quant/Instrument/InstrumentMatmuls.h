//===- InstrumentMatmuls.h - show tensors to the host -----------*- C++ -*-===//

#ifndef QUANT_INSTRUMENT_INSTRUMENTMATMULS_H
#define QUANT_INSTRUMENT_INSTRUMENTMATMULS_H

#include "quant/Import/Contraction/NamedMatmuls.h"
#include "quant/Instrument/Passes.h"

namespace quantmlir {

/// Name of the external function, and of its C interface.
constexpr llvm::StringLiteral kObserveFunction = "quant_observe";
constexpr llvm::StringLiteral kObserveSymbol = "_mlir_ciface_quant_observe";

/// A call that was inserted; its id is its index.
struct ObservationPoint {
  enum class Kind { Input, Result };
  Kind kind = Kind::Input;
  /// Names of the matmuls whose tensor it is: one, or all that share an input.
  std::vector<std::string> matmuls;
  /// Of an input: the dimensions of the tensor that are contracted, in the
  /// order in which they make up K (that of the weight's dimensions).
  llvm::SmallVector<int64_t> contractedDims;
};

/// Inserts a call that shows `tensor`, of floats, before `builder`'s insertion
/// point.
void insertObservation(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value tensor, int64_t id);

/// What the pass quant-instrument-matmuls does, for those who want to know
/// which id is which.
std::vector<ObservationPoint> instrumentMatmuls(mlir::ModuleOp module,
                                                Observed observed);

} // namespace quantmlir

#endif // QUANT_INSTRUMENT_INSTRUMENTMATMULS_H
