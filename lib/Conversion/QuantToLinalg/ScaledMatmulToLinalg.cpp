//===- ScaledMatmulToLinalg.cpp - quant.scaled_matmul to linalg -----------===//
//
// A linalg.generic over b.., m, n (parallel) and the groups g (reduction),
// whose body is a loop over the elements of one group. (Where lhs has blocks,
// too, g counts the shorter of the two.) The weight is read, and
// where the left operand is float dequantized, inside that loop; int4 and int2
// that are stored several in a byte are read from their bytes. So no copy of
// the weight is made, of integers or of floats.
//
//===----------------------------------------------------------------------===//

#include "Patterns.h"
#include "quant/Dialect/Quant/Utils/Codebook.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "quant/Dialect/Quant/IR/NarrowConstant.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"

using namespace mlir;
using namespace quantmlir;

namespace {

/// What the body of the generic reads for one (m, n, g).
struct GroupArgs {
  Value lhsZp, lhsScale, rhsScale, rhsZp, rhsOffset, sum;
};

/// The lowering of one op.
class ScaledMatmulLowering {
public:
  ScaledMatmulLowering(ScaledMatmulOp op, PatternRewriter &b)
      : op(op), b(b), loc(op.getLoc()), numRows(op.getNumBatchDims() + 1),
        n(numRows), g(numRows + 1) {}

  Value lower() {
    prepareOutside();
    addInputs();
    Value init = zeroSums();
    maps.push_back(map(allDims(numRows + 1)));
    SmallVector<utils::IteratorType> iterators(g,
                                               utils::IteratorType::parallel);
    iterators.push_back(utils::IteratorType::reduction);
    auto generic = linalg::GenericOp::create(
        b, loc, init.getType(), inputs, init, maps, iterators,
        [&](OpBuilder &nested, Location, ValueRange args) {
          OpBuilder::InsertionGuard guard(b);
          b.setInsertionPoint(nested.getInsertionBlock(),
                              nested.getInsertionPoint());
          linalg::YieldOp::create(b, loc, emitGroup(args));
        });
    return finish(generic.getResult(0));
  }

private:
  Value zeroSums() {
    Value empty = emptyResult(op.getResult().getType().clone(b.getF32Type()));
    return linalg::FillOp::create(b, loc, constantFloat(b, loc, 0), empty)
        .getResult(0);
  }

  Value emptyResult(RankedTensorType type) {
    SmallVector<Value> sizes;
    for (int64_t i = 0; i <= numRows; ++i)
      if (type.isDynamicDim(i))
        sizes.push_back(i == numRows ? dim(op.getRhs(), 0)
                                     : dim(op.getLhs(), i));
    return tensor::EmptyOp::create(b, loc, type.getShape(),
                                   type.getElementType(), sizes);
  }

  Value dim(Value value, int64_t i) {
    return tensor::DimOp::create(b, loc, value, i);
  }
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }

  AffineMap map(ArrayRef<int64_t> dims) {
    SmallVector<AffineExpr> exprs;
    for (int64_t d : dims)
      exprs.push_back(b.getAffineDimExpr(d));
    return AffineMap::get(g + 1, 0, exprs, b.getContext());
  }

  /// Values of the loops' bounds, and the bytes of a weight of 4 or 2 bits.
  void prepareOutside() {
    zero = index(0);
    one = index(1);
    int64_t shorter = op.getGroupSize();
    if (op.getLhsScale()) {
      int64_t blocks = *op.getLhsGroupSize();
      isRhsLonger = shorter > blocks;
      isLhsLonger = blocks > shorter;
      shorter = std::min(shorter, blocks);
    }
    groupSize = index(shorter);
    int64_t size = op.getK();
    dividesEvenly = !ShapedType::isDynamic(size) && size % shorter == 0;
    k = ShapedType::isDynamic(size) ? dim(op.getLhs(), numRows) : index(size);
    packedRhs = getPackedBytes(op.getRhs());
    if (packedRhs)
      perByte = index(kByte / getRhsBits());
    if (std::optional<ArrayRef<int8_t>> codes = op.getRhsCodebook())
      codebook = constantCodes(b, loc, SmallVector<int32_t>(*codes));
  }

  void addInputs() {
    auto add = [&](Value value, ArrayRef<int64_t> dims) {
      if (!value)
        return;
      inputs.push_back(value);
      maps.push_back(map(paramDims(value, dims)));
    };
    if (!isRhsLonger) {
      add(op.getRhsScale(), {n, g});
      add(op.getRhsZeroPoint(), {n, g});
      add(op.getRhsOffset(), {n, g});
    }
    add(op.getLhsZeroPoint(), allDims(numRows));
    SmallVector<int64_t> blocks = allDims(numRows);
    blocks.push_back(g);
    if (!isLhsLonger)
      add(op.getLhsScale(), blocks);
  }

  GroupArgs nameArgs(ValueRange args, Value begin) {
    GroupArgs named;
    size_t next = 0;
    auto take = [&](Value operand) { return operand ? args[next++] : Value(); };
    // What has longer groups than the sum is not one of the inputs.
    auto readAt = [&](Value operand, ValueRange rows, int64_t size) -> Value {
      if (!operand)
        return {};
      SmallVector<Value> at(rows);
      at.push_back(arith::DivUIOp::create(b, loc, begin, index(size)));
      return tensor::ExtractOp::create(b, loc, operand, at);
    };
    auto ofColumn = [&](Value operand) {
      return isRhsLonger ? readAt(operand, column, op.getGroupSize())
                         : take(operand);
    };
    named.rhsScale = ofColumn(op.getRhsScale());
    named.rhsZp = ofColumn(op.getRhsZeroPoint());
    named.rhsOffset = ofColumn(op.getRhsOffset());
    named.lhsZp = take(op.getLhsZeroPoint());
    named.lhsScale = isLhsLonger ? readAt(op.getLhsScale(), rowIndices,
                                          *op.getLhsGroupSize())
                                 : take(op.getLhsScale());
    named.sum = args[next];
    return named;
  }

  /// The new sum after one group.
  Value emitGroup(ValueRange args) {
    // Not in the loop: linalg.index stands right below its generic.
    rowIndices.clear();
    for (int64_t i = 0; i < numRows; ++i)
      rowIndices.push_back(linalg::IndexOp::create(b, loc, i));
    column = linalg::IndexOp::create(b, loc, n);
    Value index = linalg::IndexOp::create(b, loc, g);
    Value begin = arith::MulIOp::create(b, loc, index, groupSize);
    GroupArgs group = nameArgs(args, begin);
    Value length = groupSize;
    if (!dividesEvenly) {
      Value rest = arith::SubIOp::create(b, loc, k, begin);
      length = arith::MinUIOp::create(b, loc, rest, groupSize);
    }
    return op.hasIntegerLhs() ? emitIntegerGroup(group, begin, length)
                              : emitFloatGroup(group, begin, length);
  }

  /// One i32 sum, brought into the f32 one by a fused multiply-add.
  Value emitIntegerGroup(const GroupArgs &group, Value begin, Value length) {
    SmallVector<Value> inits = {constantInt(b, loc, 0)};
    if (group.rhsOffset)
      inits.push_back(inits.front());
    auto loop = scf::ForOp::create(
        b, loc, zero, length, one, inits,
        [&](OpBuilder &, Location, Value i, ValueRange sums) {
          Value at = arith::AddIOp::create(b, loc, begin, i);
          Value x = extendToI32(b, loc, readLhs(at), op.getLhsUnsigned());
          if (group.lhsZp)
            x = arith::SubIOp::create(b, loc, x, group.lhsZp);
          Value product =
              arith::MulIOp::create(b, loc, x, readRhs(at, group.rhsZp));
          SmallVector<Value> next = {
              arith::AddIOp::create(b, loc, sums[0], product)};
          if (group.rhsOffset)
            next.push_back(arith::AddIOp::create(b, loc, sums[1], x));
          scf::YieldOp::create(b, loc, next);
        });
    auto byLhs = [&](Value scale) -> Value {
      return group.lhsScale
                 ? arith::MulFOp::create(b, loc, group.lhsScale, scale)
                 : scale;
    };
    Value sum = emitFma(loop.getResult(0), byLhs(group.rhsScale), group.sum);
    return group.rhsOffset
               ? emitFma(loop.getResult(1), byLhs(group.rhsOffset), sum)
               : sum;
  }

  Value emitFma(Value integer, Value scale, Value sum) {
    Value x = arith::SIToFPOp::create(b, loc, b.getF32Type(), integer);
    return math::FmaOp::create(b, loc, x, scale, sum);
  }

  /// Dequantizes each element where it is multiplied. The order of the sum is
  /// free, so that LLVM may keep it in a vector.
  Value emitFloatGroup(const GroupArgs &group, Value begin, Value length) {
    auto free = arith::FastMathFlagsAttr::get(
        b.getContext(),
        arith::FastMathFlags::reassoc | arith::FastMathFlags::contract);
    auto loop = scf::ForOp::create(
        b, loc, zero, length, one, group.sum,
        [&](OpBuilder &, Location, Value i, ValueRange sum) {
          Value at = arith::AddIOp::create(b, loc, begin, i);
          Value x = extendToF32(b, loc, readLhs(at));
          Value q = arith::SIToFPOp::create(b, loc, b.getF32Type(),
                                            readRhs(at, group.rhsZp));
          Value w = arith::MulFOp::create(b, loc, q, group.rhsScale);
          if (group.rhsOffset)
            w = arith::AddFOp::create(b, loc, w, group.rhsOffset);
          Value product = arith::MulFOp::create(b, loc, x, w, free);
          Value next = arith::AddFOp::create(b, loc, sum[0], product, free);
          scf::YieldOp::create(b, loc, next);
        });
    return loop.getResult(0);
  }

  Value readLhs(Value at) {
    SmallVector<Value> indices = rowIndices;
    indices.push_back(at);
    return tensor::ExtractOp::create(b, loc, op.getLhs(), indices);
  }

  /// rhs[n, at] - zero point, or the entry of the code book, as i32.
  Value readRhs(Value at, Value zeroPoint) {
    Value q = packedRhs ? readPacked(at)
                        : tensor::ExtractOp::create(b, loc, op.getRhs(),
                                                    ValueRange{column, at})
                              .getResult();
    if (codebook)
      return lookUpCode(b, loc, codebook, q);
    q = extendToI32(b, loc, q, op.getRhsUnsigned());
    if (zeroPoint)
      q = arith::SubIOp::create(b, loc, q, zeroPoint);
    return q;
  }

  unsigned getRhsBits() {
    return op.getRhs().getType().getElementTypeBitWidth();
  }

  /// Element `at` of this column's row of `packedRhs`, in its own bits.
  Value readPacked(Value at) {
    Value byteAt = arith::DivUIOp::create(b, loc, at, perByte);
    Value byte = tensor::ExtractOp::create(b, loc, packedRhs,
                                           ValueRange{column, byteAt});
    Value place = arith::IndexCastUIOp::create(
        b, loc, b.getI8Type(), arith::RemUIOp::create(b, loc, at, perByte));
    Value bits = constantInt(b, loc, getRhsBits(), kByte);
    Value shift = arith::MulIOp::create(b, loc, place, bits);
    Value moved = arith::ShRUIOp::create(b, loc, byte, shift);
    return arith::TruncIOp::create(b, loc, b.getIntegerType(getRhsBits()),
                                   moved);
  }

  /// The row's scale, the bias, the result's type.
  Value finish(Value sum) {
    auto type = op.getResult().getType();
    if (!op.getRowScale() && !op.getBias() && type == sum.getType())
      return sum;
    SmallVector<ElementwiseOperand> operands = {{sum, allDims(numRows + 1)}};
    if (Value scale = op.getRowScale())
      operands.push_back({scale, paramDims(scale, allDims(numRows))});
    if (Value bias = op.getBias())
      operands.push_back({bias, {n}});
    auto body = [&](OpBuilder &nested, Location loc,
                    ValueRange args) -> SmallVector<Value> {
      Value y = args[0];
      size_t next = 1;
      if (op.getRowScale())
        y = arith::MulFOp::create(nested, loc, y, args[next++]);
      if (op.getBias())
        y = arith::AddFOp::create(nested, loc, y, args[next]);
      return {truncateFromF32(nested, loc, y, type.getElementType())};
    };
    return elementwise(b, loc, operands, emptyResult(type), body).getResult(0);
  }

  ScaledMatmulOp op;
  PatternRewriter &b;
  Location loc;
  int64_t numRows, n, g;
  static constexpr unsigned kByte = 8;
  Value zero, one, groupSize, k;
  /// The bytes of a weight that has several elements in each, and how many; or
  /// null.
  Value packedRhs, perByte;
  /// i32 entries; null without a code book.
  Value codebook;
  /// Where the body stands.
  SmallVector<Value> rowIndices;
  Value column;
  bool dividesEvenly = false;
  /// Whether a group of rhs, or a block of lhs, is longer than a sum.
  bool isRhsLonger = false, isLhsLonger = false;
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
};

struct LowerScaledMatmul : OpRewritePattern<ScaledMatmulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ScaledMatmulOp op,
                                PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, ScaledMatmulLowering(op, rewriter).lower());
    return success();
  }
};

} // namespace

void quantmlir::populateScaledMatmulToLinalgPatterns(
    RewritePatternSet &patterns) {
  patterns.add<LowerScaledMatmul>(patterns.getContext());
}
