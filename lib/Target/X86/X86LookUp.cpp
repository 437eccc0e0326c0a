//===- X86LookUp.cpp - looking up in tables -------------------------------===//
//
// Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2:
// VPERMPS, VPERMW, VPERMB (AVX512_VBMI), VPSHUFB.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/CPU/Kernel/UnpackNibbles.h"
#include "quant/Target/X86/X86Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir::qtarget;
using quantmlir::x86::X86Kernel;

/// vpermps of 512 bits reads four bits of each lane, vpermw five of each half.
Value X86KernelAttr::lookUp(OpBuilder &b, Location loc, Value table,
                            Value indices) const {
  if (!getRow().lhs.isFloat || getRow().vectorBits != 512)
    return {};
  bool isPairs = getElementTypeOrSelf(table).isBF16();
  Value entries =
      isPairs ? vector::BitCastOp::create(b, loc, indices.getType(), table)
              : table;
  StringRef name = isPairs ? "llvm.x86.avx512.permvar.hi.512"
                           : "llvm.x86.avx512.permvar.sf.512";
  Value found = LLVM::CallIntrinsicOp::create(b, loc, entries.getType(),
                                              b.getStringAttr(name),
                                              ValueRange{entries, indices})
                    .getResults();
  return isPairs ? vector::BitCastOp::create(b, loc, table.getType(), found)
                 : found;
}

/// `table` again and again, in a vector of `type`.
static Value repeat(OpBuilder &b, Location loc, ArrayRef<int8_t> table,
                    VectorType type) {
  SmallVector<int8_t> all;
  for (int64_t i = 0, e = type.getNumElements(); i < e; ++i)
    all.push_back(table[i % table.size()]);
  return arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(type, ArrayRef<int8_t>(all)));
}

/// By vpermb, which reads six bits of a byte: the table four times leaves two
/// of them out, and no bit needs to be masked away.
static SmallVector<Value> permuteBytes(OpBuilder &b, Location loc,
                                       ArrayRef<int8_t> table, Value bytes) {
  auto type = cast<VectorType>(bytes.getType());
  Value entries = repeat(b, loc, table, type);
  SmallVector<Value> parts;
  for (Value indices : {bytes, quantmlir::shiftNibbles(b, loc, bytes)})
    parts.push_back(LLVM::CallIntrinsicOp::create(
                        b, loc, type,
                        b.getStringAttr("llvm.x86.avx512.permvar.qi.512"),
                        ValueRange{entries, indices})
                        .getResults());
  return parts;
}

/// By vpshufb, which reads four bits of a byte where the highest one is 0.
static Value shuffleBytes(OpBuilder &b, Location loc, ArrayRef<int8_t> table,
                          Value indices) {
  auto type = cast<VectorType>(indices.getType());
  constexpr int64_t shortest = 16;
  StringRef name =
      type.getNumElements() == shortest       ? "llvm.x86.ssse3.pshuf.b.128"
      : type.getNumElements() == 2 * shortest ? "llvm.x86.avx2.pshuf.b"
                                              : "llvm.x86.avx512.pshuf.b.512";
  return LLVM::CallIntrinsicOp::create(
             b, loc, type, b.getStringAttr(name),
             ValueRange{repeat(b, loc, table, type), indices})
      .getResults();
}

/// The same in two halves, for vectors whose bytes AVX-512 has only with BW.
static Value shuffleHalves(OpBuilder &b, Location loc, ArrayRef<int8_t> table,
                           Value indices) {
  int64_t half = cast<VectorType>(indices.getType()).getNumElements() / 2;
  SmallVector<Value> halves;
  for (int64_t i : {0, 1}) {
    Value part = vector::ExtractStridedSliceOp::create(
        b, loc, indices, ArrayRef<int64_t>{i * half}, ArrayRef<int64_t>{half},
        ArrayRef<int64_t>{1});
    halves.push_back(shuffleBytes(b, loc, table, part));
  }
  auto all = llvm::to_vector(llvm::seq<int64_t>(0, 2 * half));
  return vector::ShuffleOp::create(b, loc, halves[0], halves[1], all);
}

SmallVector<Value> X86KernelAttr::lookUpNibbles(OpBuilder &b, Location loc,
                                                ArrayRef<int8_t> table,
                                                Value bytes,
                                                TargetAttr target) const {
  auto type = cast<VectorType>(bytes.getType());
  constexpr int64_t longest = 64;
  bool isLong = type.getNumElements() == longest;
  auto has = [&](StringRef feature) {
    return target && target.hasFeature(feature);
  };
  if (isLong && has("avx512vbmi"))
    return permuteBytes(b, loc, table, bytes);
  auto splat = [&](int8_t value) -> Value {
    return arith::ConstantOp::create(b, loc,
                                     DenseElementsAttr::get(type, value));
  };
  Value low = arith::AndIOp::create(b, loc, bytes, splat(15));
  Value high = arith::ShRUIOp::create(b, loc, bytes, splat(4));
  auto shuffle = isLong && !has("avx512bw") ? shuffleHalves : shuffleBytes;
  return {shuffle(b, loc, table, low), shuffle(b, loc, table, high)};
}
