//===- LeftReason.h - why an op is not what was asked for -------*- C++ -*-===//
//
// Whoever leaves a product of tensors as it was emits a remark at it and notes
// the reason on the op, as a discardable attribute. What is counted, printed
// and written into reports are these attributes, never the text of a remark.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_DIALECT_QUANT_UTILS_LEFTREASON_H
#define QUANT_DIALECT_QUANT_UTILS_LEFTREASON_H

#include "quant/Dialect/Quant/Utils/DiscardableAttrs.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Operation.h"

namespace quantmlir {

/// Notes `reason` on `op`, in place of what was noted before.
inline void noteReason(mlir::Operation *op, llvm::StringRef attribute,
                       llvm::StringRef reason) {
  for (llvm::StringRef known :
       {kLeftAttr, kLeftAsAskedAttr, kSchemeDroppedAttr, kSchemePartlyAttr})
    op->removeDiscardableAttr(known);
  op->setDiscardableAttr(attribute,
                         mlir::StringAttr::get(op->getContext(), reason));
}

/// What was noted; empty where nothing was.
inline llvm::StringRef getReason(mlir::Operation *op,
                                 llvm::StringRef attribute) {
  auto reason = llvm::dyn_cast_or_null<mlir::StringAttr>(
      op->getDiscardableAttr(attribute));
  return reason ? reason.getValue() : llvm::StringRef();
}

} // namespace quantmlir

#endif // QUANT_DIALECT_QUANT_UTILS_LEFTREASON_H
