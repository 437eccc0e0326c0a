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

#include <algorithm>

using namespace mlir;
using namespace quantmlir;

RegisterTile quantmlir::chooseRegisterTile(const qtarget::IntrinsicRow &info,
                                           int64_t m, int64_t n) {
  int64_t lanes = info.n;
  bool wideFile = info.vectorBits == 512;
  int64_t maxRows = wideFile ? 8 : 4;
  int64_t rows =
      ShapedType::isDynamic(m) ? maxRows : std::clamp<int64_t>(m, 1, maxRows);
  // A product that is not accumulated in place takes a register of its own.
  int64_t vectors = wideFile || info.k == 4 ? 3 : 2;
  // Few rows leave registers free: a wider panel keeps as many accumulators.
  if (rows <= 2)
    vectors = wideFile ? 8 : 4;
  else if (rows <= 4 && wideFile)
    vectors = 4;
  if (!ShapedType::isDynamic(n))
    vectors =
        std::min(vectors, std::max<int64_t>(llvm::divideCeil(n, lanes), 1));
  return {rows, vectors * lanes};
}
