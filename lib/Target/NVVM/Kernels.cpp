//===- Kernels.cpp - the kernels of a module ------------------------------===//

#include "Kernels.h"

#include "NVVMInstructions.h"
#include "ScaledMmaKernel.h"
#include "WgmmaTile.h"
#include "quant/Dialect/Quant/Utils/DiscardableAttrs.h"
#include "quant/Target/GPU/Dot4Tile.h"
#include "quant/Target/GPU/GemmKernel.h"
#include "quant/Target/GPU/GemvKernel.h"
#include "quant/Target/GPU/QuantizeRowsKernel.h"
#include "quant/Target/GPU/ScaledGemvKernel.h"
#include "quant/Target/GPU/ScaledShape.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::nvvm;

static constexpr llvm::StringLiteral kKernelsName = "quant_kernels";
static constexpr llvm::StringLiteral kSharedName = "quant_shared";

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
                         // wgmma's swizzle is one of addresses.
                         /*alignment=*/1024,
                         static_cast<unsigned>(Space::Shared));
  return kernels;
}

/// What of `op` a kernel's code depends on.
static std::string getSignature(Operation *op) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << op->getAttrDictionary();
  for (Value operand : op->getOperands())
    os << " " << operand.getType();
  return text;
}

gpu::GPUFuncOp Kernels::get(StringRef name, Operation *op,
                            unsigned numAddresses, int64_t threads,
                            StringRef schedule, EmitBody body) {
  std::string key = (name + schedule + getSignature(op)).str();
  gpu::GPUFuncOp &func = made[key];
  if (func)
    return func;
  OpBuilder b = OpBuilder::atBlockEnd(getModule().getBody());
  Location loc = op->getLoc();
  SmallVector<Type> arguments(1 + numAddresses, b.getI64Type());
  arguments[kM] = b.getI32Type();
  std::string symbol = (name + "_" + Twine(made.size() - 1)).str();
  func =
      gpu::GPUFuncOp::create(b, loc, symbol, b.getFunctionType(arguments, {}));
  func->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
  func.setKnownBlockSizeAttr(
      b.getDenseI32ArrayAttr({static_cast<int32_t>(threads), 1, 1}));
  b.setInsertionPointToStart(&func.getBody().front());
  KernelBuilder k(b, loc, getInstructions());
  auto pointer = LLVM::LLVMPointerType::get(
      b.getContext(), static_cast<unsigned>(Space::Shared));
  Value shared = LLVM::AddressOfOp::create(b, loc, pointer, kSharedName);
  body(k, func, shared);
  gpu::ReturnOp::create(b, loc);
  return func;
}

Launch Kernels::describe(Launch launch) {
  launch.kernel->setAttr(
      kLaunchAttr, DenseI64ArrayAttr::get(
                       launch.kernel.getContext(),
                       {launch.blockM, launch.blockN, launch.threads,
                        launch.sharedBytes, launch.blocksPerMultiprocessor,
                        launch.splits, launch.workspaceBytes}));
  launch.kernel->setAttr(
      NVVM::NVVMDialect::getMinctasmAttrName(),
      OpBuilder(launch.kernel.getContext())
          .getI32IntegerAttr(launch.blocksPerMultiprocessor));
  return launch;
}

Launch Kernels::describe(gpu::GPUFuncOp kernel, const Schedule &schedule) {
  return describe({kernel, schedule.blockM, schedule.blockN, schedule.threads(),
                   schedule.sharedBytes(), schedule.blocksPerMultiprocessor,
                   schedule.splits, schedule.workspaceBytes()});
}

/// What of a schedule tells two kernels of one op apart.
static std::string getName(const Schedule &schedule) {
  std::string shape;
  llvm::raw_string_ostream(shape)
      << schedule.blockM << "x" << schedule.blockN << "/" << schedule.splits
      << (schedule.warpgroups ? "g" : "");
  return shape;
}

/// How one warp, or with wgmma four of them, multiplies a tile.
static std::unique_ptr<TileMultiply> createTile(KernelBuilder &k,
                                                const qtarget::KernelRow &row,
                                                const Schedule &schedule,
                                                Value thread) {
  // One row: an instruction of threads, not of a warp.
  if (row.m == 1)
    return std::make_unique<Dot4Tile>(k, schedule, thread);
  if (schedule.warpgroups)
    return std::make_unique<WgmmaTile>(k, row, schedule, thread);
  return std::make_unique<MmaTile>(k, row, schedule, thread);
}

Launch Kernels::getGemm(const Problem &problem, const Schedule &schedule) {
  gpu::GPUFuncOp kernel = get(
      "gemm", problem.op, kNumArguments - 1, schedule.threads(),
      getName(schedule),
      [&](KernelBuilder &k, gpu::GPUFuncOp func, Value shared) {
        emitGemmKernel(k, func, problem, schedule, shared, [&](Value thread) {
          return createTile(k, problem.row, schedule, thread);
        });
      });
  return describe(kernel, schedule);
}

Launch Kernels::getGemv(const Problem &problem) {
  constexpr int64_t threads = kGemvWarps * 32;
  gpu::GPUFuncOp kernel =
      get("gemv", problem.op, kNumArguments - 1, threads, "",
          [&](KernelBuilder &k, gpu::GPUFuncOp func, Value shared) {
            emitGemvKernel(k, func, problem, shared);
          });
  int64_t rows = getGemvRows(problem);
  int64_t sums = kGemvWarps * rows * Problem::panelColumns;
  return describe({kernel, rows, Problem::panelColumns, threads,
                   sums * static_cast<int64_t>(sizeof(int32_t)),
                   kGemvBlocksPerMultiprocessor});
}

Launch Kernels::getScaledGemv(qtarget::PackedMatmulOp op) {
  constexpr int64_t threads = kGemvWarps * 32;
  ScaledShape shape(op);
  gpu::GPUFuncOp kernel =
      get("scaled", op, kNumScaledArguments - 1, threads, "",
          [&](KernelBuilder &k, gpu::GPUFuncOp func, Value shared) {
            emitScaledGemvKernel(k, func, op, shared);
          });
  return describe({kernel, shape.rows, Problem::panelColumns, threads,
                   shape.sharedBytes(), shape.blocksPerMultiprocessor()});
}

Launch Kernels::getScaledMma(qtarget::PackedMatmulOp op,
                             const qtarget::KernelRow &row,
                             const Schedule &schedule) {
  gpu::GPUFuncOp kernel =
      get("scaled_mma", op, kNumScaledArguments - 1, schedule.threads(),
          getName(schedule),
          [&](KernelBuilder &k, gpu::GPUFuncOp func, Value shared) {
            emitScaledMmaKernel(k, func, op, row, schedule, shared);
          });
  return describe(kernel, schedule);
}

Launch Kernels::getQuantizeRows(QuantizeRowsOp op) {
  QuantizeRowsShape shape(op);
  gpu::GPUFuncOp kernel =
      get("quantize_rows", op, kNumQuantizeArguments - 1, shape.threads, "",
          [&](KernelBuilder &k, gpu::GPUFuncOp func, Value shared) {
            emitQuantizeRowsKernel(k, func, op, shared);
          });
  int64_t warps = shape.threads / 32;
  return describe({kernel, /*blockM=*/1, shape.paddedK, shape.threads,
                   warps * static_cast<int64_t>(sizeof(int32_t)),
                   kQuantizeThreadsPerMultiprocessor / shape.threads});
}
