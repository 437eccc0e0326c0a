//===- GroupedContraction.h - weights with scales along K -------*- C++ -*-===//

#ifndef QUANT_IMPORT_GROUPS_GROUPEDCONTRACTION_H
#define QUANT_IMPORT_GROUPS_GROUPEDCONTRACTION_H

#include "quant/Import/Contraction/QuantizedOperand.h"

namespace quantmlir {

/// Whether an operand of `c` is a dequantized weight whose scales run along
/// one of the contracted loops: a group for each step of that loop.
bool isGroupedContraction(const Contraction &c);

/// Replaces such a contraction by `quant.scaled_matmul`: with integer
/// activations where the other operand is dequantized too, and else with float
/// ones, as the program says.
mlir::LogicalResult importGroupedContraction(Contraction c,
                                             std::string &reason);

/// Emits `quant.scaled_matmul` for a classified contraction whose weight `rhs`
/// has a scale for each `size` elements along the loop `group`; fails, with the
/// reason, where the activations' parameters or the sums do not fit.
mlir::LogicalResult emitGroupedMatmul(mlir::OpBuilder &builder,
                                      const Contraction &c,
                                      std::optional<QuantizedOperand> lhs,
                                      const QuantizedOperand &rhs,
                                      int64_t group, int64_t size,
                                      std::string &reason);

} // namespace quantmlir

#endif // QUANT_IMPORT_GROUPS_GROUPEDCONTRACTION_H
