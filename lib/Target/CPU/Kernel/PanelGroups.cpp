//===- PanelGroups.cpp - loops over groups of panels ----------------------===//

#include "quant/Target/CPU/Kernel/PanelGroups.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace quantmlir;

std::optional<int64_t> quantmlir::getRemainder(int64_t panels, int64_t size) {
  if (ShapedType::isDynamic(panels))
    return std::nullopt;
  return panels % size;
}

void quantmlir::forGroups(OpBuilder &b, Location loc, Value begin, Value end,
                          int64_t size, std::optional<int64_t> remainder,
                          GroupBody body) {
  auto index = [&](int64_t v) -> Value {
    return arith::ConstantIndexOp::create(b, loc, v);
  };
  Value whole = end, rest;
  if (remainder != 0) {
    Value count = arith::SubIOp::create(b, loc, end, begin);
    rest = remainder ? index(*remainder)
                     : arith::RemUIOp::create(b, loc, count, index(size));
    whole = arith::SubIOp::create(b, loc, end, rest);
  }
  scf::ForOp::create(b, loc, begin, whole, index(size), ValueRange{},
                     [&](OpBuilder &b, Location loc, Value first, ValueRange) {
                       body(b, loc, first, size);
                       scf::YieldOp::create(b, loc);
                     });
  if (remainder) {
    if (*remainder)
      body(b, loc, whole, *remainder);
    return;
  }
  for (int64_t left = 1; left < size; ++left) {
    Value isLeft = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, rest,
                                         index(left));
    scf::IfOp::create(b, loc, isLeft, [&](OpBuilder &b, Location loc) {
      body(b, loc, whole, left);
      scf::YieldOp::create(b, loc);
    });
  }
}
