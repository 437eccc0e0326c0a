//===- MmaTile.cpp - a warp's tile, by mma.sync ---------------------------===//

#include "MmaTile.h"
#include "quant/Target/GPU/StageRing.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::nvvm;

MmaTile::MmaTile(KernelBuilder &k, const qtarget::KernelRow &row,
                 const Schedule &schedule, Value thread)
    : TileMultiply(k, schedule, thread), row(row), group(k.div(lane, 4)),
      part(k.rem(lane, 4)) {}

SmallVector<Value> MmaTile::rows(Value firstRow) {
  SmallVector<Value> result;
  Value first = k.add(k.add(firstRow, warpRow), group);
  for (int64_t i = 0; i < schedule.warpM() / 8; ++i)
    result.push_back(k.add(first, 8 * i));
  return result;
}

SmallVector<Value> MmaTile::columns(Value firstColumn) {
  SmallVector<Value> result;
  Value first = k.add(k.add(firstColumn, warpColumn), k.mul(part, 2));
  for (int64_t i = 0; i < tilesN(); ++i)
    result.push_back(k.add(first, row.n * i));
  return result;
}

Value MmaTile::sum(ValueRange sums, int64_t r, int64_t c) {
  int64_t halves = row.m / 8;
  int64_t first = ((r / halves) * tilesN() + c) * perTile() + 2 * (r % halves);
  ValueRange pair = sums.slice(first, 2);
  return vector::FromElementsOp::create(k.b, k.loc, k.vec(2, pair[0].getType()),
                                        pair);
}

SmallVector<Value> MmaTile::mma(ValueRange a, ValueRange b, ValueRange c) {
  SmallVector<Type> parts(c.size(), k.i32());
  auto type = LLVM::LLVMStructType::getLiteral(k.b.getContext(), parts);
  NVVM::MMATypes element =
      row.lhs.bits == 4 ? NVVM::MMATypes::s4 : NVVM::MMATypes::s8;
  // Wrapping: an intermediate sum may leave i32, the true one does not.
  Value result = NVVM::MmaOp::create(
      k.b, k.loc, type, a, b, c, ArrayRef<int64_t>{row.m, row.n, row.k},
      std::nullopt, NVVM::MMAIntOverflow::wrapped,
      std::array<NVVM::MMATypes, 2>{element, element},
      std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                     NVVM::MMALayout::col});
  SmallVector<Value> sums;
  for (int64_t i = 0, e = c.size(); i < e; ++i)
    sums.push_back(LLVM::ExtractValueOp::create(k.b, k.loc, result, i));
  return sums;
}

SmallVector<Value> MmaTile::multiplyStep(ArrayRef<Registers> lhs,
                                         ArrayRef<Registers> rhs, int64_t step,
                                         ValueRange sums) {
  SmallVector<Value> next(sums);
  int64_t alongK = getRegistersAlongK(row), halves = row.m / 8;
  int64_t rowTiles = lhs.size() / halves, columnTiles = rhs.size();
  for (int64_t tm = 0; tm < rowTiles; ++tm)
    for (int64_t tn = 0; tn < columnTiles; ++tn) {
      SmallVector<Value> a, b;
      for (int64_t r = step * alongK, e = r + alongK; r < e; ++r) {
        for (int64_t half = 0; half < halves; ++half)
          a.push_back(lhs[tm * halves + half][r]);
        b.push_back(rhs[tn][r]);
      }
      auto *c = next.begin() + (tm * columnTiles + tn) * perTile();
      SmallVector<Value> sum =
          mma(a, b, ValueRange(ArrayRef<Value>(c, perTile())));
      llvm::copy(sum, c);
    }
  return next;
}

MmaTile::Registers MmaTile::loadMatrices(Value address) {
  constexpr int64_t matrices = 4;
  SmallVector<Type> parts(matrices, k.i32());
  auto type = LLVM::LLVMStructType::getLiteral(k.b.getContext(), parts);
  auto shape = NVVM::LdStMatrixShapeAttr::get(k.b.getContext(), 8, 8);
  Value loaded = NVVM::LdMatrixOp::create(k.b, k.loc, type, address, matrices,
                                          NVVM::MMALayout::row, shape,
                                          NVVM::LdStMatrixEltType::B16);
  Registers registers;
  for (int64_t i = 0; i < matrices; ++i)
    registers.push_back(LLVM::ExtractValueOp::create(k.b, k.loc, loaded, i));
  return registers;
}

/// Lane 8 i + r says where row r of matrix i is. An instruction with one half
/// takes the four chunks of eight rows; one with two halves takes two chunks of
/// 16 rows: its registers are (half 0, chunk 0), (half 1, chunk 0), (half 0,
/// chunk 1), (half 1, chunk 1).
SmallVector<MmaTile::Registers>
MmaTile::loadRows(Value tile, Value first, int64_t count, int64_t halves) {
  constexpr int64_t rows = 8, chunks = 4, chunkBytes = StageRing::chunkBytes;
  int64_t together = chunks / halves;
  Value matrix = k.div(lane, rows), row = k.rem(lane, rows);
  Value swizzle = k.div(row, 2), chunk = k.div(matrix, halves);
  row = k.add(k.add(first, row), k.mul(k.rem(matrix, halves), rows));
  Value start = k.offset(tile, row, Problem::blockBytes);
  SmallVector<Registers> result(count, Registers(chunks));
  for (int64_t c = 0; c < chunks; c += together) {
    Value byte = k.mul(k.differ(k.add(chunk, c), swizzle), chunkBytes);
    Value base = k.offset(start, byte, 1);
    for (int64_t i = 0; i < count; i += halves) {
      Registers loaded = loadMatrices(
          k.offset(base, k.constant(i * rows), Problem::blockBytes));
      for (int64_t m = 0; m < chunks; ++m)
        result[i + m % halves][c + m / halves] = loaded[m];
    }
  }
  return result;
}

SmallVector<Value> MmaTile::multiply(Value stage, ValueRange sums) {
  Value rhsTile =
      k.offset(stage, k.constant(schedule.blockM * Problem::blockBytes), 1);
  auto lhs = loadRows(stage, warpRow, schedule.warpM() / 8, row.m / 8);
  auto rhs = loadRows(rhsTile, warpColumn, tilesN(), /*halves=*/1);
  SmallVector<Value> next(sums);
  for (int64_t step = 0; step < row.lhs.kTile / row.k; ++step)
    next = multiplyStep(lhs, rhs, step, next);
  return next;
}
