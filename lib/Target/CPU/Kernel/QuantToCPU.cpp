//===- QuantToCPU.cpp - packed matmuls to instructions --------------------===//
//
// Each op's kernel emits it.
//
//===----------------------------------------------------------------------===//

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Target/CPU/Passes.h"
#include "quant/Target/IR/MatmulKernelInterface.h"
#include "quant/Target/IR/PackedMatmul.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"

namespace quantmlir {
#define GEN_PASS_DEF_CONVERTQUANTTOCPUPASS
#include "quant/Target/CPU/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

namespace {

struct ConvertQuantToCPUPass
    : quantmlir::impl::ConvertQuantToCPUPassBase<ConvertQuantToCPUPass> {
  using Base::Base;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    qtarget::KernelFunctions functions(getOperation());
    SmallVector<std::pair<Operation *, qtarget::MatmulKernelInterface>> ops;
    getOperation()->walk([&](qtarget::PackedMatmulOp op) {
      ops.emplace_back(op, op.getKernel());
    });
    for (auto [op, kernel] : ops)
      if (failed(kernel.emit(rewriter, op, functions)))
        return signalPassFailure();
    // No later pass asks, and stock tools do not know the attribute.
    getOperation()->removeAttr(qtarget::TargetAttr::kModuleAttrName);
  }
};

} // namespace
