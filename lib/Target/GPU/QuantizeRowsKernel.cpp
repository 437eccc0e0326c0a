//===- QuantizeRowsKernel.cpp - activations to integers, row by row -------===//
//
// A block owns a row. Its threads load neighbouring elements, agree on the
// largest magnitude (by shuffles, then through shared memory), and write the
// integers of the elements that they still hold. Rows too long for registers
// are read twice, the second time from L1 or L2.
//
// Magnitudes are compared as the bits of non-negative floats, whose order is
// that of integers; infinities and NaN are the largest of these and count as 0.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/GPU/QuantizeRowsKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"
#include "quant/Dialect/Quant/Utils/RescaleFormula.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::device;

QuantizeRowsShape::QuantizeRowsShape(QuantizeRowsOp op) {
  MemRefType packed = memrefType(op.getPacked());
  k = memrefType(op.getInput()).getDimSize(1);
  paddedK = packed.getDimSize(1) * packed.getDimSize(3);
  vector = k % 4 == 0 && paddedK % 4 == 0 ? 4 : 1;
  constexpr int64_t fewest = 64, most = 256;
  threads = std::clamp<int64_t>(
      llvm::PowerOf2Ceil(llvm::divideCeil(paddedK, vector) / 4), fewest, most);
  parts = llvm::divideCeil(paddedK, vector * threads);
}

namespace {

class QuantizeRowsEmitter {
public:
  QuantizeRowsEmitter(KernelBuilder &k, gpu::GPUFuncOp func, QuantizeRowsOp op,
                      Value sharedMemory)
      : k(k), func(func), op(op), shape(op), sharedMemory(sharedMemory) {}

  void emit();

private:
  Value position(Value part) {
    return k.mul(k.add(k.mul(part, shape.threads), thread), shape.vector);
  }
  Value loadPart(Value part);
  Value magnitudeBits(Value x);
  Value maximumOverBlock(Value bits);
  Value scaleOf(Value bits);
  void storePart(Value part, Value x, Value scale);
  Value inShape(Value scalar) {
    return vector::BroadcastOp::create(
        k.b, k.loc, k.vec(shape.vector, scalar.getType()), scalar);
  }
  Value bitConstant(int64_t bits) { return inShape(k.constant(bits)); }

  KernelBuilder &k;
  gpu::GPUFuncOp func;
  QuantizeRowsOp op;
  QuantizeRowsShape shape;
  Value sharedMemory;
  Value thread, row;
};

} // namespace

/// The elements of `part` as f32, 0 past K.
Value QuantizeRowsEmitter::loadPart(Value part) {
  Type element = memrefType(op.getInput()).getElementType();
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  Value at = position(part);
  Value inside = k.less(at, k.constant(shape.k));
  Value clamped = k.min(at, k.constant(shape.k - shape.vector));
  Value pointer =
      k.offset(k.globalPointer(func.getArgument(kInput)), row, shape.k * bytes);
  Value x = k.load(k.offset(pointer, clamped, bytes),
                   k.vec(shape.vector, element), shape.vector * bytes);
  VectorType f32 = k.vec(shape.vector, k.b.getF32Type());
  if (!element.isF32())
    x = arith::ExtFOp::create(k.b, k.loc, f32, x);
  if (shape.k % (shape.vector * shape.threads) == 0)
    return x;
  Value zero = arith::ConstantOp::create(k.b, k.loc, k.b.getZeroAttr(f32));
  return k.select(inside, x, zero);
}

/// The bits of |x|, 0 where x is not finite; the largest of the vector's.
Value QuantizeRowsEmitter::magnitudeBits(Value x) {
  constexpr int64_t magnitudeMask = 0x7fffffff, infinity = 0x7f800000;
  Value bits =
      arith::BitcastOp::create(k.b, k.loc, k.vec(shape.vector, k.i32()), x);
  bits = k.both(bits, bitConstant(magnitudeMask));
  bits = k.select(k.less(bits, bitConstant(infinity)), bits, bitConstant(0));
  Value largest = k.extract(bits, 0);
  for (int64_t i = 1; i < shape.vector; ++i)
    largest = k.max(largest, k.extract(bits, i));
  return largest;
}

Value QuantizeRowsEmitter::maximumOverBlock(Value bits) {
  for (int64_t mask = 16; mask > 0; mask /= 2)
    bits = k.max(bits, k.shuffleXor(bits, mask));
  Value warp = k.div(thread, 32), lane = k.rem(thread, 32);
  k.ifThen(k.less(lane, k.constant(1)),
           [&] { k.store(k.offset(sharedMemory, warp, 4), bits, 4); });
  k.barrier();
  for (int64_t w = 0; w < shape.threads / 32; ++w)
    bits = k.max(bits,
                 k.load(k.offset(sharedMemory, k.constant(w), 4), k.i32(), 4));
  return bits;
}

Value QuantizeRowsEmitter::scaleOf(Value bits) {
  Value largest = arith::BitcastOp::create(k.b, k.loc, k.b.getF32Type(), bits);
  Value scale = arith::DivFOp::create(
      k.b, k.loc, largest, constantFloat(k.b, k.loc, op.getRange()[1]));
  Value isZero = arith::CmpFOp::create(k.b, k.loc, arith::CmpFPredicate::OEQ,
                                       scale, constantFloat(k.b, k.loc, 0));
  return k.select(isZero, constantFloat(k.b, k.loc, 1), scale);
}

void QuantizeRowsEmitter::storePart(Value part, Value x, Value scale) {
  Value quotient = arith::DivFOp::create(k.b, k.loc, x, inShape(scale));
  Value rounded = math::RoundEvenOp::create(k.b, k.loc, quotient);
  Value q = saturate(k.b, k.loc, rounded, Value(), op.getRange()[0],
                     op.getRange()[1], k.b.getI8Type());
  Value at = position(part);
  auto store = [&] {
    Value pointer = k.offset(k.globalPointer(func.getArgument(kPacked)), row,
                             shape.paddedK);
    k.store(k.offset(pointer, at, 1), q, shape.vector);
  };
  if (shape.paddedK % (shape.vector * shape.threads) == 0)
    return store();
  k.ifThen(k.less(at, k.constant(shape.paddedK)), store);
}

void QuantizeRowsEmitter::emit() {
  thread = k.threadId();
  row = k.blockId(0);
  SmallVector<Value> held;
  Value bits = k.constant(0);
  if (shape.inRegisters()) {
    for (int64_t part = 0; part < shape.parts; ++part) {
      held.push_back(loadPart(k.constant(part)));
      bits = k.max(bits, magnitudeBits(held.back()));
    }
  } else {
    bits = k.loop(k.constant(0), k.constant(shape.parts), 1, bits,
                  [&](Value part, ValueRange largest) {
                    Value mine = magnitudeBits(loadPart(part));
                    return SmallVector<Value>{k.max(largest[0], mine)};
                  })[0];
  }
  Value scale = scaleOf(maximumOverBlock(bits));
  k.ifThen(k.less(thread, k.constant(1)), [&] {
    Value pointer = k.globalPointer(func.getArgument(kScale));
    k.store(k.offset(pointer, row, sizeof(float)), scale, sizeof(float));
  });
  if (shape.inRegisters()) {
    for (int64_t part = 0; part < shape.parts; ++part)
      storePart(k.constant(part), held[part], scale);
    return;
  }
  k.loop(k.constant(0), k.constant(shape.parts), 1, {},
         [&](Value part, ValueRange) {
           storePart(part, loadPart(part), scale);
           return SmallVector<Value>{};
         });
}

void device::emitQuantizeRowsKernel(KernelBuilder &k, gpu::GPUFuncOp func,
                                    QuantizeRowsOp op, Value sharedMemory) {
  QuantizeRowsEmitter(k, func, op, sharedMemory).emit();
}
