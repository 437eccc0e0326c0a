//===- ByteDots.cpp - dot products of four bytes a lane -------------------===//

#include "ByteDots.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

ByteDots::ByteDots(qtarget::TargetAttr target) : target(target) {
  qtarget::VectorFile vectors = qtarget::getVectors(target);
  bits = vectors.bits;
  // Half of them; others hold what is multiplied.
  accumulators = vectors.registers / 2;
  if (!target)
    return;
  std::string why;
  qtarget::MatmulFacts facts;
  facts.rows = 1;
  facts.group = facts.groups = 1;
  if (take(qtarget::chooseKernel(facts, target, why)))
    return;
  facts.group = facts.groups = 0;
  take(qtarget::chooseKernel(facts, target, why));
}

bool ByteDots::take(qtarget::MatmulKernelInterface found) {
  if (!found)
    return false;
  const qtarget::KernelRow &row = found.getRow();
  bool isOfBytes = row.k == 4 && row.m == 1 && row.grouped.panelColumns != 0;
  bool isOfWords = row.k == 2 && row.m == 1 && row.lhs.bits == 16;
  if (!isOfBytes && !isOfWords)
    return false;
  kernel = found;
  bits = row.vectorBits;
  lhsUnsigned = isOfBytes && row.grouped.isWeightUnsigned;
  return true;
}

ByteDots ByteDots::narrowedTo(int64_t bytes) const {
  ByteDots narrow = *this;
  while (bytes % narrow.getBytes() != 0)
    narrow.bits /= 2;
  if (narrow.bits == bits || !kernel)
    return narrow;
  // Kernels are named by their instruction and their vector's bits.
  StringRef instruction = kernel.getRow().name.rsplit('_').first;
  std::string name = (instruction + "_" + Twine(narrow.bits)).str();
  auto found = qtarget::findKernel(target.getContext(), name);
  narrow.kernel = {};
  narrow.lhsUnsigned = false;
  if (found && found.getRow().isLegalOn(target))
    narrow.take(found);
  return narrow;
}

static Value splat(OpBuilder &b, Location loc, Type type, int64_t value) {
  Type element = cast<VectorType>(type).getElementType();
  return arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(cast<ShapedType>(type),
                             b.getIntegerAttr(element, value)));
}

/// Byte `i` of each element of `type`, with its sign.
static Value getByte(OpBuilder &b, Location loc, VectorType type, Value bytes,
                     int64_t i) {
  int64_t bits = type.getElementTypeBitWidth();
  Value x = vector::BitCastOp::create(b, loc, type, bytes);
  if (i != bits / 8 - 1)
    x = arith::ShLIOp::create(b, loc, x,
                              splat(b, loc, type, bits - 8 * (i + 1)));
  return arith::ShRSIOp::create(b, loc, x, splat(b, loc, type, bits - 8));
}

Value ByteDots::add(OpBuilder &b, Location loc, Value acc, Value lhs,
                    Value rhs) const {
  if (kernel && kernel.getRow().k == 4)
    return kernel.multiplyAccumulate(b, loc, acc, lhs, rhs);
  if (kernel) {
    auto words = VectorType::get({bits / 16}, b.getI16Type());
    for (int64_t i : {0, 1})
      acc =
          kernel.multiplyAccumulate(b, loc, acc, getByte(b, loc, words, lhs, i),
                                    getByte(b, loc, words, rhs, i));
    return acc;
  }
  auto lanes = VectorType::get({bits / 32}, b.getI32Type());
  for (int64_t i = 0; i < 4; ++i) {
    Value product = arith::MulIOp::create(
        b, loc, getByte(b, loc, lanes, lhs, i), getByte(b, loc, lanes, rhs, i));
    acc = arith::AddIOp::create(b, loc, acc, product);
  }
  return acc;
}
