//===- WeightOnly.cpp - float activations, stored weight ------------------===//
//
// A float matmul whose weight alone is dequantized: ONNX's DequantizeLinear
// before a MatMul, weight-only exports of torch. As float ops the weight would
// be written out as floats at every call; inside `quant.scaled_matmul` it stays
// the integers that it is.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/Groups/WeightOnly.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Import/Contraction/RescaledMatmul.h"
#include "quant/Import/Contraction/StoredSource.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quantmlir;

/// A number, a constant of rank 0 or not, as `[n, 1]`.
static Value spreadOverRows(OpBuilder &builder, Location loc, Value number,
                            OpFoldResult n) {
  auto type = cast<RankedTensorType>(number.getType());
  std::optional<int64_t> rows = getConstantIntValue(n);
  auto spread = RankedTensorType::get({rows.value_or(ShapedType::kDynamic), 1},
                                      type.getElementType());
  Attribute value;
  if (auto constant = getConstantFloats(number))
    value = builder.getFloatAttr(type.getElementType(), constant->front());
  else if (auto constant = getConstantInts(number))
    value = builder.getIntegerAttr(type.getElementType(), constant->front());
  // A splat, however many rows there are.
  if (value && rows)
    return arith::ConstantOp::create(builder, loc,
                                     DenseElementsAttr::get(spread, value));
  Value empty = tensor::EmptyOp::create(
      builder, loc, {n, builder.getIndexAttr(1)}, type.getElementType());
  return linalg::BroadcastOp::create(builder, loc, number, empty,
                                     ArrayRef<int64_t>{0, 1})
      ->getResult(0);
}

/// Scales or zero points as `[N, 1]`.
static Value emitOneGroup(OpBuilder &builder, Location loc,
                          MatmulEmitter &emitter, const LoopTensor &parameter,
                          Value rows) {
  if (parameter.getLoopRank() != 0)
    return emitter.emitGroupMatrix(parameter, /*group=*/{});
  return spreadOverRows(builder, loc, emitter.emitColumnVector(parameter),
                        tensor::getMixedSize(builder, loc, rows, 0));
}

std::string quantmlir::explainWeightOnly(const Contraction &c) {
  if (!c.batch.empty())
    return "the weight has batch dimensions of its own";
  for (auto [dim, loop] : llvm::enumerate(c.rhs.loops)) {
    if (!llvm::is_contained(c.k, loop))
      continue;
    if (c.rhs.getType().isDynamicDim(dim))
      return "expected a weight whose contracted dimension is static";
    if (c.rhs.getType().getDimSize(dim) == 0)
      return "the contracted dimension is empty";
  }
  return "";
}

ScaledMatmulOp quantmlir::emitWeightOnly(OpBuilder &builder,
                                         MatmulEmitter &emitter,
                                         const Contraction &c, Value lhs,
                                         const QuantizedOperand &rhs) {
  Location loc = c.op->getLoc();
  QuantizedMatrix lhsMatrix, weight;
  lhsMatrix.ints = lhs;
  weight.isUnsigned = rhs.isUnsigned;
  weight.ints = emitter.emitRhsRows(rhs.ints);
  weight.scale = emitOneGroup(builder, loc, emitter, rhs.scale, weight.ints);
  if (rhs.hasZeroPoint())
    weight.zeroPoint =
        emitOneGroup(builder, loc, emitter, rhs.zeroPoint, weight.ints);
  int64_t k = cast<RankedTensorType>(weight.ints.getType()).getDimSize(1);
  return emitScaledMatmul(builder, emitter, c, lhsMatrix, weight, k);
}

/// Whether stored integers are a weight: a constant, or given to the program,
/// which meets something computed of no other integers. Other integers are
/// activations.
static bool isWeight(const LoopTensor &ints, const LoopTensor &other) {
  if (ints.isConstant())
    return true;
  return !isQuantizedHere(ints.value) && !traceMovement(other).isConstant() &&
         !findStoredType(other.value);
}

LogicalResult quantmlir::importWeightOnly(Contraction c, std::string &reason) {
  std::optional<QuantizedOperand> rhs = matchDequantized(c.rhs);
  if (!rhs || !isWeight(rhs->ints, c.lhs)) {
    c.swapOperands();
    rhs = matchDequantized(c.rhs);
    if (!rhs || !isWeight(rhs->ints, c.lhs))
      return failure();
  }
  OpBuilder builder(c.op);
  if (failed(setOperands(builder, c, c.lhs, rhs->ints))) {
    reason = "the weight is broadcast over the contracted dimension";
    return failure();
  }
  dropUnitBatch(c);
  rhs->ints = c.rhs;
  reason = explainWeightOnly(c);
  if (!reason.empty())
    return failure();
  if (!isParameterOver(c, rhs->scale, c.n)) {
    reason = "expected scales for the tensor, for each row or for each column";
    return failure();
  }
  MatmulEmitter emitter(builder, c);
  emitWeightOnly(builder, emitter, c, emitter.emitLhs(c.lhs), *rhs);
  return success();
}
