//===- GemvKernel.cpp - few rows: every weight is read once ---------------===//
//
// A block owns a panel of 8 columns and its warps share out the blocks of KR
// along K. A lane (g, j) reads 16 bytes of column g: a warp's load is 512
// neighbouring bytes. Sums of the four lanes of a column are added by shuffles,
// those of the warps through shared memory.
//
// 4-bit operands are unpacked to bytes for dp4a, the rows of the left one in
// full, the weights as 16 times themselves, by a mask alone: the sum is 16
// times too large and shifted back at the end.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/GPU/GemvKernel.h"
#include "quant/Target/GPU/KernelEpilogue.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::device;

int64_t device::getGemvRows(const Problem &problem) {
  int64_t rows = memrefType(problem.op.getInit()).getDimSize(0);
  return ShapedType::isDynamic(rows) ? kGemvRows : std::min(rows, kGemvRows);
}

namespace {

constexpr int64_t kHighNibbles = static_cast<int32_t>(0xf0f0f0f0);
/// Weights of 4 bits are multiplied as 2^kNibbleShift times themselves.
constexpr int64_t kNibbleShift = 4;

/// Words of four bytes for dp4a, in an order that is the same for both
/// operands.
class WordUnpacker {
public:
  WordUnpacker(KernelBuilder &k, int64_t bits) : k(k), narrow(bits == 4) {}

  SmallVector<Value> weights(Value quad) { return unpack(quad, false); }
  SmallVector<Value> rows(Value quad) { return unpack(quad, true); }
  /// The true sum of products of such words.
  Value finish(Value sum) {
    return narrow ? k.shiftRight(sum, kNibbleShift) : sum;
  }

private:
  SmallVector<Value> unpack(Value quad, bool toValue) {
    SmallVector<Value> words;
    for (int64_t i = 0; i < 4; ++i) {
      Value word = k.extract(quad, i);
      if (!narrow) {
        words.push_back(word);
        continue;
      }
      for (Value high : {k.shiftLeft(word, kNibbleShift), word}) {
        Value scaled = k.both(high, k.constant(kHighNibbles));
        words.push_back(toValue ? signExtend(scaled) : scaled);
      }
    }
    return words;
  }
  /// Nibbles in the upper halves of bytes to signed bytes: with its sign bit
  /// flipped a nibble is its value + 8; 0x78 more never leaves a byte, and
  /// flipping the byte's sign bit takes off 0x80 of the 0x80 too much.
  Value signExtend(Value scaled) {
    Value nibble = k.shiftRightUnsigned(scaled, kNibbleShift);
    Value biased = k.differ(nibble, k.constant(0x08080808));
    return k.differ(k.add(biased, 0x78787878),
                    k.constant(static_cast<int32_t>(0x80808080)));
  }

  KernelBuilder &k;
  bool narrow;
};

} // namespace

void device::emitGemvKernel(KernelBuilder &k, gpu::GPUFuncOp func,
                            const Problem &problem, Value sharedMemory) {
  Value m = func.getArgument(kM), thread = k.threadId();
  Value warp = k.div(thread, 32), lane = k.rem(thread, 32);
  Value column = k.div(lane, 4), part = k.rem(lane, 4);
  Value panel = k.blockId(0);
  VectorType quad = k.vec(4, k.i32());
  // This lane's 16 bytes of block 0 of the panel and of each row.
  Value weights = k.offset(k.globalPointer(func.getArgument(kRhs)), panel,
                           problem.kBlocks * 8 * Problem::blockBytes);
  weights = k.offset(weights, lane, 16);
  SmallVector<Value> rows;
  int64_t numRows = getGemvRows(problem);
  WordUnpacker unpacker(k, problem.row.lhs.bits);
  Value last = k.add(m, -1);
  for (int64_t r = 0; r < numRows; ++r) {
    Value row = k.offset(k.globalPointer(func.getArgument(kLhs)),
                         k.min(k.constant(r), last), problem.rowBytes());
    rows.push_back(k.offset(row, part, 16));
  }
  SmallVector<Value> sums(numRows, k.constant(0));
  sums = k.loop(
      warp, k.constant(problem.kBlocks), kGemvWarps, sums,
      [&](Value block, ValueRange carried) {
        SmallVector<Value> next(carried);
        SmallVector<Value> ws = unpacker.weights(k.load(
            k.offset(weights, block, 8 * Problem::blockBytes), quad, 16));
        for (int64_t r = 0; r < numRows; ++r) {
          SmallVector<Value> xs = unpacker.rows(
              k.load(k.offset(rows[r], block, Problem::blockBytes), quad, 16));
          for (auto [x, w] : llvm::zip_equal(xs, ws))
            next[r] = k.dot4(x, w, next[r]);
        }
        return next;
      });
  for (Value &sum : sums)
    for (int64_t mask : {1, 2})
      sum = k.add(sum, k.shuffleXor(sum, mask));
  // [warp][row][column] in shared memory.
  int64_t sumsOfWarp = numRows * Problem::panelColumns;
  k.ifThen(k.less(part, k.constant(1)), [&] {
    for (int64_t r = 0; r < numRows; ++r) {
      Value slot = k.add(k.mul(warp, sumsOfWarp),
                         k.add(column, r * Problem::panelColumns));
      k.store(k.offset(sharedMemory, slot, 4), sums[r], 4);
    }
  });
  k.barrier();
  Value row = k.div(thread, Problem::panelColumns);
  Value mine = k.both(k.less(thread, k.constant(sumsOfWarp)), k.less(row, m));
  k.ifThen(mine, [&] {
    Value sum = k.constant(0);
    for (int64_t w = 0; w < kGemvWarps; ++w) {
      Value slot = k.add(thread, w * sumsOfWarp);
      sum = k.add(sum, k.load(k.offset(sharedMemory, slot, 4), k.i32(), 4));
    }
    Value n = k.add(k.mul(panel, Problem::panelColumns),
                    k.rem(thread, Problem::panelColumns));
    KernelEpilogue epilogue(k, func, problem);
    epilogue.store(row, n,
                   epilogue.apply(unpacker.finish(sum), epilogue.loadRow(row),
                                  epilogue.loadColumns(n, 1),
                                  epilogue.loadResidual(row, n, 1)));
  });
}
