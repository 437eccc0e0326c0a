//===- KernelBuilder.cpp - shorthand for emitting kernels -----------------===//

#include "quant/Target/GPU/KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir::device;

/// LLVM's name of the scope of all threads of a GPU.
static constexpr llvm::StringLiteral kWholeGpu = "device";

Value KernelBuilder::constant(int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
}
Value KernelBuilder::add(Value x, Value y) {
  return arith::AddIOp::create(b, loc, x, y);
}
Value KernelBuilder::mul(Value x, Value y) {
  return arith::MulIOp::create(b, loc, x, y);
}
Value KernelBuilder::div(Value x, int64_t y) {
  return arith::DivUIOp::create(b, loc, x, constant(y));
}
Value KernelBuilder::rem(Value x, int64_t y) {
  return arith::RemUIOp::create(b, loc, x, constant(y));
}
Value KernelBuilder::sub(Value x, Value y) {
  return arith::SubIOp::create(b, loc, x, y);
}
Value KernelBuilder::div(Value x, Value y) {
  return arith::DivUIOp::create(b, loc, x, y);
}
Value KernelBuilder::rem(Value x, Value y) {
  return arith::RemUIOp::create(b, loc, x, y);
}
Value KernelBuilder::min(Value x, Value y) {
  return arith::MinSIOp::create(b, loc, x, y);
}
Value KernelBuilder::max(Value x, Value y) {
  return arith::MaxSIOp::create(b, loc, x, y);
}
Value KernelBuilder::equal(Value x, Value y) {
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, x, y);
}
Value KernelBuilder::less(Value x, Value y) {
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, x, y);
}
Value KernelBuilder::select(Value cond, Value x, Value y) {
  return arith::SelectOp::create(b, loc, cond, x, y);
}
Value KernelBuilder::both(Value x, Value y) {
  return arith::AndIOp::create(b, loc, x, y);
}
Value KernelBuilder::differ(Value x, Value y) {
  return arith::XOrIOp::create(b, loc, x, y);
}
Value KernelBuilder::shiftLeft(Value x, int64_t count) {
  return arith::ShLIOp::create(b, loc, x, constant(count));
}
Value KernelBuilder::shiftRight(Value x, int64_t count) {
  return arith::ShRSIOp::create(b, loc, x, constant(count));
}
Value KernelBuilder::shiftRightUnsigned(Value x, int64_t count) {
  return arith::ShRUIOp::create(b, loc, x, constant(count));
}

VectorType KernelBuilder::vec(int64_t n, Type element) {
  return VectorType::get({n}, element);
}

Value KernelBuilder::globalPointer(Value base) {
  auto type = LLVM::LLVMPointerType::get(b.getContext(),
                                         static_cast<unsigned>(Space::Global));
  return LLVM::IntToPtrOp::create(b, loc, type, base);
}

Value KernelBuilder::offset(Value pointer, Value count, int64_t bytes) {
  // 64 bits: an operand may have more than 2^31 bytes.
  Value wide = arith::ExtUIOp::create(b, loc, b.getI64Type(), count);
  if (bytes != 1) {
    Value size = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(bytes));
    wide = arith::MulIOp::create(b, loc, wide, size);
  }
  return LLVM::GEPOp::create(b, loc, pointer.getType(), b.getI8Type(), pointer,
                             ArrayRef<LLVM::GEPArg>{wide});
}

Value KernelBuilder::load(Value pointer, Type type, unsigned alignment) {
  return LLVM::LoadOp::create(b, loc, type, pointer, alignment);
}
void KernelBuilder::store(Value pointer, Value value, unsigned alignment) {
  LLVM::StoreOp::create(b, loc, value, pointer, alignment);
}
Value KernelBuilder::loadShared(Value pointer) {
  return LLVM::LoadOp::create(b, loc, i32(), pointer, /*alignment=*/4,
                              /*isVolatile=*/true);
}
Value KernelBuilder::atomicAdd(Value pointer, Value value) {
  return LLVM::AtomicRMWOp::create(b, loc, LLVM::AtomicBinOp::add, pointer,
                                   value, LLVM::AtomicOrdering::monotonic,
                                   kWholeGpu);
}
void KernelBuilder::fence() {
  LLVM::FenceOp::create(b, loc, LLVM::AtomicOrdering::acq_rel, kWholeGpu);
}
Value KernelBuilder::extract(Value vector, int64_t i) {
  return vector::ExtractOp::create(b, loc, vector, ArrayRef<int64_t>{i});
}

Value KernelBuilder::threadId() {
  Value id = gpu::ThreadIdOp::create(b, loc, gpu::Dimension::x);
  return arith::IndexCastUIOp::create(b, loc, i32(), id);
}
Value KernelBuilder::blockId(int dim) {
  Value id = gpu::BlockIdOp::create(b, loc,
                                    dim == 0   ? gpu::Dimension::x
                                    : dim == 1 ? gpu::Dimension::y
                                               : gpu::Dimension::z);
  return arith::IndexCastUIOp::create(b, loc, i32(), id);
}
void KernelBuilder::barrier() { gpu::BarrierOp::create(b, loc); }

Value KernelBuilder::dot4(Value x, Value y, Value acc) {
  return instructions.dot4(b, loc, x, y, acc);
}
Value KernelBuilder::shuffleFirst(Value value) {
  return instructions.broadcastLane(b, loc, value, constant(0));
}
Value KernelBuilder::shuffleXor(Value value, int64_t mask) {
  return instructions.exchangeLanes(b, loc, value, constant(mask));
}

SmallVector<Value>
KernelBuilder::loop(Value lo, Value hi, int64_t step, ValueRange init,
                    function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(
      b, loc, lo, hi, constant(step), init,
      [&](OpBuilder &inner, Location, Value i, ValueRange carried) {
        OpBuilder::InsertionGuard guard(b);
        b.restoreInsertionPoint(inner.saveInsertionPoint());
        SmallVector<Value> next = body(i, carried);
        scf::YieldOp::create(b, loc, next);
      });
  return SmallVector<Value>(loop.getResults());
}

void KernelBuilder::ifThen(Value cond, function_ref<void()> body) {
  scf::IfOp::create(b, loc, cond, [&](OpBuilder &inner, Location) {
    OpBuilder::InsertionGuard guard(b);
    b.restoreInsertionPoint(inner.saveInsertionPoint());
    body();
    scf::YieldOp::create(b, loc);
  });
}
