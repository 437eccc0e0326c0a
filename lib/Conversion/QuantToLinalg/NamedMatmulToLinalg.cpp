//===- NamedMatmulToLinalg.cpp - quant.matmul to linalg's named ops -------===//
//
// Other compilers have kernels for products of signed integers, and know them
// by linalg's names or by a body that extends, multiplies and adds. So zero
// points, and the shift by 2^(bits-1) that makes an unsigned operand signed,
// leave the product:
//
//   sum_k (x - zx)(w - zw) = sum_k x w - zx (sum_k w - K zw) - zw sum_k x
//
// All of it wraps modulo 2^32, and so does what quant.matmul says.
//
//===----------------------------------------------------------------------===//

#include "NamedProduct.h"
#include "Patterns.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"

using namespace mlir;
using namespace quantmlir;

/// Over the loops b.., m, n, k.
static ArrayAttr getContractionMaps(OpBuilder &b, MatmulOp op) {
  int64_t numBatch = op.getNumBatchDims();
  int64_t m = numBatch, n = m + 1, k = m + 2;
  SmallVector<int64_t> rhs =
      op.hasBatchedRhs() ? allDims(numBatch) : SmallVector<int64_t>();
  rhs.append(op.getTransposeRhs() ? SmallVector<int64_t>{n, k}
                                  : SmallVector<int64_t>{k, n});
  SmallVector<int64_t> lhs = allDims(m + 1), result = allDims(n + 1);
  lhs.push_back(k);
  SmallVector<AffineMap> maps;
  for (ArrayRef<int64_t> dims :
       {ArrayRef(lhs), ArrayRef(rhs), ArrayRef(result)}) {
    SmallVector<AffineExpr> exprs;
    for (int64_t dim : dims)
      exprs.push_back(b.getAffineDimExpr(dim));
    maps.push_back(AffineMap::get(k + 1, 0, exprs, b.getContext()));
  }
  return b.getAffineMapArrayAttr(maps);
}

Value quantmlir::emitNamedProduct(OpBuilder &b, MatmulOp op, ValueRange inputs,
                                  Value init) {
  Location loc = op.getLoc();
  SmallVector<Type> types = {init.getType()};
  bool transposed = op.getTransposeRhs();
  int64_t numBatch = op.getNumBatchDims();
  Operation *product;
  if (numBatch == 0)
    product =
        transposed
            ? linalg::MatmulTransposeBOp::create(b, loc, types, inputs, init)
            : linalg::MatmulOp::create(b, loc, types, inputs, init);
  else if (numBatch == 1 && op.hasBatchedRhs())
    product = transposed
                  ? linalg::BatchMatmulTransposeBOp::create(b, loc, types,
                                                            inputs, init)
                  : linalg::BatchMatmulOp::create(b, loc, types, inputs, init);
  else
    product = linalg::ContractOp::create(b, loc, types, inputs, init,
                                         getContractionMaps(b, op));
  return product->getResult(0);
}

namespace {

/// One side of a product as signed integers, and what is subtracted from them:
/// `zeroPoint` (may be null) plus `shift`.
struct Side {
  Value values, zeroPoint;
  int64_t shift = 0;

  bool hasZero() const { return zeroPoint || shift; }
};

/// The lowering of one op.
class NamedMatmulLowering {
public:
  NamedMatmulLowering(MatmulOp op, OpBuilder &b)
      : op(op), b(b), loc(op.getLoc()), numBatch(op.getNumBatchDims()) {}

  Value lower() {
    Side lhs =
        makeSigned(op.getLhs(), op.getLhsZeroPoint(), op.getLhsUnsigned());
    Side rhs =
        makeSigned(op.getRhs(), op.getRhsZeroPoint(), op.getRhsUnsigned());
    Value product =
        emitNamedProduct(b, op, {lhs.values, rhs.values}, op.getInit());
    if (!lhs.hasZero() && !rhs.hasZero())
      return product;
    return subtractZeros(product, lhs, rhs);
  }

private:
  Side makeSigned(Value values, Value zeroPoint, bool isUnsigned) {
    if (!isUnsigned)
      return {values, zeroPoint};
    RankedTensorType type = tensorType(values);
    unsigned bits = type.getElementTypeBitWidth();
    // The upper bit flipped is 2^(bits-1) subtracted.
    auto flipped = elementwise(
        b, loc, {{values, allDims(type.getRank())}},
        emptyLike(b, loc, type, values),
        [&](OpBuilder &b, Location loc, ValueRange args) -> SmallVector<Value> {
          Value upper = constantInt(b, loc, -(int64_t(1) << (bits - 1)), bits);
          return {arith::XOrIOp::create(b, loc, args[0], upper)};
        });
    return {flipped.getResult(0), zeroPoint, -(int64_t(1) << (bits - 1))};
  }

  /// Sums of `values` over the dimension `reduced`, in i32.
  Value sumOver(Value values, int64_t reduced) {
    RankedTensorType type = tensorType(values);
    SmallVector<int64_t> kept, shape;
    SmallVector<AffineExpr> exprs;
    SmallVector<utils::IteratorType> iterators(type.getRank(),
                                               utils::IteratorType::parallel);
    iterators[reduced] = utils::IteratorType::reduction;
    for (int64_t i = 0; i < type.getRank(); ++i) {
      if (i == reduced)
        continue;
      kept.push_back(i);
      shape.push_back(type.getDimSize(i));
      exprs.push_back(b.getAffineDimExpr(i));
    }
    auto sumType = RankedTensorType::get(shape, b.getI32Type());
    Value zeros = filled(b, loc, sumType, values, kept, b.getI32IntegerAttr(0));
    SmallVector<AffineMap> maps = {
        b.getMultiDimIdentityMap(type.getRank()),
        AffineMap::get(type.getRank(), 0, exprs, b.getContext())};
    auto sums = linalg::GenericOp::create(
        b, loc, sumType, values, zeros, maps, iterators,
        [](OpBuilder &b, Location loc, ValueRange args) {
          Value wide = extendToI32(b, loc, args[0], /*isUnsigned=*/false);
          Value sum = arith::AddIOp::create(b, loc, args[1], wide);
          linalg::YieldOp::create(b, loc, sum);
        });
    return sums.getResult(0);
  }

  Value subtractZeros(Value product, const Side &lhs, const Side &rhs) {
    int64_t rank = numBatch + 2;
    SmallVector<int64_t> rows = allDims(numBatch + 1);
    SmallVector<int64_t> columns =
        op.hasBatchedRhs() ? allDims(numBatch) : SmallVector<int64_t>();
    columns.push_back(rank - 1);
    SmallVector<ElementwiseOperand> inputs = {{product, allDims(rank)}};
    auto addZero = [&](const Side &side, ArrayRef<int64_t> dims) {
      if (side.zeroPoint)
        inputs.push_back({side.zeroPoint, paramDims(side.zeroPoint, dims)});
    };
    addZero(lhs, rows);
    addZero(rhs, columns);
    Value k;
    if (lhs.hasZero()) {
      inputs.push_back({sumOver(rhs.values, op.getRhsKDim()), columns});
      if (rhs.hasZero())
        k = b.createOrFold<arith::IndexCastOp>(
            loc, b.getI32Type(),
            b.createOrFold<tensor::DimOp>(loc, lhs.values, rank - 1));
    }
    if (rhs.hasZero())
      inputs.push_back({sumOver(lhs.values, rank - 1), rows});
    Value empty = emptyLike(b, loc, op.getType(), product);
    auto corrected = elementwise(
        b, loc, inputs, empty,
        [&](OpBuilder &b, Location loc, ValueRange args) -> SmallVector<Value> {
          return {correct(b, loc, args, lhs, rhs, k)};
        });
    return corrected.getResult(0);
  }

  /// `args` as `subtractZeros` gathered them.
  static Value correct(OpBuilder &b, Location loc, ValueRange args,
                       const Side &lhs, const Side &rhs, Value k) {
    size_t next = 1;
    auto zero = [&](const Side &side) {
      Value shift = constantInt(b, loc, side.shift);
      if (!side.zeroPoint)
        return shift;
      Value zp = args[next++];
      return side.shift ? arith::AddIOp::create(b, loc, zp, shift).getResult()
                        : zp;
    };
    Value lhsZero = lhs.hasZero() ? zero(lhs) : Value();
    Value rhsZero = rhs.hasZero() ? zero(rhs) : Value();
    Value result = args[0];
    auto subtractProduct = [&](Value x, Value y) {
      Value product = arith::MulIOp::create(b, loc, x, y);
      result = arith::SubIOp::create(b, loc, result, product);
    };
    if (lhsZero) {
      Value sum = args[next++];
      if (rhsZero) {
        Value zeros = arith::MulIOp::create(b, loc, k, rhsZero);
        sum = arith::SubIOp::create(b, loc, sum, zeros);
      }
      subtractProduct(lhsZero, sum);
    }
    if (rhsZero)
      subtractProduct(rhsZero, args[next]);
    return result;
  }

  MatmulOp op;
  OpBuilder &b;
  Location loc;
  int64_t numBatch;
};

struct LowerToNamedMatmul : OpRewritePattern<MatmulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, NamedMatmulLowering(op, rewriter).lower());
    return success();
  }
};

} // namespace

void quantmlir::populateNamedMatmulToLinalgPatterns(
    RewritePatternSet &patterns) {
  patterns.add<LowerToNamedMatmul>(patterns.getContext());
}
