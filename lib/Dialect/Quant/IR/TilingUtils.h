//===- TilingUtils.h - slices of operands for a tile ------------*- C++ -*-===//

#ifndef QUANT_LIB_DIALECT_QUANT_IR_TILINGUTILS_H
#define QUANT_LIB_DIALECT_QUANT_IR_TILINGUTILS_H

#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace quantmlir {

/// Makes the slices of operands that one tile of the iteration space reads.
class Slicer {
public:
  Slicer(mlir::OpBuilder &b, mlir::Location loc,
         llvm::ArrayRef<mlir::OpFoldResult> offsets,
         llvm::ArrayRef<mlir::OpFoldResult> sizes)
      : b(b), loc(loc), offsets(offsets), sizes(sizes) {}

  /// The slice of `operand`, whose dimensions run along the loops `dims`. A
  /// value of rank 0 is one for all tiles, an absent one stays absent.
  mlir::Value slice(mlir::Value operand, llvm::ArrayRef<int64_t> dims) {
    if (!operand ||
        llvm::cast<mlir::RankedTensorType>(operand.getType()).getRank() == 0)
      return operand;
    llvm::SmallVector<mlir::OpFoldResult> sliceOffsets, sliceSizes;
    for (int64_t dim : dims) {
      sliceOffsets.push_back(offsets[dim]);
      sliceSizes.push_back(sizes[dim]);
    }
    llvm::SmallVector<mlir::OpFoldResult> strides(dims.size(),
                                                  b.getIndexAttr(1));
    auto op = mlir::tensor::ExtractSliceOp::create(
        b, loc, operand, sliceOffsets, sliceSizes, strides);
    slices.push_back(op);
    return op;
  }

  llvm::SmallVector<mlir::Operation *> takeSlices() {
    return std::move(slices);
  }

private:
  mlir::OpBuilder &b;
  mlir::Location loc;
  llvm::ArrayRef<mlir::OpFoldResult> offsets, sizes;
  llvm::SmallVector<mlir::Operation *> slices;
};

} // namespace quantmlir

#endif // QUANT_LIB_DIALECT_QUANT_IR_TILINGUTILS_H
