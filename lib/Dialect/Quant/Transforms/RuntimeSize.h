//===- RuntimeSize.h - where a size of the run comes from -------*- C++ -*-===//
//
// A size that is not known before the run is a product of sizes of tensors that
// no op here explains (arguments, above all) and of numbers. Two sizes with the
// same factors are equal in every run.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_DIALECT_QUANT_TRANSFORMS_RUNTIMESIZE_H
#define QUANT_LIB_DIALECT_QUANT_TRANSFORMS_RUNTIMESIZE_H

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>

namespace quantmlir {

/// A product of a number and of factors that the run brings.
class RuntimeSize {
public:
  /// Dimension `dim` of `tensor`, followed through the ops that make it.
  static RuntimeSize of(mlir::Value tensor, int64_t dim);
  /// A number of type index or i64.
  static RuntimeSize of(mlir::Value index);
  /// What a comparison of a size with 0 gives: exporters of dynamic sizes ask
  /// whether one is negative. None where `condition` is no such comparison, and
  /// no constant.
  static std::optional<bool> compareWithZero(mlir::Value condition);
  static RuntimeSize of(int64_t number) { return RuntimeSize(number); }

  bool operator==(const RuntimeSize &other) const {
    return number == other.number && factors == other.factors;
  }
  bool operator!=(const RuntimeSize &other) const { return !(*this == other); }
  RuntimeSize operator*(const RuntimeSize &other) const;

  /// The number, where it is one.
  std::optional<int64_t> getNumber() const;
  /// Whether each factor is a size of a tensor: then it is not negative, and so
  /// is the product, which moreover does not overflow.
  bool isOfTensors() const;
  /// Whether each factor is read off an argument of `block`.
  bool isOfArguments(mlir::Block *block) const;
  /// The product as a value of type index.
  mlir::Value emit(mlir::OpBuilder &builder, mlir::Location loc) const;

private:
  /// A dimension of a tensor or, for `dim` -1, a number.
  using Factor = std::pair<void *, int64_t>;

  explicit RuntimeSize(int64_t number) : number(number) {}
  RuntimeSize(mlir::Value value, int64_t dim)
      : factors({{value.getAsOpaquePointer(), dim}}) {}

  static RuntimeSize follow(mlir::Value tensor, int64_t dim, int depth);
  static RuntimeSize followIndex(mlir::OpFoldResult size, int depth);
  static std::optional<bool> compareWithZero(mlir::Value condition, int depth);
  static RuntimeSize followOp(mlir::Value index, int depth);
  static std::optional<RuntimeSize> followExpr(mlir::AffineExpr expr,
                                               mlir::ValueRange dims,
                                               mlir::ValueRange symbols,
                                               int depth);

  int64_t number = 1;
  /// Sorted.
  llvm::SmallVector<Factor, 2> factors;
};

/// Whether all of `dims` are dimensions of `type`: upstream's verifier of
/// reshapes reads their numbers as 32 bits.
bool areDimensions(llvm::ArrayRef<int64_t> dims, mlir::ShapedType type);

} // namespace quantmlir

#endif // QUANT_LIB_DIALECT_QUANT_TRANSFORMS_RUNTIMESIZE_H
