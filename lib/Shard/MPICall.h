//===- MPICall.h - calls of MPI that upstream has no op for -----*- C++ -*-===//

#ifndef LIB_SHARD_MPICALL_H
#define LIB_SHARD_MPICALL_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

namespace quantmlir {

/// Warns at `op` where the module does not say whose MPI is called, and fails
/// where it names one that is not known.
llvm::LogicalResult verifyMPI(mlir::ModuleOp module, mlir::Operation *op);

/// Fails where the program has a symbol of its own that is called as MPI's are,
/// or declares a function that lowering calls with another type than it has.
llvm::LogicalResult verifyMPINames(mlir::ModuleOp module);

/// Writes calls of MPI's functions, as its library that the module names has
/// them; each is declared when it is first called.
class MPICall {
public:
  MPICall(mlir::OpBuilder &b, mlir::Location loc, mlir::ModuleOp module);

  /// Datatype and communicator, as MPICH's mpi.h and as Open MPI have them.
  mlir::Value getByte();
  mlir::Value getWorld();

  void call(llvm::StringRef name, mlir::ValueRange arguments);

  /// Where the elements of a memref begin.
  mlir::Value getPointer(mlir::Value buffer);

  /// Bytes of a memref of which every element has whole ones, as i32; of its
  /// dimensions from `first` on.
  mlir::Value countBytes(mlir::Value buffer, int64_t first);

private:
  mlir::Value getHandle(llvm::StringRef name, llvm::StringRef type,
                        int64_t number);

  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::ModuleOp module;
  bool isOpenMPI;
};

} // namespace quantmlir

#endif // LIB_SHARD_MPICALL_H
