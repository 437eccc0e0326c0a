//===- PrepareOps.h - ops as upstream partitions them -----------*- C++ -*-===//

#ifndef LIB_SHARD_PREPAREOPS_H
#define LIB_SHARD_PREPAREOPS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace quantmlir {

/// Brings constants and linalg ops into the forms that upstream's models
/// partition. Nothing is computed otherwise.
void prepareForPartition(mlir::func::FuncOp function);

} // namespace quantmlir

#endif // LIB_SHARD_PREPAREOPS_H
