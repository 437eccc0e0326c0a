//===- EmitElement.h - an element as a tensor again -------------*- C++ -*-===//

#ifndef QUANT_IMPORT_ELEMENTS_EMITELEMENT_H
#define QUANT_IMPORT_ELEMENTS_EMITELEMENT_H

#include "quant/Import/Elements/Element.h"

#include "mlir/IR/Builders.h"

namespace quantmlir {

/// A tensor over the coordinates `dims`, in their order, whose elements are
/// `element`: the tensor itself that it is read from where nothing is computed
/// or moved, else a `linalg.generic`. `sizes` are those of the root. Null where
/// `element` varies along other coordinates, too.
mlir::Value emitElement(mlir::OpBuilder &builder, mlir::Location loc,
                        const Element *element, llvm::ArrayRef<int64_t> dims,
                        llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// The tensor that `element` is read from, where that is over `dims` but for
/// dimensions of size 1, which are dropped; null where it is not.
mlir::Value getWholeTensor(mlir::OpBuilder &builder, mlir::Location loc,
                           const Element *element, llvm::ArrayRef<int64_t> dims,
                           llvm::ArrayRef<mlir::OpFoldResult> sizes);

} // namespace quantmlir

#endif // QUANT_IMPORT_ELEMENTS_EMITELEMENT_H
