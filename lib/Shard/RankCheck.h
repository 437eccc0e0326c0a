//===- RankCheck.h - whether the right ranks run together -------*- C++ -*-===//

#ifndef LIB_SHARD_RANKCHECK_H
#define LIB_SHARD_RANKCHECK_H

#include "mlir/IR/BuiltinOps.h"

namespace quantmlir {

/// Where the module says which rank it is for (quant.rank), its public
/// functions ask MPI first: all ranks stop where one has another number, or
/// sees another count. The module says it no more.
llvm::LogicalResult addRankCheck(mlir::ModuleOp module);

} // namespace quantmlir

#endif // LIB_SHARD_RANKCHECK_H
