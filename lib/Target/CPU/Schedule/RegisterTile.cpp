//===- RegisterTile.cpp - tiles and blocks from a cost model --------------===//
//
// Tiles. One step over K issues `vectors * rows` multiply-accumulates on two
// ports, after `vectors + rows` loads on two ports; an accumulator can be used
// again after about 5 cycles. The cost of a matmul is the cycles of a step,
// plus a little for each load (more for a vector, which comes from L2), times
// the steps that cover it, whatever is padding included. AVX-512 has 32 vector
// registers, others 16: that bounds the accumulators, the vectors of the right
// operand and a broadcast. Elements of 4 bits take three more instructions for
// each vector of bytes, a mask, and registers for a vector's halves: tiles of
// more rows use them better.
//
// Blocks. The rows of a tile, `MR * blockK` bytes, are read from L1 while a
// panel's part, `NR * blockK` bytes, comes from L2 for each tile. All rows of a
// block use that part before the next one is touched; `blockM` rows are few
// enough to stay in L2 too. Sums of a part are kept in memory until the next
// one, so the part is as long as these bounds let it be. A matmul whose rows
// fit one tile reads its weights once and is not cut.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/CPU/Schedule/RegisterTile.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <limits>

using namespace mlir;
using namespace quantmlir;

/// The most vectors in a row of a tile.
static constexpr int64_t kMaxVectors = 8;

/// Registers that one vector of the right operand fills.
static int64_t getRhsRegisters(const qtarget::KernelRow &info) {
  return std::max<int64_t>(info.n * info.k * info.rhs.bits / info.vectorBits,
                           1);
}

int64_t quantmlir::getMaxTileRows(const qtarget::KernelRow &info,
                                  int64_t vectors, bool nibbles) {
  bool wideFile = info.vectorRegisters == 32;
  bool oneInstruction = info.instructions == 1;
  int64_t registers = wideFile ? 32 : 16;
  // Rows are put together in registers for an instruction of two of them.
  int64_t accumulators = info.m > 1 ? 16
                         : wideFile ? 24
                                    : (oneInstruction ? 12 : 8);
  int64_t temporaries = (oneInstruction ? 1 : 2) + nibbles;
  int64_t mostRows = !wideFile ? 4 : nibbles ? 12 : 8;
  // Of an instruction of two rows, tiles have whole pairs.
  for (int64_t rows = mostRows; rows > 0; rows -= info.m) {
    // A single row uses each vector of the right operand once: that one need
    // not stay in a register.
    int64_t reused =
        (rows > 1 ? vectors : 1) * (nibbles ? 2 : 1) * getRhsRegisters(info);
    if (rows * vectors <= accumulators &&
        rows * vectors + reused + temporaries <= registers)
      return rows;
  }
  return 0;
}

/// Cycles of all steps for `m` rows and `panels` panels of `vectors` vectors,
/// for each step over K.
static double cost(const qtarget::KernelRow &info, int64_t m, int64_t panels,
                   int64_t vectors, int64_t mr, bool nibbles) {
  constexpr double latency = 5, ports = 2, perRow = 0.05;
  // vpmaddwd is followed by an addition, and vectors are extended for it.
  bool oneInstruction = info.instructions == 1;
  double perDot = oneInstruction ? 1 : 2,
         perVector = oneInstruction ? 0.1 : 0.6;
  // Three for two steps' worth of a vector, on the dot products' ports.
  double unpacking = nibbles ? 1.5 * vectors : 0;
  int64_t tiles = llvm::divideCeil(m, mr);
  double rows = static_cast<double>(m) / tiles;
  double dots = vectors * rows, loads = vectors + rows;
  double cycles =
      std::max({(dots * perDot + unpacking) / ports, loads / ports, latency});
  return (cycles + perVector * vectors + perRow * rows) * tiles * panels;
}

/// The same for a matmul whose sizes may not be known: then it has to be good
/// with a tile of rows and with many.
static double costOf(const qtarget::KernelRow &info, int64_t m, int64_t n,
                     int64_t vectors, int64_t mr, bool nibbles) {
  int64_t needed = ShapedType::isDynamic(n)
                       ? 240
                       : llvm::divideCeil(std::max<int64_t>(n, 1), info.n);
  int64_t panels = llvm::divideCeil(needed, vectors);
  if (!ShapedType::isDynamic(m))
    return cost(info, std::max<int64_t>(m, 1), panels, vectors, mr, nibbles);
  return cost(info, 8, panels, vectors, mr, nibbles) / 8 +
         cost(info, 1024, panels, vectors, mr, nibbles) / 1024;
}

RegisterTile quantmlir::chooseRegisterTile(const qtarget::KernelRow &info,
                                           int64_t m, int64_t n, bool nibbles) {
  RegisterTile best = {1, info.n};
  double least = std::numeric_limits<double>::max();
  for (int64_t vectors = 1; vectors <= kMaxVectors; ++vectors) {
    int64_t mr = getMaxTileRows(info, vectors, nibbles);
    if (!ShapedType::isDynamic(m))
      mr = std::min(mr, std::max<int64_t>(m, 1));
    // Fewer rows than fit may let more vectors in.
    for (int64_t rows = llvm::alignTo(mr, info.m); rows > 0; rows -= info.m) {
      double c = costOf(info, m, n, vectors, rows, nibbles);
      if (c < least) {
        least = c;
        best = {rows, vectors * info.n};
      }
    }
  }
  return best;
}

qtarget::ScheduleAttr quantmlir::chooseSchedule(MLIRContext *context,
                                                const qtarget::KernelRow &info,
                                                RegisterTile tile,
                                                qtarget::TargetAttr target,
                                                int64_t m, int64_t k) {
  int64_t l1 = target ? target.getL1d() : 32 * 1024;
  int64_t l2 = target ? target.getL2() : 1024 * 1024;
  int64_t lhsBytes = info.lhs.storedBits / 8,
          rhsBytes = info.rhs.storedBits / 8;
  if (!ShapedType::isDynamic(m) && m <= tile.mr)
    return qtarget::ScheduleAttr::get(context, tile.mr, 0, 0);
  // Half of L1 for the rows of a tile, an eighth of L2 for the panel.
  int64_t blockK =
      std::min(l1 / 2 / (tile.mr * lhsBytes), l2 / 8 / (tile.nr * rhsBytes));
  if (ShapedType::isDynamic(k)) {
    blockK = blockK / (2 * info.k) * (2 * info.k);
  } else if (k <= blockK + blockK / 2) {
    blockK = 0;
  } else {
    int64_t steps = llvm::divideCeil(k, info.k);
    int64_t parts = llvm::divideCeil(k, blockK);
    blockK = llvm::alignTo(llvm::divideCeil(steps, parts), 2) * info.k;
  }
  // A quarter of L2 for the rows of a block, but enough of them that reading
  // the weights again for each block stays hidden.
  int64_t blockM =
      ShapedType::isDynamic(k)
          ? 32 * tile.mr
          : std::max<int64_t>(l2 / 4 / std::max<int64_t>(k * lhsBytes, 1), 96);
  if (!ShapedType::isDynamic(m) && m <= blockM + blockM / 2) {
    blockM = 0;
  } else {
    if (!ShapedType::isDynamic(m))
      blockM = llvm::divideCeil(m, llvm::divideCeil(m, blockM));
    blockM = llvm::divideCeil(blockM, tile.mr) * tile.mr;
  }
  return qtarget::ScheduleAttr::get(context, tile.mr, blockM, blockK);
}
