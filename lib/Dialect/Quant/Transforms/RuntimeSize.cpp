//===- RuntimeSize.cpp - where a size of the run comes from ---------------===//

#include "RuntimeSize.h"

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
  if (depth > 0) {
    if (auto dim = index.getDefiningOp<tensor::DimOp>()) {
      auto type = dyn_cast<RankedTensorType>(dim.getSource().getType());
      std::optional<int64_t> number = dim.getConstantIndex();
      if (type && number && *number >= 0 && *number < type.getRank())
        return follow(dim.getSource(), *number, depth - 1);
    }
    if (auto mul = index.getDefiningOp<arith::MulIOp>())
      return followIndex(mul.getLhs(), depth - 1) *
             followIndex(mul.getRhs(), depth - 1);
  }
  return RuntimeSize(index, -1);
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
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op)) {
    RuntimeSize product(1);
    ReassociationIndices group = collapse.getReassociationIndices()[dim];
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
