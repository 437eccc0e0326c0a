//===- TranslatableConstants.cpp - what translation can write -------------===//
//
// Upstream verifies a global by the number of its value's elements at most.
// Translation builds the constant with the sizes of the value, and LLVM's own
// verifier then finds it of another type than its global; or it takes the bytes
// of a resource as they are.
//
//===----------------------------------------------------------------------===//

#include "TranslatableConstants.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;

Attribute quantmlir::getConstantValue(Operation *op) {
  if (auto global = dyn_cast<LLVM::GlobalOp>(op))
    return global.getValueAttr();
  if (auto constant = dyn_cast<LLVM::ConstantOp>(op))
    return constant.getValue();
  return {};
}

static Type getConstantType(Operation *op) {
  if (auto global = dyn_cast<LLVM::GlobalOp>(op))
    return global.getGlobalType();
  return op->getResult(0).getType();
}

/// The scalars of `op`'s value: their type and their number, which is nothing
/// where it does not count in 64 bits.
static std::pair<Type, std::optional<uint64_t>> getScalars(Operation *op) {
  Type type = getConstantType(op);
  uint64_t count = 1;
  bool overflows = false;
  while (auto array = dyn_cast<LLVM::LLVMArrayType>(type)) {
    bool isTooMany = false;
    count = llvm::SaturatingMultiply<uint64_t>(count, array.getNumElements(),
                                               &isTooMany);
    overflows |= isTooMany;
    type = array.getElementType();
  }
  if (auto vector = dyn_cast<VectorType>(type))
    count *= vector.getNumElements();
  return {getElementTypeOrSelf(type),
          overflows ? std::nullopt : std::optional<uint64_t>(count)};
}

/// Translation takes the bytes of a resource as they are, of whatever type.
static LogicalResult verifyResource(Operation *op,
                                    DenseResourceElementsAttr resource) {
  if (!resource.getType().hasStaticShape())
    return op->emitOpError("expected a constant of static shape, found ")
           << resource.getType();
  auto [scalar, count] = getScalars(op);
  // An integer of LLVM has no sign, and may be what an index or a float that
  // LLVM does not know became; a struct of two is a complex number.
  Type element = resource.getElementType();
  bool areAlike =
      element == scalar ||
      (element.isInteger() &&
       scalar.isInteger(element.getIntOrFloatBitWidth())) ||
      (element.isIndex() && scalar.isInteger(64)) ||
      (element.isFloat() && element.getIntOrFloatBitWidth() % 8 == 0 &&
       scalar.isInteger(element.getIntOrFloatBitWidth())) ||
      (isa<ComplexType>(element) && isa<LLVM::LLVMStructType>(scalar));
  if (!areAlike || !count ||
      *count != static_cast<uint64_t>(resource.getNumElements()))
    return op->emitOpError("expected a constant of as many elements as its "
                           "type has, of ")
           << scalar << ", found " << resource.getType();
  return success();
}

/// Whether the arrays of `type`, and the vector in them, have `value`'s sizes.
static bool hasSizesOf(Type type, ShapedType value) {
  SmallVector<int64_t> sizes;
  while (auto array = dyn_cast<LLVM::LLVMArrayType>(type)) {
    sizes.push_back(static_cast<int64_t>(array.getNumElements()));
    type = array.getElementType();
  }
  if (auto vector = dyn_cast<VectorType>(type))
    llvm::append_range(sizes, vector.getShape());
  return isa<VectorType>(type) == isa<VectorType>(value) &&
         value.getShape() == ArrayRef(sizes);
}

/// A splat is written with the sizes of the type, other elements with those of
/// the value; integers in place of floats become zeros, and floats of another
/// kind what their bits are.
static LogicalResult verifyElements(Operation *op, ElementsAttr value) {
  Type type = getConstantType(op);
  auto dense = dyn_cast<DenseElementsAttr>(value);
  bool isSplat = dense && dense.isSplat() && !dense.empty();
  if (!isSplat && !hasSizesOf(type, value.getShapedType()))
    return op->emitOpError("expected a constant of the sizes of its type, ")
           << type << ", found " << value.getShapedType();
  Type scalar = getScalars(op).first;
  Type element = value.getElementType();
  if ((element.isIntOrIndex() && !scalar.isInteger()) ||
      (element.isFloat() && scalar.isFloat() && element != scalar) ||
      (element.isFloat() && scalar.isInteger() &&
       !scalar.isInteger(element.getIntOrFloatBitWidth())))
    return op->emitOpError("expected elements of ")
           << scalar << ", found " << value.getShapedType();
  return success();
}

/// Whether `value`, of lists within lists, has the sizes of `type`'s arrays.
static bool hasSizesOf(Type type, Attribute value) {
  auto array = dyn_cast<LLVM::LLVMArrayType>(type);
  if (auto list = dyn_cast<ArrayAttr>(value)) {
    // Lists are values of structs, too.
    if (!array)
      return !isa<VectorType>(type);
    return list.size() == array.getNumElements() &&
           llvm::all_of(list, [&](Attribute element) {
             return hasSizesOf(array.getElementType(), element);
           });
  }
  if (auto text = dyn_cast<StringAttr>(value))
    return array && array.getElementType().isInteger(8) &&
           array.getNumElements() == text.size();
  return !array || !isa<IntegerAttr, FloatAttr>(value);
}

/// One number, or a list of them, for an aggregate of as many.
static LogicalResult verifyNumbers(LLVM::GlobalOp global) {
  Attribute value = global.getValueAttr();
  if (value && !hasSizesOf(global.getGlobalType(), value))
    return global.emitOpError("expected a constant of ")
           << global.getGlobalType() << ", found " << value;
  return success();
}

/// LLVM counts the elements of a vector in 32 bits; translation cuts larger
/// numbers to those. A vector is aligned to its size, and no value to more than
/// 2^32 bytes.
static LogicalResult verifyVectors(Operation *op, TypeRange types) {
  constexpr uint64_t mostBits = uint64_t(8) << 32;
  for (Type type : types) {
    auto vector = dyn_cast<VectorType>(type);
    if (!vector)
      continue;
    if (vector.getNumElements() > UINT32_MAX)
      return op->emitOpError("expected vectors of less than 2^32 elements, "
                             "found ")
             << vector;
    Type element = vector.getElementType();
    uint64_t bits =
        element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 64;
    if (bits > mostBits / std::max<int64_t>(vector.getNumElements(), 1))
      return op->emitOpError("expected vectors of up to 2^32 bytes, found ")
             << vector;
  }
  return success();
}

static LogicalResult verifyVectors(Operation *op) {
  if (failed(verifyVectors(op, op->getResultTypes())))
    return failure();
  for (Region &region : op->getRegions())
    for (Block &block : region)
      if (failed(verifyVectors(op, block.getArgumentTypes())))
        return failure();
  return success();
}

/// Translation lists the arrays that an array of a constant holds, and the
/// elements of one that are all the same and not 0; it has no list of 2^32.
static LogicalResult verifyArrays(LLVM::GlobalOp global) {
  auto dense = dyn_cast_or_null<DenseElementsAttr>(global.getValueAttr());
  if (!dense)
    return success();
  bool isZero = dense.isSplat() &&
                llvm::all_of(dense.getRawData(), [](char b) { return b == 0; });
  Type type = global.getGlobalType();
  while (auto array = dyn_cast<LLVM::LLVMArrayType>(type)) {
    type = array.getElementType();
    bool isListed =
        !isZero && (dense.isSplat() || isa<LLVM::LLVMArrayType>(type));
    if (isListed && array.getNumElements() > UINT32_MAX)
      return global.emitOpError("expected a constant of arrays of less than "
                                "2^32 elements, found ")
             << global.getGlobalType();
  }
  return success();
}

LogicalResult quantmlir::verifyTranslatable(Operation *op) {
  if (failed(verifyVectors(op)))
    return failure();
  if (auto global = dyn_cast<LLVM::GlobalOp>(op))
    if (failed(verifyNumbers(global)) || failed(verifyArrays(global)))
      return failure();
  auto value = dyn_cast_or_null<ElementsAttr>(getConstantValue(op));
  if (!value)
    return success();
  auto resource = dyn_cast<DenseResourceElementsAttr>(value);
  if (resource && failed(verifyResource(op, resource)))
    return failure();
  return verifyElements(op, value);
}
