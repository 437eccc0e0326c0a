//===- QuantToNVVM.cpp - qtarget.packed_matmul to kernels and launches
//------===//
//
// The host side: operands go to the GPU, the kernel for the number of rows is
// launched, the result comes back. Equal kernels are made once.
//
//===----------------------------------------------------------------------===//

#include "ChooseSchedule.h"
#include "Kernels.h"
#include "ScaledMmaKernel.h"
#include "quant/Target/GPU/DeviceBuffers.h"
#include "quant/Target/GPU/GemvKernel.h"
#include "quant/Target/GPU/HostCalls.h"
#include "quant/Target/GPU/QuantizeRowsKernel.h"
#include "quant/Target/GPU/ScaledShape.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "quant/Target/NVVM/NVVMKernels.h"
#include "quant/Target/NVVM/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

namespace quantmlir {
#define GEN_PASS_DEF_CONVERTQUANTTONVVMPASS
#include "quant/Target/NVVM/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::nvvm;

/// Launches `launch` on a grid of `x` times `y` blocks (index), times the
/// blocks that share out K.
static void emitLaunch(OpBuilder &b, Location loc, const Launch &launch,
                       Value x, Value y, ArrayRef<Value> arguments) {
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  gpu::KernelDim3 grid = {
      x, y, arith::ConstantIndexOp::create(b, loc, launch.splits)};
  gpu::KernelDim3 block = {
      arith::ConstantIndexOp::create(b, loc, launch.threads), one, one};
  Value shared = arith::ConstantOp::create(
      b, loc, b.getI32IntegerAttr(launch.sharedBytes));
  gpu::LaunchFuncOp::create(b, loc, launch.kernel, grid, block, shared,
                            arguments);
}

/// Launches `launch` for `rows` (index) rows of a matmul.
static void emitLaunch(OpBuilder &b, Location loc, const Launch &launch,
                       int64_t panels, Value rows, ArrayRef<Value> arguments) {
  auto index = [&](int64_t v) -> Value {
    return arith::ConstantIndexOp::create(b, loc, v);
  };
  int64_t columns = panels * Problem::panelColumns;
  Value x = index(llvm::divideCeil(columns, launch.blockN));
  Value y = arith::CeilDivUIOp::create(b, loc, rows, index(launch.blockM));
  emitLaunch(b, loc, launch, x, y, arguments);
}

/// Where M is not known, kernels are made for up to so many rows, and for more.
static constexpr int64_t kRowLimits[] = {32, 128};

/// Calls `launch` for the first of `limits` that is not below `rows`, or for no
/// limit (ShapedType::kDynamic), each in its branch of the program.
static void
emitChoice(OpBuilder &b, Location loc, Value rows, ArrayRef<int64_t> limits,
           function_ref<void(OpBuilder &, Location, int64_t)> launch) {
  if (limits.empty())
    return launch(b, loc, ShapedType::kDynamic);
  Value limit = arith::ConstantIndexOp::create(b, loc, limits.front());
  Value fits =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule, rows, limit);
  scf::IfOp::create(
      b, loc, fits,
      [&](OpBuilder &b, Location loc) {
        launch(b, loc, limits.front());
        scf::YieldOp::create(b, loc);
      },
      [&](OpBuilder &b, Location loc) {
        emitChoice(b, loc, rows, limits.drop_front(), launch);
        scf::YieldOp::create(b, loc);
      });
}

/// Launches a kernel for few rows or a tiled one for at most so many, whichever
/// suits the number of rows of `init`, which may be known only now.
static void
emitForRows(OpBuilder &b, Location loc, Value init, Value rows,
            function_ref<void(OpBuilder &, Location)> launchFew,
            function_ref<void(OpBuilder &, Location, int64_t)> launchTiles) {
  auto launch = [&](OpBuilder &b, Location loc, int64_t upTo) {
    if (upTo <= kGemvRows && !ShapedType::isDynamic(upTo))
      launchFew(b, loc);
    else
      launchTiles(b, loc, upTo);
  };
  int64_t known = memrefType(init).getDimSize(0);
  if (!ShapedType::isDynamic(known))
    return launch(b, loc, known);
  emitChoice(b, loc, rows, {kGemvRows, kRowLimits[0], kRowLimits[1]}, launch);
}

static void emitLaunches(OpBuilder &b, Location loc, Kernels &kernels,
                         const Problem &problem, qtarget::TargetAttr target,
                         Value rows, ArrayRef<Value> arguments) {
  auto launchGemv = [&](OpBuilder &b, Location loc) {
    emitLaunch(b, loc, kernels.getGemv(problem), problem.panels, rows,
               arguments);
  };
  auto launchGemm = [&](OpBuilder &b, Location loc, int64_t upTo) {
    Launch launch =
        kernels.getGemm(problem, chooseSchedule(problem, target, upTo));
    SmallVector<Value> all(arguments);
    if (launch.splits > 1) {
      // The number of rows is known, or at most `upTo`.
      int64_t tiles = llvm::divideCeil(upTo, launch.blockM) *
                      llvm::divideCeil(problem.n, launch.blockN);
      HostCalls host(b, loc, kernels.getProgram(), /*resident=*/nullptr);
      all[kWorkspace] = host.workspace(tiles * launch.workspaceBytes);
    }
    emitLaunch(b, loc, launch, problem.panels, rows, all);
  };
  emitForRows(b, loc, problem.op.getInit(), rows, launchGemv, launchGemm);
}

static void emitLaunches(OpBuilder &b, Location loc, Kernels &kernels,
                         qtarget::PackedMatmulOp op, qtarget::TargetAttr target,
                         Value rows, ArrayRef<Value> arguments) {
  ScaledShape shape(op);
  auto launchFew = [&](OpBuilder &b, Location loc) {
    emitLaunch(b, loc, kernels.getScaledGemv(op), shape.panels, rows,
               arguments);
  };
  const qtarget::KernelRow *row = getScaledMmaRow(target);
  if (!row || !shape.suitsMma())
    return launchFew(b, loc);
  emitForRows(b, loc, op.getInit(), rows, launchFew,
              [&](OpBuilder &b, Location loc, int64_t upTo) {
                Schedule schedule = chooseScaledSchedule(shape, target, upTo);
                emitLaunch(b, loc, kernels.getScaledMma(op, *row, schedule),
                           shape.panels, rows, arguments);
              });
}

static LogicalResult verifyShape(qtarget::PackedMatmulOp op,
                                 qtarget::TargetAttr target) {
  if (!isa<MemRefType>(op.getInit().getType()))
    return op.emitError("expected memrefs, found tensors; bufferize first");
  if (!isa<qtarget::NVVMKernelAttr>(op.getKernel()) ||
      !op.getKernel().isLegalOn(target))
    return op.emitError("expected operands packed for an instruction of ")
           << target.getCpu() << ", found some for "
           << op.getKernel().getRow().name;
  if (memrefType(op.getInit()).isDynamicDim(1) ||
      !memrefType(op.getRhs()).hasStaticShape())
    return op.emitError("expected static N and K for a GPU kernel, found ")
           << op.getRhs().getType() << " and " << op.getInit().getType();
  return success();
}

/// Number of rows of `memref`, without a use of it where it is an allocation.
static Value getRows(OpBuilder &b, Location loc, Value memref) {
  return b.createOrFold<memref::DimOp>(loc, memref, 0);
}

/// Nothing is launched for no rows.
static void ifAny(OpBuilder &b, Location loc, Value rows,
                  function_ref<void(OpBuilder &, Location)> body) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value any =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, rows, zero);
  scf::IfOp::create(b, loc, any, [&](OpBuilder &b, Location loc) {
    body(b, loc);
    scf::YieldOp::create(b, loc);
  });
}

static LogicalResult convertPlain(RewriterBase &b, qtarget::PackedMatmulOp op,
                                  Kernels &kernels, qtarget::TargetAttr target,
                                  HostCalls &host) {
  if (failed(verifyShape(op, target)))
    return failure();
  Location loc = op.getLoc();
  Problem problem(op);
  Value rows = getRows(b, loc, op.getInit());
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
      {kBias, op.getBias()},
      {kResidual, op.getResidual()},
      {kMultiplier, op.getMultiplier()},
      {kShift, op.getShift()}};
  for (auto [argument, value] : inputs)
    arguments[argument] = host.toDevice(value);
  arguments[kResult] = host.allocateLike(op.getInit());
  arguments[kWorkspace] = host.toDevice(Value());
  ifAny(b, loc, rows, [&](OpBuilder &b, Location loc) {
    emitLaunches(b, loc, kernels, problem, target, rows, arguments);
  });
  host.fromDevice(arguments[kResult], op.getInit());
  host.release();
  b.eraseOp(op);
  return success();
}

static LogicalResult convertGroups(RewriterBase &b, qtarget::PackedMatmulOp op,
                                   Kernels &kernels, qtarget::TargetAttr target,
                                   HostCalls &host) {
  if (failed(verifyShape(op, target)))
    return failure();
  Location loc = op.getLoc();
  Value rows = getRows(b, loc, op.getInit());
  SmallVector<Value> arguments(kNumScaledArguments);
  arguments[kM] = arith::IndexCastOp::create(b, loc, b.getI32Type(), rows);
  arguments[kScaledLhs] = host.toDevice(op.getLhs());
  arguments[kScaledRhs] = host.toDevice(op.getRhs());
  arguments[kGroupScale] = host.toDevice(op.getRhsScale());
  arguments[kScaledRowScale] = host.toDevice(op.getRowScale());
  arguments[kScaledBias] = host.toDevice(op.getBias());
  arguments[kGroupZeroPoint] = host.toDevice(op.getRhsZeroPoint());
  arguments[kRowZeroPoint] = host.toDevice(op.getLhsZeroPoint());
  arguments[kGroupSums] = host.toDevice(op.getRhsSums());
  arguments[kScaledResult] = host.allocateLike(op.getInit());
  ifAny(b, loc, rows, [&](OpBuilder &b, Location loc) {
    emitLaunches(b, loc, kernels, op, target, rows, arguments);
  });
  host.fromDevice(arguments[kScaledResult], op.getInit());
  host.release();
  b.eraseOp(op);
  return success();
}

static LogicalResult convert(RewriterBase &b, QuantizeRowsOp op,
                             Kernels &kernels, HostCalls &host) {
  Location loc = op.getLoc();
  if (!isa<MemRefType>(op.getInput().getType()))
    return op.emitError("expected memrefs, found tensors; bufferize first");
  if (op.isPlain())
    return op.emitError("expected rows in tiles for a GPU kernel, found ")
           << op.getPacked().getType();
  Value rows = getRows(b, loc, op.getInput());
  SmallVector<Value> arguments(kNumQuantizeArguments);
  arguments[kM] = arith::IndexCastOp::create(b, loc, b.getI32Type(), rows);
  arguments[kInput] = host.toDevice(op.getInput());
  arguments[kPacked] = host.allocateLike(op.getPacked());
  arguments[kScale] = host.allocateLike(op.getScale());
  Launch launch = kernels.getQuantizeRows(op);
  ifAny(b, loc, rows, [&](OpBuilder &b, Location loc) {
    // Rows along x: y has at most 65535 blocks.
    emitLaunch(b, loc, launch, rows, arith::ConstantIndexOp::create(b, loc, 1),
               arguments);
  });
  host.fromDevice(arguments[kPacked], op.getPacked());
  host.fromDevice(arguments[kScale], op.getScale());
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
    SmallVector<Operation *> ops;
    module->walk([&](Operation *op) {
      if (becomesKernel(op))
        ops.push_back(op);
    });
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
    DeviceBuffers resident(rewriter, module);
    for (Operation *op : ops) {
      rewriter.setInsertionPoint(op);
      HostCalls host(rewriter, op->getLoc(), module, &resident);
      LogicalResult converted =
          llvm::TypeSwitch<Operation *, LogicalResult>(op)
              .Case([&](qtarget::PackedMatmulOp matmul) {
                auto convertForm =
                    matmul.isGrouped() ? convertGroups : convertPlain;
                return convertForm(rewriter, matmul, kernels, target, host);
              })
              .Case([&](QuantizeRowsOp quantize) {
                return convert(rewriter, quantize, kernels, host);
              });
      if (failed(converted))
        return signalPassFailure();
    }
    resident.eraseAllocations(rewriter);
    useRoundInstruction(rewriter, module);
    module->removeAttr(qtarget::TargetAttr::kModuleAttrName);
  }
};

} // namespace
