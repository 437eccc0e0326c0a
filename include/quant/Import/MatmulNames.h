//===- MatmulNames.h - names of a program's matmuls -------------*- C++ -*-===//
//
// Statistics, recipes and reports speak of matmuls by name. A name is given to
// the float program, before anything changes it, and passes keep it: it stands
// as the discardable attribute `quant.name` on the contraction and later on
// the quantized matmul in its place.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_IMPORT_MATMULNAMES_H
#define QUANT_IMPORT_MATMULNAMES_H

#include "quant/Dialect/Quant/Utils/DiscardableAttrs.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringRef.h"

namespace quantmlir {

/// Names every float contraction, in walk order: by the framework's module that
/// it comes from (ScopeNames.h; `#1`, `#2`, ... follow where a module has
/// several), or else `<function>#<ordinal>`. Names that are there already stay,
/// and count. Returns the number of new names.
int64_t nameMatmuls(mlir::ModuleOp module);

/// The name of `op`; empty when it has none.
llvm::StringRef getMatmulName(mlir::Operation *op);

/// `<function>#<ordinal>` where that is not the name; empty where it is.
llvm::StringRef getMatmulOrdinal(mlir::Operation *op);

/// The name of the op that `op` is, or was when the program was written.
llvm::StringRef getMatmulKind(mlir::Operation *op);

} // namespace quantmlir

#endif // QUANT_IMPORT_MATMULNAMES_H
