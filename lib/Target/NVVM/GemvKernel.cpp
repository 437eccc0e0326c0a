//===- GemvKernel.cpp - few rows: every weight is read once ---------------===//
//
// A block owns a panel of 8 columns and its warps share out the blocks of KR
// along K. A lane (g, j) reads 16 bytes of column g: a warp's load is 512
// neighbouring bytes. Sums of the four lanes of a column are added by shuffles,
// those of the warps through shared memory.
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::nvvm;

void nvvm::emitGemvKernel(KernelBuilder &k, gpu::GPUFuncOp func,
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
  Value last = k.add(m, -1);
  for (int64_t r = 0; r < kGemvRows; ++r) {
    Value row = k.offset(k.globalPointer(func.getArgument(kLhs)),
                         k.min(k.constant(r), last), problem.rowBytes());
    rows.push_back(k.offset(row, part, 16));
  }
  SmallVector<Value> sums(kGemvRows, k.constant(0));
  sums = k.loop(
      warp, k.constant(problem.kBlocks), kGemvWarps, sums,
      [&](Value block, ValueRange carried) {
        SmallVector<Value> next(carried);
        Value w =
            k.load(k.offset(weights, block, 8 * Problem::blockBytes), quad, 16);
        for (int64_t r = 0; r < kGemvRows; ++r) {
          Value x =
              k.load(k.offset(rows[r], block, Problem::blockBytes), quad, 16);
          for (int64_t i = 0; i < 4; ++i)
            next[r] = k.dot4(k.extract(x, i), k.extract(w, i), next[r]);
        }
        return next;
      });
  for (Value &sum : sums)
    for (int64_t mask : {1, 2})
      sum = k.add(sum, k.shuffleXor(sum, mask));
  // [warp][row][column] in shared memory.
  constexpr int64_t sumsOfWarp = kGemvRows * Problem::panelColumns;
  k.ifThen(k.less(part, k.constant(1)), [&] {
    for (int64_t r = 0; r < kGemvRows; ++r) {
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
    epilogue.store(
        row, n,
        epilogue.apply(sum, epilogue.loadRow(row), epilogue.loadColumns(n, 1)));
  });
}
