//===- WidenFloatToInt.cpp - floats to narrow integers that wrap ----------===//
//
// `quant-widen-float-to-int`. `arith.fptosi` of what does not fit is poison,
// and LLVM makes of it what it likes, another number on each target. Programs
// rely on more: torch-mlir writes the zero point 146 of a uint8 as
// `arith.fptosi 146.0 : f64 to i8`, and every runtime keeps its low bits.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/TypeUtilities.h"
#include "quant/Conversion/Passes.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTWIDENFLOATTOINTPASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;

/// The integers through which narrower ones are made: signed ones, which hold
/// all numbers of unsigned ones of up to 31 bits and negative numbers as well.
static constexpr unsigned kWideBits = 32;

static void widen(Operation *op) {
  OpBuilder builder(op);
  Value result = op->getResult(0);
  Type narrow = result.getType();
  Type wide = builder.getIntegerType(kWideBits);
  if (auto shaped = dyn_cast<ShapedType>(narrow))
    wide = shaped.clone(wide);
  Value integer =
      arith::FPToSIOp::create(builder, op->getLoc(), wide, op->getOperand(0));
  result.replaceAllUsesWith(
      arith::TruncIOp::create(builder, op->getLoc(), narrow, integer));
  op->erase();
}

namespace {
struct QuantWidenFloatToIntPass
    : quantmlir::impl::QuantWidenFloatToIntPassBase<QuantWidenFloatToIntPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<Operation *> casts;
    getOperation()->walk([&](Operation *op) {
      if (isa<arith::FPToSIOp, arith::FPToUIOp>(op) &&
          getElementTypeOrSelf(op->getResult(0)).getIntOrFloatBitWidth() <
              kWideBits)
        casts.push_back(op);
    });
    llvm::for_each(casts, widen);
    numWidened += casts.size();
  }
};
} // namespace
