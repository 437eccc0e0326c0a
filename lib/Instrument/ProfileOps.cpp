//===- ProfileOps.cpp - how long each op takes ----------------------------===//
//
// `quant-profile-ops`. On memory every op is a piece of work of its own, in the
// order in which it runs, and kernels are not loops yet.
//
//===----------------------------------------------------------------------===//

#include "quant/Instrument/ProfileOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include "quant/Import/Contraction/NamedMatmuls.h"
#include "quant/Import/MatmulNames.h"
#include "quant/Instrument/Passes.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTPROFILEOPSPASS
#include "quant/Instrument/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

static StringRef getLinalgKind(linalg::LinalgOp op) {
  bool isFloat = isa<FloatType>(
      getElementTypeOrSelf(op.getDpsInitOperand(0)->get().getType()));
  if (linalg::isaContractionOpInterface(op))
    return isFloat ? "float product" : "integer product";
  if (linalg::isaConvolutionOpInterface(op))
    return isFloat ? "float convolution" : "integer convolution";
  if (isa<linalg::FillOp>(op))
    return "fill";
  if (isa<linalg::CopyOp, linalg::TransposeOp>(op))
    return "copy";
  return op.getNumReductionLoops() ? "reduction" : "elementwise";
}

/// Whether these are tiles of quant-fuse-attention.
static bool isAttention(Operation *op) {
  unsigned products = 0;
  if (isa<scf::ForallOp>(op))
    op->walk([&](linalg::LinalgOp inner) {
      products += linalg::isaContractionOpInterface(inner);
    });
  return products > 1;
}

/// What sort of work `op` is; empty for what takes no time worth mentioning.
static StringRef getKind(Operation *op) {
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return getLinalgKind(linalgOp);
  if (isa<memref::CopyOp>(op))
    return "copy";
  StringRef name = op->getName().getStringRef();
  if (name.consume_front("quant.") || name.consume_front("qtarget.") ||
      name.consume_front("mpi."))
    return name;
  if (isAttention(op))
    return "attention";
  return isa<LoopLikeOpInterface>(op) ? "loop" : "";
}

static std::string describe(Operation *op, StringRef kind) {
  std::string text;
  llvm::raw_string_ostream os(text);
  auto name = op->getAttrOfType<StringAttr>(kMatmulNameAttr);
  os << kind << "\n" << (name ? name.getValue() : "") << "\n";
  llvm::ListSeparator comma;
  for (Type type : op->getOperandTypes())
    if (auto memref = dyn_cast<MemRefType>(type)) {
      os << comma;
      for (int64_t size : memref.getShape())
        (ShapedType::isDynamic(size) ? os << "?" : os << size) << "x";
      os << memref.getElementType();
    }
  os << "\n" << printLocation(op->getLoc()) << '\0';
  return text;
}

namespace {
struct QuantProfileOpsPass
    : quantmlir::impl::QuantProfileOpsPassBase<QuantProfileOpsPass> {
  using Base::Base;

  void runOnOperation() override;

private:
  /// Whether anything in `block` is timed now.
  bool profile(Block &block);
  bool profileInside(Operation *op);
  void time(Operation *op, StringRef kind);

  LLVM::LLVMFuncOp begin, end;
  unsigned number = 0;
};
} // namespace

void QuantProfileOpsPass::time(Operation *op, StringRef kind) {
  ModuleOp module = getOperation();
  std::string text = describe(op, kind);
  OpBuilder b(module.getBodyRegion());
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), text.size());
  auto global = LLVM::GlobalOp::create(
      b, op->getLoc(), type, /*isConstant=*/true, LLVM::Linkage::Internal,
      ("quant_profile_" + Twine(number++)).str(), b.getStringAttr(text));
  b.setInsertionPoint(op);
  LLVM::CallOp::create(b, op->getLoc(), begin, ValueRange());
  b.setInsertionPointAfter(op);
  Value address = LLVM::AddressOfOp::create(b, op->getLoc(), global);
  LLVM::CallOp::create(b, op->getLoc(), end, address);
  ++numTimed;
}

/// Loops that run their body in order are timed by what is in them.
bool QuantProfileOpsPass::profileInside(Operation *op) {
  if (!isa<scf::ForOp, scf::WhileOp, scf::IfOp>(op))
    return false;
  bool any = false;
  for (Region &region : op->getRegions())
    for (Block &block : region)
      any |= profile(block);
  return any;
}

bool QuantProfileOpsPass::profile(Block &block) {
  bool any = false;
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (profileInside(&op)) {
      any = true;
      continue;
    }
    StringRef kind = getKind(&op);
    if (kind.empty())
      continue;
    time(&op, kind);
    any = true;
  }
  return any;
}

void QuantProfileOpsPass::runOnOperation() {
  ModuleOp module = getOperation();
  OpBuilder b(module.getBodyRegion());
  auto none = LLVM::LLVMVoidType::get(&getContext());
  auto pointer = LLVM::LLVMPointerType::get(&getContext());
  auto functions = llvm::to_vector(module.getOps<func::FuncOp>());
  begin = LLVM::LLVMFuncOp::create(b, module.getLoc(), kProfileBegin,
                                   LLVM::LLVMFunctionType::get(none, {}));
  end = LLVM::LLVMFuncOp::create(b, module.getLoc(), kProfileEnd,
                                 LLVM::LLVMFunctionType::get(none, pointer));
  for (func::FuncOp function : functions)
    for (Block &block : function.getBody())
      profile(block);
}
