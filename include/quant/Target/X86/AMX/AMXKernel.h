//===- AMXKernel.h - matmuls on tile registers ------------------*- C++ -*-===//
//
// Intel SDM volume 1, chapter "Programming with Intel AMX": eight registers of
// up to 16 rows of 64 bytes whose shapes are set together (LDTILECFG), loads
// and stores of rows at any stride, and TDPB{SS,SU,US,UU}D.
//
// LLVM places one configuration in a function if all shapes are constants and
// no call lies between, and gives every register one shape. So each matmul is
// a function of its own.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_TARGET_X86_AMX_AMXKERNEL_H
#define QUANT_TARGET_X86_AMX_AMXKERNEL_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "quant/Dialect/Quant/IR/PackedScaledMatmul.h"
#include "llvm/ADT/DenseMap.h"

namespace quantmlir {

/// The functions for tile registers of one module.
class AMXKernels {
public:
  explicit AMXKernels(mlir::ModuleOp module);

  /// Emits a call that does what the bufferized `op` does; matmuls of the same
  /// types and attributes share a function.
  void call(mlir::RewriterBase &b, PackedMatmulOp op);
  void call(mlir::RewriterBase &b, PackedScaledMatmulOp op);

private:
  template <typename OpTy>
  void emitCall(mlir::RewriterBase &b, OpTy op);
  template <typename OpTy>
  mlir::func::FuncOp build(mlir::RewriterBase &b, OpTy op);

  mlir::ModuleOp module;
  int64_t l2;
  llvm::DenseMap<mlir::Attribute, mlir::func::FuncOp> functions;
};

} // namespace quantmlir

#endif // QUANT_TARGET_X86_AMX_AMXKERNEL_H
