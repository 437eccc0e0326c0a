//===- VerifyUtils.h - checks that several verifiers share ------*- C++ -*-===//
//
// Each check emits a diagnostic on the op that says what was expected and
// what was found. Shapes are compared as far as they are static; what is not,
// quant-check-sizes leaves to the run.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_DIALECT_QUANT_UTILS_VERIFYUTILS_H
#define QUANT_DIALECT_QUANT_UTILS_VERIFYUTILS_H

#include "quant/Dialect/Quant/Utils/StorageRange.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"

#include <string>

namespace quantmlir {

/// The type of `value`, a tensor or a memref.
inline mlir::ShapedType getShaped(mlir::Value value) {
  return llvm::cast<mlir::ShapedType>(value.getType());
}

/// `[2, ?, 3]`.
std::string formatShape(llvm::ArrayRef<int64_t> shape);

/// `axes` is strictly increasing and within the rank of `input`.
llvm::LogicalResult verifyAxes(mlir::Operation *op,
                               llvm::ArrayRef<int64_t> axes,
                               mlir::ShapedType input);

/// The sizes of `input` along `axes`.
llvm::SmallVector<int64_t> getAxesShape(llvm::ArrayRef<int64_t> axes,
                                        mlir::ShapedType input);

/// `what` (a `type`) has shape `expected`; `why` ends the message and says
/// where the shape comes from.
llvm::LogicalResult verifyShape(mlir::Operation *op, llvm::StringRef what,
                                mlir::ShapedType type,
                                llvm::ArrayRef<int64_t> expected,
                                llvm::StringRef why);

/// The same of a scale, a zero point or a bias, `what`: where a size is known
/// by the run only, one value is none for each of an unknown number. (It is of
/// rank 0, one for all. Other sizes the run compares.)
llvm::LogicalResult verifyParameterShape(mlir::Operation *op,
                                         llvm::StringRef what,
                                         mlir::ShapedType type,
                                         llvm::ArrayRef<int64_t> expected,
                                         llvm::StringRef why);

/// The same, or rank 0: one value for all.
llvm::LogicalResult verifyScalarOrShape(mlir::Operation *op,
                                        llvm::StringRef what,
                                        mlir::ShapedType type,
                                        llvm::ArrayRef<int64_t> expected,
                                        llvm::StringRef why);

/// The operands are tensors, or all are memrefs, of less than 2^63 bytes each.
llvm::LogicalResult verifyOneKind(mlir::Operation *op);

/// `range` is `[qmin, qmax]` with `qmin < qmax` and lies within the range of
/// `type`, where one is given.
llvm::LogicalResult verifyRange(mlir::Operation *op,
                                llvm::ArrayRef<int64_t> range, mlir::Type type,
                                bool isUnsigned);

/// The same of a signed range that has numbers on both sides of 0.
llvm::LogicalResult verifySymmetricRange(mlir::Operation *op,
                                         llvm::ArrayRef<int64_t> range,
                                         mlir::Type type);

/// What a scale may be, all of it finite.
enum class ScaleRange { AboveZero, FromZero, Finite };

/// A constant `scale` is within `range`. Null and non-constant values pass.
llvm::LogicalResult
verifyConstantScale(mlir::Operation *op, llvm::StringRef what,
                    mlir::Value scale,
                    ScaleRange range = ScaleRange::AboveZero);

/// `size` and `seed` are those of a rotation.
llvm::LogicalResult verifyRotation(mlir::Operation *op, int64_t size,
                                   int64_t seed);

/// A constant integer tensor has values in `range` only.
llvm::LogicalResult verifyConstantInRange(mlir::Operation *op,
                                          llvm::StringRef what,
                                          mlir::Value value,
                                          StorageRange range);

} // namespace quantmlir

#endif // QUANT_DIALECT_QUANT_UTILS_VERIFYUTILS_H
