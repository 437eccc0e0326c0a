//===- WeightOnly.h - float activations, stored weight ----------*- C++ -*-===//

#ifndef QUANT_IMPORT_GROUPS_WEIGHTONLY_H
#define QUANT_IMPORT_GROUPS_WEIGHTONLY_H

#include "quant/Import/Contraction/MatmulEmitter.h"
#include "quant/Import/Contraction/QuantizedOperand.h"

namespace quantmlir {

class ScaledMatmulOp;

/// Why the stored weight `c.rhs` cannot be that of a weight-only product; empty
/// when it can.
std::string explainWeightOnly(const Contraction &c);

/// Replaces `c` by `quant.scaled_matmul` of `lhs`, `[batch.., M, K]` in float,
/// and the stored weight `rhs`, whose scales are of the tensor or of each
/// column: one group, as long as a row.
ScaledMatmulOp emitWeightOnly(mlir::OpBuilder &builder, MatmulEmitter &emitter,
                              const Contraction &c, mlir::Value lhs,
                              const QuantizedOperand &rhs);

/// The same for a float contraction with one operand that is a dequantized
/// weight. `reason` stays empty where neither operand is.
mlir::LogicalResult importWeightOnly(Contraction c, std::string &reason);

} // namespace quantmlir

#endif // QUANT_IMPORT_GROUPS_WEIGHTONLY_H
