#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Target/X86/Passes.h"
namespace quantmlir {
#define GEN_PASS_DEF_CONVERTQUANTTOX86PASS
#include "quant/Target/X86/Passes.h.inc"
} // namespace quantmlir
using namespace mlir;
namespace {
struct ConvertQuantToX86Pass
    : quantmlir::impl::ConvertQuantToX86PassBase<ConvertQuantToX86Pass> {
  using Base::Base;
  void runOnOperation() override {}
};
} // namespace
