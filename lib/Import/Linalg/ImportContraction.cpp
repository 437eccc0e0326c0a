//===- ImportContraction.cpp - quantized contractions of linalg -----------===//
//
// Three forms, one emission. The integers are the operands themselves (with
// zero points as scalars for the quantized named ops), stand behind elementwise
// ops that widen them, or behind a `quant.dequantize` on either side of a float
// contraction.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/Linalg/ImportContraction.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Import/Contraction/MatmulEmitter.h"
#include "quant/Import/Contraction/QuantizedOperand.h"
#include "quant/Import/Contraction/RescaledMatmul.h"
#include "quant/Import/Groups/GroupedContraction.h"
#include "quant/Import/Groups/WeightOnly.h"
#include "quant/Import/Linalg/WidenedOperand.h"
#include "quant/Import/QDQ/ConvertQDQ.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace quantmlir;

/// The loops that parameters of the right-hand side may walk: its columns,
/// those of each batch where they are not the same for all.
static SmallVector<int64_t> getColumns(const Contraction &c,
                                       const QuantizedOperand &rhs) {
  auto isOfBatch = [&](int64_t loop) {
    return llvm::is_contained(c.batch, loop);
  };
  SmallVector<int64_t> columns;
  if (llvm::any_of(rhs.scale.loops, isOfBatch) ||
      llvm::any_of(rhs.zeroPoint.loops, isOfBatch))
    columns = c.batch;
  llvm::append_range(columns, c.n);
  return columns;
}

//===----------------------------------------------------------------------===//
// Float contractions of dequantized tensors
//===----------------------------------------------------------------------===//

/// Whether products of two constant scales keep all their bits, and are finite:
/// sums are multiplied by them, where the program multiplies each number.
static bool isProductNormal(Value lhs, Value rhs) {
  std::optional<FloatConstant> left = FloatConstant::get(lhs),
                               right = FloatConstant::get(rhs);
  if (!left || !right || left->size() == 0 || right->size() == 0)
    return true;
  ArrayRef<float> a = left->getStored(), b = right->getStored();
  auto [leftMin, leftMax] = std::minmax_element(a.begin(), a.end());
  auto [rightMin, rightMax] = std::minmax_element(b.begin(), b.end());
  return std::isnormal(*leftMin * *rightMin) &&
         std::isnormal(*leftMax * *rightMax);
}

static LogicalResult importDequantized(Contraction c, bool weightOnly,
                                       std::string &reason) {
  if (isGroupedContraction(c))
    return importGroupedContraction(c, reason);
  std::optional<QuantizedOperand> lhs = matchDequantized(c.lhs);
  std::optional<QuantizedOperand> rhs = matchDequantized(c.rhs);
  // quant-quantize-matmul may still quantize the activations of a weight-only
  // program.
  if (!lhs || !rhs)
    return weightOnly ? importWeightOnly(c, reason) : failure();

  reason = explainEmpty(c);
  if (!reason.empty())
    return failure();

  // A weight may come first, and may be broadcast over the batch.
  OpBuilder builder(c.op);
  if (failed(setOperands(builder, c, lhs->ints, rhs->ints))) {
    reason = "an operand is broadcast over the contracted dimension";
    return failure();
  }
  bool isLhsWeight = c.lhs.isConstant() && !c.rhs.isConstant();
  // quant.matmul's right-hand side cannot have rows of its own batch alone.
  if (isLhsWeight) {
    c.swapOperands();
    std::swap(lhs, rhs);
  }
  if (c.rhs.isConstant())
    dropUnitBatch(c);
  lhs->ints = c.lhs;
  rhs->ints = c.rhs;
  SmallVector<int64_t> rows(c.batch);
  llvm::append_range(rows, c.m);
  spreadParameters(builder, c, *lhs, rows, c.lhs);
  SmallVector<int64_t> columns = getColumns(c, *rhs);
  if (!c.rhs.isConstant() || columns.size() != c.n.size())
    spreadParameters(builder, c, *rhs, columns, c.rhs);
  if (!isParameterOver(c, lhs->scale, rows) ||
      !isParameterOver(c, rhs->scale, columns)) {
    reason = "expected scales for the tensor, for each row or for each "
             "column";
    return failure();
  }
  reason = explainOverflow(c, lhs->getMaxMagnitude(), rhs->getMaxMagnitude());
  if (reason.empty() && !isProductNormal(lhs->scale.value, rhs->scale.value))
    reason = "a product of its scales is no normal f32";
  if (!reason.empty())
    return failure();

  MatmulEmitter emitter(builder, c);
  emitRescaledMatmul(builder, emitter, c, emitGiven(emitter, *lhs, true),
                     emitGiven(emitter, *rhs, false));
  return success();
}

//===----------------------------------------------------------------------===//
// Sums of other widths
//===----------------------------------------------------------------------===//

/// Whether sums of integers of type `element` can be computed in i32: wider
/// ones fit, as is proven, if they start from 0, and narrower ones are its low
/// bits.
static bool canSumInI32(const Contraction &c, std::string &reason) {
  Type element = c.getResultElementType();
  if (element.isInteger(32))
    return true;
  if (!isZeroInit(c.init.value)) {
    llvm::raw_string_ostream(reason)
        << "expected sums in " << element << " to start from 0";
    return false;
  }
  return true;
}

/// `sums` of i32 as integers of `type`.
static Value emitSumsAs(OpBuilder &builder, Location loc, Value sums,
                        RankedTensorType type) {
  Type element = type.getElementType();
  if (element.isInteger(32))
    return sums;
  Value empty = tensor::EmptyOp::create(
      builder, loc, tensor::getMixedSizes(builder, loc, sums), element);
  SmallVector<AffineMap> maps(2,
                              builder.getMultiDimIdentityMap(type.getRank()));
  SmallVector<utils::IteratorType> kinds(type.getRank(),
                                         utils::IteratorType::parallel);
  auto op = linalg::GenericOp::create(
      builder, loc, TypeRange{empty.getType()}, sums, empty, maps, kinds,
      [&](OpBuilder &b, Location l, ValueRange args) {
        Value value =
            element.getIntOrFloatBitWidth() > 32
                ? arith::ExtSIOp::create(b, l, element, args[0]).getResult()
                : arith::TruncIOp::create(b, l, element, args[0]).getResult();
        linalg::YieldOp::create(b, l, value);
      });
  return op.getResult(0);
}

//===----------------------------------------------------------------------===//
// Integer contractions
//===----------------------------------------------------------------------===//

static bool isStored(const LoopTensor &tensor) {
  Type type = tensor.getType().getElementType();
  return type.isInteger(8) || type.isInteger(4);
}

namespace {
/// One side of an integer contraction.
struct IntegerSide {
  LoopTensor *tensor;
  ElementKind *kind;
  /// The scalar operand, none for ops without zero points.
  Value scalar;
  /// What is added to it: the sign shift that was looked through.
  int64_t shift = 0;
  Value zeroPoint;

  bool isUnsigned() const { return *kind == ElementKind::UnsignedInt; }
  int64_t getMin() const {
    unsigned bits = tensor->getType().getElementTypeBitWidth();
    return isUnsigned() ? 0 : -(int64_t(1) << (bits - 1));
  }
  int64_t getMax() const {
    unsigned bits = tensor->getType().getElementTypeBitWidth();
    return getMin() + (int64_t(1) << bits) - 1;
  }
  int64_t getMaxMagnitude() const {
    return zeroPoint ? getMax() - getMin() : std::max(-getMin(), getMax());
  }
};
} // namespace

/// Looks through `addi(q, -128)`, by which exporters make unsigned bytes
/// signed (and back): the same bits, read the other way, around another zero.
static void lookThroughSignShift(IntegerSide &side) {
  auto op = side.tensor->value.getDefiningOp<linalg::GenericOp>();
  APInt constant, scalar;
  if (!op || !isElementwise(op) || op.getNumDpsInputs() != 1 ||
      !op.getMatchingIndexingMap(op.getDpsInputOperand(0)).isIdentity() ||
      (side.scalar && !matchPattern(side.scalar, m_ConstantInt(&scalar))))
    return;
  auto add = op.getBlock()
                 ->getTerminator()
                 ->getOperand(0)
                 .getDefiningOp<arith::AddIOp>();
  if (!add || !add.getType().isInteger(8) ||
      add.getLhs() != op.getBlock()->getArgument(0) ||
      !matchPattern(add.getRhs(), m_ConstantInt(&constant)) ||
      !constant.isMinSignedValue())
    return;
  side.shift = side.isUnsigned() ? -128 : 128;
  *side.kind =
      side.isUnsigned() ? ElementKind::SignedInt : ElementKind::UnsignedInt;
  side.tensor->value = op.getDpsInputOperand(0)->get();
}

/// The zero point of a side as `tensor<i32>`; no value when it is 0.
static LogicalResult emitZeroPoint(OpBuilder &builder, Location loc,
                                   IntegerSide &side, std::string &reason) {
  auto type = RankedTensorType::get({}, builder.getI32Type());
  APInt constant(32, 0);
  if (side.scalar && !matchPattern(side.scalar, m_ConstantInt(&constant))) {
    side.zeroPoint =
        tensor::FromElementsOp::create(builder, loc, type, side.scalar);
    return success();
  }
  int64_t zero = constant.getSExtValue() + side.shift;
  if (zero < side.getMin() || zero > side.getMax()) {
    reason = "expected a zero point in [" + std::to_string(side.getMin()) +
             ", " + std::to_string(side.getMax()) + "], found " +
             std::to_string(zero);
    return failure();
  }
  if (zero != 0)
    side.zeroPoint = arith::ConstantOp::create(
        builder, loc,
        DenseElementsAttr::get(type, builder.getI32IntegerAttr(zero)));
  return success();
}

/// The integers of one side, looked up behind broadcasts and transposes.
static LoopTensor traceIntegers(const LoopTensor &tensor) {
  LoopTensor traced = traceMovement(tensor);
  return isStored(traced) ? traced : tensor;
}

static LogicalResult importIntegers(Contraction c, std::string &reason) {
  if (!canSumInI32(c, reason))
    return failure();
  OpBuilder builder(c.op);
  Contraction original = c;
  if (failed(
          setOperands(builder, c, traceIntegers(c.lhs), traceIntegers(c.rhs))))
    c = original;

  IntegerSide lhs{&c.lhs, &c.lhsKind}, rhs{&c.rhs, &c.rhsKind};
  if (c.op.getNumDpsInputs() == 4) {
    lhs.scalar = c.op.getDpsInputOperand(2)->get();
    rhs.scalar = c.op.getDpsInputOperand(3)->get();
  }
  for (IntegerSide *side : {&lhs, &rhs}) {
    lookThroughSignShift(*side);
    if (failed(emitZeroPoint(builder, c.op->getLoc(), *side, reason)))
      return failure();
  }
  reason = explainEmpty(c);
  if (reason.empty())
    reason = explainOverflow(c, lhs.getMaxMagnitude(), rhs.getMaxMagnitude());
  if (!reason.empty())
    return failure();

  // A weight may come first.
  Value lhsZero = lhs.zeroPoint, rhsZero = rhs.zeroPoint;
  if (c.lhs.isConstant() && !c.rhs.isConstant()) {
    c.swapOperands();
    std::swap(lhsZero, rhsZero);
  }
  MatmulEmitter emitter(builder, c);
  QuantizedMatrix lhsMatrix{emitter.emitLhs(c.lhs), Value(), lhsZero,
                            c.lhsKind == ElementKind::UnsignedInt};
  QuantizedMatrix rhsMatrix{emitter.emitRhs(c.rhs), Value(), rhsZero,
                            c.rhsKind == ElementKind::UnsignedInt};
  if (emitFixedPointMatmul(builder, emitter, c, lhsMatrix, rhsMatrix)) {
    eraseDeadChain(c.op);
    return success();
  }
  Value sums = emitIntegerSums(builder, emitter, c, lhsMatrix, rhsMatrix);
  sums = emitSumsAs(builder, c.op->getLoc(), sums, c.getResultType());
  c.op->getResult(0).replaceAllUsesWith(sums);
  eraseDeadChain(c.op);
  return success();
}

//===----------------------------------------------------------------------===//
// Contractions of widened integers
//===----------------------------------------------------------------------===//

static LogicalResult importWidened(Contraction c, std::string &reason) {
  OpBuilder builder(c.op);
  std::optional<QuantizedOperand> lhs = matchWidened(builder, c.lhs, reason);
  std::optional<QuantizedOperand> rhs =
      lhs ? matchWidened(builder, c.rhs, reason) : std::nullopt;
  if (!rhs)
    return failure();
  if (!canSumInI32(c, reason))
    return failure();
  SmallVector<int64_t> rows;
  if (succeeded(setOperands(builder, c, lhs->ints, rhs->ints))) {
    if (c.lhs.isConstant() && !c.rhs.isConstant()) {
      c.swapOperands();
      std::swap(lhs, rhs);
    }
    if (c.rhs.isConstant())
      dropUnitBatch(c);
    rows.append(c.batch);
    rows.append(c.m);
  }
  spreadParameters(builder, c, *lhs, rows, c.lhs);
  SmallVector<int64_t> columns = getColumns(c, *rhs);
  if (!c.rhs.isConstant() || columns.size() != c.n.size())
    spreadParameters(builder, c, *rhs, columns, c.rhs);
  if (c.k.empty() || !isParameterOver(c, lhs->zeroPoint, rows) ||
      !isParameterOver(c, rhs->zeroPoint, columns)) {
    reason = "expected zero points for the tensor, for each row or for each "
             "column";
    return failure();
  }
  reason = explainEmpty(c);
  if (reason.empty())
    reason = explainOverflow(c, lhs->getMaxMagnitude(), rhs->getMaxMagnitude());
  if (!reason.empty())
    return failure();

  MatmulEmitter emitter(builder, c);
  auto emitSide = [&](const QuantizedOperand &side, bool isLhs) {
    QuantizedMatrix matrix;
    matrix.isUnsigned = side.isUnsigned;
    matrix.ints = isLhs ? emitter.emitLhs(c.lhs) : emitter.emitRhs(c.rhs);
    if (side.hasZeroPoint())
      matrix.zeroPoint =
          isLhs ? emitter.emitRowVector(side.zeroPoint)
                : emitter.emitRhsZeroPoint(side.zeroPoint, matrix.ints);
    return matrix;
  };
  Value sums = emitIntegerSums(builder, emitter, c, emitSide(*lhs, true),
                               emitSide(*rhs, false));
  sums = emitSumsAs(builder, c.op->getLoc(), sums, c.getResultType());
  c.op->getResult(0).replaceAllUsesWith(sums);
  eraseDeadChain(c.op);
  return success();
}

LogicalResult quantmlir::importContraction(linalg::LinalgOp op, bool weightOnly,
                                           std::string &reason) {
  FailureOr<Contraction> contraction = matchContraction(op, reason);
  if (failed(contraction)) {
    // Unusual float contractions are quant-quantize-matmul's to report.
    reason.clear();
    return failure();
  }
  if (contraction->isFloat())
    return importDequantized(*contraction, weightOnly, reason);
  return isStored(contraction->lhs) && isStored(contraction->rhs)
             ? importIntegers(*contraction, reason)
             : importWidened(*contraction, reason);
}
