//===- LaneBuilder.h - vectors of so many lanes -----------------*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_CPU_VECTORIZE_LANEBUILDER_H
#define QUANT_LIB_TARGET_CPU_VECTORIZE_LANEBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

namespace quantmlir {

/// What emitters of attention write again and again.
struct LaneBuilder {
  mlir::OpBuilder &b;
  mlir::Location loc;

  mlir::Value index(int64_t v) const {
    return mlir::arith::ConstantIndexOp::create(b, loc, v);
  }
  mlir::Value plus(mlir::Value a, mlir::Value other) const {
    return mlir::arith::AddIOp::create(b, loc, a, other);
  }
  mlir::Value plus(mlir::Value a, int64_t n) const {
    return n == 0 ? a : plus(a, index(n));
  }
  mlir::Value times(mlir::Value a, int64_t n) const {
    return mlir::arith::MulIOp::create(b, loc, a, index(n));
  }
  /// `size` up to, and down to, a multiple of `unit`.
  mlir::Value roundUp(mlir::Value size, int64_t unit) const;
  mlir::Value roundDown(mlir::Value size, int64_t unit) const;
  /// Every lane of f32 or i32 is `scalar`.
  mlir::Value broadcast(mlir::Value scalar, int64_t lanes) const;
  mlir::Value number(double value, int64_t lanes) const;
  mlir::Value word(int64_t value, int64_t lanes) const;
  /// Where of [0, end) the lanes from `begin` on are.
  mlir::Value maskOf(mlir::Value begin, mlir::Value end, int64_t lanes) const;
  /// Zeros outside of `mask`, if there is one.
  mlir::Value loadLanes(mlir::Value memory, mlir::ValueRange at,
                        mlir::Type type, int64_t lanes, mlir::Value mask) const;
  /// The sum of all lanes, a power of two: halves by halves.
  mlir::Value addLanes(mlir::Value x) const;
};

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_CPU_VECTORIZE_LANEBUILDER_H
