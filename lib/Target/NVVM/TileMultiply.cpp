//===- TileMultiply.cpp - a warp's tile, by one instruction ---------------===//

#include "TileMultiply.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "quant/Target/NVVM/FragmentLayout.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::nvvm;

TileMultiply::TileMultiply(KernelBuilder &k, const Problem &problem,
                           const Schedule &schedule, Value thread)
    : k(k), problem(problem), schedule(schedule), lane(k.rem(thread, kLanes)) {
  Value warp = k.div(thread, kLanes);
  warpRow = k.mul(k.div(warp, schedule.warpsN), schedule.warpM());
  warpColumn = k.mul(k.rem(warp, schedule.warpsN), schedule.warpN());
}

SmallVector<Value> TileMultiply::zeros() {
  return SmallVector<Value>(numSums(), k.constant(0));
}

SmallVector<Value, 4> TileMultiply::loadChunk(Value tile, Value row,
                                              Value byte) {
  Value pointer =
      k.offset(tile, k.add(k.mul(row, Problem::blockBytes), byte), 1);
  Value quad = k.load(pointer, k.vec(4, k.i32()), 16);
  SmallVector<Value, 4> registers;
  for (int64_t i = 0; i < 4; ++i)
    registers.push_back(k.extract(quad, i));
  return registers;
}

namespace {

//===----------------------------------------------------------------------===//
// mma.sync
//===----------------------------------------------------------------------===//

/// A grid of instruction tiles: (warpM / m) x (warpN / n) of them.
class MmaTile : public TileMultiply {
public:
  MmaTile(KernelBuilder &k, const Problem &problem, const Schedule &schedule,
          Value thread)
      : TileMultiply(k, problem, schedule, thread), row(problem.row),
        group(k.div(lane, 4)), part(k.rem(lane, 4)) {}

  SmallVector<Value> multiply(Value stage, ValueRange sums) override;

  SmallVector<Value> rows(Value firstRow) override {
    SmallVector<Value> result;
    Value first = k.add(k.add(firstRow, warpRow), group);
    for (int64_t i = 0; i < schedule.warpM() / 8; ++i)
      result.push_back(k.add(first, 8 * i));
    return result;
  }
  SmallVector<Value> columns(Value firstColumn) override {
    SmallVector<Value> result;
    Value first = k.add(k.add(firstColumn, warpColumn), k.mul(part, 2));
    for (int64_t i = 0; i < tilesN(); ++i)
      result.push_back(k.add(first, row.n * i));
    return result;
  }
  int64_t columnsTogether() const override { return 2; }
  Value sum(ValueRange sums, int64_t r, int64_t c) override {
    int64_t halves = row.m / 8;
    int64_t first =
        ((r / halves) * tilesN() + c) * perTile() + 2 * (r % halves);
    return vector::FromElementsOp::create(
        k.b, k.loc, k.vec(2, k.i32()),
        ValueRange{sums[first], sums[first + 1]});
  }

private:
  int64_t tilesM() const { return schedule.warpM() / row.m; }
  int64_t tilesN() const { return schedule.warpN() / row.n; }
  int64_t perTile() const { return row.m * row.n / kLanes; }
  int64_t numSums() const override { return tilesM() * tilesN() * perTile(); }

  SmallVector<Value> mma(ValueRange a, ValueRange b, ValueRange c);

  const qtarget::IntrinsicRow &row;
  Value group, part;
};

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

SmallVector<Value> MmaTile::multiply(Value stage, ValueRange sums) {
  Value rhsTile =
      k.offset(stage, k.constant(schedule.blockM * Problem::blockBytes), 1);
  Value byte = k.mul(part, 16);
  auto loadRows = [&](Value tile, Value first, int64_t count) {
    SmallVector<SmallVector<Value, 4>> chunks;
    for (int64_t i = 0; i < count; ++i)
      chunks.push_back(
          loadChunk(tile, k.add(k.add(first, group), 8 * i), byte));
    return chunks;
  };
  auto lhs = loadRows(stage, warpRow, schedule.warpM() / 8);
  auto rhs = loadRows(rhsTile, warpColumn, tilesN());

  SmallVector<Value> next(sums);
  int64_t alongK = getRegistersAlongK(row), halves = row.m / 8;
  for (int64_t step = 0; step < row.lhs.kTile / row.k; ++step)
    for (int64_t tm = 0; tm < tilesM(); ++tm)
      for (int64_t tn = 0; tn < tilesN(); ++tn) {
        SmallVector<Value> a, b;
        for (int64_t r = 0; r < alongK; ++r) {
          int64_t word = getByteInRow(row, /*lane=*/0, step, r) / 4;
          for (int64_t half = 0; half < halves; ++half)
            a.push_back(lhs[tm * halves + half][word]);
          b.push_back(rhs[tn][word]);
        }
        auto *c = next.begin() + (tm * tilesN() + tn) * perTile();
        SmallVector<Value> sum =
            mma(a, b, ValueRange(ArrayRef<Value>(c, perTile())));
        llvm::copy(sum, c);
      }
  return next;
}

//===----------------------------------------------------------------------===//
// dp4a
//===----------------------------------------------------------------------===//

/// Lanes are 4 x 8; a lane has every fourth row and every eighth column of the
/// warp's tile. Eight lanes read chunks of eight columns at once: each pair of
/// them starts at another chunk along K, so that no two meet in a bank.
class Dp4aTile : public TileMultiply {
public:
  Dp4aTile(KernelBuilder &k, const Problem &problem, const Schedule &schedule,
           Value thread)
      : TileMultiply(k, problem, schedule, thread), y(k.div(lane, 8)),
        x(k.rem(lane, 8)) {}

  SmallVector<Value> multiply(Value stage, ValueRange sums) override;

  SmallVector<Value> rows(Value firstRow) override {
    SmallVector<Value> result;
    Value first = k.add(k.add(firstRow, warpRow), y);
    for (int64_t i = 0; i < numRows(); ++i)
      result.push_back(k.add(first, 4 * i));
    return result;
  }
  SmallVector<Value> columns(Value firstColumn) override {
    SmallVector<Value> result;
    Value first = k.add(k.add(firstColumn, warpColumn), x);
    for (int64_t i = 0; i < numColumns(); ++i)
      result.push_back(k.add(first, 8 * i));
    return result;
  }
  int64_t columnsTogether() const override { return 1; }
  Value sum(ValueRange sums, int64_t r, int64_t c) override {
    return sums[r * numColumns() + c];
  }

private:
  int64_t numRows() const { return schedule.warpM() / 4; }
  int64_t numColumns() const { return schedule.warpN() / 8; }
  int64_t numSums() const override { return numRows() * numColumns(); }

  Value y, x;
};

SmallVector<Value> Dp4aTile::multiply(Value stage, ValueRange sums) {
  Value rhsTile =
      k.offset(stage, k.constant(schedule.blockM * Problem::blockBytes), 1);
  SmallVector<Value> next(sums);
  for (int64_t chunk = 0; chunk < Problem::blockBytes / 16; ++chunk) {
    Value byte = k.mul(k.rem(k.add(k.div(x, 2), chunk), 4), 16);
    SmallVector<SmallVector<Value, 4>> lhs;
    for (Value row : rows(k.constant(0)))
      lhs.push_back(loadChunk(stage, row, byte));
    for (auto [c, column] : llvm::enumerate(columns(k.constant(0)))) {
      SmallVector<Value, 4> rhs = loadChunk(rhsTile, column, byte);
      for (int64_t r = 0; r < numRows(); ++r)
        for (int64_t i = 0; i < 4; ++i) {
          Value &sum = next[r * numColumns() + c];
          sum = k.dot4(lhs[r][i], rhs[i], sum);
        }
    }
  }
  return next;
}

} // namespace

std::unique_ptr<TileMultiply> TileMultiply::create(KernelBuilder &k,
                                                   const Problem &problem,
                                                   const Schedule &schedule,
                                                   Value thread) {
  if (problem.row.family == qtarget::IntrinsicFamily::Dp4a)
    return std::make_unique<Dp4aTile>(k, problem, schedule, thread);
  return std::make_unique<MmaTile>(k, problem, schedule, thread);
}
