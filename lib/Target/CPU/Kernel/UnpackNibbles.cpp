//===- UnpackNibbles.cpp - elements of a weight of few bits ---------------===//

#include "quant/Target/CPU/Kernel/UnpackNibbles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

/// `bytes` shifted right, by a shift of words: high bits of a byte come from
/// its neighbour.
static Value shiftWords(OpBuilder &b, Location loc, Value bytes, int16_t by) {
  auto type = cast<VectorType>(bytes.getType());
  auto wordType = VectorType::get({type.getNumElements() / 2}, b.getI16Type());
  Value count =
      arith::ConstantOp::create(b, loc, DenseElementsAttr::get(wordType, by));
  Value words = vector::BitCastOp::create(b, loc, wordType, bytes);
  words = arith::ShRUIOp::create(b, loc, words, count);
  return vector::BitCastOp::create(b, loc, type, words);
}

Value quantmlir::shiftNibbles(OpBuilder &b, Location loc, Value bytes) {
  constexpr int16_t nibble = 4;
  return shiftWords(b, loc, bytes, nibble);
}

/// The nibbles themselves, as suits `target` (or null).
static SmallVector<Value> splitNibbles(OpBuilder &b, Location loc, Value bytes,
                                       qtarget::TargetAttr target) {
  auto splat = [&](int8_t value) -> Value {
    auto type = cast<VectorType>(bytes.getType());
    return arith::ConstantOp::create(b, loc,
                                     DenseElementsAttr::get(type, value));
  };
  Value low = arith::AndIOp::create(b, loc, bytes, splat(15));
  // SSE4a is what only AMD's cores have: they execute neither a shift of words
  // nor a mask where all dot products are.
  if (target && target.hasFeature("sse4a")) {
    Value mask = splat(15);
    Value shifted = shiftNibbles(b, loc, bytes);
    return {low, arith::AndIOp::create(b, loc, shifted, mask)};
  }
  // One instruction with GFNI; else a shift of words and a mask.
  Value high = arith::ShRUIOp::create(b, loc, bytes, splat(4));
  return {low, high};
}

SmallVector<Value> quantmlir::unpackNibbles(OpBuilder &b, Location loc,
                                            const ScaledKernel &kernel,
                                            Value bytes) {
  auto target = qtarget::TargetAttr::lookup(kernel.op);
  DenseI32ArrayAttr codebook = kernel.op.getLayout().getCodebook();
  if (!codebook)
    return splitNibbles(b, loc, bytes, target);
  auto table = llvm::map_to_vector(codebook.asArrayRef(), [](int32_t code) {
    return static_cast<int8_t>(code);
  });
  SmallVector<Value> parts =
      kernel.vectors.lookUpNibbles(b, loc, table, bytes, target);
  assert(parts.size() == 2 && "the kernel's row says that it looks up");
  return parts;
}

/// The four elements of 2 bits of each byte, 0 to 3. A shift of words and a
/// mask for each: no instruction shifts bytes, but one of GFNI, which is
/// executed where dot products are.
static SmallVector<Value> splitPairs(OpBuilder &b, Location loc, Value bytes) {
  constexpr int16_t bits = 2, perByte = 4;
  constexpr int8_t mask = 3;
  Value masks = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(cast<VectorType>(bytes.getType()), mask));
  SmallVector<Value> parts;
  for (int16_t i = 0; i < perByte; ++i) {
    Value moved = i == 0 ? bytes : shiftWords(b, loc, bytes, i * bits);
    parts.push_back(arith::AndIOp::create(b, loc, moved, masks));
  }
  return parts;
}

SmallVector<Value> quantmlir::maskPairs(OpBuilder &b, Location loc,
                                        Value bytes) {
  SmallVector<Value> parts;
  for (uint8_t mask : {0x03, 0x0c, 0x30, 0xc0}) {
    Value masks = arith::ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(cast<VectorType>(bytes.getType()),
                               static_cast<int8_t>(mask)));
    parts.push_back(arith::AndIOp::create(b, loc, bytes, masks));
  }
  return parts;
}

SmallVector<Value> quantmlir::unpackElements(OpBuilder &b, Location loc,
                                             const ScaledKernel &kernel,
                                             Value bytes) {
  switch (kernel.op.getRhsBits()) {
  case 4:
    return unpackNibbles(b, loc, kernel, bytes);
  case 2:
    return splitPairs(b, loc, bytes);
  default:
    return {bytes};
  }
}
