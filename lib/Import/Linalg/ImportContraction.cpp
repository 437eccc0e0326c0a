//===- ImportContraction.cpp - quantized contractions of linalg -----------===//
//
// Three forms, one emission. The integers are the operands themselves (with
// zero points as scalars for the quantized named ops) or stand behind a
// `quant.dequantize` on either side of a float contraction.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/Linalg/ImportContraction.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Import/Contraction/MatmulEmitter.h"
#include "quant/Import/Contraction/QuantizedOperand.h"
#include "quant/Import/Contraction/RescaledMatmul.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace quantmlir;

//===----------------------------------------------------------------------===//
// Float contractions of dequantized tensors
//===----------------------------------------------------------------------===//

static LogicalResult importDequantized(Contraction c, std::string &reason) {
  std::optional<QuantizedOperand> lhs = matchDequantized(c.lhs);
  std::optional<QuantizedOperand> rhs = matchDequantized(c.rhs);
  // One quantized side is a weight-only scheme: quant-quantize-matmul's work.
  if (!lhs || !rhs)
    return failure();

  // A weight may come first, and may be broadcast over the batch.
  c.lhs = lhs->ints;
  c.rhs = rhs->ints;
  if (failed(c.classify())) {
    reason = "an operand is broadcast over the contracted dimension";
    return failure();
  }
  bool isLhsWeight = c.lhs.isConstant() && !c.rhs.isConstant();
  // quant.matmul's right-hand side cannot have rows of its own batch alone.
  if (isLhsWeight) {
    c.swapOperands();
    std::swap(lhs, rhs);
  }
  SmallVector<int64_t> rows(c.batch);
  llvm::append_range(rows, c.m);
  if (!isRankZeroOrOver(lhs->scale, rows) ||
      !isRankZeroOrOver(rhs->scale, c.n)) {
    reason = "expected scales for the tensor, for each row or for each "
             "column";
    return failure();
  }
  reason = explainOverflow(c, lhs->getMaxMagnitude(), rhs->getMaxMagnitude());
  if (!reason.empty())
    return failure();

  OpBuilder builder(c.op);
  MatmulEmitter emitter(builder, c);
  emitRescaledMatmul(builder, emitter, c, emitGiven(emitter, *lhs, true),
                     emitGiven(emitter, *rhs, false));
  return success();
}

//===----------------------------------------------------------------------===//
// Integer contractions
//===----------------------------------------------------------------------===//

static bool isStored(const LoopTensor &tensor) {
  Type type = tensor.getType().getElementType();
  return type.isInteger(8) || type.isInteger(4);
}

/// A scalar zero point as `tensor<i32>`; no value when it is 0.
static FailureOr<Value> emitZeroPoint(OpBuilder &builder, Location loc,
                                      Value scalar, const LoopTensor &operand,
                                      std::string &reason) {
  APInt constant;
  auto type = RankedTensorType::get({}, builder.getI32Type());
  if (!matchPattern(scalar, m_ConstantInt(&constant)))
    return Value(tensor::FromElementsOp::create(builder, loc, type, scalar));
  int64_t zero = constant.getSExtValue();
  int64_t half = int64_t(1) << (operand.getType().getElementTypeBitWidth() - 1);
  if (zero < -half || zero >= half) {
    reason = "expected a zero point in [" + std::to_string(-half) + ", " +
             std::to_string(half - 1) + "], found " + std::to_string(zero);
    return failure();
  }
  if (zero == 0)
    return Value();
  return Value(arith::ConstantOp::create(
      builder, loc,
      DenseElementsAttr::get(type, builder.getI32IntegerAttr(zero))));
}

/// The integers of one side, looked up behind broadcasts and transposes.
static LoopTensor traceIntegers(const LoopTensor &tensor) {
  LoopTensor traced = traceMovement(tensor);
  return isStored(traced) ? traced : tensor;
}

static LogicalResult importIntegers(Contraction c, std::string &reason) {
  if (!isStored(c.lhs) || !isStored(c.rhs))
    return failure();
  if (!c.getResultElementType().isInteger(32)) {
    llvm::raw_string_ostream(reason)
        << "expected sums in i32, found " << c.getResultElementType();
    return failure();
  }
  Contraction original = c;
  c.lhs = traceIntegers(c.lhs);
  c.rhs = traceIntegers(c.rhs);
  if (failed(c.classify()))
    c = original;

  OpBuilder builder(c.op);
  Location loc = c.op.getLoc();
  Value lhsZero, rhsZero;
  if (c.op.getNumDpsInputs() == 4) {
    FailureOr<Value> first = emitZeroPoint(
        builder, loc, c.op.getDpsInputOperand(2)->get(), c.lhs, reason);
    FailureOr<Value> second = emitZeroPoint(
        builder, loc, c.op.getDpsInputOperand(3)->get(), c.rhs, reason);
    if (failed(first) || failed(second))
      return failure();
    lhsZero = *first;
    rhsZero = *second;
  }
  if (c.lhs.isConstant() && !c.rhs.isConstant()) {
    c.swapOperands();
    std::swap(lhsZero, rhsZero);
  }
  auto getMagnitude = [](const LoopTensor &tensor, Value zeroPoint,
                         ElementKind kind) {
    int64_t half = int64_t(1)
                   << (tensor.getType().getElementTypeBitWidth() - 1);
    bool isWide = zeroPoint || kind == ElementKind::UnsignedInt;
    return isWide ? 2 * half - 1 : half;
  };
  reason = explainOverflow(c, getMagnitude(c.lhs, lhsZero, c.lhsKind),
                           getMagnitude(c.rhs, rhsZero, c.rhsKind));
  if (!reason.empty())
    return failure();

  MatmulEmitter emitter(builder, c);
  QuantizedMatrix lhs{emitter.emitLhs(c.lhs), Value(), lhsZero,
                      c.lhsKind == ElementKind::UnsignedInt};
  QuantizedMatrix rhs{emitter.emitRhs(c.rhs), Value(), rhsZero,
                      c.rhsKind == ElementKind::UnsignedInt};
  emitIntegerMatmul(builder, emitter, c, lhs, rhs);
  return success();
}

LogicalResult quantmlir::importContraction(linalg::LinalgOp op,
                                           std::string &reason) {
  FailureOr<Contraction> contraction = matchContraction(op, reason);
  if (failed(contraction)) {
    // Unusual float contractions are quant-quantize-matmul's to report.
    reason.clear();
    return failure();
  }
  return contraction->isFloat() ? importDequantized(*contraction, reason)
                                : importIntegers(*contraction, reason);
}
