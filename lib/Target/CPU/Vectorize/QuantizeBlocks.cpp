//===- QuantizeBlocks.cpp - blocks of rows quantized as vectors -----------===//
//
// A block is read for its largest magnitude and, from L1, for its integers. As
// in QuantizeRows.cpp, the magnitude is the largest bit pattern without the
// sign, which also says whether all elements are finite, and the usual block
// takes its quotients from the reciprocal of its scale (VectorQuotient.h).
// Blocks do not depend on each other, so that a processor computes the scale of
// one while it quantizes others. What is rotated first stays in registers: a
// block, or as many as those that are rotated have.
//
//===----------------------------------------------------------------------===//

#include "QuantizeBlocks.h"

#include "VectorQuotient.h"
#include "VectorRotation.h"

#include "quant/Target/CPU/Kernel/ContiguousRows.h"
#include "quant/Target/CPU/Parallel/IndependentLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "quant/Dialect/Quant/Utils/BlockScale.h"
#include "quant/Dialect/Quant/Utils/RescaleFormula.h"
#include "quant/Target/IR/QTarget.h"

using namespace mlir;
using namespace quantmlir;

/// Else `math.fma` is a call for each element.
static bool hasFusedMultiplyAdd(QuantizeBlocksOp op) {
  auto target = qtarget::TargetAttr::lookup(op);
  return target && target.hasFeature("fma");
}

static int64_t getLanes(Value vector) {
  return cast<VectorType>(vector.getType()).getDimSize(0);
}

namespace {

/// Elements of a vector.
constexpr int64_t kBlockLanes = 32;
/// Elements of a block up to which its vectors are code of their own.
constexpr int64_t kMostUnrolled = 256;

/// Emits one block of one row.
class BlockQuantizer {
public:
  /// `rotation`: of what is loaded.
  BlockQuantizer(QuantizeBlocksOp op, OpBuilder &b, Value row, Value block,
                 int64_t length, const Rotation &rotation)
      : op(op), b(b), loc(op.getLoc()), row(row), block(block), length(length),
        rotation(rotation),
        first(arith::MulIOp::create(b, loc, block, index(op.getBlock()))) {}

  /// `elements`: those of the block, if they are loaded already.
  void emit(Value elements = Value());

private:
  using EmitPart = function_ref<Value(Value x, Value column, Value carried)>;

  Value index(int64_t v) { return arith::ConstantIndexOp::create(b, loc, v); }
  Value word(int64_t v) {
    return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(v));
  }
  Value splat(Value scalar, int64_t lanes) {
    return vector::BroadcastOp::create(
        b, loc, VectorType::get({lanes}, scalar.getType()), scalar);
  }
  Value number(double value, int64_t lanes) {
    auto type = VectorType::get({lanes}, b.getF32Type());
    return arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(type, static_cast<float>(value)));
  }
  Value bits(Value x, int64_t lanes) {
    return arith::BitcastOp::create(
        b, loc, VectorType::get({lanes}, b.getI32Type()), x);
  }
  Value load(Value column, int64_t lanes, bool isRotated) {
    Value x = loadFloats(b, loc, op.getInput(), ValueRange{row, column}, lanes);
    return isRotated ? emitVectorRotation(b, loc, x, rotation,
                                          hasFusedMultiplyAdd(op))
                     : x;
  }
  Value at(int64_t offset) {
    return arith::AddIOp::create(b, loc, first, index(offset));
  }
  /// Loads what is not loaded again and again.
  void hold();
  /// `emitPart` for all vectors of the block; each is given what the one before
  /// it gave, i32.
  Value forParts(Value carried, EmitPart emitPart);
  Value forColumns(const RowColumns &part, Value carried, EmitPart emitPart);
  Value getLargestBits(bool onlyFinite);
  /// The magnitude that the scale follows from, and whether all are finite.
  std::pair<Value, Value> findLargest();
  /// `quantize(x, lanes)` gives the bytes of a vector.
  void store(function_ref<Value(Value, int64_t)> quantize);
  void quantizeFast(Value scale);
  void quantizeAny(Value scale);
  void quantizeByFactor(Value factor);
  Value clampToRange(Value x, int64_t lanes);

  QuantizeBlocksOp op;
  OpBuilder &b;
  Location loc;
  Value row, block;
  int64_t length;
  Rotation rotation;
  /// Its first column.
  Value first;
  /// Its vectors, if they stay in registers.
  SmallVector<Value> held;
};

} // namespace

Value BlockQuantizer::forColumns(const RowColumns &part, Value carried,
                                 EmitPart emitPart) {
  int64_t rest = (part.end - part.begin) % part.lanes, whole = part.end - rest;
  auto emit = [&](Value column, int64_t lanes, Value carried) {
    return emitPart(load(column, lanes, part.isRotated), column, carried);
  };
  if (whole - part.begin > kMostUnrolled) {
    auto loop = scf::ForOp::create(b, loc, index(part.begin), index(whole),
                                   index(part.lanes), carried);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value column = arith::AddIOp::create(b, loc, first, loop.getInductionVar());
    Value next = emit(column, part.lanes, loop.getRegionIterArg(0));
    scf::YieldOp::create(b, loc, next);
    carried = loop.getResult(0);
  } else {
    for (int64_t i = part.begin; i < whole; i += part.lanes)
      carried = emit(at(i), part.lanes, carried);
  }
  return rest ? emit(at(whole), rest, carried) : carried;
}

Value BlockQuantizer::forParts(Value carried, EmitPart emitPart) {
  if (held.empty()) {
    for (const RowColumns &part : splitColumns(length, rotation, kBlockLanes))
      carried = forColumns(part, carried, emitPart);
    return carried;
  }
  int64_t offset = 0;
  for (Value x : held) {
    carried = emitPart(x, at(offset), carried);
    offset += getLanes(x);
  }
  return carried;
}

void BlockQuantizer::hold() {
  if (!rotation || length > kMostUnrolled)
    return;
  SmallVector<Value> loaded;
  forParts(word(0), [&](Value x, Value, Value carried) {
    loaded.push_back(x);
    return carried;
  });
  held = loaded;
}

/// The bits of the largest magnitude of all or of the finite elements.
Value BlockQuantizer::getLargestBits(bool onlyFinite) {
  return forParts(word(0), [&](Value x, Value, Value carried) -> Value {
    Value magnitude = emitMagnitudeBits(b, loc, x, onlyFinite);
    Value largest = vector::ReductionOp::create(
        b, loc, vector::CombiningKind::MAXUI, magnitude);
    return arith::MaxUIOp::create(b, loc, carried, largest);
  });
}

std::pair<Value, Value> BlockQuantizer::findLargest() {
  Value largest = getLargestBits(/*onlyFinite=*/false);
  Value isFinite = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                         largest, word(kInfinityBits));
  auto finite = scf::IfOp::create(b, loc, b.getI32Type(), isFinite,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(finite.thenBlock());
  scf::YieldOp::create(b, loc, largest);
  b.setInsertionPointToStart(finite.elseBlock());
  scf::YieldOp::create(b, loc, getLargestBits(/*onlyFinite=*/true));
  b.setInsertionPointAfter(finite);
  Value magnitude =
      arith::BitcastOp::create(b, loc, b.getF32Type(), finite.getResult(0));
  return {magnitude, isFinite};
}

void BlockQuantizer::store(function_ref<Value(Value, int64_t)> quantize) {
  bool wantsSums = static_cast<bool>(op.getSums());
  Value sum =
      forParts(word(0), [&](Value x, Value column, Value carried) -> Value {
        int64_t lanes = getLanes(x);
        Value stored = quantize(x, lanes);
        vector::StoreOp::create(b, loc, stored, op.getInts(),
                                ValueRange{row, column});
        if (!wantsSums)
          return carried;
        Value whole = arith::ExtSIOp::create(
            b, loc, VectorType::get({lanes}, b.getI32Type()), stored);
        Value part = vector::ReductionOp::create(
            b, loc, vector::CombiningKind::ADD, whole);
        return arith::AddIOp::create(b, loc, carried, part);
      });
  if (wantsSums)
    memref::StoreOp::create(b, loc, sum, op.getSums(), ValueRange{row, block});
}

/// A scale that is rounded may be too small for the largest element, and a
/// range may end before -qmax.
Value BlockQuantizer::clampToRange(Value x, int64_t lanes) {
  ArrayRef<int64_t> range = op.getRange();
  if (op.getScales() == BlockScale::F32 && range[0] <= -range[1])
    return x;
  // One instruction each.
  constexpr auto flags = arith::FastMathFlags::nnan | arith::FastMathFlags::nsz;
  x = arith::MaximumFOp::create(b, loc, x, number(range[0], lanes), flags);
  return arith::MinimumFOp::create(b, loc, x, number(range[1], lanes), flags);
}

void BlockQuantizer::quantizeFast(Value scale) {
  ScaleReciprocal reciprocal = emitReciprocal(b, loc, scale);
  store([&](Value x, int64_t lanes) -> Value {
    Value q = clampToRange(emitQuotient(b, loc, x, reciprocal), lanes);
    q = arith::AddFOp::create(b, loc, q, number(kToNearestEven, lanes));
    return arith::TruncIOp::create(
        b, loc, VectorType::get({lanes}, b.getI8Type()), bits(q, lanes));
  });
}

/// The op's formula.
void BlockQuantizer::quantizeAny(Value scale) {
  store([&](Value x, int64_t lanes) -> Value {
    Value quotient = arith::DivFOp::create(b, loc, x, splat(scale, lanes));
    Value rounded = math::RoundEvenOp::create(b, loc, quotient);
    return saturate(b, loc, rounded, Value(), op.getRange()[0],
                    op.getRange()[1], b.getI8Type());
  });
}

void BlockQuantizer::quantizeByFactor(Value factor) {
  store([&](Value x, int64_t lanes) -> Value {
    Value rounded =
        emitRoundedProduct(b, loc, x, splat(factor, lanes), op.getScales());
    return saturate(b, loc, rounded, Value(), op.getRange()[0],
                    op.getRange()[1], b.getI8Type());
  });
}

void BlockQuantizer::emit(Value elements) {
  if (elements)
    held = {elements};
  else
    hold();
  auto [largest, isFinite] = findLargest();
  int64_t qmax = op.getRange()[1];
  Value scale = emitBlockScale(b, loc, largest, qmax, op.getScales());
  memref::StoreOp::create(b, loc, scale, op.getScale(), ValueRange{row, block});
  if (hasBlockFactor(op.getScales()))
    return quantizeByFactor(
        emitBlockFactor(b, loc, largest, qmax, op.getScales()));
  if (!hasFusedMultiplyAdd(op))
    return quantizeAny(scale);
  Value isFast =
      arith::AndIOp::create(b, loc, isFinite, emitIsUsual(b, loc, scale));
  auto branch = scf::IfOp::create(b, loc, isFast, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  quantizeFast(scale);
  b.setInsertionPointToStart(branch.elseBlock());
  quantizeAny(scale);
}

/// `body(i)` for i from `begin` on, less than `end`.
static void emitLoop(OpBuilder &b, Location loc, int64_t begin, int64_t end,
                     function_ref<void(Value)> body) {
  if (begin >= end)
    return;
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  auto loop =
      scf::ForOp::create(b, loc, arith::ConstantIndexOp::create(b, loc, begin),
                         arith::ConstantIndexOp::create(b, loc, end), one);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

/// The blocks that the `number`-th ones that are rotated, which are longer,
/// have.
static void emitRotatedBlocks(OpBuilder &b, QuantizeBlocksOp op, Value row,
                              Value number) {
  Location loc = op.getLoc();
  auto index = [&](int64_t v) -> Value {
    return arith::ConstantIndexOp::create(b, loc, v);
  };
  Rotation rotation = op.getRowRotation();
  int64_t length = op.getBlock(), count = rotation.size / length;
  Value column = arith::MulIOp::create(b, loc, number, index(rotation.size));
  Value x =
      loadFloats(b, loc, op.getInput(), ValueRange{row, column}, rotation.size);
  x = emitVectorRotation(b, loc, x, rotation, hasFusedMultiplyAdd(op));
  Value first = arith::MulIOp::create(b, loc, number, index(count));
  for (int64_t i = 0; i < count; ++i) {
    Value elements = vector::ExtractStridedSliceOp::create(
        b, loc, x, ArrayRef<int64_t>{i * length}, ArrayRef<int64_t>{length},
        ArrayRef<int64_t>{1});
    Value block = arith::AddIOp::create(b, loc, first, index(i));
    BlockQuantizer(op, b, row, block, length, Rotation()).emit(elements);
  }
}

/// All blocks of one row.
static void emitRow(OpBuilder &b, QuantizeBlocksOp op, Value row) {
  Location loc = op.getLoc();
  int64_t k = op.getK(), size = op.getBlock(), whole = k / size, begin = 0;
  Rotation rotation = op.getRowRotation();
  if (rotation.size > size) {
    int64_t rotated = rotation.getRotated(k);
    emitLoop(b, loc, 0, rotated / rotation.size,
             [&](Value number) { emitRotatedBlocks(b, op, row, number); });
    begin = rotated / size;
    rotation = {};
  }
  emitLoop(b, loc, begin, whole, [&](Value block) {
    BlockQuantizer(op, b, row, block, size, rotation).emit();
  });
  if (k % size != 0)
    BlockQuantizer(op, b, row, arith::ConstantIndexOp::create(b, loc, whole),
                   k % size, rotation)
        .emit();
}

LogicalResult quantmlir::expandQuantizeBlocks(RewriterBase &b,
                                              QuantizeBlocksOp op) {
  if (!isa<MemRefType>(op.getInput().getType()))
    return op.emitError("expected memrefs, found tensors; bufferize first");
  readContiguousRows(b, op, op.getInputMutable());
  writeContiguousRows(b, op, op.getIntsMutable());
  b.setInsertionPoint(op);
  Location loc = op.getLoc();
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value rows = memref::DimOp::create(b, loc, op.getInput(), 0);
  auto loop = scf::ForOp::create(b, loc, zero, rows, one);
  markIndependent(loop, op.getK());
  b.setInsertionPointToStart(loop.getBody());
  emitRow(b, op, loop.getInductionVar());
  b.eraseOp(op);
  return success();
}
