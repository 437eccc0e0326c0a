//===- RegisterTile.cpp - the tile that stays in registers ----------------===//
//
// `vpdpbusd` has about 5 cycles of latency and two ports: 10 independent
// accumulators keep it busy, 20 hide the loads too. AVX-512 has 32 vector
// registers: 8 x 48 takes 24 accumulators, 3 vectors of the right operand and
// a broadcast. Machines without it have 16: 4 x 3 vectors, 3 and 1; a family
// that multiplies and adds in two instructions needs one more for the product.
//
//===----------------------------------------------------------------------===//

#include "RegisterTile.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

/// The size of parts that cover `size` in as few as `most` allows, as equal as
/// can be: 9 rows are 5 and 4, not 8 and 1, which would compute 7 for nothing.
static int64_t balance(int64_t size, int64_t most) {
  if (ShapedType::isDynamic(size))
    return most;
  size = std::max<int64_t>(size, 1);
  return llvm::divideCeil(size, llvm::divideCeil(size, most));
}

/// The most vectors that a row of the tile may have when it has `rows` rows.
static int64_t maxVectors(const qtarget::IntrinsicRow &info, int64_t rows) {
  constexpr int64_t limit = 8;
  bool wideFile = info.vectorBits == 512;
  bool oneInstruction = info.family == qtarget::IntrinsicFamily::DotU8S8;
  int64_t registers = wideFile ? 32 : 16;
  int64_t accumulators = wideFile ? 24 : oneInstruction ? 12 : 8;
  int64_t temporaries = oneInstruction ? 1 : 2;
  for (int64_t vectors = limit; vectors > 1; --vectors) {
    // A single row uses each vector of the right operand once: that one need
    // not stay in a register.
    int64_t reused = rows > 1 ? vectors : 1;
    if (rows * vectors <= accumulators &&
        rows * vectors + reused + temporaries <= registers)
      return vectors;
  }
  return 1;
}

RegisterTile quantmlir::chooseRegisterTile(const qtarget::IntrinsicRow &info,
                                           int64_t m, int64_t n) {
  // A warp's tile is its kernel's choice; packing only interleaves 8 columns.
  if (info.isNVVM())
    return {1, 8};
  int64_t rows = balance(m, info.vectorBits == 512 ? 8 : 4);
  int64_t needed = ShapedType::isDynamic(n)
                       ? ShapedType::kDynamic
                       : static_cast<int64_t>(llvm::divideCeil(n, info.n));
  return {rows, balance(needed, maxVectors(info, rows)) * info.n};
}
