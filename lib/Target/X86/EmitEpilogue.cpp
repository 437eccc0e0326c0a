//===- EmitEpilogue.cpp - corrections and rescale in registers ------------===//

#include "EmitEpilogue.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

static int64_t memrefRank(Value v) {
  return cast<MemRefType>(v.getType()).getRank();
}

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
  Value splat(float v) const {
    VectorType type = typed(b.getF32Type());
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, v));
  }
  Value broadcast(Value scalar) const {
    return vector::BroadcastOp::create(b, loc, typed(scalar.getType()), scalar);
  }
  /// Vector `j` of a packed vector over columns, or one number in all lanes.
  Value column(Value packed, int64_t j) const {
    if (memrefRank(packed) == 0)
      return broadcast(memref::LoadOp::create(b, loc, packed, ValueRange{}));
    Type element = cast<MemRefType>(packed.getType()).getElementType();
    return vector::LoadOp::create(b, loc, typed(element), packed,
                                  ValueRange{nPanel, index(j * kernel.row.n)});
  }

  Value addRankRCorrection(Value acc, int64_t j) const;
  Value rescale(Value acc, int64_t j) const;
  Value toInteger(Value y, Type element) const;
  void store(Value vector, int64_t j) const;
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

/// quant.rescale's formula, one rounding a step.
Value RowEpilogue::rescale(Value acc, int64_t j) const {
  PackedMatmulOp op = kernel.op;
  Type element = cast<MemRefType>(op.getInit().getType()).getElementType();
  if (element.isInteger(32))
    return acc;
  Value scale;
  if (Value rowScale = op.getRowScale()) {
    SmallVector<Value> at;
    if (memrefRank(rowScale) == 1)
      at.push_back(row);
    scale = broadcast(memref::LoadOp::create(b, loc, rowScale, at));
  }
  if (op.getChannelScale()) {
    Value channel = column(op.getChannelScale(), j);
    scale = scale ? arith::MulFOp::create(b, loc, scale, channel).getResult()
                  : channel;
  }
  Value y = arith::SIToFPOp::create(b, loc, typed(b.getF32Type()), acc);
  y = arith::MulFOp::create(b, loc, y, scale);
  if (op.getBias())
    y = arith::AddFOp::create(b, loc, y, column(op.getBias(), j));
  if (std::optional<APFloat> min = op.getClampMin())
    y = arith::MaximumFOp::create(b, loc, y, splat(min->convertToFloat()));
  if (std::optional<APFloat> max = op.getClampMax())
    y = arith::MinimumFOp::create(b, loc, y, splat(max->convertToFloat()));
  if (element.isF32())
    return y;
  if (isa<FloatType>(element))
    return arith::TruncFOp::create(b, loc, typed(element), y);
  return toInteger(y, element);
}

/// clamp(roundeven(y) + zero_point, qmin, qmax), clamped while it is a float;
/// NaN gives the zero point.
Value RowEpilogue::toInteger(Value y, Type element) const {
  PackedMatmulOp op = kernel.op;
  float zp = static_cast<int32_t>(op.getZeroPoint().value_or(0));
  Value rounded = math::RoundEvenOp::create(b, loc, y);
  Value isNaN = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, y, y);
  Value shifted = rounded;
  if (zp != 0)
    shifted = arith::AddFOp::create(b, loc, rounded, splat(zp));
  Value number = arith::SelectOp::create(b, loc, isNaN, splat(zp), shifted);
  ArrayRef<int64_t> range = *op.getRange();
  number = arith::MaximumFOp::create(b, loc, number, splat(range[0]));
  number = arith::MinimumFOp::create(b, loc, number, splat(range[1]));
  Value wide = arith::FPToSIOp::create(b, loc, typed(b.getI32Type()), number);
  return arith::TruncIOp::create(b, loc, typed(element), wide);
}

void RowEpilogue::store(Value vector, int64_t j) const {
  Value init = kernel.op.getInit();
  int64_t lanes = kernel.row.n;
  Value first = arith::MulIOp::create(b, loc, nPanel, index(kernel.nr));
  Value col = arith::AddIOp::create(b, loc, first, index(j * lanes));
  int64_t n = cast<MemRefType>(init.getType()).getDimSize(1);
  if (!ShapedType::isDynamic(n) && n % kernel.nr == 0) {
    vector::StoreOp::create(b, loc, vector, init, ValueRange{row, col});
    return;
  }
  Value size = memref::DimOp::create(b, loc, init, 1);
  Value left = arith::SubIOp::create(b, loc, size, col);
  Value mask = vector::CreateMaskOp::create(b, loc, typed(b.getI1Type()), left);
  vector::MaskedStoreOp::create(b, loc, init, ValueRange{row, col}, mask,
                                vector);
}

void quantmlir::emitEpilogue(OpBuilder &b, Location loc,
                             const PackedKernel &kernel, Value mPanel,
                             Value nPanel, ValueRange accumulators) {
  int64_t vectors = kernel.vectorsPerRow();
  Value init = kernel.op.getInit();
  int64_t m = cast<MemRefType>(init.getType()).getDimSize(0);
  bool divides = !ShapedType::isDynamic(m) && m % kernel.mr == 0;
  Value mr = arith::ConstantIndexOp::create(b, loc, kernel.mr);
  Value first = arith::MulIOp::create(b, loc, mPanel, mr);
  for (int64_t r = 0; r < kernel.mr; ++r) {
    Value row = arith::AddIOp::create(
        b, loc, first, arith::ConstantIndexOp::create(b, loc, r));
    auto emitRow = [&](OpBuilder &b, Location loc) {
      RowEpilogue epilogue{b, loc, kernel, row, nPanel};
      for (int64_t j = 0; j < vectors; ++j) {
        Value acc =
            epilogue.addRankRCorrection(accumulators[r * vectors + j], j);
        epilogue.store(epilogue.rescale(acc, j), j);
      }
    };
    // The first row of a panel always is there.
    if (divides || r == 0) {
      emitRow(b, loc);
      continue;
    }
    Value size = memref::DimOp::create(b, loc, init, 0);
    Value inside =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, row, size);
    scf::IfOp::create(b, loc, inside, [&](OpBuilder &b, Location loc) {
      emitRow(b, loc);
      scf::YieldOp::create(b, loc);
    });
  }
}
