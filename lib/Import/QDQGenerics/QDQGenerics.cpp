//===- QDQGenerics.cpp - what both directions share -----------------------===//

#include "quant/Import/QDQGenerics/QDQGenerics.h"

#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Import/Contraction/MatmulEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;
using namespace quantmlir;

bool quantmlir::isElementwise(linalg::GenericOp op) {
  return op.getNumDpsInits() == 1 && op.getNumReductionLoops() == 0 &&
         op.hasPureTensorSemantics() &&
         op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity();
}

/// torch-mlir holds a scale as f64 and rounds it in the body.
static FloatAttr getTruncatedConstant(Value value) {
  auto trunc = value.getDefiningOp<arith::TruncFOp>();
  FloatAttr constant;
  if (!trunc || !trunc.getType().isF32() ||
      !matchPattern(trunc.getIn(), m_Constant(&constant)))
    return {};
  return FloatAttr::get(trunc.getType(), constant.getValueAsDouble());
}

std::optional<BodyParameter> quantmlir::matchParameter(linalg::GenericOp op,
                                                       Value value) {
  BodyParameter parameter;
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument || argument.getOwner() != op.getBlock()) {
    // A scalar: defined outside, or a constant in the body.
    Operation *def = value.getDefiningOp();
    if (def && def->getBlock() == op.getBlock() &&
        !matchPattern(value, m_Constant()) && !getTruncatedConstant(value))
      return std::nullopt;
    parameter.value = value;
    return parameter;
  }
  OpOperand *operand = &op->getOpOperand(argument.getArgNumber());
  if (op.isDpsInit(operand) || !isa<RankedTensorType>(operand->get().getType()))
    return std::nullopt;
  parameter.isTensor = true;
  parameter.value = operand->get();
  auto type = cast<RankedTensorType>(parameter.value.getType());
  SmallVector<int64_t> extents = op.getStaticLoopRanges();
  for (auto [dim, expr] :
       llvm::enumerate(op.getMatchingIndexingMap(operand).getResults())) {
    if (auto constant = dyn_cast<AffineConstantExpr>(expr);
        constant && constant.getValue() == 0) {
      parameter.hasUnitDims = true;
      continue;
    }
    auto loop = dyn_cast<AffineDimExpr>(expr);
    int64_t last = parameter.axes.empty() ? -1 : parameter.axes.back();
    if (!loop || static_cast<int64_t>(loop.getPosition()) <= last)
      return std::nullopt;
    // One number for a loop of an unknown size is one for each of its indices.
    if (type.getDimSize(dim) == 1 &&
        ShapedType::isDynamic(extents[loop.getPosition()])) {
      parameter.hasUnitDims = true;
      continue;
    }
    parameter.axes.push_back(loop.getPosition());
  }
  return parameter;
}

Value quantmlir::emitWithoutUnitDims(OpBuilder &builder, Location loc,
                                     const BodyParameter &parameter) {
  if (!parameter.hasUnitDims)
    return parameter.value;
  auto type = cast<RankedTensorType>(parameter.value.getType());
  LoopTensor tensor{parameter.value, {}};
  // Which of several dimensions of size 1 is walked makes no difference.
  ArrayRef<int64_t> axes = parameter.axes;
  for (int64_t dim = 0, rank = type.getRank(); dim < rank; ++dim) {
    bool isNeeded = rank - dim == static_cast<int64_t>(axes.size());
    if (axes.empty() || (type.getDimSize(dim) == 1 && !isNeeded)) {
      tensor.loops.push_back(kUnitDim);
      continue;
    }
    tensor.loops.push_back(axes.front());
    axes = axes.drop_front();
  }
  dropUnitDims(builder, loc, tensor);
  return tensor.value;
}

Value quantmlir::emitScale(OpBuilder &builder, Location loc,
                           const BodyParameter &parameter) {
  auto isUsable = [](float scale) { return std::isfinite(scale) && scale > 0; };
  Type element = getElementTypeOrSelf(parameter.value.getType());
  bool isNarrow = element.isF16() || element.isBF16();
  if (!element.isF32() && !isNarrow)
    return {};
  if (parameter.isTensor) {
    auto constant = FloatConstant::get(parameter.value);
    if ((constant && !llvm::all_of(constant->getStored(), isUsable)) ||
        (isNarrow && !constant))
      return {};
    BodyParameter wide = parameter;
    if (isNarrow) {
      auto type = cast<RankedTensorType>(parameter.value.getType());
      wide.value = arith::ConstantOp::create(
          builder, loc,
          makeFloatTensorAttr(type.clone(builder.getF32Type()),
                              *getConstantFloats(parameter.value)));
    }
    return emitWithoutUnitDims(builder, loc, wide);
  }
  auto type = RankedTensorType::get({}, builder.getF32Type());
  FloatAttr constant = getTruncatedConstant(parameter.value);
  if (!constant && !matchPattern(parameter.value, m_Constant(&constant)))
    return isNarrow ? Value()
                    : tensor::FromElementsOp::create(builder, loc, type,
                                                     parameter.value);
  // Exact: the constant has no more than 32 bits.
  auto scale = static_cast<float>(constant.getValueAsDouble());
  if (!isUsable(scale))
    return {};
  return arith::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(type, scale));
}

void quantmlir::convertQDQGenerics(Operation *root) {
  SmallVector<linalg::GenericOp> ops;
  root->walk([&](linalg::GenericOp op) {
    if (isElementwise(op))
      ops.push_back(op);
  });
  for (linalg::GenericOp op : ops)
    if (!convertDequantizeGeneric(op) && !convertRescaleGeneric(op))
      convertQuantizeGeneric(op);
}
