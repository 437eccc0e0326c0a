//===- HostTensor.cpp - a dense tensor in host memory ---------------------===//

#include "quant/Runtime/Host/HostTensor.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

using namespace mlir;
using namespace quantmlir;

int64_t quantmlir::getByteWidth(HostType type) {
  switch (type) {
  case HostType::I1:
  case HostType::I4:
  case HostType::I8:
    return 1;
  case HostType::I16:
  case HostType::F16:
  case HostType::BF16:
    return 2;
  case HostType::I32:
  case HostType::F32:
    return 4;
  case HostType::I64:
  case HostType::F64:
    return 8;
  }
  llvm_unreachable("unknown host type");
}

bool quantmlir::isFloat(HostType type) { return type >= HostType::F16; }

StringRef quantmlir::getName(HostType type) {
  static constexpr StringLiteral names[] = {"i1",  "i4",  "i8",   "i16", "i32",
                                            "i64", "f16", "bf16", "f32", "f64"};
  return names[static_cast<size_t>(type)];
}

std::optional<HostType> quantmlir::getHostType(Type elementType) {
  if (elementType.isF16())
    return HostType::F16;
  if (elementType.isBF16())
    return HostType::BF16;
  if (elementType.isF32())
    return HostType::F32;
  if (elementType.isF64())
    return HostType::F64;
  auto integer = dyn_cast<IntegerType>(elementType);
  if (!integer)
    return std::nullopt;
  switch (integer.getWidth()) {
  case 1:
    return HostType::I1;
  case 4:
    return HostType::I4;
  case 8:
    return HostType::I8;
  case 16:
    return HostType::I16;
  case 32:
    return HostType::I32;
  case 64:
    return HostType::I64;
  default:
    return std::nullopt;
  }
}

std::string HostTensorType::str() const {
  std::string text = "tensor<";
  for (int64_t size : shape)
    text += (ShapedType::isDynamic(size) ? "?" : std::to_string(size)) + "x";
  return text + getName(element).str() + ">";
}

llvm::Expected<HostTensorType> quantmlir::getHostTensorType(Type type,
                                                            const Twine &what) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  std::optional<HostType> element;
  if (tensor)
    element = getHostType(tensor.getElementType());
  if (!element) {
    std::string found;
    llvm::raw_string_ostream(found) << type;
    return llvm::createStringError(
        what +
        ": expected a ranked tensor of i1, i4, i8, i16, i32, i64, f16, "
        "bf16, f32 or f64, found " +
        found);
  }
  return HostTensorType{*element, llvm::to_vector(tensor.getShape())};
}

std::optional<int64_t> quantmlir::getNumBytes(HostType type,
                                              ArrayRef<int64_t> shape) {
  int64_t bytes = getByteWidth(type);
  bool isEmpty = llvm::is_contained(shape, 0);
  for (int64_t size : shape)
    if (size < 0 || (!isEmpty && llvm::MulOverflow(bytes, size, bytes)))
      return std::nullopt;
  return isEmpty ? 0 : bytes;
}

llvm::Expected<HostTensor> HostTensor::create(HostTensorType type) {
  constexpr int64_t kAlignment = 64;
  std::optional<int64_t> bytes = getNumBytes(type.element, type.shape);
  if (!bytes || *bytes > std::numeric_limits<int64_t>::max() - kAlignment)
    return llvm::createStringError(type.str() +
                                   ": the number of bytes overflows");
  HostTensor tensor;
  int64_t allocated = llvm::alignTo(std::max<int64_t>(*bytes, 1), kAlignment);
  tensor.data.reset(
      static_cast<char *>(std::aligned_alloc(kAlignment, allocated)));
  if (!tensor.data)
    return llvm::createStringError(type.str() + ": not enough memory for " +
                                   Twine(*bytes) + " bytes");
  std::memset(tensor.data.get(), 0, allocated);
  tensor.type = std::move(type);
  tensor.numBytes = *bytes;
  return tensor;
}

llvm::Expected<HostTensor> HostTensor::clone() const {
  llvm::Expected<HostTensor> copy = create(type);
  if (copy)
    std::memcpy(copy->getData(), data.get(), numBytes);
  return copy;
}

template <typename T>
static T load(ArrayRef<char> bytes, int64_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
  return value;
}

int64_t HostTensor::getAsInt(int64_t i) const {
  switch (type.element) {
  case HostType::I1:
    return load<int8_t>(getBytes(), i) & 1;
  case HostType::I4:
    return llvm::SignExtend64<4>(load<int8_t>(getBytes(), i));
  case HostType::I8:
    return load<int8_t>(getBytes(), i);
  case HostType::I16:
    return load<int16_t>(getBytes(), i);
  case HostType::I32:
    return load<int32_t>(getBytes(), i);
  case HostType::I64:
    return load<int64_t>(getBytes(), i);
  default:
    llvm_unreachable("not an integer tensor");
  }
}

double HostTensor::getAsDouble(int64_t i) const {
  switch (type.element) {
  case HostType::F32:
    return load<float>(getBytes(), i);
  case HostType::F64:
    return load<double>(getBytes(), i);
  case HostType::BF16:
    return llvm::bit_cast<float>(uint32_t(load<uint16_t>(getBytes(), i)) << 16);
  case HostType::F16: {
    llvm::APFloat value(llvm::APFloat::IEEEhalf(),
                        llvm::APInt(16, load<uint16_t>(getBytes(), i)));
    return value.convertToDouble();
  }
  default:
    return static_cast<double>(getAsInt(i));
  }
}

/// Prints dimension `dim` from element `next` on, which is advanced.
static void printDim(llvm::raw_ostream &os, const HostTensor &tensor,
                     unsigned dim, int64_t &next) {
  if (dim == tensor.getShape().size()) {
    if (isFloat(tensor.getElementType()))
      os << llvm::format("%g", tensor.getAsDouble(next));
    else
      os << tensor.getAsInt(next);
    ++next;
    return;
  }
  os << '[';
  for (int64_t i = 0; i < tensor.getShape()[dim]; ++i) {
    if (i)
      os << ", ";
    printDim(os, tensor, dim + 1, next);
  }
  os << ']';
}

std::string quantmlir::printValues(const HostTensor &tensor) {
  std::string text;
  llvm::raw_string_ostream os(text);
  int64_t next = 0;
  if (tensor.getNumElements() == 0)
    os << "[]";
  else
    printDim(os, tensor, 0, next);
  return text;
}
