//===- HostTensor.h - a dense tensor in host memory -------------*- C++ -*-===//
//
// What goes into a compiled program and what comes out of it: element type,
// shape and bytes in C order. Everything outside of the JIT (NPY files, random
// inputs, metrics, printing) speaks of tensors in this form only.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_RUNTIME_HOST_HOSTTENSOR_H
#define QUANT_RUNTIME_HOST_HOSTTENSOR_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

namespace quantmlir {

/// Element types that can pass the boundary of a program. Integers are
/// signless: unsigned NPY data of the same width is taken bit for bit, and i4
/// comes in bytes, of -8 to 15.
enum class HostType { I1, I4, I8, I16, I32, I64, F16, BF16, F32, F64 };

/// Bytes of one element; i1 and i4 take a whole byte.
int64_t getByteWidth(HostType type);
bool isFloat(HostType type);
/// MLIR's name of the type.
llvm::StringRef getName(HostType type);
/// Empty for types that cannot pass the boundary.
std::optional<HostType> getHostType(mlir::Type elementType);

/// Element type and shape; `ShapedType::kDynamic` where a size is not known.
struct HostTensorType {
  HostType element = HostType::F32;
  llvm::SmallVector<int64_t> shape;

  /// `tensor<2x?xf32>`
  std::string str() const;
};

/// The type of a function argument or result, or an error that says what is
/// expected instead.
llvm::Expected<HostTensorType> getHostTensorType(mlir::Type type,
                                                 const llvm::Twine &what);

/// Bytes of a tensor of static `shape`; empty when sizes are negative or the
/// product overflows.
std::optional<int64_t> getNumBytes(HostType type,
                                   llvm::ArrayRef<int64_t> shape);

/// Owns its bytes, aligned to a cache line. Moves, and copies only by clone().
class HostTensor {
public:
  /// Zeros; fails when the shape's product overflows or memory is short.
  static llvm::Expected<HostTensor> create(HostTensorType type);
  llvm::Expected<HostTensor> clone() const;

  const HostTensorType &getType() const { return type; }
  HostType getElementType() const { return type.element; }
  llvm::ArrayRef<int64_t> getShape() const { return type.shape; }
  int64_t getNumElements() const {
    return numBytes / getByteWidth(type.element);
  }
  char *getData() { return data.get(); }
  llvm::ArrayRef<char> getBytes() const {
    return {data.get(), static_cast<size_t>(numBytes)};
  }

  /// Element `i` in C order, as double (64-bit integers may round).
  double getAsDouble(int64_t i) const;
  /// Element `i` of an integer tensor, sign-extended; i1 is 0 or 1.
  int64_t getAsInt(int64_t i) const;

private:
  struct Free {
    void operator()(char *pointer) const { std::free(pointer); }
  };
  HostTensor() = default;

  HostTensorType type;
  int64_t numBytes = 0;
  std::unique_ptr<char, Free> data;
};

/// The values in nested brackets, floats by %g, integers exactly.
std::string printValues(const HostTensor &tensor);

} // namespace quantmlir

#endif // QUANT_RUNTIME_HOST_HOSTTENSOR_H
