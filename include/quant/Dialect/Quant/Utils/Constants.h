//===- Constants.h - read and make constant tensors -------------*- C++ -*-===//
//
// One view of the values of a constant tensor, whether it is a
// `DenseElementsAttr` (splat or not) or a `DenseResourceElementsAttr`, and the
// way back: a buffer becomes a dense attribute while it is small and a
// resource blob when it is large, so that weights are never uniqued, hashed or
// printed by the context. A resource whose blob is missing or of another size
// than its type, and a huge splat, have no values: all readers say so by an
// empty result.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_DIALECT_QUANT_UTILS_CONSTANTS_H
#define QUANT_DIALECT_QUANT_UTILS_CONSTANTS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

#include <optional>
#include <vector>

namespace quantmlir {

/// Constants of more bytes than this live in resource blobs.
constexpr int64_t kMaxInlineConstantBytes = 1024;

/// A splat of more elements is one number that stands for what may not fit in
/// memory: for the readers it has no values, so that nobody expands it.
constexpr int64_t kMaxSplatElements = int64_t(1) << 28;

/// Values of a constant float tensor (f16, bf16, f32, f64) as f32. A view when
/// the attribute stores f32 (it must outlive the reader), else a converted
/// copy.
class FloatConstant {
public:
  /// Empty when `attr` is not a float tensor or its blob is missing.
  static std::optional<FloatConstant> get(mlir::Attribute attr);
  /// The same for a value that is defined by a constant-like op.
  static std::optional<FloatConstant> get(mlir::Value value);
  /// Floats of at most 8 bits too, which are stored but not computed with:
  /// whoever asks widens them.
  static std::optional<FloatConstant> getStoredFloats(mlir::Value value);

  FloatConstant(FloatConstant &&) = default;
  FloatConstant &operator=(FloatConstant &&) = default;

  /// Number of elements of the tensor's type.
  int64_t size() const { return numElements; }
  /// Whether one stored value stands for all elements.
  bool isSplat() const { return splat; }
  float operator[](int64_t i) const { return data[splat ? 0 : i]; }
  /// The stored values: one for a splat, else all of them.
  llvm::ArrayRef<float> getStored() const {
    return {data, static_cast<size_t>(splat ? 1 : numElements)};
  }

private:
  FloatConstant() = default;
  static std::optional<FloatConstant> read(mlir::Attribute attr,
                                           bool withNarrow);
  std::vector<float> owned;
  const float *data = nullptr;
  int64_t numElements = 0;
  bool splat = false;
};

/// Values of a constant tensor of integers of 2 to 64 bits, or of indices;
/// signless ones are read as signed. Always a view: the attribute must
/// outlive it.
class IntConstant {
public:
  /// Empty when `attr` is not such a tensor or its blob is missing.
  static std::optional<IntConstant> get(mlir::Attribute attr);
  static std::optional<IntConstant> get(mlir::Value value);

  int64_t size() const { return numElements; }
  bool isSplat() const { return splat; }
  int64_t operator[](int64_t i) const;
  /// The stored bytes of an 8-bit tensor, one for each element; empty for
  /// other widths and for splats.
  llvm::ArrayRef<int8_t> getBytes() const;

private:
  IntConstant() = default;
  const char *data = nullptr;
  int64_t numElements = 0;
  unsigned bits = 0;
  bool splat = false;
  bool isUnsigned = false;
};

/// All values of a constant, for the small ones (scales, zero points, biases).
std::optional<llvm::SmallVector<float>> getConstantFloats(mlir::Attribute attr);
std::optional<llvm::SmallVector<float>> getConstantFloats(mlir::Value value);
std::optional<llvm::SmallVector<int64_t>> getConstantInts(mlir::Attribute attr);
std::optional<llvm::SmallVector<int64_t>> getConstantInts(mlir::Value value);

/// Whether `attr` or `value` is an integer constant whose elements are all 0.
bool isZeroConstant(mlir::Attribute attr);
bool isZeroConstant(mlir::Value value);

/// A constant of static `type` from one value for each element. i4 and i2
/// elements take one byte each, of which the low bits count. Dense when it has
/// at most kMaxInlineConstantBytes, else a resource whose key starts with
/// `key`.
mlir::ElementsAttr makeIntTensorAttr(mlir::RankedTensorType type,
                                     llvm::ArrayRef<int8_t> values,
                                     llvm::StringRef key = "quant_weight");
mlir::ElementsAttr makeI32TensorAttr(mlir::RankedTensorType type,
                                     llvm::ArrayRef<int32_t> values,
                                     llvm::StringRef key = "quant_const");
/// f32, f16 or bf16 elements; the last two are rounded to nearest even.
mlir::ElementsAttr makeFloatTensorAttr(mlir::RankedTensorType type,
                                       llvm::ArrayRef<float> values,
                                       llvm::StringRef key = "quant_const");

/// The same without a copy: `fill` writes the stored bytes (4-bit elements: a
/// byte each, high nibble 0) in place. Widths must be whole bytes or 4 bits.
mlir::ElementsAttr
makeTensorAttr(mlir::RankedTensorType type, llvm::StringRef key,
               llvm::function_ref<void(llvm::MutableArrayRef<char>)> fill);

} // namespace quantmlir

#endif // QUANT_DIALECT_QUANT_UTILS_CONSTANTS_H
