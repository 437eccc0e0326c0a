//===- CollectiveFunctions.h - functions that call MPI ----------*- C++ -*-===//

#ifndef LIB_SHARD_COLLECTIVEFUNCTIONS_H
#define LIB_SHARD_COLLECTIVEFUNCTIONS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"

namespace quantmlir {

/// Functions of a module for collectives that the dialect mpi (MLIR 22) has no
/// op for, of contiguous memrefs. Each is made when it is asked for.
class CollectiveFunctions {
public:
  explicit CollectiveFunctions(mlir::ModuleOp module)
      : module(module), b(module.getContext()), loc(module.getLoc()) {}

  /// (part, whole) -> (): gathers the part of each rank in one of all.
  mlir::func::FuncOp getGather(mlir::Type part, mlir::Type whole);

  /// (parts, others) -> rank: of `parts` [N, ..] each rank is sent the one of
  /// its number; `others` [N - 1, ..] are got, in the order of the ranks that
  /// sent them. The rank's own is not moved.
  mlir::func::FuncOp getExchange(mlir::MemRefType parts,
                                 mlir::MemRefType others);

private:
  /// Begins a function.
  mlir::func::FuncOp make(llvm::StringRef name, mlir::TypeRange inputs,
                          mlir::TypeRange results);
  /// Sets `rows`, each [N]: the bytes that are sent to and got from each rank,
  /// none for `rank`; where they are sent from; where they are got.
  void layOut(llvm::ArrayRef<mlir::Value> rows, mlir::Value bytes,
              mlir::Value rank);

  mlir::ModuleOp module;
  mlir::OpBuilder b;
  mlir::Location loc;
  llvm::MapVector<std::pair<mlir::Type, mlir::Type>, mlir::func::FuncOp> made;
};

} // namespace quantmlir

#endif // LIB_SHARD_COLLECTIVEFUNCTIONS_H
