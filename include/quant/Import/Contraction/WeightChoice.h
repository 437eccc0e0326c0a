//===- WeightChoice.h - which operand is the weight -------------*- C++ -*-===//

#ifndef QUANT_IMPORT_CONTRACTION_WEIGHTCHOICE_H
#define QUANT_IMPORT_CONTRACTION_WEIGHTCHOICE_H

#include "quant/Import/Contraction/ContractionMatcher.h"

namespace quantmlir {

/// The contraction with its weight as the right-hand side: a constant, also a
/// quantized one, or a matrix without batch dimensions. Data movement before a
/// weight is looked through. Sets `reason` when there is none.
mlir::FailureOr<Contraction> chooseWeight(const Contraction &contraction,
                                          std::string &reason);

} // namespace quantmlir

#endif // QUANT_IMPORT_CONTRACTION_WEIGHTCHOICE_H
