//===- BlockScale.cpp - scales of blocks of activations -------------------===//

#include "quant/Dialect/Quant/Utils/BlockScale.h"

#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

namespace {

/// Emission for one block.
struct BlockEmitter {
  OpBuilder &b;
  Location loc;

  Value number(double v) { return constantFloat(b, loc, v); }
  Value word(int64_t v) { return constantInt(b, loc, v); }
  Value divide(Value x, Value y) { return arith::DivFOp::create(b, loc, x, y); }
  Value bits(Value x) {
    return arith::BitcastOp::create(b, loc, b.getI32Type(), x);
  }
  Value floatOf(Value x) {
    return arith::BitcastOp::create(b, loc, b.getF32Type(), x);
  }
  /// `otherwise` where `x` is 0, else `value`.
  Value unlessZero(Value x, Value otherwise, Value value) {
    Value isZero =
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x, number(0));
    return arith::SelectOp::create(b, loc, isZero, otherwise, value);
  }

  Value atMost(Value d, double largest) {
    Value isMore = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, d,
                                         number(largest));
    return arith::SelectOp::create(b, loc, isMore, number(largest), d);
  }

  Value roundToF16(Value d) {
    constexpr double largest = 65504;
    d = atMost(d, largest);
    Value half = arith::TruncFOp::create(b, loc, b.getF16Type(), d);
    return arith::ExtFOp::create(b, loc, b.getF32Type(), half);
  }

  /// To nearest even. Not by arith.truncf, which is emulated in many
  /// instructions that look for NaN; `d` is finite. Divided by a qmax of 2 or
  /// more, it is below the largest bf16.
  Value roundToBF16(Value d, int64_t qmax) {
    constexpr double largest = 0x1.FEp127;
    if (qmax < 2)
      d = atMost(d, largest);
    Value x = bits(d);
    Value last = arith::ShRUIOp::create(b, loc, x, word(16));
    last = arith::AndIOp::create(b, loc, last, word(1));
    x = arith::AddIOp::create(b, loc, x, word(0x7FFF));
    x = arith::AddIOp::create(b, loc, x, last);
    return floatOf(arith::AndIOp::create(b, loc, x, word(~int64_t(0xFFFF))));
  }

  Value powerOfTwo(Value largest, int64_t qmax) {
    constexpr int64_t mantissaBits = 23;
    Value exponent =
        arith::ShRUIOp::create(b, loc, bits(largest), word(mantissaBits));
    exponent = arith::SubIOp::create(
        b, loc, exponent, word(llvm::Log2_64(static_cast<uint64_t>(qmax))));
    exponent = arith::MaxSIOp::create(b, loc, exponent, word(1));
    return floatOf(arith::ShLIOp::create(b, loc, exponent, word(mantissaBits)));
  }
};

} // namespace

Value quantmlir::emitBlockScale(OpBuilder &b, Location loc, Value largest,
                                int64_t qmax, BlockScale scales) {
  BlockEmitter emitter{b, loc};
  Value one = emitter.number(1);
  if (scales == BlockScale::E8M0)
    return emitter.unlessZero(largest, one, emitter.powerOfTwo(largest, qmax));
  Value scale = emitter.divide(largest, emitter.number(qmax));
  if (scales == BlockScale::F16 || scales == BlockScale::Q8_0)
    scale = emitter.roundToF16(scale);
  else if (scales == BlockScale::BF16)
    scale = emitter.roundToBF16(scale, qmax);
  return emitter.unlessZero(scale, one, scale);
}

Value quantmlir::emitBlockFactor(OpBuilder &b, Location loc, Value largest,
                                 int64_t qmax, BlockScale scales) {
  BlockEmitter emitter{b, loc};
  Value d = emitter.divide(largest, emitter.number(qmax));
  bool isMlas = scales == BlockScale::MLAS;
  Value factor = isMlas ? emitter.divide(emitter.number(qmax), largest)
                        : emitter.divide(emitter.number(1), d);
  return emitter.unlessZero(isMlas ? d : emitter.roundToF16(d),
                            emitter.number(0), factor);
}

Value quantmlir::emitRoundedProduct(OpBuilder &b, Location loc, Value x,
                                    Value factor, BlockScale scales) {
  Value product = arith::MulFOp::create(b, loc, x, factor);
  if (scales == BlockScale::MLAS)
    return math::RoundEvenOp::create(b, loc, product);
  return math::RoundOp::create(b, loc, product);
}
