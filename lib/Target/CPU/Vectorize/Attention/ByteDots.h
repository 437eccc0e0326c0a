//===- ByteDots.h - dot products of four bytes a lane -----------*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_CPU_VECTORIZE_ATTENTION_BYTEDOTS_H
#define QUANT_LIB_TARGET_CPU_VECTORIZE_ATTENTION_BYTEDOTS_H

#include "quant/Target/IR/MatmulKernelInterface.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace quantmlir {

/// Vectors of `bits` bits: bytes, and as many i32 lanes as four of them make.
/// Any machine computes the products; one with an instruction for them by that.
class ByteDots {
public:
  /// As wide as the best instruction of `target` (or null) is.
  explicit ByteDots(qtarget::TargetAttr target);

  /// The same, or narrower, so that `bytes`, a multiple of 16, are whole
  /// vectors.
  ByteDots narrowedTo(int64_t bytes) const;

  int64_t getBytes() const { return bits / 8; }
  int64_t getLanes() const { return bits / 32; }
  /// Registers that accumulators may take.
  int64_t getAccumulators() const { return accumulators; }

  /// Whether the left bytes have to be unsigned; else they have to be signed.
  bool isLhsUnsigned() const { return lhsUnsigned; }

  /// acc + the dot products of `lhs` and signed `rhs`, vectors of lanes; wraps.
  mlir::Value add(mlir::OpBuilder &b, mlir::Location loc, mlir::Value acc,
                  mlir::Value lhs, mlir::Value rhs) const;

private:
  ByteDots() = default;
  /// Takes `kernel`, if it is one of such products, or of pairs of words.
  bool take(qtarget::MatmulKernelInterface kernel);

  qtarget::TargetAttr target;
  qtarget::MatmulKernelInterface kernel;
  int64_t bits = 128, accumulators = 8;
  bool lhsUnsigned = false;
};

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_CPU_VECTORIZE_ATTENTION_BYTEDOTS_H
