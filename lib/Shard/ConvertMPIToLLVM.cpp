//===- ConvertMPIToLLVM.cpp - mpi ops as Open MPI has them ----------------===//

#include "quant/Shard/Passes.h"

#include "MPICall.h"

#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MPIToLLVM/MPIToLLVM.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MPI/IR/MPI.h"
#include "mlir/Dialect/Shard/IR/ShardOps.h"
#include "mlir/Transforms/DialectConversion.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTCONVERTMPITOLLVMPASS
#include "quant/Shard/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

/// Open MPI's reductions are called `ompi_mpi_op_sum`; upstream declares
/// `ompi_mpi_sum`.
static LogicalResult correctNames(ModuleOp module) {
  for (auto global : module.getOps<LLVM::GlobalOp>()) {
    auto type = dyn_cast<LLVM::LLVMStructType>(global.getType());
    StringRef name = global.getSymName();
    if (!type || !type.isIdentified() ||
        type.getName() != "ompi_predefined_op_t" ||
        !name.consume_front("ompi_mpi_") || name.starts_with("op_"))
      continue;
    auto correct = StringAttr::get(module.getContext(), "ompi_mpi_op_" + name);
    if (failed(SymbolTable::replaceAllSymbolUses(global, correct, module)))
      return failure();
    global.setSymNameAttr(correct);
  }
  return success();
}

namespace {
struct QuantConvertMPIToLLVMPass final
    : quantmlir::impl::QuantConvertMPIToLLVMPassBase<
          QuantConvertMPIToLLVMPass> {
  using Base::Base;

  void runOnOperation() override {
    // No collective refers to it any more.
    for (auto grid :
         llvm::make_early_inc_range(getOperation().getOps<shard::GridOp>()))
      grid.erase();
    bool isFound = false;
    WalkResult walk = getOperation()->walk([&](Operation *op) {
      isFound |= op->getName().getDialectNamespace() == "mpi";
      // Upstream's lowering of it makes a program that crashes.
      if (isa<mpi::CommSplitOp>(op))
        return op->emitOpError("splits the world: only collectives of all "
                               "ranks are lowered"),
               WalkResult::interrupt();
      return WalkResult::advance();
    });
    if (walk.wasInterrupted())
      return signalPassFailure();
    if (!isFound)
      return;
    if (failed(verifyMPINames(getOperation())))
      return signalPassFailure();
    LLVMTypeConverter converter(&getContext());
    RewritePatternSet patterns(&getContext());
    mpi::populateMPIToLLVMConversionPatterns(converter, patterns);
    LLVMConversionTarget target(getContext());
    target.markUnknownOpDynamicallyLegal(
        [](Operation *op) { return !isa<mpi::MPIDialect>(op->getDialect()); });
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))) ||
        failed(correctNames(getOperation())))
      signalPassFailure();
  }
};
} // namespace
