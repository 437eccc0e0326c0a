//===- Constants.cpp - read and make constant tensors ---------------------===//

#include "quant/Dialect/Quant/Utils/Constants.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Memory.h"

#include <cstring>

using namespace mlir;
using namespace quantmlir;

namespace {
/// Bytes of a constant tensor as they are stored.
struct RawTensor {
  ArrayRef<char> bytes;
  Type elementType;
  int64_t numElements;
  bool splat;
};
} // namespace

/// Bytes that one element takes in an attribute, or 0 for widths that are not
/// laid out in whole bytes.
static int64_t getStorageBytes(Type type) {
  if (type.isIndex())
    return 8;
  if (!type.isIntOrFloat())
    return 0;
  unsigned bits = type.getIntOrFloatBitWidth();
  return bits == 1 ? 0 : llvm::divideCeil(bits, 8);
}

static std::optional<RawTensor> getRawTensor(Attribute attr) {
  RawTensor raw{};
  ShapedType type;
  if (auto dense = dyn_cast_or_null<DenseIntOrFPElementsAttr>(attr)) {
    type = dense.getType();
    raw.bytes = dense.getRawData();
    raw.splat = dense.isSplat();
  } else if (auto resource =
                 dyn_cast_or_null<DenseResourceElementsAttr>(attr)) {
    type = resource.getType();
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return std::nullopt;
    raw.bytes = blob->getData();
  }
  if (!type || !type.hasStaticShape())
    return std::nullopt;
  raw.elementType = type.getElementType();
  // The product of sizes may overflow, and what is expanded take all memory.
  raw.numElements = 1;
  for (int64_t size : type.getShape())
    if (llvm::MulOverflow(raw.numElements, size, raw.numElements))
      return std::nullopt;
  if (raw.splat && raw.numElements > kMaxSplatElements)
    return std::nullopt;
  int64_t stored = raw.splat ? 1 : raw.numElements;
  int64_t width = getStorageBytes(raw.elementType);
  // A blob of another size than the type says holds no values of that type.
  if (width == 0 || static_cast<int64_t>(raw.bytes.size()) != stored * width)
    return std::nullopt;
  return raw;
}

static Attribute getConstantAttr(Value value) {
  Attribute attr;
  if (!value || !matchPattern(value, m_Constant(&attr)))
    return {};
  return attr;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static float convertToFloat(const char *bytes, FloatType type) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, llvm::divideCeil(type.getWidth(), 8));
  word &= llvm::maskTrailingOnes<uint64_t>(type.getWidth());
  APFloat value(type.getFloatSemantics(), APInt(type.getWidth(), word));
  bool losesInfo = false;
  value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven,
                &losesInfo);
  return value.convertToFloat();
}

std::optional<FloatConstant> FloatConstant::read(Attribute attr,
                                                 bool withNarrow) {
  std::optional<RawTensor> raw = getRawTensor(attr);
  if (!raw)
    return std::nullopt;
  Type element = raw->elementType;
  bool isNarrow = withNarrow && isa<FloatType>(element) &&
                  element.getIntOrFloatBitWidth() <= 8;
  if (!isNarrow &&
      !isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(element))
    return std::nullopt;
  FloatConstant result;
  result.numElements = raw->numElements;
  result.splat = raw->splat;
  int64_t width = getStorageBytes(raw->elementType);
  const char *bytes = raw->bytes.data();
  bool aligned = reinterpret_cast<uintptr_t>(bytes) % alignof(float) == 0;
  if (raw->elementType.isF32() && aligned) {
    result.data = reinterpret_cast<const float *>(bytes);
    return result;
  }
  result.owned.resize(raw->bytes.size() / width);
  if (raw->elementType.isF32()) {
    std::memcpy(result.owned.data(), bytes, raw->bytes.size());
  } else {
    auto type = cast<FloatType>(raw->elementType);
    for (size_t i = 0, e = result.owned.size(); i < e; ++i)
      result.owned[i] = convertToFloat(bytes + i * width, type);
  }
  result.data = result.owned.data();
  return result;
}

std::optional<FloatConstant> FloatConstant::get(Attribute attr) {
  return read(attr, /*withNarrow=*/false);
}

std::optional<FloatConstant> FloatConstant::get(Value value) {
  return get(getConstantAttr(value));
}

std::optional<FloatConstant> FloatConstant::getStoredFloats(Value value) {
  return read(getConstantAttr(value), /*withNarrow=*/true);
}

std::optional<IntConstant> IntConstant::get(Attribute attr) {
  std::optional<RawTensor> raw = getRawTensor(attr);
  if (!raw)
    return std::nullopt;
  Type element = raw->elementType;
  if (element.isIndex())
    element = IntegerType::get(element.getContext(), 64);
  auto type = dyn_cast<IntegerType>(element);
  if (!type || type.getWidth() > 64)
    return std::nullopt;
  IntConstant result;
  result.data = raw->bytes.data();
  result.numElements = raw->numElements;
  result.bits = type.getWidth();
  result.splat = raw->splat;
  result.isUnsigned = type.isUnsigned();
  return result;
}

std::optional<IntConstant> IntConstant::get(Value value) {
  return get(getConstantAttr(value));
}

int64_t IntConstant::operator[](int64_t i) const {
  int64_t bytes = llvm::divideCeil(bits, 8);
  uint64_t word = 0;
  std::memcpy(&word, data + (splat ? 0 : i * bytes), bytes);
  word &= llvm::maskTrailingOnes<uint64_t>(bits);
  return isUnsigned ? static_cast<int64_t>(word)
                    : llvm::SignExtend64(word, bits);
}

ArrayRef<int8_t> IntConstant::getBytes() const {
  if (bits != 8 || splat)
    return {};
  return {reinterpret_cast<const int8_t *>(data),
          static_cast<size_t>(numElements)};
}

template <typename Reader, typename T>
static std::optional<SmallVector<T>> readAll(std::optional<Reader> reader) {
  if (!reader)
    return std::nullopt;
  SmallVector<T> values;
  values.reserve(reader->size());
  for (int64_t i = 0, e = reader->size(); i < e; ++i)
    values.push_back((*reader)[i]);
  return values;
}

std::optional<SmallVector<float>> quantmlir::getConstantFloats(Attribute attr) {
  return readAll<FloatConstant, float>(FloatConstant::get(attr));
}
std::optional<SmallVector<float>> quantmlir::getConstantFloats(Value value) {
  return getConstantFloats(getConstantAttr(value));
}
std::optional<SmallVector<int64_t>> quantmlir::getConstantInts(Attribute attr) {
  return readAll<IntConstant, int64_t>(IntConstant::get(attr));
}
std::optional<SmallVector<int64_t>> quantmlir::getConstantInts(Value value) {
  return getConstantInts(getConstantAttr(value));
}

bool quantmlir::isZeroConstant(Attribute attr) {
  std::optional<IntConstant> ints = IntConstant::get(attr);
  if (!ints)
    return false;
  for (int64_t i = 0, e = ints->isSplat() ? 1 : ints->size(); i < e; ++i)
    if ((*ints)[i] != 0)
      return false;
  return true;
}
bool quantmlir::isZeroConstant(Value value) {
  return isZeroConstant(getConstantAttr(value));
}

//===----------------------------------------------------------------------===//
// Making
//===----------------------------------------------------------------------===//

/// Cache-line alignment lets a global made from the blob be loaded aligned.
constexpr size_t kBlobAlignment = 64;

/// Memory of a constant. That of large ones goes back to the system when they
/// are freed; the heap would keep it.
static AsmResourceBlob allocateBlob(size_t size) {
  constexpr size_t minMapped = 1 << 17;
  if (size >= minMapped) {
    using llvm::sys::Memory;
    std::error_code error;
    llvm::sys::MemoryBlock block = Memory::allocateMappedMemory(
        size, /*NearBlock=*/nullptr, Memory::MF_READ | Memory::MF_WRITE, error);
    if (!error)
      return AsmResourceBlob(
          ArrayRef(static_cast<char *>(block.base()), size), kBlobAlignment,
          [block](void *, size_t, size_t) mutable {
            Memory::releaseMappedMemory(block);
          },
          /*dataIsMutable=*/true);
  }
  return HeapAsmResourceBlob::allocate(size, kBlobAlignment,
                                       /*dataIsMutable=*/true);
}

ElementsAttr
quantmlir::makeTensorAttr(RankedTensorType type, StringRef key,
                          function_ref<void(MutableArrayRef<char>)> fill) {
  int64_t width = getStorageBytes(type.getElementType());
  assert(width > 0 && type.hasStaticShape() && "not a constant's type");
  int64_t size = type.getNumElements() * width;
  if (size <= kMaxInlineConstantBytes) {
    SmallVector<char> buffer(size);
    fill(buffer);
    return DenseElementsAttr::getFromRawBuffer(type, buffer);
  }
  AsmResourceBlob blob = allocateBlob(size);
  fill(blob.getMutableData());
  return DenseResourceElementsAttr::get(type, key, std::move(blob));
}

ElementsAttr quantmlir::makeIntTensorAttr(RankedTensorType type,
                                          ArrayRef<int8_t> values,
                                          StringRef key) {
  assert(static_cast<int64_t>(values.size()) == type.getNumElements());
  return makeTensorAttr(type, key, [&](MutableArrayRef<char> out) {
    // The bits above an element's own are 0.
    auto mask = llvm::maskTrailingOnes<uint8_t>(type.getElementTypeBitWidth());
    for (auto [byte, value] : llvm::zip_equal(out, values))
      byte = static_cast<char>(value & mask);
  });
}

ElementsAttr quantmlir::makeI32TensorAttr(RankedTensorType type,
                                          ArrayRef<int32_t> values,
                                          StringRef key) {
  assert(static_cast<int64_t>(values.size()) == type.getNumElements() &&
         type.getElementType().isInteger(32));
  return makeTensorAttr(type, key, [&](MutableArrayRef<char> out) {
    if (!values.empty())
      std::memcpy(out.data(), values.data(), out.size());
  });
}

ElementsAttr quantmlir::makeFloatTensorAttr(RankedTensorType type,
                                            ArrayRef<float> values,
                                            StringRef key) {
  assert(static_cast<int64_t>(values.size()) == type.getNumElements());
  return makeTensorAttr(type, key, [&](MutableArrayRef<char> out) {
    if (values.empty())
      return;
    if (type.getElementType().isF32()) {
      std::memcpy(out.data(), values.data(), out.size());
      return;
    }
    auto elementType = cast<FloatType>(type.getElementType());
    int64_t width = getStorageBytes(elementType);
    for (auto [i, value] : llvm::enumerate(values)) {
      APFloat rounded(value);
      bool losesInfo = false;
      rounded.convert(elementType.getFloatSemantics(),
                      APFloat::rmNearestTiesToEven, &losesInfo);
      uint64_t word = rounded.bitcastToAPInt().getZExtValue();
      std::memcpy(out.data() + i * width, &word, width);
    }
  });
}
