//===- QuantToNVVM.cpp - quant.packed_matmul to kernels and launches ------===//
//
// The host side: operands go to the GPU, the kernel for the number of rows is
// launched, the result comes back. Equal kernels are made once.
//
//===----------------------------------------------------------------------===//

#include "HostCalls.h"
#include "Kernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "quant/Target/NVVM/Passes.h"
#include "llvm/ADT/StringMap.h"

namespace quantmlir {
#define GEN_PASS_DEF_CONVERTQUANTTONVVMPASS
#include "quant/Target/NVVM/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::nvvm;

static constexpr llvm::StringLiteral kKernelsName = "quant_kernels";
static constexpr llvm::StringLiteral kSharedName = "quant_shared";
/// Blocks and threads of rows: the largest grid in y.
static constexpr int64_t kMaxGridY = 65535;

namespace {

/// A kernel and how it is launched.
struct Launch {
  gpu::GPUFuncOp kernel;
  int64_t blockM, blockN;
  int64_t threads, sharedBytes;
};

/// The kernels of a module, made on demand.
class Kernels {
public:
  explicit Kernels(ModuleOp module) : module(module) {}

  Launch getGemm(const Problem &problem, const Schedule &schedule);
  Launch getGemv(const Problem &problem);

private:
  /// Notes on the kernel how it is launched, for programs that launch it
  /// themselves: rows and columns of a block, threads, bytes of shared memory.
  static Launch describe(Launch launch);
  using EmitBody =
      function_ref<void(KernelBuilder &, gpu::GPUFuncOp, Value shared)>;
  gpu::GPUFuncOp get(StringRef name, const Problem &problem, int64_t threads,
                     StringRef schedule, EmitBody body);
  gpu::GPUModuleOp getModule();

  ModuleOp module;
  gpu::GPUModuleOp kernels;
  llvm::StringMap<gpu::GPUFuncOp> made;
};

} // namespace

gpu::GPUModuleOp Kernels::getModule() {
  if (kernels)
    return kernels;
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  module->setAttr(gpu::GPUDialect::getContainerModuleAttrName(),
                  b.getUnitAttr());
  kernels = gpu::GPUModuleOp::create(b, module.getLoc(), kKernelsName);
  b.setInsertionPointToStart(kernels.getBody());
  auto bytes = LLVM::LLVMArrayType::get(b.getI8Type(), 0);
  LLVM::GlobalOp::create(b, module.getLoc(), bytes, /*isConstant=*/false,
                         LLVM::Linkage::External, kSharedName, Attribute(),
                         /*alignment=*/16,
                         static_cast<unsigned>(Space::Shared));
  return kernels;
}

/// What of the op a kernel's code depends on.
static std::string getSignature(const Problem &problem) {
  std::string text;
  llvm::raw_string_ostream os(text);
  PackedMatmulOp op = problem.op;
  os << op->getAttrDictionary();
  for (Value operand : op->getOperands())
    os << " " << operand.getType();
  return text;
}

gpu::GPUFuncOp Kernels::get(StringRef name, const Problem &problem,
                            int64_t threads, StringRef schedule,
                            EmitBody body) {
  std::string key = (name + schedule + getSignature(problem)).str();
  gpu::GPUFuncOp &func = made[key];
  if (func)
    return func;
  OpBuilder b = OpBuilder::atBlockEnd(getModule().getBody());
  Location loc = problem.op.getLoc();
  SmallVector<Type> arguments(kNumArguments, b.getI64Type());
  arguments[kM] = b.getI32Type();
  std::string symbol = (name + "_" + Twine(made.size() - 1)).str();
  func =
      gpu::GPUFuncOp::create(b, loc, symbol, b.getFunctionType(arguments, {}));
  func->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
  func.setKnownBlockSizeAttr(
      b.getDenseI32ArrayAttr({static_cast<int32_t>(threads), 1, 1}));
  b.setInsertionPointToStart(&func.getBody().front());
  KernelBuilder k(b, loc);
  auto pointer = LLVM::LLVMPointerType::get(
      b.getContext(), static_cast<unsigned>(Space::Shared));
  Value shared = LLVM::AddressOfOp::create(b, loc, pointer, kSharedName);
  body(k, func, shared);
  gpu::ReturnOp::create(b, loc);
  return func;
}

Launch Kernels::describe(Launch launch) {
  launch.kernel->setAttr(
      "quant.launch",
      DenseI64ArrayAttr::get(
          launch.kernel.getContext(),
          {launch.blockM, launch.blockN, launch.threads, launch.sharedBytes}));
  return launch;
}

Launch Kernels::getGemm(const Problem &problem, const Schedule &schedule) {
  std::string shape;
  llvm::raw_string_ostream(shape) << schedule.blockM << "x" << schedule.blockN;
  gpu::GPUFuncOp kernel =
      get("gemm", problem, schedule.threads(), shape,
          [&](KernelBuilder &k, gpu::GPUFuncOp func, Value shared) {
            emitGemmKernel(k, func, problem, schedule, shared);
          });
  return describe({kernel, schedule.blockM, schedule.blockN, schedule.threads(),
                   schedule.sharedBytes()});
}

Launch Kernels::getGemv(const Problem &problem) {
  constexpr int64_t threads = kGemvWarps * 32;
  gpu::GPUFuncOp kernel =
      get("gemv", problem, threads, "",
          [&](KernelBuilder &k, gpu::GPUFuncOp func, Value shared) {
            emitGemvKernel(k, func, problem, shared);
          });
  int64_t sums = kGemvWarps * kGemvRows * Problem::panelColumns;
  return describe({kernel, kGemvRows, Problem::panelColumns, threads,
                   sums * static_cast<int64_t>(sizeof(int32_t))});
}

/// Launches `launch` for `rows` (index) rows.
static void emitLaunch(OpBuilder &b, Location loc, const Launch &launch,
                       const Problem &problem, Value rows,
                       ArrayRef<Value> arguments) {
  auto index = [&](int64_t v) -> Value {
    return arith::ConstantIndexOp::create(b, loc, v);
  };
  int64_t columns = problem.panels * Problem::panelColumns;
  gpu::KernelDim3 grid = {
      index(llvm::divideCeil(columns, launch.blockN)),
      arith::CeilDivUIOp::create(b, loc, rows, index(launch.blockM)), index(1)};
  gpu::KernelDim3 block = {index(launch.threads), index(1), index(1)};
  Value shared = arith::ConstantOp::create(
      b, loc, b.getI32IntegerAttr(launch.sharedBytes));
  gpu::LaunchFuncOp::create(b, loc, launch.kernel, grid, block, shared,
                            arguments);
}

/// Launches the kernel that suits the number of rows, which may be known only
/// now.
static void emitLaunches(OpBuilder &b, Location loc, Kernels &kernels,
                         const Problem &problem, qtarget::TargetAttr target,
                         Value rows, ArrayRef<Value> arguments) {
  int64_t known = memrefType(problem.op.getInit()).getDimSize(0);
  auto launchGemv = [&](OpBuilder &b, Location loc) {
    emitLaunch(b, loc, kernels.getGemv(problem), problem, rows, arguments);
  };
  auto launchGemm = [&](OpBuilder &b, Location loc, int64_t upTo) {
    Launch launch =
        kernels.getGemm(problem, chooseSchedule(problem, target, upTo));
    emitLaunch(b, loc, launch, problem, rows, arguments);
  };
  if (!ShapedType::isDynamic(known)) {
    if (known <= kGemvRows)
      launchGemv(b, loc);
    else
      launchGemm(b, loc, known);
    return;
  }
  auto fits = [&](OpBuilder &b, int64_t limit) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule, rows,
                                 arith::ConstantIndexOp::create(b, loc, limit));
  };
  constexpr int64_t smallRows = 32;
  auto yield = [](OpBuilder &b, Location loc) { scf::YieldOp::create(b, loc); };
  scf::IfOp::create(
      b, loc, fits(b, kGemvRows),
      [&](OpBuilder &b, Location loc) {
        launchGemv(b, loc);
        yield(b, loc);
      },
      [&](OpBuilder &b, Location loc) {
        scf::IfOp::create(
            b, loc, fits(b, smallRows),
            [&](OpBuilder &b, Location loc) {
              launchGemm(b, loc, smallRows);
              yield(b, loc);
            },
            [&](OpBuilder &b, Location loc) {
              launchGemm(b, loc, ShapedType::kDynamic);
              yield(b, loc);
            });
        yield(b, loc);
      });
}

static LogicalResult verifyShape(PackedMatmulOp op) {
  if (!isa<MemRefType>(op.getInit().getType()))
    return op.emitError("expected memrefs, found tensors; bufferize first");
  if (memrefType(op.getInit()).isDynamicDim(1) ||
      !memrefType(op.getRhs()).hasStaticShape())
    return op.emitError("expected static N and K for a GPU kernel, found ")
           << op.getRhs().getType() << " and " << op.getInit().getType();
  return success();
}

static LogicalResult convert(RewriterBase &b, PackedMatmulOp op,
                             Kernels &kernels, qtarget::TargetAttr target) {
  if (failed(verifyShape(op)))
    return failure();
  Location loc = op.getLoc();
  b.setInsertionPoint(op);
  Problem problem(op);
  HostCalls host(b, loc, op->getParentOfType<ModuleOp>());
  Value rows = memref::DimOp::create(b, loc, op.getInit(), 0);
  SmallVector<Value> arguments(kNumArguments);
  arguments[kM] = arith::IndexCastOp::create(b, loc, b.getI32Type(), rows);
  const std::pair<unsigned, Value> inputs[] = {
      {kLhs, op.getLhs()},
      {kRhs, op.getRhs()},
      {kColBias, op.getColBias()},
      {kRowFactors, op.getRowFactors()},
      {kColFactors, op.getColFactors()},
      {kRowScale, op.getRowScale()},
      {kChannelScale, op.getChannelScale()},
      {kBias, op.getBias()}};
  for (auto [argument, value] : inputs)
    arguments[argument] = host.toDevice(value);
  arguments[kResult] = host.allocateLike(op.getInit());
  // Nothing to launch for no rows.
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value any =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, rows, zero);
  scf::IfOp::create(b, loc, any, [&](OpBuilder &b, Location loc) {
    emitLaunches(b, loc, kernels, problem, target, rows, arguments);
    scf::YieldOp::create(b, loc);
  });
  host.fromDevice(arguments[kResult], op.getInit());
  host.release();
  b.eraseOp(op);
  return success();
}

/// The runtime's functions are declared under their own names.
static LogicalResult verifyNames(ModuleOp module) {
  for (auto symbol : module.getOps<SymbolOpInterface>())
    if (symbol.getName().starts_with("quantGpu") &&
        !isa<LLVM::LLVMFuncOp>(symbol.getOperation()))
      return symbol->emitError("expected no function named `")
             << symbol.getName()
             << "`: names that begin with quantGpu are the runtime's";
  return success();
}

/// Upstream would call libdevice for it; PTX has the instruction.
static void useRoundInstruction(RewriterBase &b, ModuleOp module) {
  SmallVector<math::RoundEvenOp> ops;
  for (auto kernels : module.getOps<gpu::GPUModuleOp>())
    kernels.walk([&](math::RoundEvenOp op) { ops.push_back(op); });
  for (math::RoundEvenOp op : ops) {
    b.setInsertionPoint(op);
    b.replaceOpWithNewOp<LLVM::CallIntrinsicOp>(
        op, op.getType(), b.getStringAttr("llvm.roundeven"), op.getOperand());
  }
}

namespace {

struct ConvertQuantToNVVMPass
    : quantmlir::impl::ConvertQuantToNVVMPassBase<ConvertQuantToNVVMPass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto target = qtarget::TargetAttr::lookup(module);
    SmallVector<PackedMatmulOp> ops;
    module->walk([&](PackedMatmulOp op) { ops.push_back(op); });
    if (!ops.empty() && !target) {
      emitError(module.getLoc())
          << "expected the module to have the attribute `"
          << qtarget::TargetAttr::kModuleAttrName
          << "`; run quant-set-nvvm-target first";
      return signalPassFailure();
    }
    if (failed(verifyNames(module)))
      return signalPassFailure();
    Kernels kernels(module);
    IRRewriter rewriter(&getContext());
    for (PackedMatmulOp op : ops)
      if (failed(convert(rewriter, op, kernels, target)))
        return signalPassFailure();
    useRoundInstruction(rewriter, module);
    module->removeAttr(qtarget::TargetAttr::kModuleAttrName);
  }
};

} // namespace
