//===- BlockScaled.cpp - TOSA's block-scaled tensors ----------------------===//
//
// A block-scaled tensor is two: the elements `[.., K]`, and one E8M0 scale for
// each block of them, `[.., K / B]`. What an element stands for is the product
// of both, in the type of the result. The dimension of the blocks is split for
// that and merged again, as exporters of grouped weights do.
//
// To E2M1: the scale is the power of two that OCP MX 1.0 (section 6.3) takes,
// the largest one not above the block's largest magnitude, over 4, the largest
// one of E2M1; elements are rounded to nearest even and saturate.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/TOSA/BlockScaled.h"

#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace quantmlir;

/// `value` with its last dimension, of static size, as blocks of `block`; an
/// error of `op` where it is not such.
static FailureOr<Value> splitBlocks(OpBuilder &b, Operation *op, Value value,
                                    int64_t block) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() == 0 || type.isDynamicDim(type.getRank() - 1) ||
      type.getShape().back() % block != 0)
    return op->emitOpError("expected a ranked tensor whose last dimension is "
                           "static and a multiple of the blocks' size ")
           << block << ", found " << value.getType();
  SmallVector<int64_t> shape(type.getShape());
  shape.back() /= block;
  shape.push_back(block);
  SmallVector<ReassociationIndices> groups;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    groups.push_back({dim});
  groups.back().push_back(type.getRank());
  SmallVector<OpFoldResult> sizes =
      tensor::getMixedSizes(b, op->getLoc(), value);
  sizes.back() = b.getIndexAttr(shape[type.getRank() - 1]);
  sizes.push_back(b.getIndexAttr(block));
  return tensor::ExpandShapeOp::create(b, op->getLoc(), type.clone(shape),
                                       value, groups, sizes)
      .getResult();
}

static Value mergeBlocks(OpBuilder &b, Location loc, Value value) {
  int64_t rank = tensorType(value).getRank();
  SmallVector<ReassociationIndices> groups;
  for (int64_t dim = 0; dim + 1 < rank; ++dim)
    groups.push_back({dim});
  groups.back().push_back(rank - 1);
  return tensor::CollapseShapeOp::create(b, loc, value, groups);
}

/// MXINT8 is a type without values: a constant of it holds bytes. Null where
/// `value` is no such constant.
static Value asBytes(OpBuilder &b, Value value) {
  DenseResourceElementsAttr resource;
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !matchPattern(value, m_Constant(&resource)))
    return {};
  return arith::ConstantOp::create(
      b, value.getLoc(),
      DenseResourceElementsAttr::get(type.clone(b.getI8Type()),
                                     resource.getRawHandle()));
}

/// `data` and the scales of its blocks as numbers of `element`.
static FailureOr<Value> emitReal(OpBuilder &b, Operation *op, Value data,
                                 Value scale, int64_t block,
                                 FloatType element) {
  Location loc = op->getLoc();
  auto scaleType = dyn_cast<RankedTensorType>(scale.getType());
  if (!scaleType)
    return op->emitOpError("expected ranked scales, found ") << scale.getType();
  if (isa<tosa::mxint8Type>(getElementTypeOrSelf(data.getType()))) {
    Value bytes = asBytes(b, data);
    if (!bytes)
      return op->emitOpError("expected the elements of ")
             << data.getType() << " to be a constant (a resource of bytes)";
    data = bytes;
  }
  FailureOr<Value> split = splitBlocks(b, op, data, block);
  if (failed(split))
    return failure();
  RankedTensorType type = tensorType(*split);
  if (scaleType.getRank() + 1 != type.getRank() ||
      scaleType.getShape().back() != type.getDimSize(type.getRank() - 2))
    return op->emitOpError("expected a scale for each block of ")
           << block << " elements, found " << scaleType;
  Value init = emptyLike(b, loc, type.clone(element), *split);
  auto body = [&](OpBuilder &nested, Location at,
                  ValueRange args) -> SmallVector<Value> {
    Value number;
    if (args[0].getType().isInteger()) {
      // OCP MX 1.0, 5.3.4: integers of MXINT8 are multiples of 2^-6.
      number = arith::SIToFPOp::create(nested, at, element, args[0]);
      Value step = arith::ConstantOp::create(nested, at,
                                             FloatAttr::get(element, 1.0 / 64));
      number = arith::MulFOp::create(nested, at, number, step);
    } else {
      number = arith::ExtFOp::create(nested, at, element, args[0]);
    }
    Value factor = arith::ExtFOp::create(nested, at, element, args[1]);
    return {arith::MulFOp::create(nested, at, number, factor)};
  };
  Value real = elementwise(b, loc,
                           {{*split, allDims(type.getRank())},
                            {scale, allDims(type.getRank() - 1)}},
                           init, body)
                   .getResult(0);
  return mergeBlocks(b, loc, real);
}

static LogicalResult convert(tosa::CastFromBlockScaledOp op) {
  OpBuilder b(op);
  auto type = dyn_cast<RankedTensorType>(op.getType());
  auto element =
      type ? dyn_cast<FloatType>(type.getElementType()) : FloatType();
  if (!element)
    return op.emitOpError("expected a ranked result of floats, found ")
           << op.getType();
  FailureOr<Value> real = emitReal(
      b, op, op.getInputData(), op.getInputScale(),
      tosa::BlockSizeAttr::getBlockSizeValue(op.getBlockSize()), element);
  if (failed(real))
    return failure();
  Value result = *real;
  if (result.getType() != type)
    result = tensor::CastOp::create(b, op.getLoc(), type, result);
  op.replaceAllUsesWith(result);
  op.erase();
  return success();
}

/// The product of `[N, H, C]` and `[N or 1, W, C]`, which is summed in f32.
static LogicalResult convert(tosa::MatmulTBlockScaledOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  int64_t block = tosa::BlockSizeAttr::getBlockSizeValue(op.getBlockSize());
  FloatType f32 = b.getF32Type();
  auto type = dyn_cast<RankedTensorType>(op.getType());
  if (!type || type.getElementType() != f32)
    return op.emitOpError("expected a ranked result of f32, found ")
           << op.getType();
  FailureOr<Value> lhs =
      emitReal(b, op, op.getAData(), op.getAScale(), block, f32);
  if (failed(lhs))
    return failure();
  FailureOr<Value> rhs =
      emitReal(b, op, op.getBData(), op.getBScale(), block, f32);
  if (failed(rhs))
    return failure();
  RankedTensorType lhsType = tensorType(*lhs), rhsType = tensorType(*rhs);
  bool isShared = rhsType.getDimSize(0) == 1;
  if (isShared)
    *rhs = tensor::CollapseShapeOp::create(
        b, loc, *rhs, SmallVector<ReassociationIndices>{{0, 1}, {2}});
  SmallVector<int64_t> shape{lhsType.getDimSize(0), lhsType.getDimSize(1),
                             rhsType.getDimSize(1)};
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, *lhs);
  sizes[2] = tensor::getMixedSize(b, loc, *rhs, isShared ? 0 : 1);
  Value empty = tensor::EmptyOp::create(b, loc, sizes, f32);
  Value zero = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0));
  Value init = linalg::FillOp::create(b, loc, zero, empty).getResult(0);
  AffineExpr n, h, w, c;
  bindDims(b.getContext(), n, h, w, c);
  MLIRContext *context = b.getContext();
  SmallVector<AffineExpr> ofRhs{w, c};
  if (!isShared)
    ofRhs.insert(ofRhs.begin(), n);
  SmallVector<AffineMap> maps{AffineMap::get(4, 0, {n, h, c}, context),
                              AffineMap::get(4, 0, ofRhs, context),
                              AffineMap::get(4, 0, {n, h, w}, context)};
  Value result = linalg::ContractOp::create(
                     b, loc, TypeRange{init.getType()}, ValueRange{*lhs, *rhs},
                     ValueRange{init}, b.getAffineMapArrayAttr(maps))
                     ->getResult(0);
  if (result.getType() != type)
    result = tensor::CastOp::create(b, loc, type, result);
  op.replaceAllUsesWith(result);
  op.erase();
  return success();
}

/// The largest magnitude of each block of `split`, in f32; NaN where one is.
static Value emitLargest(OpBuilder &b, Location loc, Value split) {
  RankedTensorType type = tensorType(split);
  int64_t rank = type.getRank();
  auto largest =
      RankedTensorType::get(type.getShape().drop_back(), b.getF32Type());
  Value init =
      filled(b, loc, largest, split, allDims(rank - 1), b.getF32FloatAttr(0));
  SmallVector<utils::IteratorType> kinds(rank, utils::IteratorType::parallel);
  kinds.back() = utils::IteratorType::reduction;
  AffineMap all = b.getMultiDimIdentityMap(rank);
  return linalg::GenericOp::create(
             b, loc, TypeRange{largest}, split, init,
             ArrayRef<AffineMap>{all, all.dropResult(rank - 1)}, kinds,
             [](OpBuilder &nested, Location at, ValueRange args) {
               Value wide = extendToF32(nested, at, args[0]);
               Value magnitude = math::AbsFOp::create(nested, at, wide);
               Value most =
                   arith::MaximumFOp::create(nested, at, magnitude, args[1]);
               linalg::YieldOp::create(nested, at, most);
             })
      .getResult(0);
}

/// The E8M0 scales of blocks whose largest magnitudes are `largest`.
static Value emitScales(OpBuilder &b, Location loc, Value largest) {
  RankedTensorType type = tensorType(largest);
  Value init = emptyLike(b, loc, type.clone(b.getF8E8M0Type()), largest);
  auto body = [](OpBuilder &nested, Location at,
                 ValueRange args) -> SmallVector<Value> {
    Value bits =
        arith::BitcastOp::create(nested, at, nested.getI32Type(), args[0]);
    Value width = constantInt(nested, at, 23);
    Value exponent = arith::ShRUIOp::create(nested, at, bits, width);
    Value two = constantInt(nested, at, 2);
    Value lower = arith::SubIOp::create(nested, at, exponent, two);
    Value zero = constantInt(nested, at, 0);
    lower = arith::MaxSIOp::create(nested, at, lower, zero);
    // Infinities and NaN have NaN, E8M0's 255.
    Value all = constantInt(nested, at, 255);
    Value isFinite = arith::CmpIOp::create(nested, at, arith::CmpIPredicate::ne,
                                           exponent, all);
    Value chosen = arith::SelectOp::create(nested, at, isFinite, lower, all);
    Value byte =
        arith::TruncIOp::create(nested, at, nested.getI8Type(), chosen);
    return {arith::BitcastOp::create(nested, at, nested.getF8E8M0Type(), byte)};
  };
  return elementwise(b, loc, {{largest, allDims(type.getRank())}}, init, body)
      .getResult(0);
}

static LogicalResult convert(tosa::CastToBlockScaledOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  auto input = dyn_cast<RankedTensorType>(op.getInputData().getType());
  auto dataType = dyn_cast<RankedTensorType>(op.getOutputData().getType());
  if (!input ||
      !isa<Float32Type, Float16Type, BFloat16Type>(input.getElementType()))
    return op.emitOpError("expected a ranked tensor of f32, f16 or bf16, "
                          "found ")
           << op.getInputData().getType();
  if (!dataType || !isa<Float4E2M1FNType>(dataType.getElementType()))
    return op.emitOpError("expected elements of f4E2M1FN, found ")
           << op.getOutputData().getType();
  int64_t block = tosa::BlockSizeAttr::getBlockSizeValue(op.getBlockSize());
  FailureOr<Value> split = splitBlocks(b, op, op.getInputData(), block);
  if (failed(split))
    return failure();
  Value largest = emitLargest(b, loc, *split);
  Value scales = emitScales(b, loc, largest);
  RankedTensorType type = tensorType(*split);
  Type narrow = dataType.getElementType();
  Value init = emptyLike(b, loc, type.clone(narrow), *split);
  auto body = [&](OpBuilder &nested, Location at,
                  ValueRange args) -> SmallVector<Value> {
    Value wide = extendToF32(nested, at, args[0]);
    Value scale =
        arith::ExtFOp::create(nested, at, nested.getF32Type(), args[1]);
    Value quotient = arith::DivFOp::create(nested, at, wide, scale);
    return {arith::TruncFOp::create(nested, at, narrow, quotient)};
  };
  Value data = elementwise(b, loc,
                           {{*split, allDims(type.getRank())},
                            {scales, allDims(type.getRank() - 1)}},
                           init, body)
                   .getResult(0);
  SmallVector<Value> results{mergeBlocks(b, loc, data), scales};
  for (auto [result, old] : llvm::zip_equal(results, op->getResults()))
    if (result.getType() != old.getType())
      result = tensor::CastOp::create(b, loc, old.getType(), result);
  op->replaceAllUsesWith(results);
  op->erase();
  return success();
}

LogicalResult quantmlir::convertTosaBlockScaled(Operation *root) {
  SmallVector<Operation *> found;
  root->walk([&](Operation *op) {
    if (isa<tosa::CastFromBlockScaledOp, tosa::MatmulTBlockScaledOp,
            tosa::CastToBlockScaledOp>(op))
      found.push_back(op);
  });
  for (Operation *op : found) {
    LogicalResult converted = success();
    if (auto from = dyn_cast<tosa::CastFromBlockScaledOp>(op))
      converted = convert(from);
    else if (auto product = dyn_cast<tosa::MatmulTBlockScaledOp>(op))
      converted = convert(product);
    else
      converted = convert(cast<tosa::CastToBlockScaledOp>(op));
    if (failed(converted))
      return failure();
  }
  return success();
}
