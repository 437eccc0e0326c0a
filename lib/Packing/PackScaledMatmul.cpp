//===- PackScaledMatmul.cpp - quant.scaled_matmul to its packed form ------===//
//
// With the weight stored unsigned (w' = w + shift, zw' = zw + shift) and
// S[m, g] the sum of x - zx over group g,
//
//   sum (x - zx)(w' - zw') = sum x w'  -  zw'[n, g] S[m, g]  -  zx[m] sum w'[n]
//
// Where zw' is one number the second term depends on the row only, and is what
// the kernel's accumulators start from; the others are outer products.
//
// A GPU's kernel sums the activations itself, so that they need no pass of
// their own and may stay on the GPU. It is given the zero points, and for the
// last term the sums of w - zw:
//
//   sum (x - zx)(w - zw) = sum x w  -  zw[n, g] sum x[m]  -  zx[m] sum (w -
//   zw)[n]
//
// Floats are multiplied by w' - zw' as it is widened: its kernel is given zw',
// one number where groups agree, and S for offsets only.
//
//===----------------------------------------------------------------------===//

#include "PackScaledMatmul.h"

#include "PackOperands.h"
#include "ScaledChoice.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

using namespace mlir;
using namespace quantmlir;

namespace {

/// The rewrite of one op.
class ScaledPacker {
public:
  ScaledPacker(ScaledMatmulOp op, qtarget::MatmulKernelInterface kernel,
               qtarget::TargetAttr target, ScaledWeight weight, RewriterBase &b)
      : op(op), kernel(kernel), row(kernel.getRow()), target(target),
        weight(std::move(weight)), layout(this->weight.layout()), b(b),
        loc(op.getLoc()) {}

  void rewrite();

private:
  /// [B.., M, ...], the last `keep` dimensions aside.
  Value mergeRows(Value value, int64_t keep) {
    return mergeLeading(b, loc, value, keep);
  }
  Value prepareLhs();
  Value prepareIntegers();
  Value padRows(Value x, int64_t zerosTo, int64_t stride);
  Value firstColumns(Value matrix, int64_t size);
  bool hasLhsZeroPoint() const { return zeroPoint || constantZeroPoint != 0; }
  Value rowZeroPoints();
  Value sumRows(Value x);
  Value subtractZeroPoints(Value sums);
  Value scaleSums(Value sums, int32_t factor);
  Value packLhsScale();
  Value negateRows(Value zeroPoints);
  void addCorrections(Value sums);
  void addZeroPoints();
  void addFloatZeroPoints();
  /// The activations as the kernel reads them, and its corrections.
  Value packLhs();
  RankedTensorType sumsType() {
    return RankedTensorType::get({rows, layout.groups}, sumType());
  }
  /// Of elements of activations, as the kernel reads them, and of their sums.
  Type elementType() {
    return row.lhs.isFloat ? Type(b.getF32Type()) : Type(b.getI8Type());
  }
  Type sumType() {
    return row.lhs.isFloat ? Type(b.getF32Type()) : Type(b.getI32Type());
  }

  ScaledMatmulOp op;
  qtarget::MatmulKernelInterface kernel;
  const qtarget::KernelRow &row;
  qtarget::TargetAttr target;
  ScaledWeight weight;
  const GroupLayout &layout;
  RewriterBase &b;
  Location loc;
  int64_t rows = 0;
  /// The activations [M, K], integers signed, and what is subtracted from them.
  Value lhs;
  int32_t constantZeroPoint = 0;
  Value zeroPoint;
  /// Of x over each group, [M, K/G], and the results of addCorrections.
  Value sums, rowBias, rowFactors, colFactors;
  /// The results of addZeroPoints.
  Value rhsZeroPoint, lhsZeroPoint, rhsSums;
};

} // namespace

Value ScaledPacker::prepareLhs() {
  return row.lhs.isFloat ? mergeRows(op.getLhs(), 1) : prepareIntegers();
}

/// The signed bytes [M, K], and their zero point in `constantZeroPoint` and
/// `zeroPoint`.
Value ScaledPacker::prepareIntegers() {
  int32_t moved = 0;
  Value x = convertOperand(b, loc, mergeRows(op.getLhs(), 1),
                           op.getLhsUnsigned(), /*bits=*/8,
                           /*wantUnsigned=*/false, moved);
  constantZeroPoint = moved;
  Value zp = mergeRows(op.getLhsZeroPoint(), 0);
  std::optional<SmallVector<int64_t>> values = getConstantInts(zp);
  if (values && !values->empty() && llvm::all_equal(*values))
    constantZeroPoint += static_cast<int32_t>(values->front());
  else
    zeroPoint = zp;
  return x;
}

/// [M, K] in rows of `stride` elements of the kernel's type, zero from K to
/// `zerosTo`; what follows no one reads. The copy is elementwise, so that it
/// takes up what made `x`.
Value ScaledPacker::padRows(Value x, int64_t zerosTo, int64_t stride) {
  int64_t k = tensorType(x).getDimSize(1);
  Type type = elementType();
  if (k == stride && tensorType(x).getElementType() == type)
    return x;
  Value dest =
      emptyLike(b, loc, RankedTensorType::get({rows, stride}, type), x);
  if (k < zerosTo) {
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
    dest = linalg::FillOp::create(b, loc, zero, dest).getResult(0);
  }
  Value part = firstColumns(dest, k);
  auto identity = [&](OpBuilder &b, Location loc,
                      ValueRange args) -> SmallVector<Value> {
    return {row.lhs.isFloat ? extendToF32(b, loc, args[0]) : args[0]};
  };
  Value copy = elementwise(b, loc, {{x, {0, 1}}}, part, identity).getResult(0);
  SmallVector<OpFoldResult> offsets(2, b.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
  return tensor::InsertSliceOp::create(
      b, loc, copy, dest, offsets, tensor::getMixedSizes(b, loc, x), strides);
}

/// The first `size` columns of a matrix with as many rows as the activations.
Value ScaledPacker::firstColumns(Value matrix, int64_t size) {
  if (tensorType(matrix).getDimSize(1) == size)
    return matrix;
  SmallVector<OpFoldResult> offsets(2, b.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes = {tensor::getMixedSize(b, loc, matrix, 0),
                                     b.getIndexAttr(size)};
  return tensor::ExtractSliceOp::create(b, loc, matrix, offsets, sizes,
                                        strides);
}

/// [M] zero points as one vector, or null where all are 0.
Value ScaledPacker::rowZeroPoints() {
  if (!hasLhsZeroPoint())
    return {};
  auto type = RankedTensorType::get({rows}, b.getI32Type());
  Value init;
  {
    SmallVector<Value> sizes;
    if (type.isDynamicDim(0))
      sizes.push_back(tensor::DimOp::create(b, loc, lhs, 0));
    init =
        tensor::EmptyOp::create(b, loc, type.getShape(), b.getI32Type(), sizes);
  }
  Value added = constantInt(b, loc, constantZeroPoint);
  if (!zeroPoint)
    return linalg::FillOp::create(b, loc, added, init).getResult(0);
  auto body = [&](OpBuilder &b, Location loc,
                  ValueRange args) -> SmallVector<Value> {
    return {arith::AddIOp::create(b, loc, args[0], added)};
  };
  return elementwise(b, loc, {{zeroPoint, paramDims(zeroPoint, {0})}}, init,
                     body)
      .getResult(0);
}

/// sum of x over each group, [M, K/G]; `x` is [M, groups * group]. A loop in an
/// elementwise body sums in a register; a reduction loop of linalg's would read
/// and write the sum in memory for each element.
Value ScaledPacker::sumRows(Value x) {
  int64_t group = tensorType(x).getDimSize(1) / layout.groups;
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value size = arith::ConstantIndexOp::create(b, loc, group);
  auto body = [&](OpBuilder &b, Location loc,
                  ValueRange) -> SmallVector<Value> {
    Value row = linalg::IndexOp::create(b, loc, 0);
    Value g = linalg::IndexOp::create(b, loc, 1);
    Value first = arith::MulIOp::create(b, loc, g, size);
    Value none = arith::ConstantOp::create(b, loc, b.getZeroAttr(sumType()));
    auto loop = scf::ForOp::create(
        b, loc, zero, size, one, none,
        [&](OpBuilder &b, Location loc, Value i, ValueRange sum) {
          Value k = arith::AddIOp::create(b, loc, first, i);
          Value v = tensor::ExtractOp::create(b, loc, x, ValueRange{row, k});
          if (isa<FloatType>(v.getType())) {
            v = arith::AddFOp::create(b, loc, sum[0], v);
          } else {
            v = extendToI32(b, loc, v, /*isUnsigned=*/false);
            v = arith::AddIOp::create(b, loc, sum[0], v);
          }
          scf::YieldOp::create(b, loc, v);
        });
    return {loop.getResult(0)};
  };
  SmallVector<Value> sizes;
  if (ShapedType::isDynamic(rows))
    sizes.push_back(tensor::DimOp::create(b, loc, x, 0));
  Value init =
      tensor::EmptyOp::create(b, loc, sumsType().getShape(), sumType(), sizes);
  return elementwise(b, loc, {}, init, body).getResult(0);
}

/// S = sums - zx * length of the group.
Value ScaledPacker::subtractZeroPoints(Value sums) {
  Value zx = rowZeroPoints();
  if (!zx)
    return sums;
  SmallVector<int32_t> lengths;
  for (int64_t g = 0; g < layout.groups; ++g)
    lengths.push_back(static_cast<int32_t>(layout.length(g)));
  auto type = RankedTensorType::get({layout.groups}, b.getI32Type());
  Value length =
      arith::ConstantOp::create(b, loc, type, makeI32TensorAttr(type, lengths));
  auto body = [](OpBuilder &b, Location loc,
                 ValueRange args) -> SmallVector<Value> {
    Value all = arith::MulIOp::create(b, loc, args[1], args[2]);
    return {arith::SubIOp::create(b, loc, args[0], all)};
  };
  Value init = emptyLike(b, loc, sumsType(), sums);
  return elementwise(b, loc, {{sums, {0, 1}}, {zx, {0}}, {length, {1}}}, init,
                     body)
      .getResult(0);
}

Value ScaledPacker::scaleSums(Value sums, int32_t factor) {
  auto body = [&](OpBuilder &b, Location loc,
                  ValueRange args) -> SmallVector<Value> {
    return {
        arith::MulIOp::create(b, loc, args[0], constantInt(b, loc, factor))};
  };
  return elementwise(b, loc, {{sums, {0, 1}}},
                     emptyLike(b, loc, sumsType(), sums), body)
      .getResult(0);
}

/// -zx[m] for every group.
Value ScaledPacker::negateRows(Value zeroPoints) {
  auto body = [](OpBuilder &b, Location loc,
                 ValueRange args) -> SmallVector<Value> {
    return {arith::SubIOp::create(b, loc, constantInt(b, loc, 0), args[0])};
  };
  SmallVector<Value> sizes;
  if (ShapedType::isDynamic(rows))
    sizes.push_back(tensor::DimOp::create(b, loc, lhs, 0));
  Value init = tensor::EmptyOp::create(b, loc, sumsType().getShape(),
                                       b.getI32Type(), sizes);
  return elementwise(b, loc, {{zeroPoints, {0}}}, init, body).getResult(0);
}

void ScaledPacker::addCorrections(Value sums) {
  SmallVector<Value> rowVectors;
  SmallVector<std::vector<int32_t>> colVectors;
  ArrayRef<int32_t> zw = weight.zeroPoints();
  if (zw.size() > 1) {
    rowVectors.push_back(scaleSums(sums, -1));
    colVectors.push_back(zw.vec());
  } else if (zw.front() != 0) {
    rowBias = scaleSums(sums, -zw.front());
  }
  if (Value zx = rowZeroPoints()) {
    rowVectors.push_back(negateRows(zx));
    colVectors.push_back(weight.sumGroups());
  }
  if (rowVectors.empty())
    return;
  rowFactors = stackRows(b, loc, rowVectors);
  colFactors = stackGroupInts(b, loc, layout, colVectors);
}

/// The corrections of a GPU's kernel.
void ScaledPacker::addZeroPoints() {
  if (weight.hasZeroPoint())
    rhsZeroPoint = packGroupInts(b, loc, layout, weight.zeroPointsOfGroups());
  if (!hasLhsZeroPoint())
    return;
  rhsSums = packGroupInts(b, loc, layout, weight.sumDifferences());
  if (zeroPoint && constantZeroPoint == 0) {
    lhsZeroPoint = zeroPoint;
  } else if (zeroPoint) {
    lhsZeroPoint = rowZeroPoints();
  } else {
    auto type = RankedTensorType::get({}, b.getI32Type());
    lhsZeroPoint = arith::ConstantOp::create(
        b, loc, type, makeI32TensorAttr(type, {constantZeroPoint}));
  }
}

/// The zero point of all groups, or one for each.
void ScaledPacker::addFloatZeroPoints() {
  if (!weight.hasZeroPoint())
    return;
  ArrayRef<int32_t> zw = weight.zeroPoints();
  if (zw.size() > 1) {
    rhsZeroPoint = packGroupInts(b, loc, layout, zw);
    return;
  }
  auto type = RankedTensorType::get({}, b.getI32Type());
  rhsZeroPoint =
      arith::ConstantOp::create(b, loc, type, makeI32TensorAttr(type, zw));
}

/// Elements, of `bytes`, from one row of activations to the next. Rows that are
/// a multiple of half a page apart would compete for a few sets of L1.
static int64_t chooseRowStride(int64_t paddedK, int64_t rows, int64_t bytes) {
  constexpr int64_t halfPage = 2048, line = 64;
  bool fewRows = !ShapedType::isDynamic(rows) && rows <= 4;
  bool competes = paddedK * bytes % halfPage == 0 && !fewRows;
  return competes ? paddedK + line / bytes : paddedK;
}

Value ScaledPacker::packLhs() {
  if (row.grouped.takesZeroPoints) {
    addZeroPoints();
    return packOperand(b, loc, lhs, /*kDim=*/1, /*rowTile=*/1, row.lhs.kTile,
                       row.kPadding());
  }
  int64_t k = layout.paddedK();
  Value padded = padRows(
      lhs, k,
      chooseRowStride(k, rows, elementType().getIntOrFloatBitWidth() / 8));
  if (row.lhs.isFloat) {
    if (op.getRhsOffset())
      sums = sumRows(firstColumns(padded, k));
    addFloatZeroPoints();
    return padded;
  }
  sums = subtractZeroPoints(sumRows(firstColumns(padded, k)));
  addCorrections(sums);
  return padded;
}

/// Scales for each group, [M, K/G], of those of blocks that are as long or
/// longer.
Value ScaledPacker::packLhsScale() {
  Value scale = mergeRows(op.getLhsScale(), 1);
  if (!scale || tensorType(scale).getDimSize(1) == layout.groups)
    return scale;
  int64_t block = *op.getLhsGroupSize();
  auto body = [&](OpBuilder &b, Location loc,
                  ValueRange) -> SmallVector<Value> {
    Value row = linalg::IndexOp::create(b, loc, 0);
    Value g = linalg::IndexOp::create(b, loc, 1);
    Value size = arith::ConstantIndexOp::create(b, loc, layout.groupSize);
    Value first = arith::MulIOp::create(b, loc, g, size);
    Value length = arith::ConstantIndexOp::create(b, loc, block);
    Value at = arith::DivUIOp::create(b, loc, first, length);
    return {tensor::ExtractOp::create(b, loc, scale, ValueRange{row, at})};
  };
  auto type = RankedTensorType::get({rows, layout.groups}, b.getF32Type());
  return elementwise(b, loc, {}, emptyLike(b, loc, type, scale), body)
      .getResult(0);
}

void ScaledPacker::rewrite() {
  lhs = prepareLhs();
  rows = tensorType(lhs).getDimSize(0);
  Value packed = packLhs();

  RankedTensorType result = op.getResult().getType();
  auto flat = RankedTensorType::get({rows, layout.n}, result.getElementType());
  SmallVector<Value> sizes;
  if (ShapedType::isDynamic(rows))
    sizes.push_back(tensor::DimOp::create(b, loc, lhs, 0));
  Value init = tensor::EmptyOp::create(b, loc, flat.getShape(),
                                       flat.getElementType(), sizes);
  Value offset;
  if (op.getRhsOffset())
    offset = packGroupFloats(b, loc, layout, b.getF32Type(),
                             weight.getFloats(op.getRhsOffset()));
  // One statement an op: arguments have no order of evaluation.
  Value panels = weight.pack(b, loc);
  if (row.grouped.isOnHost)
    weight.readPacked(b, op, panels);
  SmallVector<float> values = weight.orient(weight.getFloats(op.getRhsScale()));
  Type scaleType = b.getF32Type();
  // One scale a channel is too few bytes to matter.
  if (layout.groups > 1)
    scaleType = row.chooseScaleType(target, values);
  Value scales = packGroupFloats(b, loc, layout, scaleType, values);
  Value lhsScale = packLhsScale();
  Value rowScale = mergeRows(op.getRowScale(), 0);
  Value bias = packColumns(b, loc, op.getBias(), layout.lanes);
  DenseI32ArrayAttr codebook;
  if (!weight.codebook().empty())
    codebook = b.getDenseI32ArrayAttr(weight.codebook());
  Value y =
      qtarget::PackedMatmulOp::create(
          b, loc, TypeRange{flat}, kernel,
          row.getLayout(b.getContext(), {1, layout.lanes}, layout.bits,
                        layout.paddedGroup, codebook),
          packed, panels, scales, lhsScale, /*col_bias=*/Value(), rowBias,
          rowFactors, colFactors, offset ? sums : Value(), offset, rhsZeroPoint,
          lhsZeroPoint, rhsSums, rowScale, /*channel_scale=*/Value(), bias,
          /*residual=*/Value(), /*multiplier=*/Value(), /*shift=*/Value(), init,
          /*zero_point=*/nullptr, /*range=*/nullptr, /*clamp_min=*/nullptr,
          /*clamp_max=*/nullptr, /*is_unsigned=*/nullptr, /*rounding=*/nullptr,
          /*schedule=*/nullptr)
          .getResult(0);
  if (result.getRank() > 2) {
    SmallVector<ReassociationIndices> dims = {{}, {result.getRank() - 1}};
    for (int64_t i = 0; i < result.getRank() - 1; ++i)
      dims[0].push_back(i);
    SmallVector<OpFoldResult> shape =
        tensor::getMixedSizes(b, loc, op.getLhs());
    shape.back() = b.getIndexAttr(layout.n);
    y = tensor::ExpandShapeOp::create(b, loc, result, y, dims, shape);
  }
  b.replaceOp(op, y);
}

int64_t quantmlir::packScaledMatmuls(
    Operation *root, qtarget::TargetAttr target,
    llvm::function_ref<void(ScaledMatmulOp, StringRef reason)> leave) {
  SmallVector<ScaledMatmulOp> ops;
  root->walk([&](ScaledMatmulOp op) { ops.push_back(op); });
  IRRewriter rewriter(root->getContext());
  int64_t numPacked = 0;
  for (ScaledMatmulOp op : ops) {
    std::optional<ScaledWeight> weight;
    std::string why;
    qtarget::MatmulKernelInterface kernel =
        chooseScaledKernel(op, target, weight, why);
    if (!kernel) {
      leave(op, why);
      continue;
    }
    if (std::string why = weight->layout().widened; !why.empty())
      emitRemark(op.getLoc()) << "the weight takes " << weight->layout().bits
                              << " bits an element: " << why;
    rewriter.setInsertionPoint(op);
    ScaledPacker(op, kernel, target, std::move(*weight), rewriter).rewrite();
    ++numPacked;
  }
  return numPacked;
}
