//===- DynamicQuantize.cpp - parameters from the data ---------------------===//

#include "quant/Import/Contraction/DynamicQuantize.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace quantmlir;

QuantizedMatrix quantmlir::quantizeMatrix(OpBuilder &builder, Location loc,
                                          Value matrix, ArrayRef<int64_t> axes,
                                          StoredRange stored) {
  auto type = cast<RankedTensorType>(matrix.getType());
  SmallVector<int64_t> shape;
  for (int64_t axis : axes)
    shape.push_back(type.getDimSize(axis));
  Type zeroPointType;
  if (stored.isUnsigned)
    zeroPointType = RankedTensorType::get(shape, builder.getI32Type());
  auto scaleType = RankedTensorType::get(shape, builder.getF32Type());
  auto range = builder.getDenseI64ArrayAttr({stored.min(), stored.max()});
  auto axesAttr = builder.getDenseI64ArrayAttr(axes);
  auto params = ChooseQParamsOp::create(builder, loc, scaleType, zeroPointType,
                                        matrix, axesAttr, range);
  auto intsType = type.clone(builder.getIntegerType(stored.bits));
  auto ints = QuantizeOp::create(
      builder, loc, intsType, matrix, params.getScale(), params.getZeroPoint(),
      axesAttr, range, stored.isUnsigned ? builder.getUnitAttr() : UnitAttr());
  return {ints, params.getScale(), params.getZeroPoint(), stored.isUnsigned};
}

bool quantmlir::isActivationProduct(const Contraction &contraction) {
  return !contraction.batch.empty() && !contraction.lhs.isConstant() &&
         !contraction.rhs.isConstant();
}

/// rows[b.., m] * batches[b..].
static Value multiplyRows(OpBuilder &builder, Location loc, Value rows,
                          Value batches) {
  RankedTensorType type = tensorType(rows);
  SmallVector<int64_t> batchDims =
      llvm::to_vector(llvm::seq<int64_t>(0, type.getRank() - 1));
  auto multiply = [](OpBuilder &b, Location loc,
                     ValueRange args) -> SmallVector<Value> {
    return {arith::MulFOp::create(b, loc, args[0], args[1])};
  };
  return elementwise(builder, loc,
                     {{rows, allDims(type.getRank())}, {batches, batchDims}},
                     emptyLike(builder, loc, type, rows), multiply)
      .getResult(0);
}

LogicalResult quantmlir::quantizeActivationProduct(const Contraction &c,
                                                   unsigned bits,
                                                   std::string &reason) {
  StoredRange stored{bits, /*isUnsigned=*/false};
  reason =
      explainOverflow(c, stored.getMaxMagnitude(), stored.getMaxMagnitude());
  if (!reason.empty())
    return failure();
  OpBuilder builder(c.op);
  Location loc = c.op->getLoc();
  MatmulEmitter emitter(builder, c);
  Value left = emitter.emitLhs(c.lhs), right = emitter.emitRhs(c.rhs);
  int64_t numBatch = c.batch.size();
  SmallVector<int64_t> rows =
      llvm::to_vector(llvm::seq<int64_t>(0, numBatch + 1));
  QuantizedMatrix lhs = quantizeMatrix(builder, loc, left, rows, stored);
  QuantizedMatrix rhs = quantizeMatrix(
      builder, loc, right, ArrayRef<int64_t>(rows).drop_back(), stored);
  // quant.rescale has scales for rows and for columns: a batch's is its rows'.
  lhs.scale = multiplyRows(builder, loc, lhs.scale, rhs.scale);
  rhs.scale = Value();
  emitRescaledMatmul(builder, emitter, c, lhs, rhs);
  return success();
}
