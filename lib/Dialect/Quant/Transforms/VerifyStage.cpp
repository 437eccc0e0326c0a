//===- VerifyStage.cpp - prove the contract of a named stage --------------===//
//
// Each stage promises something about the IR that the next one builds on. A
// promise that does not hold is an error at the op that breaks it; all of them
// are reported before the pass fails.
//
//===----------------------------------------------------------------------===//

#include "quant/Dialect/Quant/Transforms/Passes.h"

#include "quant/Analysis/AccumulatorRange.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/ConstantData.h"
#include "quant/Dialect/Quant/Utils/DiscardableAttrs.h"
#include "quant/Target/IR/PackedMatmul.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTVERIFYSTAGEPASS
#include "quant/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

/// The sum of `op` fits in i32, whatever the data.
static LogicalResult verifyAccumulator(MatmulOp op) {
  AccumulatorBound bound = computeAccumulatorBound(op);
  if (bound.fits())
    return success();
  if (!bound.k)
    return op.emitOpError("sum over a dynamic K is not known to fit in i32; "
                          "it is safe up to K = ")
           << bound.getLargestSafeK();
  return op.emitOpError("sum over K = ")
         << *bound.k << " may reach " << *bound.getMaxSum() << ", past "
         << kMaxAccumulator << "; split K or narrow the operands";
}

/// The sum of each group of `op` fits in i32, whatever the data.
static LogicalResult verifyAccumulator(ScaledMatmulOp op) {
  AccumulatorBound bound = computeAccumulatorBound(op);
  if (bound.fits())
    return success();
  return op.emitOpError("sum over a group of ")
         << *bound.k << " may reach " << *bound.getMaxSum() << ", past "
         << kMaxAccumulator << "; it is safe up to a group of "
         << bound.getLargestSafeK();
}

/// The module's target offers the kernel that `op` was packed for. (That
/// the tiles fit it, the op's own verifier knows.)
static LogicalResult verifyKernelIsLegal(qtarget::PackedMatmulOp op) {
  auto target = qtarget::TargetAttr::lookup(op);
  if (!target)
    return op.emitOpError("expected a module with the attribute ")
           << qtarget::TargetAttr::kModuleAttrName;
  if (!op.getKernel().isLegalOn(target)) {
    const qtarget::KernelRow &row = op.getKernel().getRow();
    return op.emitOpError("expected a kernel that the target ")
           << target.getCpu() << " offers, but " << row.name << " needs "
           << row.arch << " with " << row.features;
  }
  return success();
}

/// No result of `op` is a tensor, nor, for a function, any of its type.
static LogicalResult verifyNoTensors(Operation *op) {
  auto isTensor = [](Type type) { return isa<TensorType>(type); };
  if (auto function = dyn_cast<FunctionOpInterface>(op)) {
    for (Type type : llvm::concat<const Type>(function.getArgumentTypes(),
                                              function.getResultTypes()))
      if (isTensor(type))
        return op->emitOpError("expected no tensors after the target stage, "
                               "but its type has ")
               << type;
  }
  for (Type type : op->getResultTypes())
    if (isTensor(type))
      return op->emitOpError("expected no tensors after the target stage, but "
                             "it makes ")
             << type;
  return success();
}

/// LLVM IR lists the elements of a global, however equal: about 20 bytes of
/// text and a pointer for each. Zeros are one word of it, made of pointers all
/// the same.
static LogicalResult verifySplat(LLVM::GlobalOp op) {
  constexpr int64_t kMaxElements = 1 << 24, kMaxZeros = 1 << 28;
  auto splat = dyn_cast_or_null<SplatElementsAttr>(op.getValueOrNull());
  if (!splat)
    return success();
  Attribute value = splat.getSplatValue<Attribute>();
  bool isZero =
      matchPattern(value, m_Zero()) || matchPattern(value, m_PosZeroFloat());
  int64_t most = isZero ? kMaxZeros : kMaxElements;
  if (splat.getNumElements() <= most)
    return success();
  return op.emitOpError("expected at most ")
         << most << " equal elements, which LLVM IR lists one by one, found "
         << splat.getNumElements() << "; fill them when the program runs";
}

namespace {
struct QuantVerifyStagePass final
    : quantmlir::impl::QuantVerifyStagePassBase<QuantVerifyStagePass> {
  using Base::Base;

  void runOnOperation() override {
    bool failedAny = false;
    getOperation()->walk([&](Operation *op) {
      if (op != getOperation() && failed(verify(op)))
        failedAny = true;
    });
    if (failedAny)
      signalPassFailure();
  }

private:
  LogicalResult verify(Operation *op) {
    switch (stage) {
    case Stage::Import:
      return success();
    case Stage::Quant:
      if (failed(verifyConstantData(op)) || failed(verifyTensorSizes(op)) ||
          failed(verifyDiscardableAttrs(op)))
        return failure();
      return verifyQuant(op);
    case Stage::Packed:
      return verifyPacked(op);
    case Stage::Target:
      return verifyTarget(op);
    case Stage::LLVM:
      return verifyLLVM(op);
    }
    llvm_unreachable("all stages are listed");
  }

  LogicalResult verifyQuant(Operation *op) {
    LogicalResult proven = success();
    auto scaled = dyn_cast<ScaledMatmulOp>(op);
    if (auto matmul = dyn_cast<MatmulOp>(op))
      proven = verifyAccumulator(matmul);
    else if (scaled && scaled.hasIntegerLhs())
      proven = verifyAccumulator(scaled);
    else
      return success();
    if (succeeded(proven))
      ++numProvenAccumulators;
    return proven;
  }

  LogicalResult verifyPacked(Operation *op) {
    if (isa<MatmulOp>(op))
      return op->emitOpError("expected no quant.matmul after packing");
    if (auto packed = dyn_cast<qtarget::PackedMatmulOp>(op))
      return verifyKernelIsLegal(packed);
    return success();
  }

  LogicalResult verifyTarget(Operation *op) {
    if (isa_and_present<quant::QuantDialect, qtarget::QTargetDialect>(
            op->getDialect()))
      return op->emitOpError("expected no quant op after the target stage");
    return verifyNoTensors(op);
  }

  LogicalResult verifyLLVM(Operation *op) {
    if (auto global = dyn_cast<LLVM::GlobalOp>(op))
      return verifySplat(global);
    // Kernels for a GPU are a module of their own, or already a binary; threads
    // are regions until LLVM IR is made.
    StringRef dialect = op->getName().getDialectNamespace();
    if (isa<ModuleOp>(op) || dialect == "gpu" || dialect == "nvvm" ||
        dialect == "omp" ||
        isa_and_present<LLVM::LLVMDialect>(op->getDialect()))
      return success();
    return op->emitOpError("expected only ops of the llvm dialect after the "
                           "llvm stage");
  }
};
} // namespace
