//===- SplitFloats.cpp - floats as sums of two bf16 -----------------------===//

#include "quant/Target/CPU/Kernel/SplitFloats.h"

#include "quant/Target/CPU/Kernel/FloatElements.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

/// Elements that are split at once, where so many divide K.
static constexpr int64_t kElementsAtOnce = 32;

static Value allocate(OpBuilder &b, Location loc, const ScaledKernel &kernel,
                      Value rows) {
  constexpr int64_t line = 64;
  auto type = MemRefType::get(
      {ShapedType::kDynamic, kSplitParts, kernel.countElements() / 2},
      b.getI32Type());
  return memref::AllocOp::create(b, loc, type, ValueRange{rows},
                                 b.getI64IntegerAttr(line));
}

namespace {

/// Bits of floats, as vectors of i32.
class FloatSplitter {
public:
  FloatSplitter(OpBuilder &b, Location loc, int64_t lanes)
      : b(b), loc(loc), words(VectorType::get({lanes}, b.getI32Type())),
        floats(VectorType::get({lanes}, b.getF32Type())) {}

  /// h and l of `x`, in the upper halves of their bits; the lower ones are 0.
  std::pair<Value, Value> split(Value x) {
    Value bits = toBits(x), nearest = round(bits);
    // Infinity, NaN and what would become infinity, as h and as h + l.
    Value isCut = arith::OrIOp::create(b, loc, hasLargestExponent(bits),
                                       hasLargestExponent(nearest));
    Value high = arith::SelectOp::create(b, loc, isCut, cut(bits), nearest);
    Value rest =
        toBits(arith::SubFOp::create(b, loc, x, toFloats(high)).getResult());
    Value low = arith::SelectOp::create(b, loc, isCut, cut(rest), round(rest));
    // Infinity less itself is no number.
    Value magnitude = arith::AndIOp::create(b, loc, bits, splat(0x7fffffff));
    Value isInfinite = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                             magnitude, splat(kExponent));
    return {high, arith::SelectOp::create(b, loc, isInfinite, splat(0), low)};
  }

  /// `low` and `high`, of the upper halves, in the halves of one lane each.
  Value join(Value low, Value high) {
    low = arith::ShRUIOp::create(b, loc, low, splat(kHalfBits));
    return arith::OrIOp::create(b, loc, low, high);
  }

private:
  static constexpr int32_t kExponent = 0x7f800000, kHalfBits = 16;

  Value splat(int32_t value) {
    return arith::ConstantOp::create(b, loc,
                                     DenseElementsAttr::get(words, value));
  }
  Value toBits(Value x) { return vector::BitCastOp::create(b, loc, words, x); }
  Value toFloats(Value x) {
    return vector::BitCastOp::create(b, loc, floats, x);
  }
  Value hasLargestExponent(Value bits) {
    Value exponent = arith::AndIOp::create(b, loc, bits, splat(kExponent));
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, exponent,
                                 splat(kExponent));
  }

  /// The upper half.
  Value cut(Value bits) {
    constexpr int32_t upper = static_cast<int32_t>(0xffff0000);
    return arith::AndIOp::create(b, loc, bits, splat(upper));
  }

  /// The nearest bf16, ties to even, of a number that is none of the largest.
  Value round(Value bits) {
    constexpr int32_t almostHalf = 0x7fff;
    Value last = arith::ShRUIOp::create(b, loc, bits, splat(kHalfBits));
    last = arith::AndIOp::create(b, loc, last, splat(1));
    Value up = arith::AddIOp::create(b, loc, last, splat(almostHalf));
    return cut(arith::AddIOp::create(b, loc, bits, up));
  }

  OpBuilder &b;
  Location loc;
  VectorType words, floats;
};

} // namespace

/// Steps of the kernel that are split at once.
static int64_t chooseSteps(const ScaledKernel &kernel, int64_t perStep) {
  int64_t steps = std::max<int64_t>(1, kElementsAtOnce / perStep);
  while (kernel.groups * kernel.steps % steps != 0)
    --steps;
  return steps;
}

/// Writes the pairs of `steps` steps of `row` from `step` on to those of
/// `splitRow`.
static void splitSteps(OpBuilder &b, Location loc, const ScaledKernel &kernel,
                       Value row, Value step, int64_t steps, Value memory,
                       Value splitRow) {
  FloatElements elements(loc, kernel);
  SmallVector<int64_t> low, high;
  for (int64_t s = 0; s < steps; ++s)
    for (int64_t p = 0; p < elements.pairsPerStep(); ++p) {
      auto [first, second] = elements.elementsOf(p);
      low.push_back(s * elements.perStep() + first);
      high.push_back(s * elements.perStep() + second);
    }
  auto index = [&](int64_t v) -> Value {
    return arith::ConstantIndexOp::create(b, loc, v);
  };
  Value k = arith::MulIOp::create(b, loc, step, index(elements.perStep()));
  Value x = vector::LoadOp::create(
      b, loc, VectorType::get({steps * elements.perStep()}, b.getF32Type()),
      kernel.op.getLhs(), ValueRange{row, k});
  FloatSplitter splitter(b, loc, low.size());
  auto pick = [&](ArrayRef<int64_t> which) {
    return splitter.split(vector::ShuffleOp::create(b, loc, x, x, which));
  };
  auto [lowH, lowL] = pick(low);
  auto [highH, highL] = pick(high);
  Value pair =
      arith::MulIOp::create(b, loc, step, index(elements.pairsPerStep()));
  Value parts[] = {splitter.join(lowH, highH), splitter.join(lowL, highL)};
  for (int64_t part = 0; part < kSplitParts; ++part)
    vector::StoreOp::create(b, loc, parts[part], memory,
                            ValueRange{splitRow, index(part), pair});
}

Value quantmlir::emitSplitRows(OpBuilder &b, Location loc,
                               const ScaledKernel &kernel, Value firstRow,
                               Value rows) {
  Value memory = allocate(b, loc, kernel, rows);
  auto index = [&](int64_t v) -> Value {
    return arith::ConstantIndexOp::create(b, loc, v);
  };
  int64_t steps = chooseSteps(kernel, FloatElements(loc, kernel).perStep());
  scf::ForOp::create(
      b, loc, index(0), rows, index(1), ValueRange{},
      [&](OpBuilder &b, Location, Value splitRow, ValueRange) {
        Value row = arith::AddIOp::create(b, loc, firstRow, splitRow);
        scf::ForOp::create(
            b, loc, index(0), index(kernel.groups * kernel.steps), index(steps),
            ValueRange{}, [&](OpBuilder &b, Location, Value step, ValueRange) {
              splitSteps(b, loc, kernel, row, step, steps, memory, splitRow);
              scf::YieldOp::create(b, loc);
            });
        scf::YieldOp::create(b, loc);
      });
  return memory;
}

Value quantmlir::broadcastSplit(OpBuilder &b, Location loc,
                                const ScaledKernel &kernel, Value split,
                                Value row, int64_t part, Value pair) {
  Value at = arith::ConstantIndexOp::create(b, loc, part);
  Value word = memref::LoadOp::create(b, loc, split, ValueRange{row, at, pair});
  Value words =
      vector::BroadcastOp::create(b, loc, kernel.typed(b.getI32Type()), word);
  return vector::BitCastOp::create(
      b, loc, VectorType::get({2 * kernel.lanes}, b.getBF16Type()), words);
}
