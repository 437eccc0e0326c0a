//===- MatmulKernelInterface.h - what a kernel is ---------------*- C++ -*-===//

#ifndef QUANT_TARGET_IR_MATMULKERNELINTERFACE_H
#define QUANT_TARGET_IR_MATMULKERNELINTERFACE_H

#include "quant/Target/IR/KernelRow.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/DenseMap.h"

namespace quantmlir::qtarget {

/// Why a kernel of `row` does not compute `matmul` on `target`, as far as the
/// row says; empty where it does.
std::string explainKernel(const KernelRow &row, const MatmulFacts &matmul,
                          TargetAttr target);

/// Functions of a module that do the work of packed matmuls; those of the same
/// types and attributes share one.
class KernelFunctions {
public:
  explicit KernelFunctions(mlir::ModuleOp module) : module(module) {}

  /// Replaces nothing, but emits a call that does what the bufferized `op`
  /// does. Its function, named `prefix` and a number, holds what `emitBody`
  /// makes in front of the copy of `op` that it is given.
  void call(mlir::RewriterBase &b, mlir::Operation *op, llvm::StringRef prefix,
            llvm::function_ref<void(mlir::RewriterBase &, mlir::Operation *)>
                emitBody);

private:
  mlir::func::FuncOp
  build(mlir::RewriterBase &b, mlir::Operation *op, llvm::StringRef prefix,
        llvm::function_ref<void(mlir::RewriterBase &, mlir::Operation *)>
            emitBody);

  mlir::ModuleOp module;
  llvm::DenseMap<mlir::Attribute, mlir::func::FuncOp> functions;
};

} // namespace quantmlir::qtarget

#include "quant/Target/IR/MatmulKernelInterface.h.inc"

namespace quantmlir::qtarget {

/// A target as packing knows it: the kernels of one architecture.
class TargetKernels {
public:
  virtual ~TargetKernels();
  /// LLVM's name of the architecture (llvm::Triple).
  virtual llvm::StringRef getArch() const = 0;
  /// The kernel that serves `matmul` best on `target`. Null where there is
  /// none: then `why` says the reason.
  virtual MatmulKernelInterface choose(const MatmulFacts &matmul,
                                       TargetAttr target,
                                       std::string &why) const = 0;
  /// What vectors of floats `target` has.
  virtual VectorFile getVectors(TargetAttr target) const = 0;
  /// The kernel that a file of schedules names; null if there is none.
  virtual MatmulKernelInterface find(mlir::MLIRContext *context,
                                     llvm::StringRef name) const = 0;
};

/// The kernel for `matmul` on `target`; null, and the reason in `why`.
MatmulKernelInterface chooseKernel(const MatmulFacts &matmul, TargetAttr target,
                                   std::string &why);

/// The vectors of `target`; those of AVX2 where nobody knows it.
VectorFile getVectors(TargetAttr target);

/// The kernel `name` of any target; null if there is none.
MatmulKernelInterface findKernel(mlir::MLIRContext *context,
                                 llvm::StringRef name);

/// Adds a target to the dialect: `Kernel` is the class of its attributes,
/// `Kernels` a TargetKernels.
template <typename Kernel, typename Kernels>
void addTarget(mlir::DialectRegistry &registry) {
  registry.insert<QTargetDialect>();
  registry.addExtension(+[](mlir::MLIRContext *, QTargetDialect *dialect) {
    dialect->addKernels<Kernel>(std::make_unique<Kernels>());
  });
}

} // namespace quantmlir::qtarget

#endif // QUANT_TARGET_IR_MATMULKERNELINTERFACE_H
