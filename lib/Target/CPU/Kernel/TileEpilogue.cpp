//===- TileEpilogue.cpp - corrections and rescale in registers ------------===//

#include "quant/Target/CPU/Kernel/TileEpilogue.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

//===----------------------------------------------------------------------===//
// Terms, for the kernels of all instructions
//===----------------------------------------------------------------------===//

RescaleTerms quantmlir::loadColumnTerms(qtarget::PackedMatmulOp op,
                                        function_ref<Value(Value)> load) {
  auto loadIfAny = [&](Value v) { return v ? load(v) : Value(); };
  RescaleTerms terms;
  terms.channelScale = loadIfAny(op.getChannelScale());
  terms.bias = loadIfAny(op.getBias());
  terms.multiplier = loadIfAny(op.getMultiplier());
  terms.shift = loadIfAny(op.getShift());
  terms.doubleRound = op.getRounding() == RoundingMode::DOUBLE_ROUND;
  terms.clampMin = op.getClampMin();
  terms.clampMax = op.getClampMax();
  terms.zeroPoint = static_cast<int32_t>(op.getZeroPoint().value_or(0));
  terms.range = op.getRange().value_or(ArrayRef<int64_t>());
  return terms;
}

Value quantmlir::loadRowScale(OpBuilder &b, Location loc,
                              qtarget::PackedMatmulOp op, Value row) {
  Value scale = op.getRowScale();
  if (!scale)
    return {};
  SmallVector<Value> at;
  if (getMemRefRank(scale) == 1)
    at.push_back(row);
  return memref::LoadOp::create(b, loc, scale, at);
}

Value quantmlir::loadResidual(OpBuilder &b, Location loc,
                              qtarget::PackedMatmulOp op, VectorType type,
                              ValueRange at, Value mask) {
  Value residual = op.getResidual();
  if (!residual)
    return {};
  if (!mask)
    return vector::LoadOp::create(b, loc, type, residual, at);
  Value zero = arith::ConstantOp::create(b, loc, type, b.getZeroAttr(type));
  return vector::MaskedLoadOp::create(b, loc, type, residual, at, mask, zero);
}

//===----------------------------------------------------------------------===//
// One row of a tile of registers
//===----------------------------------------------------------------------===//

namespace {

/// Emission of one row of a tile, `lanes` columns at a time.
struct RowEpilogue {
  OpBuilder &b;
  Location loc;
  const PackedKernel &kernel;
  /// The row in the result, the panel of columns.
  Value row, nPanel;

  VectorType typed(Type element) const {
    return VectorType::get({kernel.row.n}, element);
  }
  Value index(int64_t v) const {
    return arith::ConstantIndexOp::create(b, loc, v);
  }
  Value broadcast(Value scalar) const {
    return vector::BroadcastOp::create(b, loc, typed(scalar.getType()), scalar);
  }
  /// Vector `j` of a packed vector over columns, or one number in all lanes.
  Value column(Value packed, int64_t j) const {
    if (getMemRefRank(packed) == 0)
      return broadcast(memref::LoadOp::create(b, loc, packed, ValueRange{}));
    Type element = cast<MemRefType>(packed.getType()).getElementType();
    return vector::LoadOp::create(b, loc, typed(element), packed,
                                  ValueRange{nPanel, index(j * kernel.row.n)});
  }

  /// Where vector `j` stands in the result, and which of its lanes do; without
  /// a mask all of them.
  struct Columns {
    Value first, left, mask;
  };
  Columns columns(int64_t j) const;

  Value addRankRCorrection(Value acc, int64_t j) const;
  Value rescale(Value acc, int64_t j, const Columns &at) const;
  void store(Value vector, int64_t j, const Columns &at) const;
  void storeOneOrAll(Value vector, ValueRange at, Value left) const;
};

} // namespace

Value RowEpilogue::addRankRCorrection(Value acc, int64_t j) const {
  Value rows = kernel.op.getRowFactors(), cols = kernel.op.getColFactors();
  if (!rows)
    return acc;
  int64_t rank = cast<MemRefType>(rows.getType()).getDimSize(0);
  for (int64_t r = 0; r < rank; ++r) {
    Value factor = broadcast(
        memref::LoadOp::create(b, loc, rows, ValueRange{index(r), row}));
    Value col = vector::LoadOp::create(
        b, loc, kernel.accType(), cols,
        ValueRange{index(r), nPanel, index(j * kernel.row.n)});
    acc = arith::AddIOp::create(b, loc, acc,
                                arith::MulIOp::create(b, loc, factor, col));
  }
  return acc;
}

RowEpilogue::Columns RowEpilogue::columns(int64_t j) const {
  Value init = kernel.op.getInit();
  Value panel = arith::MulIOp::create(b, loc, nPanel, index(kernel.nr));
  Columns at;
  at.first = arith::AddIOp::create(b, loc, panel, index(j * kernel.row.n));
  int64_t n = cast<MemRefType>(init.getType()).getDimSize(1);
  if (!ShapedType::isDynamic(n) && n % kernel.nr == 0)
    return at;
  Value size = memref::DimOp::create(b, loc, init, 1);
  at.left = arith::SubIOp::create(b, loc, size, at.first);
  at.mask = vector::CreateMaskOp::create(b, loc, typed(b.getI1Type()), at.left);
  return at;
}

Value RowEpilogue::rescale(Value acc, int64_t j, const Columns &at) const {
  qtarget::PackedMatmulOp op = kernel.op;
  RescaleTerms terms =
      loadColumnTerms(op, [&](Value packed) { return column(packed, j); });
  if (Value scale = loadRowScale(b, loc, op, row))
    terms.rowScale = broadcast(scale);
  terms.residual = loadResidual(b, loc, op, typed(b.getF32Type()),
                                ValueRange{row, at.first}, at.mask);
  return emitRescale(b, loc, acc, terms,
                     cast<MemRefType>(op.getInit().getType()).getElementType());
}

/// A vector of which the last panel has one lane, and any other panel all. LLVM
/// 22 stores four bytes for a single i8 lane under a constant mask, where it
/// has AVX-512: behind the result's end, and over the next row's columns.
void RowEpilogue::storeOneOrAll(Value vector, ValueRange at, Value left) const {
  Value init = kernel.op.getInit();
  Value isOne =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, left, index(1));
  scf::IfOp::create(
      b, loc, isOne,
      [&](OpBuilder &b, Location loc) {
        Value lane =
            vector::ExtractOp::create(b, loc, vector, ArrayRef<int64_t>{0});
        memref::StoreOp::create(b, loc, lane, init, at);
        scf::YieldOp::create(b, loc);
      },
      [&](OpBuilder &b, Location loc) {
        vector::StoreOp::create(b, loc, vector, init, at);
        scf::YieldOp::create(b, loc);
      });
}

void RowEpilogue::store(Value vector, int64_t j, const Columns &at) const {
  Value init = kernel.op.getInit();
  int64_t lanes = kernel.row.n;
  if (!at.mask) {
    vector::StoreOp::create(b, loc, vector, init, ValueRange{row, at.first});
    return;
  }
  int64_t n = cast<MemRefType>(init.getType()).getDimSize(1);
  if (!ShapedType::isDynamic(n) && n % lanes == 1 &&
      j == n % kernel.nr / lanes) {
    storeOneOrAll(vector, ValueRange{row, at.first}, at.left);
    return;
  }
  vector::MaskedStoreOp::create(b, loc, init, ValueRange{row, at.first},
                                at.mask, vector);
}

void quantmlir::emitEpilogue(OpBuilder &b, Location loc,
                             const PackedKernel &kernel, TilePosition at,
                             ValueRange accumulators) {
  int64_t vectors = kernel.vectorsPerRow();
  for (int64_t r = 0; r < at.height; ++r) {
    Value row = arith::AddIOp::create(
        b, loc, at.row, arith::ConstantIndexOp::create(b, loc, r));
    RowEpilogue epilogue{b, loc, kernel, row, at.nPanel};
    for (int64_t j = 0; j < vectors; ++j) {
      Value acc = epilogue.addRankRCorrection(accumulators[r * vectors + j], j);
      RowEpilogue::Columns columns = epilogue.columns(j);
      epilogue.store(epilogue.rescale(acc, j, columns), j, columns);
    }
  }
}
