//===- GatherFunctions.h - functions that call MPI_Allgather ----*- C++ -*-===//

#ifndef LIB_SHARD_GATHERFUNCTIONS_H
#define LIB_SHARD_GATHERFUNCTIONS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"

namespace quantmlir {

/// Functions of a module that gather a buffer of each rank in one of all; the
/// dialect mpi (MLIR 22) has no op for it. Each is made when it is asked for.
class GatherFunctions {
public:
  explicit GatherFunctions(mlir::ModuleOp module) : module(module) {}

  /// From memrefs of the type `part`, contiguous ones, to one of `whole`.
  mlir::func::FuncOp get(mlir::Type part, mlir::Type whole);

private:
  mlir::func::FuncOp make(mlir::Type part, mlir::Type whole);

  mlir::ModuleOp module;
  llvm::MapVector<std::pair<mlir::Type, mlir::Type>, mlir::func::FuncOp> made;
};

} // namespace quantmlir

#endif // LIB_SHARD_GATHERFUNCTIONS_H
