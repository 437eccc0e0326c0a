//===- ScaledShape.h - how grouped kernels go through K ---------*- C++ -*-===//

#ifndef QUANT_TARGET_GPU_SCALEDSHAPE_H
#define QUANT_TARGET_GPU_SCALEDSHAPE_H

#include "quant/Target/GPU/GemvKernel.h"

#include "quant/Target/IR/PackedMatmul.h"

namespace quantmlir::device {

/// Arguments of the kernel of qtarget.packed_matmul, after M.
enum ScaledArgument : unsigned {
  kScaledLhs = 1,
  kScaledRhs,
  kScaledResult,
  kGroupScale,
  kScaledRowScale,
  kScaledBias,
  kGroupZeroPoint,
  kRowZeroPoint,
  kGroupSums,
  kNumScaledArguments
};

/// How kernels of qtarget.packed_matmul go through K.
struct ScaledShape {
  explicit ScaledShape(qtarget::PackedMatmulOp op);

  int64_t n, panels, groups, bits;
  /// Corrections: of the weight's zero points by the sums of activations, of
  /// the activations' zero points by the sums of the weight.
  bool hasGroupZeroPoint, hasRowZeroPoint;
  /// Steps of a group, elements of K that one holds.
  int64_t steps, stepSize;
  /// Bytes of one row of activations.
  int64_t rowBytes;
  /// Bytes of one step of a panel.
  static constexpr int64_t stepBytes = Problem::panelColumns * 4;
  int64_t elementsPerGroup() const { return steps * stepSize; }
  /// A nibble in the upper half of a byte is 16 times itself.
  bool isInt4() const { return bits == 4; }

  /// dp4a: rows that a block computes.
  int64_t rows;
  /// A warp reads a chunk of this many steps at once: one of a long group, or
  /// several short groups.
  static constexpr int64_t chunkSteps = 16;
  bool hasShortGroups() const {
    return steps < chunkSteps && chunkSteps % steps == 0;
  }
  int64_t chunksPerGroup() const {
    return (steps + chunkSteps - 1) / chunkSteps;
  }
  /// Groups, and a place for what is none.
  int64_t slots() const { return groups + 1; }
  /// Sums of a group in a row: of the columns, of the activations.
  int64_t slotWords() const {
    return Problem::panelColumns + (hasGroupZeroPoint ? 1 : 0);
  }
  int64_t bytesOfRow() const { return slots() * slotWords() * numberBytes; }
  /// The numbers of groups and columns follow the sums, where both fit.
  bool hasSharedNumbers;
  int64_t bytesOfNumbers() const {
    return hasSharedNumbers
               ? groupVectors() * groups * Problem::panelColumns * numberBytes
               : 0;
  }
  int64_t numbersOffset() const {
    constexpr int64_t vectorBytes = 16;
    return (rows * bytesOfRow() + vectorBytes - 1) / vectorBytes * vectorBytes;
  }
  int64_t sharedBytes() const { return numbersOffset() + bytesOfNumbers(); }
  /// What registers allow; a long chain over the groups needs other blocks
  /// meanwhile.
  int64_t blocksPerMultiprocessor() const {
    constexpr int64_t ofOneRow = 4;
    return rows == 1 && groupVectors() == 1 ? ofOneRow
                                            : kGemvBlocksPerMultiprocessor;
  }

  /// mma.sync: a block of 64 elements along K has units of 32, whose lanes read
  /// the same 8 neighbours of both operands. A group has one unit or whole
  /// blocks.
  static constexpr int64_t unitElements = 32;
  static constexpr int64_t unitsPerBlock = Problem::blockBytes / unitElements;
  bool suitsMma() const {
    return groups == 1 || elementsPerGroup() == unitElements ||
           elementsPerGroup() % Problem::blockBytes == 0;
  }
  int64_t kBlocks() const { return rowBytes / Problem::blockBytes; }
  int64_t groupsPerBlock() const {
    return groups > 1 && elementsPerGroup() == unitElements ? unitsPerBlock : 1;
  }
  int64_t blocksPerGroup() const {
    return groups == 1
               ? kBlocks()
               : std::max<int64_t>(elementsPerGroup() / Problem::blockBytes, 1);
  }
  /// Numbers for each group and column: a scale, a zero point, a sum, each of
  /// 4 bytes.
  int64_t groupVectors() const {
    return 1 + (hasGroupZeroPoint ? 1 : 0) + (hasRowZeroPoint ? 1 : 0);
  }
  static constexpr int64_t numberBytes = 4;
  /// A column's elements of a unit and of a block, with the numbers of the
  /// latter.
  int64_t unitBytes() const { return unitElements * bits / 8; }
  int64_t columnBytes() const {
    return unitsPerBlock * unitBytes() +
           groupsPerBlock() * groupVectors() * numberBytes;
  }
};

} // namespace quantmlir::device

#endif // QUANT_TARGET_GPU_SCALEDSHAPE_H
