//===- PackedMatmulToLinalg.cpp - qtarget.packed_matmul, unpacked ---------===//
//
// The reference of the packed form: every element is read where the layout says
// that it is, and the steps are those of the op's description. Slow and
// obvious; it shows that a packing is right without the target's instructions.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "quant/Dialect/Quant/Utils/Codebook.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Target/IR/PackedMatmul.h"

using namespace mlir;
using namespace quantmlir;
using qtarget::PackedMatmulOp;

namespace {

/// The place of one result, as values of the body that computes it.
struct ResultAt {
  Value m, n;
  /// The column in panels.
  Value panel, lane;
};

/// The lowering of one op.
class PackedMatmulLowering {
public:
  PackedMatmulLowering(PackedMatmulOp op, PatternRewriter &b)
      : op(op), b(b), loc(op.getLoc()),
        type(cast<RankedTensorType>(op.getResult(0).getType())) {
    lhsSize = tensor::DimOp::create(b, loc, op.getLhs(), 1);
    if (!op.hasPlainLhs())
      lhsSize = mul(lhsSize, index(op.getLayout().getLhs().k));
    if (DenseI32ArrayAttr codes = op.getLayout().getCodebook())
      codebook = constantCodes(b, loc, codes.asArrayRef());
  }

  Value lower() {
    if (op.isGrouped())
      return forEachResult(type, [&](const ResultAt &at) {
        return finishGroups(at, sumGroups(at));
      });
    Value sums =
        forEachResult(type.clone(b.getI32Type()), [&](const ResultAt &at) {
          return correct(at, sumProducts(at));
        });
    return rescale(sums);
  }

private:
  //===--------------------------------------------------------------------===//
  // Indices
  //===--------------------------------------------------------------------===//

  Value index(int64_t v) { return arith::ConstantIndexOp::create(b, loc, v); }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulIOp::create(b, loc, x, y); }
  Value div(Value x, int64_t y) {
    return arith::DivUIOp::create(b, loc, x, index(y));
  }
  Value rem(Value x, int64_t y) {
    return arith::RemUIOp::create(b, loc, x, index(y));
  }

  /// [M, N] of `result`, each element as `body` makes it.
  Value forEachResult(RankedTensorType result,
                      function_ref<Value(const ResultAt &)> body) {
    Value init = emptyLike(b, loc, result, op.getInit());
    auto emit = [&](OpBuilder &nested, Location,
                    ValueRange) -> SmallVector<Value> {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(nested.getInsertionBlock(),
                          nested.getInsertionPoint());
      ResultAt at;
      at.m = linalg::IndexOp::create(b, loc, 0);
      at.n = linalg::IndexOp::create(b, loc, 1);
      at.panel = div(at.n, op.getNR());
      at.lane = rem(at.n, op.getNR());
      return {body(at)};
    };
    return elementwise(b, loc, {}, init, emit).getResult(0);
  }

  /// Values that a loop from 0 to `end` carries.
  SmallVector<Value>
  loop(Value end, ValueRange inits,
       function_ref<SmallVector<Value>(Value, ValueRange)> body) {
    auto loop = scf::ForOp::create(
        b, loc, index(0), end, index(1), inits,
        [&](OpBuilder &nested, Location, Value i, ValueRange carried) {
          OpBuilder::InsertionGuard guard(b);
          b.setInsertionPointToEnd(nested.getInsertionBlock());
          SmallVector<Value> next = body(i, carried);
          scf::YieldOp::create(b, loc, next);
        });
    return loop.getResults();
  }

  //===--------------------------------------------------------------------===//
  // Elements
  //===--------------------------------------------------------------------===//

  Value read(Value tensor, ValueRange at) {
    return tensor::ExtractOp::create(b, loc, tensor, at);
  }

  /// lhs[m, k] as i32.
  Value readLhs(const ResultAt &at, Value k) {
    qtarget::OperandTiles tiles = op.getLayout().getLhs();
    SmallVector<Value> indices = {at.m, k};
    if (tiles.isTiled())
      indices = {div(at.m, tiles.rows), div(k, tiles.k), rem(at.m, tiles.rows),
                 rem(k, tiles.k)};
    return extendToI32(b, loc, read(op.getLhs(), indices), tiles.isUnsigned);
  }

  /// rhs[n, k] as i32, `k` counted in the group `group`, if there is one.
  Value readRhs(const ResultAt &at, Value group, Value k) {
    qtarget::OperandTiles tiles = op.getLayout().getRhs();
    Value element = rem(k, tiles.k);
    SmallVector<Value> indices = {at.panel};
    if (group)
      indices.push_back(group);
    int64_t perElement = op.getRhsPerElement();
    int64_t bytes = tiles.k / perElement;
    indices.append({div(k, tiles.k), at.lane,
                    perElement > 1 ? rem(element, bytes) : element});
    Value stored = read(op.getRhs(), indices);
    if (perElement > 1) {
      Value part = arith::IndexCastOp::create(b, loc, b.getI8Type(),
                                              div(element, bytes));
      Value shift = mul(part, constantInt(b, loc, tiles.bits, 8));
      stored = arith::ShRUIOp::create(b, loc, stored, shift);
      stored =
          arith::TruncIOp::create(b, loc, b.getIntegerType(tiles.bits), stored);
    }
    if (codebook)
      return lookUpCode(b, loc, codebook, stored);
    return extendToI32(b, loc, stored, tiles.isUnsigned);
  }

  /// `value[m]`, or what it is for all rows.
  Value readRow(Value value, const ResultAt &at) {
    SmallVector<Value> indices;
    if (tensorType(value).getRank() == 1)
      indices.push_back(at.m);
    return read(value, indices);
  }

  //===--------------------------------------------------------------------===//
  // Without groups
  //===--------------------------------------------------------------------===//

  Value sumProducts(const ResultAt &at) {
    return loop(lhsSize, constantInt(b, loc, 0),
                [&](Value k, ValueRange sum) -> SmallVector<Value> {
                  Value x = readLhs(at, k);
                  return {add(sum[0], mul(x, readRhs(at, Value(), k)))};
                })
        .front();
  }

  Value correct(const ResultAt &at, Value sum) {
    if (Value bias = op.getColBias())
      sum = add(sum, read(bias, {at.panel, at.lane}));
    for (int64_t i = 0, e = countFactors(); i < e; ++i) {
      Value r = index(i);
      Value row = read(op.getRowFactors(), {r, at.m});
      sum =
          add(sum, mul(row, read(op.getColFactors(), {r, at.panel, at.lane})));
    }
    return sum;
  }

  int64_t countFactors() {
    Value factors = op.getRowFactors();
    return factors ? tensorType(factors).getDimSize(0) : 0;
  }

  /// [N/NR, NR] to [N]; null and rank 0 stay.
  Value unpackColumn(Value packed) {
    if (!packed || tensorType(packed).getRank() == 0)
      return packed;
    SmallVector<Value> sizes;
    if (type.isDynamicDim(1))
      sizes.push_back(tensor::DimOp::create(b, loc, op.getInit(), 1));
    Value init =
        tensor::EmptyOp::create(b, loc, {type.getDimSize(1)},
                                tensorType(packed).getElementType(), sizes);
    auto emit = [&](OpBuilder &nested, Location loc,
                    ValueRange) -> SmallVector<Value> {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(nested.getInsertionBlock(),
                          nested.getInsertionPoint());
      Value n = linalg::IndexOp::create(b, loc, 0);
      return {read(packed, {div(n, op.getNR()), rem(n, op.getNR())})};
    };
    return elementwise(b, loc, {}, init, emit).getResult(0);
  }

  /// The op of the quant stage that follows the sums.
  Value rescale(Value acc) {
    switch (op.getEpilogue()) {
    case PackedMatmulOp::Epilogue::None:
      return acc;
    case PackedMatmulOp::Epilogue::Float: {
      Value channelScale = unpackColumn(op.getChannelScale());
      Value bias = unpackColumn(op.getBias());
      return RescaleOp::create(
          b, loc, type, acc, op.getRowScale(), channelScale, bias,
          op.getResidual(), op.getZeroPointAttr(), op.getRangeAttr(),
          op.getClampMinAttr(), op.getClampMaxAttr(), op.getIsUnsignedAttr());
    }
    case PackedMatmulOp::Epilogue::FixedPoint: {
      Value multiplier = unpackColumn(op.getMultiplier());
      Value shift = unpackColumn(op.getShift());
      IntegerAttr zeroPoint = op.getZeroPointAttr();
      if (!zeroPoint)
        zeroPoint = b.getI32IntegerAttr(0);
      return RescaleFixedPointOp::create(
          b, loc, type, acc, multiplier, shift, /*bias=*/Value(),
          op.getRoundingAttr(), /*input_zero_point=*/b.getI32IntegerAttr(0),
          zeroPoint, op.getRangeAttr(), op.getIsUnsignedAttr());
    }
    }
    llvm_unreachable("every epilogue is lowered");
  }

  //===--------------------------------------------------------------------===//
  // With groups
  //===--------------------------------------------------------------------===//

  Value sumGroups(const ResultAt &at) {
    return loop(index(op.getNumGroups()), constantFloat(b, loc, 0),
                [&](Value g, ValueRange t) -> SmallVector<Value> {
                  Value sum =
                      op.hasFloatLhs() ? sumFloatGroup(at, g) : sumGroup(at, g);
                  Value next = fma(sum, op.getRhsScale(), at, g, t[0]);
                  if (Value sums = op.getRowSums())
                    next = fma(read(sums, {at.m, g}), op.getRhsOffset(), at, g,
                               next);
                  return {next};
                })
        .front();
  }

  /// t + f32(sum) * scale[n, g], rounded once; of a scale of the row's group,
  /// too, their rounded product.
  Value fma(Value sum, Value scale, const ResultAt &at, Value g, Value t) {
    Value x = sum;
    if (!isa<FloatType>(x.getType()))
      x = arith::SIToFPOp::create(b, loc, b.getF32Type(), sum);
    Value s = extendToF32(b, loc, read(scale, {at.panel, g, at.lane}));
    if (Value ofRow = op.getLhsScale())
      s = arith::MulFOp::create(b, loc, read(ofRow, {at.m, g}), s);
    return math::FmaOp::create(b, loc, x, s, t);
  }

  /// The f32 sum of group `g`, k ascending.
  Value sumFloatGroup(const ResultAt &at, Value g) {
    Value size = index(op.getLayout().getGroup());
    Value zeroPoint = op.getRhsZeroPoint();
    if (zeroPoint)
      zeroPoint = tensorType(zeroPoint).getRank() == 0
                      ? read(zeroPoint, {})
                      : read(zeroPoint, {at.panel, g, at.lane});
    return loop(size, constantFloat(b, loc, 0),
                [&](Value i, ValueRange sum) -> SmallVector<Value> {
                  Value w = readRhs(at, g, i);
                  if (zeroPoint)
                    w = subtract(w, zeroPoint);
                  w = arith::SIToFPOp::create(b, loc, b.getF32Type(), w);
                  Value x = read(op.getLhs(), {at.m, add(mul(g, size), i)});
                  return {math::FmaOp::create(b, loc, x, w, sum[0])};
                })
        .front();
  }

  /// The i32 sum of group `g` and its corrections.
  Value sumGroup(const ResultAt &at, Value g) {
    Value size = index(op.getLayout().getGroup());
    Value begin = mul(g, size);
    Value rest = arith::SubIOp::create(b, loc, lhsSize, begin);
    Value end = arith::MinUIOp::create(b, loc, rest, size);
    Value zero = constantInt(b, loc, 0);
    SmallVector<Value> sums = loop(
        end, ValueRange{zero, zero},
        [&](Value i, ValueRange sums) -> SmallVector<Value> {
          Value x = readLhs(at, add(begin, i));
          return {add(sums[0], mul(x, readRhs(at, g, i))), add(sums[1], x)};
        });
    Value acc = sums[0];
    if (Value bias = op.getRowBias())
      acc = add(acc, read(bias, {at.m, g}));
    for (int64_t i = 0, e = countFactors(); i < e; ++i) {
      Value r = index(i);
      Value row = read(op.getRowFactors(), {r, at.m, g});
      Value column = read(op.getColFactors(), {r, at.panel, g, at.lane});
      acc = add(acc, mul(row, column));
    }
    if (Value zeroPoint = op.getRhsZeroPoint())
      acc =
          subtract(acc, mul(read(zeroPoint, {at.panel, g, at.lane}), sums[1]));
    if (Value zeroPoint = op.getLhsZeroPoint())
      acc = subtract(acc, mul(readRow(zeroPoint, at),
                              read(op.getRhsSums(), {at.panel, g, at.lane})));
    return acc;
  }

  Value subtract(Value x, Value y) {
    return arith::SubIOp::create(b, loc, x, y);
  }

  /// The row's scale, the bias, the result's type.
  Value finishGroups(const ResultAt &at, Value y) {
    if (Value scale = op.getRowScale())
      y = arith::MulFOp::create(b, loc, y, readRow(scale, at));
    if (Value bias = op.getBias())
      y = arith::AddFOp::create(b, loc, y, read(bias, {at.panel, at.lane}));
    return truncateFromF32(b, loc, y, type.getElementType());
  }

  PackedMatmulOp op;
  PatternRewriter &b;
  Location loc;
  RankedTensorType type;
  /// Elements along K of the left operand.
  Value lhsSize;
  /// Null where the layout has none.
  Value codebook;
};

struct LowerPackedMatmul : OpRewritePattern<PackedMatmulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PackedMatmulOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getNumResults() != 1)
      return rewriter.notifyMatchFailure(op, "only tensors are lowered");
    rewriter.replaceOp(op, PackedMatmulLowering(op, rewriter).lower());
    return success();
  }
};

} // namespace

void quantmlir::populatePackedMatmulToLinalgPatterns(
    RewritePatternSet &patterns) {
  patterns.add<LowerPackedMatmul>(patterns.getContext());
}
