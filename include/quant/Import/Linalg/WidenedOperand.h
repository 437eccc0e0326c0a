//===- WidenedOperand.h - integers behind widening ops ----------*- C++ -*-===//

#ifndef QUANT_IMPORT_LINALG_WIDENEDOPERAND_H
#define QUANT_IMPORT_LINALG_WIDENEDOPERAND_H

#include "quant/Import/Contraction/QuantizedOperand.h"

#include "mlir/IR/Builders.h"

namespace quantmlir {

/// The 8-bit or 4-bit integers behind `tensor`, a tensor of wider integers,
/// when elementwise ops extend them and subtract a zero point, as importers of
/// ONNX `MatMulInteger` write it. The operand has no scale. Zero points that
/// are known at run time only are widened by ops at `builder`. Where it is one
/// that the matmul cannot take, `reason` says why.
std::optional<QuantizedOperand> matchWidened(mlir::OpBuilder &builder,
                                             const LoopTensor &tensor,
                                             std::string &reason);

} // namespace quantmlir

#endif // QUANT_IMPORT_LINALG_WIDENEDOPERAND_H
