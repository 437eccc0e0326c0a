//===- NVVMKernels.cpp - the kernels of NVIDIA's GPUs ---------------------===//

#include "quant/Target/NVVM/NVVMKernels.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::qtarget;
using quantmlir::nvvm::NVVMKernel;

#include "quant/Target/NVVM/NVVMKernelEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "quant/Target/NVVM/NVVMKernels.cpp.inc"

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

static constexpr llvm::StringLiteral kArch = "nvptx64";
/// KR is 64 bytes: four lanes of a warp read 16 bytes each of one row,
/// whichever the instruction is, so that one packed weight serves all.
static constexpr unsigned kWarpKBits = 8 * 64;

/// dp4a and mma.sync: signed operands of `bits`, i32 accumulators that wrap.
static constexpr KernelRow warp(llvm::StringLiteral name, int64_t m, int64_t n,
                                int64_t k, unsigned bits,
                                llvm::StringLiteral features,
                                llvm::StringLiteral llvmIntrinsic) {
  KernelRow row = {name,
                   kArch,
                   m,
                   n,
                   k,
                   {bits, false, bits, kWarpKBits / bits},
                   {bits, false, bits, kWarpKBits / bits},
                   32,
                   features,
                   32,
                   llvmIntrinsic};
  row.packsLhs = true;
  return row;
}

static constexpr KernelRow grouped() {
  KernelRow row = warp("grouped_s8", 1, 1, 4, 8, "dp4a", "llvm.nvvm.idp4a.s.s");
  row.grouped.panelColumns = 8;
  row.grouped.takesZeroPoints = true;
  row.grouped.isOnHost = false;
  return row;
}

static constexpr KernelRow kRows[] = {
    warp("dp4a", 1, 1, 4, 8, "dp4a", "llvm.nvvm.idp4a.s.s"),
    warp("mma_m8n8k16_s8", 8, 8, 16, 8, "mma.m8n8k16.s8",
         "llvm.nvvm.mma.m8n8k16.row.col.s8"),
    warp("mma_m16n8k32_s8", 16, 8, 32, 8, "mma.m16n8k32.s8",
         "llvm.nvvm.mma.m16n8k32.row.col.s8"),
    warp("mma_m16n8k64_s4", 16, 8, 64, 4, "mma.m16n8k64.s4",
         "llvm.nvvm.mma.m16n8k64.row.col.s4"),
    // Its fragments on mma.sync, for few rows; PTX has no intrinsic of wgmma.
    warp("wgmma_s8", 16, 8, 32, 8, "wgmma+mma.m16n8k32.s8",
         "llvm.nvvm.mma.m16n8k32.row.col.s8"),
    grouped(),
};

/// Best first.
static constexpr NVVMKernel kPlain[] = {
    NVVMKernel::WGMMA_S8, NVVMKernel::MMA_M16N8K32_S8,
    NVVMKernel::MMA_M8N8K16_S8, NVVMKernel::MMA_M16N8K64_S4, NVVMKernel::DP4A};

ArrayRef<KernelRow> nvvm::getRows() { return kRows; }

const KernelRow &nvvm::getRow(NVVMKernel kernel) {
  return kRows[static_cast<unsigned>(kernel)];
}

//===----------------------------------------------------------------------===//
// The interface
//===----------------------------------------------------------------------===//

const KernelRow &NVVMKernelAttr::getRow() const {
  return nvvm::getRow(getValue());
}

std::string NVVMKernelAttr::whyNot(const MatmulFacts &matmul,
                                   TargetAttr target) const {
  std::string why = explainKernel(getRow(), matmul, target);
  if (!why.empty() || matmul.groups == 0)
    return why;
  if (matmul.hasOffset)
    return "its weight has an offset";
  if (matmul.hasLhsScales)
    return "its activations have scales for blocks";
  int64_t mostSummed =
      std::numeric_limits<int32_t>::max() / matmul.largestProduct;
  if (matmul.group > mostSummed)
    return "groups of more than " + std::to_string(mostSummed) + " elements";
  // Sums of one row wait in 48 KiB of shared memory: 8 columns, and the
  // activations themselves.
  constexpr int64_t mostGroups = 48 * 1024 / (9 * sizeof(int32_t)) - 1;
  if (matmul.groups > mostGroups)
    return "more than " + std::to_string(mostGroups) + " groups";
  return {};
}

RegisterTile NVVMKernelAttr::chooseTile(int64_t m, int64_t n,
                                        bool nibbles) const {
  // A warp's tile is its kernel's choice; packing only interleaves 8 columns.
  return {1, 8};
}

LogicalResult NVVMKernelAttr::emit(RewriterBase &b, Operation *op,
                                   KernelFunctions &functions) const {
  return op->emitError("expected operands packed for an instruction of a CPU, "
                       "found some for ")
         << getRow().name << ", which convert-quant-to-nvvm emits";
}

//===----------------------------------------------------------------------===//
// Choice
//===----------------------------------------------------------------------===//

namespace {

class NVVMKernels : public TargetKernels {
public:
  StringRef getArch() const override { return kArch; }
  /// The host's, which is not known.
  VectorFile getVectors(TargetAttr) const override { return {}; }
  MatmulKernelInterface choose(const MatmulFacts &matmul, TargetAttr target,
                               std::string &why) const override;
  MatmulKernelInterface find(MLIRContext *context,
                             StringRef name) const override {
    std::optional<NVVMKernel> kernel = nvvm::symbolizeNVVMKernel(name);
    return kernel ? NVVMKernelAttr::get(context, *kernel)
                  : MatmulKernelInterface();
  }
};

} // namespace

MatmulKernelInterface NVVMKernels::choose(const MatmulFacts &matmul,
                                          TargetAttr target,
                                          std::string &why) const {
  ArrayRef<NVVMKernel> candidates = kPlain;
  constexpr NVVMKernel ofGroups = NVVMKernel::GROUPED_S8;
  if (matmul.group != 0)
    candidates = ofGroups;
  for (NVVMKernel candidate : candidates) {
    auto kernel = NVVMKernelAttr::get(target.getContext(), candidate);
    why = kernel.whyNot(matmul, target);
    if (why.empty())
      return kernel;
  }
  return {};
}

void quantmlir::registerNVVMKernels(DialectRegistry &registry) {
  // TableGen's dispatch of one dialect's attributes: the dialect has its own.
  (void)&generatedAttributeParser;
  (void)&generatedAttributePrinter;
  verifyRows<NVVMKernel>(kRows, nvvm::getMaxEnumValForNVVMKernel());
  addTarget<NVVMKernelAttr, NVVMKernels>(registry);
}
