//===- GenericBuilder.h - linalg.generic from a formula ---------*- C++ -*-===//
//
// Helpers with which the patterns of the reference lowering write a formula as
// a `linalg.generic` on tensors.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_DIALECT_QUANT_UTILS_GENERICBUILDER_H
#define QUANT_DIALECT_QUANT_UTILS_GENERICBUILDER_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace quantmlir {

using BodyBuilder = llvm::function_ref<llvm::SmallVector<mlir::Value>(
    mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;

/// An operand of an elementwise formula: `value` is read at the coordinates of
/// `dims` (in order) of the result; a rank-0 tensor has no dims.
struct ElementwiseOperand {
  mlir::Value value;
  llvm::SmallVector<int64_t> dims;
};

/// The type of `value`, which is a ranked tensor.
mlir::RankedTensorType tensorType(mlir::Value value);

/// All dimensions of a tensor of `rank`, in order.
llvm::SmallVector<int64_t> allDims(int64_t rank);

/// `dims` when `param` has a rank, none when it is one number for the tensor.
llvm::SmallVector<int64_t> paramDims(mlir::Value param,
                                     llvm::ArrayRef<int64_t> dims);

/// An uninitialised tensor of `type` whose dynamic sizes are those of `like`.
mlir::Value emptyLike(mlir::OpBuilder &b, mlir::Location loc,
                      mlir::RankedTensorType type, mlir::Value like);

/// A tensor of `type` filled with `value`, dynamic sizes taken from the
/// dimensions `dims` of `like`.
mlir::Value filled(mlir::OpBuilder &b, mlir::Location loc,
                   mlir::RankedTensorType type, mlir::Value like,
                   llvm::ArrayRef<int64_t> dims, mlir::TypedAttr value);

/// A parallel `linalg.generic` into `inits` (all of one shape).
mlir::linalg::GenericOp elementwise(mlir::OpBuilder &b, mlir::Location loc,
                                    llvm::ArrayRef<ElementwiseOperand> inputs,
                                    mlir::ValueRange inits, BodyBuilder body);

/// Reduces `input` over the dimensions that are not in `axes` into `inits`, one
/// for each of the values of `combine`, which has an element of the input
/// first.
mlir::linalg::GenericOp reduceOver(mlir::OpBuilder &b, mlir::Location loc,
                                   mlir::Value input,
                                   llvm::ArrayRef<int64_t> axes,
                                   mlir::ValueRange inits, BodyBuilder combine);

/// A constant of `type` (a float or integer type) with the value `value`.
mlir::Value constantFloat(mlir::OpBuilder &b, mlir::Location loc, double value);
mlir::Value constantInt(mlir::OpBuilder &b, mlir::Location loc, int64_t value,
                        unsigned bits = 32);

/// `value` (f16, bf16, f32) as f32, and f32 as `type`.
mlir::Value extendToF32(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Value value);
mlir::Value truncateFromF32(mlir::OpBuilder &b, mlir::Location loc,
                            mlir::Value value, mlir::Type type);

/// `value` (i4, i8) as i32, read as unsigned if `isUnsigned`.
mlir::Value extendToI32(mlir::OpBuilder &b, mlir::Location loc,
                        mlir::Value value, bool isUnsigned);

} // namespace quantmlir

#endif // QUANT_DIALECT_QUANT_UTILS_GENERICBUILDER_H
