//===- StorePrefetch.cpp - lines that are about to be written -------------===//

#include "quant/Target/CPU/Kernel/StorePrefetch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

void quantmlir::prefetchStores(OpBuilder &b, Location loc, Value matrix,
                               const StoredBlock &block, Value iteration,
                               int64_t iterations) {
  constexpr int64_t lineBits = 64 * 8, rowsWhereUnknown = 2;
  auto add = [&](Value x, int64_t y) -> Value {
    Value constant = arith::ConstantIndexOp::create(b, loc, y);
    return y ? arith::AddIOp::create(b, loc, x, constant).getResult() : x;
  };
  int64_t share = ShapedType::isDynamic(iterations)
                      ? std::min(rowsWhereUnknown, block.rows)
                      : llvm::divideCeil(block.rows, iterations);
  int64_t perLine = lineBits / cast<MemRefType>(matrix.getType())
                                   .getElementType()
                                   .getIntOrFloatBitWidth();
  Value first = arith::MulIOp::create(
      b, loc, iteration, arith::ConstantIndexOp::create(b, loc, share));
  // In more iterations than there are rows the last one is asked for again.
  first = arith::MinUIOp::create(
      b, loc, first,
      arith::ConstantIndexOp::create(b, loc, block.rows - share));
  first = arith::AddIOp::create(b, loc, block.row, first);
  for (int64_t r = 0; r < share; ++r)
    for (int64_t column = 0; column < block.columns; column += perLine)
      memref::PrefetchOp::create(
          b, loc, matrix, ValueRange{add(first, r), add(block.column, column)},
          /*isWrite=*/true, /*localityHint=*/2, /*isDataCache=*/true);
}
