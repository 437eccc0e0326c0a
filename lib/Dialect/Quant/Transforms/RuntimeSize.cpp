//===- RuntimeSize.cpp - where a size of the run comes from ---------------===//

#include "RuntimeSize.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

/// How many ops are followed.
static constexpr int kMaxDepth = 64;

RuntimeSize RuntimeSize::operator*(const RuntimeSize &other) const {
  RuntimeSize product = *this;
  // What overflows is the size of no tensor.
  (void)llvm::MulOverflow(number, other.number, product.number);
  llvm::append_range(product.factors, other.factors);
  llvm::sort(product.factors);
  return product;
}

std::optional<int64_t> RuntimeSize::getNumber() const {
  if (factors.empty())
    return number;
  return std::nullopt;
}

bool RuntimeSize::isOfTensors() const {
  return number >= 0 && llvm::all_of(factors, [](Factor factor) {
           return factor.second >= 0;
         });
}

bool RuntimeSize::isOfArguments(Block *block) const {
  return llvm::all_of(factors, [&](const Factor &factor) {
    auto argument =
        dyn_cast<BlockArgument>(Value::getFromOpaquePointer(factor.first));
    return argument && argument.getOwner() == block;
  });
}

Value RuntimeSize::emit(OpBuilder &builder, Location loc) const {
  Value product;
  if (number != 1 || factors.empty())
    product = arith::ConstantIndexOp::create(builder, loc, number);
  for (auto [pointer, dim] : factors) {
    Value factor = Value::getFromOpaquePointer(pointer);
    if (dim >= 0)
      factor = tensor::DimOp::create(builder, loc, factor, dim);
    else if (!factor.getType().isIndex())
      factor = arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                          factor);
    product =
        product ? arith::MulIOp::create(builder, loc, product, factor) : factor;
  }
  return product;
}

/// The operand of `op` that has the size of dimension `dim` of its result; null
/// where it is not one of this project's ops.
static std::pair<Value, int64_t> getOperandOfSize(Operation *op, int64_t dim) {
  if (isa<QuantizeOp, DequantizeOp, RescaleOp, RescaleFixedPointOp, RotateOp>(
          op))
    return {op->getOperand(0), dim};
  if (auto choose = dyn_cast<ChooseQParamsOp>(op))
    return {choose.getInput(), choose.getAxes()[dim]};
  if (auto matmul = dyn_cast<ScaledMatmulOp>(op))
    return dim + 1 == matmul.getType().getRank()
               ? std::make_pair(Value(matmul.getRhs()), int64_t(0))
               : std::make_pair(Value(matmul.getLhs()), dim);
  return {};
}

RuntimeSize RuntimeSize::followIndex(OpFoldResult size, int depth) {
  if (auto attr = dyn_cast<Attribute>(size))
    return RuntimeSize(cast<IntegerAttr>(attr).getInt());
  auto index = cast<Value>(size);
  APInt constant;
  if (matchPattern(index, m_ConstantInt(&constant)))
    return RuntimeSize(constant.getSExtValue());
  return depth > 0 ? followOp(index, depth - 1) : RuntimeSize(index, -1);
}

/// A product, where `expr` is one.
std::optional<RuntimeSize> RuntimeSize::followExpr(AffineExpr expr,
                                                   ValueRange dims,
                                                   ValueRange symbols,
                                                   int depth) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return RuntimeSize(constant.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return followIndex(dims[dim.getPosition()], depth);
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return followIndex(symbols[symbol.getPosition()], depth);
  auto binary = cast<AffineBinaryOpExpr>(expr);
  if (binary.getKind() != AffineExprKind::Mul)
    return std::nullopt;
  auto lhs = followExpr(binary.getLHS(), dims, symbols, depth / 2);
  auto rhs = followExpr(binary.getRHS(), dims, symbols, depth / 2);
  if (!lhs || !rhs)
    return std::nullopt;
  return *lhs * *rhs;
}

std::optional<bool> RuntimeSize::compareWithZero(Value condition, int depth) {
  APInt known;
  if (matchPattern(condition, m_ConstantInt(&known)))
    return !known.isZero();
  auto compare = condition.getDefiningOp<arith::CmpIOp>();
  if (!compare || !matchPattern(compare.getRhs(), m_Zero()))
    return std::nullopt;
  bool isBelow = compare.getPredicate() == arith::CmpIPredicate::slt;
  Type type = compare.getLhs().getType();
  if ((!isBelow && compare.getPredicate() != arith::CmpIPredicate::sge) ||
      (!type.isIndex() && !type.isInteger(64)) ||
      !followIndex(compare.getLhs(), depth).isOfTensors())
    return std::nullopt;
  return !isBelow;
}

std::optional<bool> RuntimeSize::compareWithZero(Value condition) {
  return compareWithZero(condition, kMaxDepth);
}

/// Where two values are followed, each gets half of the depth: all that is
/// followed is not more than the depth.
RuntimeSize RuntimeSize::followOp(Value index, int depth) {
  Operation *op = index.getDefiningOp();
  if (auto dim = dyn_cast_or_null<tensor::DimOp>(op)) {
    auto type = dyn_cast<RankedTensorType>(dim.getSource().getType());
    std::optional<int64_t> number = dim.getConstantIndex();
    if (type && number && *number >= 0 && *number < type.getRank())
      return follow(dim.getSource(), *number, depth);
  }
  if (auto mul = dyn_cast_or_null<arith::MulIOp>(op))
    return followIndex(mul.getLhs(), depth / 2) *
           followIndex(mul.getRhs(), depth / 2);
  if (auto apply = dyn_cast_or_null<affine::AffineApplyOp>(op)) {
    AffineMap map = apply.getAffineMap();
    ValueRange operands = apply.getMapOperands();
    if (auto product =
            followExpr(map.getResult(0), operands.take_front(map.getNumDims()),
                       operands.drop_front(map.getNumDims()), depth))
      return *product;
  }
  if (auto cast = dyn_cast_or_null<arith::IndexCastOp>(op);
      cast &&
      (cast.getIn().getType().isInteger(64) || cast.getType().isInteger(64)))
    return followIndex(cast.getIn(), depth);
  APInt divisor;
  if (isa_and_present<arith::DivSIOp, arith::DivUIOp>(op) &&
      matchPattern(op->getOperand(1), m_ConstantInt(&divisor))) {
    RuntimeSize size = followIndex(op->getOperand(0), depth);
    int64_t by = divisor.getSExtValue();
    if (by > 0 && size.isOfTensors() && size.number % by == 0) {
      size.number /= by;
      return size;
    }
  }
  // Exporters ask whether a size is one to be inferred.
  if (auto select = dyn_cast_or_null<arith::SelectOp>(op))
    if (std::optional<bool> holds =
            compareWithZero(select.getCondition(), depth / 2))
      return followIndex(
          *holds ? select.getTrueValue() : select.getFalseValue(), depth / 2);
  return RuntimeSize(index, -1);
}

bool quantmlir::areDimensions(ArrayRef<int64_t> dims, ShapedType type) {
  return llvm::all_of(
      dims, [&](int64_t dim) { return dim >= 0 && dim < type.getRank(); });
}

RuntimeSize RuntimeSize::follow(Value tensor, int64_t dim, int depth) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dim))
    return RuntimeSize(type.getDimSize(dim));
  Operation *op = tensor.getDefiningOp();
  if (!op || depth == 0)
    return RuntimeSize(tensor, dim);
  --depth;
  if (auto cast = dyn_cast<tensor::CastOp>(op);
      cast && isa<RankedTensorType>(cast.getSource().getType()))
    return follow(cast.getSource(), dim, depth);
  if (auto empty = dyn_cast<tensor::EmptyOp>(op))
    return followIndex(empty.getMixedSizes()[dim], depth);
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return followIndex(expand.getMixedOutputShape()[dim], depth);
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op);
      slice && slice.getSourceType().getRank() == type.getRank())
    return followIndex(slice.getMixedSizes()[dim], depth);
  if (auto reshape = dyn_cast<tensor::ReshapeOp>(op))
    if (auto sizes = reshape.getShape().getDefiningOp<tensor::FromElementsOp>();
        sizes && (sizes.getType().getElementType().isIndex() ||
                  sizes.getType().getElementType().isInteger(64)))
      return followIndex(sizes.getElements()[dim], depth);
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    RuntimeSize product(1);
    ReassociationIndices group = collapse.getReassociationIndices()[dim];
    if (!areDimensions(group, collapse.getSrcType()))
      return RuntimeSize(tensor, dim);
    for (int64_t source : group)
      product = product * follow(collapse.getSrc(), source, depth);
    return product;
  }
  if (auto [operand, source] = getOperandOfSize(op, dim); operand)
    return follow(operand, source, depth);
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
    return follow(destination.getTiedOpOperand(cast<OpResult>(tensor))->get(),
                  dim, depth);
  return RuntimeSize(tensor, dim);
}

RuntimeSize RuntimeSize::of(Value tensor, int64_t dim) {
  return follow(tensor, dim, kMaxDepth);
}

RuntimeSize RuntimeSize::of(Value index) {
  return followIndex(index, kMaxDepth);
}
