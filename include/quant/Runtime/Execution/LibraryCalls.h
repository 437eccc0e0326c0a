//===- LibraryCalls.h - functions that are answered for programs -*- C++
//-*-===//

#ifndef QUANT_RUNTIME_EXECUTION_LIBRARYCALLS_H
#define QUANT_RUNTIME_EXECUTION_LIBRARYCALLS_H

#include "mlir/IR/BuiltinOps.h"

namespace quantmlir {

/// Checks that what a program on the LLVM dialect declares by the name of a
/// function of the C library that runners and compiled models answer in its
/// place is that function: it is called as that is.
llvm::LogicalResult verifyLibraryCalls(mlir::ModuleOp program);

} // namespace quantmlir

#endif // QUANT_RUNTIME_EXECUTION_LIBRARYCALLS_H
