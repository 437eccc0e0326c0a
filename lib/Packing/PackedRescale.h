//===- PackedRescale.h - the rescale in a packed matmul ---------*- C++ -*-===//
//
// Float or fixed-point, a rescale that alone uses a matmul's sums becomes the
// epilogue of qtarget.packed_matmul, as operands and attributes. Which of the
// two it is matters here and in the formula, and nowhere between.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_PACKING_PACKEDRESCALE_H
#define QUANT_LIB_PACKING_PACKEDRESCALE_H

#include "mlir/IR/Builders.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Target/IR/PackedMatmul.h"

namespace quantmlir {

/// The rescale, float or fixed-point, that alone uses `op` and stands in its
/// block, or null.
mlir::Operation *soleRescale(MatmulOp op);

/// The rescale that is computed while the tile is in registers; maybe none.
class PackedRescale {
public:
  PackedRescale() = default;
  /// The rescale of `op`, if kernels can have it.
  static PackedRescale of(MatmulOp op);

  explicit operator bool() const { return rescale; }
  mlir::Operation *getRescale() const { return rescale; }
  mlir::RankedTensorType getType() const;
  /// What it adds to the sums, `tensor<Nxi32>`, or null.
  mlir::Value getIntegerBias(mlir::OpBuilder &b) const;
  /// Makes it the epilogue of `packed`, whose panels have `nr` columns.
  void attachTo(qtarget::PackedMatmulOp packed, mlir::OpBuilder &b,
                int64_t nr) const;

private:
  explicit PackedRescale(mlir::Operation *rescale) : rescale(rescale) {}
  mlir::Operation *rescale = nullptr;
};

} // namespace quantmlir

#endif // QUANT_LIB_PACKING_PACKEDRESCALE_H
