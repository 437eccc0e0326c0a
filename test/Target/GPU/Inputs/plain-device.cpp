// Emits the kernels of Target/GPU for the packed matmuls and row quantizers of
// a program, for a device that has no instruction of its own: MLIR's dialects
// for all GPUs, nothing else. Prints a module of the kernels.
//
// plain-device PROGRAM
#include "quant/Dialect/Quant/IR/QuantizeRows.h"
#include "quant/Dialect/Quant/Utils/DiscardableAttrs.h"
#include "quant/InitAll.h"
#include "quant/Target/GPU/Dot4Tile.h"
#include "quant/Target/GPU/GemmKernel.h"
#include "quant/Target/GPU/GemvKernel.h"
#include "quant/Target/GPU/QuantizeRowsKernel.h"
#include "quant/Target/GPU/ScaledGemvKernel.h"
#include "quant/Target/GPU/ScaledShape.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::device;

namespace {
/// Dots by multiplications, copies by loads and stores.
class PlainInstructions final : public DeviceInstructions {
public:
  Value dot4(OpBuilder &b, Location loc, Value x, Value y,
             Value acc) const override {
    for (int64_t byte = 0; byte < 4; ++byte)
      acc = arith::AddIOp::create(
          b, loc, acc,
          arith::MulIOp::create(b, loc, getByte(b, loc, x, byte),
                                getByte(b, loc, y, byte)));
    return acc;
  }

  Value broadcastLane(OpBuilder &b, Location loc, Value value,
                      Value lane) const override {
    return shuffle(b, loc, value, lane, gpu::ShuffleMode::IDX);
  }

  Value exchangeLanes(OpBuilder &b, Location loc, Value value,
                      Value mask) const override {
    return shuffle(b, loc, value, mask, gpu::ShuffleMode::XOR);
  }

  void copyAsync(OpBuilder &b, Location loc, Value target, Value source,
                 int64_t bytes, Value size) const override {
    auto constant = [&](int32_t value) -> Value {
      return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
    };
    // A load may not touch what is past the end: byte by byte there.
    Value isWhole = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                          size, constant(bytes));
    auto copyWhole = [&](OpBuilder &b, Location loc) {
      auto type = VectorType::get({bytes}, b.getI8Type());
      Value data = LLVM::LoadOp::create(b, loc, type, source, bytes);
      LLVM::StoreOp::create(b, loc, data, target, bytes);
      scf::YieldOp::create(b, loc);
    };
    auto copyBytes = [&](OpBuilder &b, Location loc) {
      scf::ForOp::create(
          b, loc, constant(0), constant(bytes), constant(1), ValueRange(),
          [&](OpBuilder &b, Location loc, Value byte, ValueRange) {
            copyByte(b, loc, target, source, byte, size);
            scf::YieldOp::create(b, loc);
          });
      scf::YieldOp::create(b, loc);
    };
    scf::IfOp::create(b, loc, isWhole, copyWhole, copyBytes);
  }

  // Copies are over when they are begun; barriers are the kernels' own.
  void commitCopies(OpBuilder &, Location) const override {}
  void awaitCopies(OpBuilder &, Location, int64_t) const override {}
  void publishCopies(OpBuilder &, Location) const override {}

private:
  static void copyByte(OpBuilder &b, Location loc, Value target, Value source,
                       Value byte, Value size) {
    Type i8 = b.getI8Type();
    auto at = [&](Value pointer) -> Value {
      return LLVM::GEPOp::create(b, loc, pointer.getType(), i8, pointer,
                                 ArrayRef<LLVM::GEPArg>{byte});
    };
    Value isInside =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, byte, size);
    auto load = [&](OpBuilder &b, Location loc) {
      Value data = LLVM::LoadOp::create(b, loc, i8, at(source), 1);
      scf::YieldOp::create(b, loc, data);
    };
    auto zero = [&](OpBuilder &b, Location loc) {
      Value data = arith::ConstantOp::create(b, loc, b.getI8IntegerAttr(0));
      scf::YieldOp::create(b, loc, data);
    };
    auto data = scf::IfOp::create(b, loc, isInside, load, zero);
    LLVM::StoreOp::create(b, loc, data.getResult(0), at(target), 1);
  }

  static Value getByte(OpBuilder &b, Location loc, Value word, int64_t byte) {
    Value left =
        arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(24 - 8 * byte));
    Value right = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(24));
    Value top = arith::ShLIOp::create(b, loc, word, left);
    return arith::ShRSIOp::create(b, loc, top, right);
  }

  static Value shuffle(OpBuilder &b, Location loc, Value value, Value lane,
                       gpu::ShuffleMode mode) {
    Value width = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(32));
    return gpu::ShuffleOp::create(b, loc, value, lane, width, mode)
        .getShuffleResult();
  }
};

/// One module of kernels, each of which has the arguments of its kind.
class Emitter {
public:
  explicit Emitter(ModuleOp module)
      : b(OpBuilder::atBlockEnd(module.getBody())) {
    kernels = gpu::GPUModuleOp::create(b, module.getLoc(), "kernels");
    b.setInsertionPointToStart(kernels.getBody());
    LLVM::GlobalOp::create(
        b, module.getLoc(), LLVM::LLVMArrayType::get(b.getI8Type(), 1 << 14),
        /*isConstant=*/false, LLVM::Linkage::Internal, "shared", Attribute(),
        /*alignment=*/1024, static_cast<unsigned>(Space::Shared));
  }

  /// `launch`: as NVVM's kernels say theirs (rows and columns of a block,
  /// threads, bytes of shared memory; no more than one block of a
  /// multiprocessor, none that share out K, no workspace).
  void emit(StringRef name, Location loc, unsigned numAddresses,
            std::array<int64_t, 4> launch,
            function_ref<void(KernelBuilder &, gpu::GPUFuncOp, Value)> body) {
    b.setInsertionPointToEnd(kernels.getBody());
    SmallVector<Type> arguments(1 + numAddresses, b.getI64Type());
    arguments[kM] = b.getI32Type();
    auto func =
        gpu::GPUFuncOp::create(b, loc, name, b.getFunctionType(arguments, {}));
    func->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
    SmallVector<int64_t> numbers(ArrayRef<int64_t>{launch});
    numbers.append({1, 1, 0});
    func->setAttr(kLaunchAttr, b.getDenseI64ArrayAttr(numbers));
    b.setInsertionPointToStart(&func.getBody().front());
    KernelBuilder k(b, loc, instructions);
    auto pointer = LLVM::LLVMPointerType::get(
        b.getContext(), static_cast<unsigned>(Space::Shared));
    body(k, func, LLVM::AddressOfOp::create(b, loc, pointer, "shared"));
    gpu::ReturnOp::create(b, loc);
  }

private:
  OpBuilder b;
  gpu::GPUModuleOp kernels;
  PlainInstructions instructions;
};
} // namespace

static void emitGrouped(Emitter &emitter, StringRef name,
                        qtarget::PackedMatmulOp op) {
  ScaledShape shape(op);
  emitter.emit(
      name, op.getLoc(), kNumScaledArguments - 1,
      {shape.rows, Problem::panelColumns, kGemvWarps * 32, shape.sharedBytes()},
      [&](KernelBuilder &k, gpu::GPUFuncOp func, Value shared) {
        emitScaledGemvKernel(k, func, op, shared);
      });
}

static void emitGemv(Emitter &emitter, StringRef name,
                     qtarget::PackedMatmulOp op) {
  Problem problem(op);
  int64_t rows = getGemvRows(problem);
  emitter.emit(name, op.getLoc(), kNumArguments - 1,
               {rows, Problem::panelColumns, kGemvWarps * 32,
                kGemvWarps * rows * Problem::panelColumns * 4},
               [&](KernelBuilder &k, gpu::GPUFuncOp func, Value shared) {
                 emitGemvKernel(k, func, problem, shared);
               });
}

static void emitGemm(Emitter &emitter, StringRef name,
                     qtarget::PackedMatmulOp op) {
  Problem problem(op);
  Schedule schedule{/*blockM=*/32,
                    /*blockN=*/64,
                    /*warpsM=*/1,
                    /*warpsN=*/2,
                    /*stages=*/2,
                    /*asyncCopies=*/true,
                    /*blocksPerMultiprocessor=*/1};
  emitter.emit(name, op.getLoc(), kNumArguments - 1,
               {schedule.blockM, schedule.blockN, schedule.threads(),
                schedule.sharedBytes()},
               [&](KernelBuilder &k, gpu::GPUFuncOp func, Value shared) {
                 emitGemmKernel(
                     k, func, problem, schedule, shared, [&](Value thread) {
                       return std::make_unique<Dot4Tile>(k, schedule, thread);
                     });
               });
}

static void emitMatmul(Emitter &emitter, StringRef name,
                       qtarget::PackedMatmulOp op) {
  if (op.isGrouped())
    return emitGrouped(emitter, name, op);
  if (memrefType(op.getInit()).getDimSize(0) <= kGemvRows)
    return emitGemv(emitter, name, op);
  emitGemm(emitter, name, op);
}

static void emitQuantize(Emitter &emitter, StringRef name, QuantizeRowsOp op) {
  QuantizeRowsShape shape(op);
  emitter.emit(name, op.getLoc(), kNumQuantizeArguments - 1,
               {1, shape.paddedK, shape.threads, shape.threads / 32 * 4},
               [&](KernelBuilder &k, gpu::GPUFuncOp func, Value shared) {
                 emitQuantizeRowsKernel(k, func, op, shared);
               });
}

int main(int argc, char **argv) {
  DialectRegistry registry;
  quantmlir::registerAllDialects(registry);
  MLIRContext context(registry);
  context
      .loadDialect<arith::ArithDialect, func::FuncDialect, gpu::GPUDialect,
                   LLVM::LLVMDialect, math::MathDialect, memref::MemRefDialect,
                   scf::SCFDialect, vector::VectorDialect>();
  OwningOpRef<ModuleOp> program =
      argc == 2 ? parseSourceFile<ModuleOp>(argv[1], &context)
                : OwningOpRef<ModuleOp>();
  if (!program)
    return 1;
  OwningOpRef<ModuleOp> made = ModuleOp::create(program->getLoc());
  Emitter emitter(*made);
  program->walk([&](func::FuncOp func) {
    func.walk([&](qtarget::PackedMatmulOp op) {
      emitMatmul(emitter, func.getName(), op);
    });
    func.walk(
        [&](QuantizeRowsOp op) { emitQuantize(emitter, func.getName(), op); });
  });
  made->print(llvm::outs());
  return failed(verify(*made));
}
