//===- UnpackNibbles.cpp - elements of a weight of 4 bits -----------------===//

#include "quant/Target/CPU/Kernel/UnpackNibbles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

Value quantmlir::shiftNibbles(OpBuilder &b, Location loc, Value bytes) {
  auto type = cast<VectorType>(bytes.getType());
  auto wordType = VectorType::get({type.getNumElements() / 2}, b.getI16Type());
  constexpr int16_t nibble = 4;
  Value by = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(wordType, nibble));
  Value words = vector::BitCastOp::create(b, loc, wordType, bytes);
  words = arith::ShRUIOp::create(b, loc, words, by);
  return vector::BitCastOp::create(b, loc, type, words);
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
