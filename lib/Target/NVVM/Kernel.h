//===- Kernel.h - what a kernel is specialised for --------------*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_NVVM_KERNEL_H
#define QUANT_LIB_TARGET_NVVM_KERNEL_H

#include "KernelBuilder.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "quant/Dialect/Quant/IR/PackedScaledMatmul.h"
#include "quant/Dialect/Quant/IR/QuantizeRows.h"
#include "quant/Target/IR/IntrinsicTable.h"

namespace quantmlir::nvvm {

/// Arguments of every kernel, in this order: `m` is i32, the others are
/// addresses on the GPU as i64, 0 where the kernel does not use them.
enum Argument : unsigned {
  kM,
  kLhs,
  kRhs,
  kResult,
  kColBias,
  kRowFactors,
  kColFactors,
  kRowScale,
  kChannelScale,
  kBias,
  kResidual,
  kMultiplier,
  kShift,
  /// Where blocks that share out K add up: zeros before and after.
  kWorkspace,
  kNumArguments
};

/// The problem that a kernel is compiled for. Sizes that the host knows only
/// at run time (M) are arguments.
struct Problem {
  Problem(PackedMatmulOp op);

  mutable PackedMatmulOp op;
  const qtarget::IntrinsicRow &row;
  /// Columns of the result, panels of 8 columns, blocks of KR along K.
  int64_t n, panels, kBlocks;

  /// Bytes of one row of the packed left operand, of one 8 x KR block.
  int64_t rowBytes() const { return kBlocks * blockBytes; }
  static constexpr int64_t blockBytes = 64;
  static constexpr int64_t panelColumns = 8;
};

/// Registers that a thread may use so that `blocks` blocks of `threads` threads
/// fit on a multiprocessor.
int64_t getMaxRegisters(int64_t threads, int64_t blocks);

/// How a tiled kernel is cut. Sizes in rows and columns of the result.
struct Schedule {
  int64_t blockM, blockN;
  int64_t warpsM, warpsN;
  /// Tiles of both operands that are in shared memory at once.
  int64_t stages;
  bool asyncCopies;
  /// How many such blocks a multiprocessor runs at once: what hides latencies.
  /// A claim that the kernel keeps by using no more than maxRegisters() (the
  /// PTX says .minnctapersm, test/Target/NVVM/ptxas.py asks ptxas) and that
  /// chooseSchedule lowers where shared memory does not suffice.
  int64_t blocksPerMultiprocessor;
  /// Four warps together multiply by wgmma, which is on its way while the next
  /// stage is waited for.
  bool warpgroups = false;
  /// Blocks along K in a stage, which has one barrier: one but for wgmma.
  int64_t blocksTogether = 1;
  /// Blocks that share out K, each adding its sums to the workspace.
  int64_t splits = 1;
  /// Bytes of a column of the right operand in a stage.
  int64_t columnBytes = Problem::blockBytes;

  int64_t maxRegisters() const {
    return getMaxRegisters(threads(), blocksPerMultiprocessor);
  }
  /// Stages that are filled or on their way while one is multiplied; wgmma may
  /// still read the one before it.
  int64_t stagesAhead() const { return stages - (warpgroups ? 2 : 1); }
  int64_t threads() const { return warpsM * warpsN * 32; }
  int64_t warpM() const { return blockM / warpsM; }
  int64_t warpN() const { return blockN / warpsN; }
  int64_t lhsStageBytes() const { return blockM * Problem::blockBytes; }
  int64_t blockStageBytes() const {
    return lhsStageBytes() + blockN * columnBytes;
  }
  int64_t stageBytes() const { return blocksTogether * blockStageBytes(); }
  int64_t sharedBytes() const { return stages * stageBytes(); }
  /// Bytes of the workspace for one tile of the result: a counter, then sums.
  int64_t workspaceBytes() const {
    return splits == 1
               ? 0
               : kCounterBytes +
                     blockM * blockN * static_cast<int64_t>(sizeof(int32_t));
  }
  static constexpr int64_t kCounterBytes = 256;
};

/// The schedule for `rows` rows (ShapedType::kDynamic: not known).
Schedule chooseSchedule(const Problem &problem, qtarget::TargetAttr target,
                        int64_t rows);

/// Up to this many rows take the kernel that is bound by memory.
inline constexpr int64_t kGemvRows = 4;
/// Rows that the kernel of `problem` computes, known or not.
int64_t getGemvRows(const Problem &problem);
inline constexpr int64_t kGemvWarps = 8;
inline constexpr int64_t kGemvBlocksPerMultiprocessor = 2;

/// A kernel body: tiles in shared memory, mma.sync or dp4a.
void emitGemmKernel(KernelBuilder &k, mlir::gpu::GPUFuncOp func,
                    const Problem &problem, const Schedule &schedule,
                    mlir::Value sharedMemory);

/// A kernel body for up to kGemvRows rows: each block owns 8 columns, its
/// warps share out K, every weight is read once, from global memory.
void emitGemvKernel(KernelBuilder &k, mlir::gpu::GPUFuncOp func,
                    const Problem &problem, mlir::Value sharedMemory);

/// Arguments of the kernel of quant.packed_scaled_matmul, after M.
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

/// How kernels of quant.packed_scaled_matmul go through K.
struct ScaledShape {
  explicit ScaledShape(PackedScaledMatmulOp op);

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

/// A kernel body for few rows: a block owns 8 columns, its warps share out the
/// groups, and a thread for each result applies the groups' scales in order.
void emitScaledKernel(KernelBuilder &k, mlir::gpu::GPUFuncOp func,
                      PackedScaledMatmulOp op, mlir::Value sharedMemory);

/// The tiled kernel's instruction on `target`, or null where there is none.
const qtarget::IntrinsicRow *getScaledMmaRow(qtarget::TargetAttr target);

/// The tiled kernel's schedule for `rows` rows (ShapedType::kDynamic: not
/// known).
Schedule chooseScaledSchedule(const ScaledShape &shape,
                              qtarget::TargetAttr target, int64_t rows);

/// A kernel body: tiles in shared memory, mma.sync, scales in registers.
void emitScaledMmaKernel(KernelBuilder &k, mlir::gpu::GPUFuncOp func,
                         PackedScaledMatmulOp op,
                         const qtarget::IntrinsicRow &row,
                         const Schedule &schedule, mlir::Value sharedMemory);

/// What follows the groups of quant.packed_scaled_matmul, on numbers or vectors
/// of neighbouring columns.
class ScaledEpilogue {
public:
  ScaledEpilogue(KernelBuilder &k, mlir::gpu::GPUFuncOp func,
                 PackedScaledMatmulOp op)
      : k(k), func(func), op(op) {}

  /// Of row `m` (below M), of columns `n`... (below 8 * panels); null where
  /// there is none.
  mlir::Value loadRowScale(mlir::Value m);
  mlir::Value loadRowZeroPoint(mlir::Value m);
  mlir::Value loadBias(mlir::Value n, int64_t count);
  /// Stores t * rowScale + bias at (m, n...): columns past N are left out.
  void store(mlir::Value m, mlir::Value n, mlir::Value t, mlir::Value rowScale,
             mlir::Value bias);

private:
  mlir::Value loadRowValue(unsigned argument, mlir::Value operand,
                           mlir::Value m);

  KernelBuilder &k;
  mlir::gpu::GPUFuncOp func;
  PackedScaledMatmulOp op;
};

/// Stores `values` at row m, columns n... of the [M, `columns`] that `pointer`
/// points to: columns past the last are left out.
void storeColumns(KernelBuilder &k, mlir::Value pointer, int64_t columns,
                  mlir::Value m, mlir::Value n, mlir::Value values);

/// Arguments of the kernel of quant.quantize_rows, after M.
enum QuantizeArgument : unsigned {
  kInput = 1,
  kPacked,
  kScale,
  kNumQuantizeArguments
};

/// How a block of quant.quantize_rows shares out its row.
struct QuantizeRowsShape {
  explicit QuantizeRowsShape(QuantizeRowsOp op);

  /// Columns of the row, and with its padding.
  int64_t k, paddedK;
  /// Neighbouring elements that a thread loads at once, threads of a block, how
  /// often they load.
  int64_t vector, threads, parts;
  /// Whether the row stays in registers between its two uses.
  bool inRegisters() const { return parts * vector <= 64; }
};

/// Threads of all blocks of it that a multiprocessor holds: each may have 128
/// registers, half of them for its part of the row.
inline constexpr int64_t kQuantizeThreadsPerMultiprocessor = 512;

/// A kernel body: a block scales, quantizes and packs one row.
void emitQuantizeRowsKernel(KernelBuilder &k, mlir::gpu::GPUFuncOp func,
                            QuantizeRowsOp op, mlir::Value sharedMemory);

/// Corrections and rescale of sums (i32, or vectors of neighbouring columns).
class KernelEpilogue {
public:
  KernelEpilogue(KernelBuilder &k, mlir::gpu::GPUFuncOp func,
                 const Problem &problem);

  /// What depends on the row `m` (below M) alone.
  struct RowTerms {
    mlir::Value scale;
    llvm::SmallVector<mlir::Value> factors;
  };
  /// What depends on the columns `n`... (below 8 * panels) alone.
  struct ColumnTerms {
    mlir::Value bias, scale, floatBias, multiplier, shift;
    llvm::SmallVector<mlir::Value> factors;
  };
  RowTerms loadRow(mlir::Value m);
  ColumnTerms loadColumns(mlir::Value n, int64_t count);
  /// How many times `count` columns to load before they are used: as many as 16
  /// registers hold the terms of.
  int64_t columnsAhead(int64_t count);
  /// What is added to the result at (m, n...), of row `m` (below M) and
  /// `count` columns `n`...; null where nothing is. Columns past N have
  /// anything.
  mlir::Value loadResidual(mlir::Value m, mlir::Value n, int64_t count);
  /// The values to store for `acc`.
  mlir::Value apply(mlir::Value acc, const RowTerms &row,
                    const ColumnTerms &columns, mlir::Value residual);
  /// Stores `values` at (m, n...): columns past N are left out.
  void store(mlir::Value m, mlir::Value n, mlir::Value values);

private:
  mlir::Value columnVector(unsigned argument, mlir::Value operand,
                           mlir::Value n, int64_t count);

  KernelBuilder &k;
  mlir::gpu::GPUFuncOp func;
  const Problem &problem;
};

} // namespace quantmlir::nvvm

#endif // QUANT_LIB_TARGET_NVVM_KERNEL_H
