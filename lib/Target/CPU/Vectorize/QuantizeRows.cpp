//===- QuantizeRows.cpp - rows scaled and quantized as vectors ------------===//
//
// A row is read from memory for its largest magnitude and from L1 for its
// integers. The magnitude is the largest bit pattern without the sign, read as
// an integer: infinities and NaN are larger than all finite numbers, so that
// the largest also says whether there is one. Almost always there is none, and
// the scale is far from the ends of the floats. Then no element exceeds the
// range, nothing is a NaN, and the quotient is that of VectorQuotient.h. Adding
// 1.5 * 2^23 rounds to nearest even, and the sum's last byte is the integer.
// Every other row takes the formula of quant.quantize, with its division.
// Rows that are rotated first are so twice: five or seven steps in registers
// cost less than memory for a row in between.
//
//===----------------------------------------------------------------------===//

#include "QuantizeRows.h"

#include "VectorQuotient.h"
#include "VectorRotation.h"

#include "quant/Target/CPU/Kernel/ContiguousRows.h"
#include "quant/Target/CPU/Parallel/IndependentLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "quant/Dialect/Quant/Utils/RescaleFormula.h"
#include "quant/Target/IR/QTarget.h"

using namespace mlir;
using namespace quantmlir;

/// Elements of a vector: four registers of 512 bits hide the latency of a
/// maximum, two that of a quotient.
static constexpr int64_t kMagnitudeLanes = 64, kQuantizeLanes = 32;
/// What is added to make a signed byte an unsigned one.
static constexpr int64_t kUnsignedShift = 128;

namespace {

/// Emits one row.
class RowQuantizer {
public:
  RowQuantizer(QuantizeRowsOp op, const OpBuilder &builder, Value row,
               Value nextRow)
      : op(op), b(builder), loc(op.getLoc()), row(row), nextRow(nextRow),
        k(cast<MemRefType>(op.getInput().getType()).getDimSize(1)),
        rotation(op.getRowRotation()) {}

  void emit();

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value bits(int64_t value, int64_t lanes);
  Value number(double value, int64_t lanes);
  Value splat(Value scalar, int64_t lanes) {
    return vector::BroadcastOp::create(
        b, loc, VectorType::get({lanes}, scalar.getType()), scalar);
  }
  /// `lanes` elements from `column` on, as f32, rotated where they are.
  Value load(Value column, int64_t lanes, bool isRotated);
  /// `emitPart(column, lanes, carried)` for vectors of the columns of `part`,
  /// whose result the next one carries, and for the shorter rest of them.
  Value forColumns(const RowColumns &part, Value carried,
                   function_ref<Value(Value, int64_t, Value)> emitPart);
  Value getLargestBits(bool onlyFinite);
  Value getLargestBits(const RowColumns &part, bool onlyFinite);
  /// `quantize(column, lanes, isRotated)` for all vectors of the row.
  void forAllColumns(function_ref<void(Value, int64_t, bool)> quantize) {
    for (const RowColumns &part : splitColumns(k, rotation, kQuantizeLanes))
      forColumns(part, Value(), [&](Value column, int64_t lanes, Value) {
        quantize(column, lanes, part.isRotated);
        return Value();
      });
  }
  /// Asks for what the next row's loop will read and write at `column`.
  void prefetchNextRow(Value column, int64_t lanes);
  Value chooseScale(Value magnitude);
  void quantizeFast(Value scale);
  void quantizeAny(Value scale);
  void store(Value integers, Value column) {
    vector::StoreOp::create(b, loc, integers, op.getPacked(),
                            ValueRange{row, column});
  }
  /// Else `math.fma` is a call for each element.
  bool hasFusedMultiplyAdd() {
    auto target = qtarget::TargetAttr::lookup(op);
    return target && target.hasFeature("fma");
  }
  int64_t getElementBytes() {
    return cast<MemRefType>(op.getInput().getType()).getElementTypeBitWidth() /
           8;
  }
  VectorType bytes(int64_t lanes) {
    return VectorType::get({lanes}, b.getI8Type());
  }

  QuantizeRowsOp op;
  OpBuilder b;
  Location loc;
  /// The row, and the next one that is there.
  Value row, nextRow;
  int64_t k;
  Rotation rotation;
};

} // namespace

Value RowQuantizer::bits(int64_t value, int64_t lanes) {
  auto type = VectorType::get({lanes}, b.getI32Type());
  return arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(type, static_cast<int32_t>(value)));
}

Value RowQuantizer::number(double value, int64_t lanes) {
  auto type = VectorType::get({lanes}, b.getF32Type());
  return arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(type, static_cast<float>(value)));
}

Value RowQuantizer::load(Value column, int64_t lanes, bool isRotated) {
  Value x = loadFloats(b, loc, op.getInput(), ValueRange{row, column}, lanes);
  return isRotated
             ? emitVectorRotation(b, loc, x, rotation, hasFusedMultiplyAdd())
             : x;
}

Value RowQuantizer::forColumns(
    const RowColumns &part, Value carried,
    function_ref<Value(Value, int64_t, Value)> emitPart) {
  int64_t rest = (part.end - part.begin) % part.lanes, whole = part.end - rest;
  if (part.begin < whole) {
    auto loop = scf::ForOp::create(
        b, loc, index(part.begin), index(whole), index(part.lanes),
        carried ? ValueRange(carried) : ValueRange());
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value next = emitPart(loop.getInductionVar(), part.lanes,
                          carried ? loop.getRegionIterArg(0) : Value());
    if (carried) {
      scf::YieldOp::create(b, loc, next);
      carried = loop.getResult(0);
    }
  }
  return rest ? emitPart(index(whole), rest, carried) : carried;
}

/// The bits of the largest magnitude of all or of the finite elements.
Value RowQuantizer::getLargestBits(bool onlyFinite) {
  // Other vectors than those of the loop that is always run: LLVM would keep
  // what they have in common, for which there are no registers.
  int64_t lanes = onlyFinite ? kQuantizeLanes : kMagnitudeLanes;
  Value largest;
  for (const RowColumns &part : splitColumns(k, rotation, lanes)) {
    Value own = getLargestBits(part, onlyFinite);
    largest = largest ? arith::MaxUIOp::create(b, loc, largest, own).getResult()
                      : own;
  }
  return largest;
}

Value RowQuantizer::getLargestBits(const RowColumns &part, bool onlyFinite) {
  auto largestOf = [&](Value lanes) -> Value {
    return vector::ReductionOp::create(b, loc, vector::CombiningKind::MAXUI,
                                       lanes);
  };
  Value rest;
  auto combine = [&](Value column, int64_t lanes, Value carried) -> Value {
    Value magnitude = emitMagnitudeBits(
        b, loc, load(column, lanes, part.isRotated), onlyFinite);
    if (lanes == part.lanes)
      return arith::MaxUIOp::create(b, loc, carried, magnitude);
    rest = largestOf(magnitude);
    return carried;
  };
  Value lanes = forColumns(part, bits(0, part.lanes), combine);
  if (part.end - part.begin < part.lanes)
    return rest;
  Value largest = largestOf(lanes);
  return rest ? arith::MaxUIOp::create(b, loc, largest, rest).getResult()
              : largest;
}

void RowQuantizer::prefetchNextRow(Value column, int64_t lanes) {
  int64_t elements = 64 / getElementBytes();
  auto prefetch = [&](Value memory, Value at, bool isWrite) {
    memref::PrefetchOp::create(b, loc, memory, ValueRange{nextRow, at}, isWrite,
                               /*localityHint=*/3, /*isDataCache=*/true);
  };
  for (int64_t i = 0; i < lanes; i += elements)
    prefetch(op.getInput(), arith::AddIOp::create(b, loc, column, index(i)),
             /*isWrite=*/false);
  // Another core has read what was sent from there.
  prefetch(op.getPacked(), column, /*isWrite=*/true);
}

Value RowQuantizer::chooseScale(Value magnitude) {
  auto scalar = [&](double value) -> Value {
    return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
  };
  Value scale =
      arith::DivFOp::create(b, loc, magnitude, scalar(op.getRange()[1]));
  Value isZero = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, scale,
                                       scalar(0));
  return arith::SelectOp::create(b, loc, isZero, scalar(1), scale);
}

void RowQuantizer::quantizeFast(Value scale) {
  ScaleReciprocal reciprocal = emitReciprocal(b, loc, scale);
  double shift = kToNearestEven + (op.getIsUnsigned() ? kUnsignedShift : 0);
  auto quantize = [&](Value column, int64_t lanes, bool isRotated) {
    prefetchNextRow(column, lanes);
    Value q = emitQuotient(b, loc, load(column, lanes, isRotated), reciprocal);
    Value shifted = arith::AddFOp::create(b, loc, q, number(shift, lanes));
    Value words = arith::BitcastOp::create(
        b, loc, VectorType::get({lanes}, b.getI32Type()), shifted);
    store(arith::TruncIOp::create(b, loc, bytes(lanes), words), column);
  };
  forAllColumns(quantize);
}

/// The formula of quant.quantize.
void RowQuantizer::quantizeAny(Value scale) {
  int64_t shift = op.getIsUnsigned() ? kUnsignedShift : 0;
  auto quantize = [&](Value column, int64_t lanes, bool isRotated) {
    Value quotient = arith::DivFOp::create(
        b, loc, load(column, lanes, isRotated), splat(scale, lanes));
    Value rounded = math::RoundEvenOp::create(b, loc, quotient);
    Value integers = saturate(
        b, loc, rounded, shift ? number(shift, lanes) : Value(),
        op.getRange()[0] + shift, op.getRange()[1] + shift, b.getI8Type());
    store(integers, column);
  };
  forAllColumns(quantize);
}

void RowQuantizer::emit() {
  Type i32 = b.getI32Type(), f32 = b.getF32Type();
  auto word = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
  };
  Value largest = getLargestBits(/*onlyFinite=*/false);
  Value isFinite = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                         largest, word(kInfinityBits));
  auto magnitudeOf =
      scf::IfOp::create(b, loc, i32, isFinite, /*withElseRegion=*/true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(magnitudeOf.thenBlock());
    scf::YieldOp::create(b, loc, largest);
    b.setInsertionPointToStart(magnitudeOf.elseBlock());
    scf::YieldOp::create(b, loc, getLargestBits(/*onlyFinite=*/true));
  }
  Value scale = chooseScale(
      arith::BitcastOp::create(b, loc, f32, magnitudeOf.getResult(0)));
  memref::StoreOp::create(b, loc, scale, op.getScale(), row);

  if (!hasFusedMultiplyAdd())
    return quantizeAny(scale);
  Value isFast =
      arith::AndIOp::create(b, loc, isFinite, emitIsUsual(b, loc, scale));
  auto branch = scf::IfOp::create(b, loc, isFast, /*withElseRegion=*/true);
  b.setInsertionPointToStart(branch.thenBlock());
  quantizeFast(scale);
  b.setInsertionPointToStart(branch.elseBlock());
  quantizeAny(scale);
}

LogicalResult quantmlir::expandQuantizeRows(RewriterBase &b,
                                            QuantizeRowsOp op) {
  if (!isa<MemRefType>(op.getInput().getType()))
    return op.emitError("expected memrefs, found tensors; bufferize first");
  if (!op.isPlain() || op.getRange()[0] > -op.getRange()[1])
    return op.emitError("expected plain rows and a range [qmin, qmax] with "
                        "qmin <= -qmax, found ")
           << op.getPacked().getType() << " and [" << op.getRange()[0] << ", "
           << op.getRange()[1] << "]";
  readContiguousRows(b, op, op.getInputMutable());
  writeContiguousRows(b, op, op.getPackedMutable());
  b.setInsertionPoint(op);
  Location loc = op.getLoc();
  auto input = cast<MemRefType>(op.getInput().getType());
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value rows = memref::DimOp::create(b, loc, op.getInput(), 0);
  auto loop = scf::ForOp::create(b, loc, zero, rows, one);
  markIndependent(loop, input.getDimSize(1));
  b.setInsertionPointToStart(loop.getBody());
  Value row = loop.getInductionVar();
  Value nextRow =
      arith::MinUIOp::create(b, loc, arith::AddIOp::create(b, loc, row, one),
                             arith::SubIOp::create(b, loc, rows, one));
  if (input.getDimSize(1) > 0) {
    RowQuantizer(op, b, row, nextRow).emit();
  } else {
    // As of a row of zeros.
    Value one = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(1));
    memref::StoreOp::create(b, loc, one, op.getScale(), row);
  }
  b.eraseOp(op);
  return success();
}
