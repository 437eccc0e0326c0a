//===- DropForeignAttributes.cpp - what stock translation cannot read -----===//
//
// `quant-drop-foreign-attributes`. Discardable attributes survive lowering: the
// target of a module within the module, notes that a frontend left. Text that
// holds an attribute or a type of a dialect which `mlir-translate` does not
// know does not parse there. And translation divides by the size of a resource
// of no elements.
//
//===----------------------------------------------------------------------===//

#include "quant/Conversion/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTDROPFOREIGNATTRIBUTESPASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;

/// The dialects of attributes and types that have a translation to LLVM IR.
static constexpr StringLiteral kKnown[] = {"builtin", "llvm", "nvvm",
                                           "gpu",     "dlti", "omp"};

/// Whether `attr` is made of what stock translation reads.
static bool isKnown(Attribute attr) {
  auto known = [](Dialect &dialect) {
    return llvm::is_contained(kKnown, dialect.getNamespace())
               ? WalkResult::advance()
               : WalkResult::interrupt();
  };
  AttrTypeWalker walker;
  walker.addWalk([&](Attribute part) { return known(part.getDialect()); });
  walker.addWalk([&](Type part) { return known(part.getDialect()); });
  return !walker.walk(attr).wasInterrupted();
}

/// What of `attrs` is known; null where all of it is.
static DictionaryAttr keepKnown(DictionaryAttr attrs) {
  auto kept = llvm::filter_to_vector(
      attrs, [](NamedAttribute attr) { return isKnown(attr.getValue()); });
  return kept.size() == attrs.size()
             ? DictionaryAttr()
             : DictionaryAttr::get(attrs.getContext(), kept);
}

/// Drops them from the arguments and results of `function`.
static bool dropFromSignature(FunctionOpInterface function) {
  bool dropped = false;
  for (unsigned i = 0, e = function.getNumArguments(); i < e; ++i)
    if (DictionaryAttr attrs = function.getArgAttrDict(i))
      if (DictionaryAttr kept = keepKnown(attrs)) {
        function.setArgAttrs(i, kept);
        dropped = true;
      }
  for (unsigned i = 0, e = function.getNumResults(); i < e; ++i)
    if (DictionaryAttr attrs = function.getResultAttrDict(i))
      if (DictionaryAttr kept = keepKnown(attrs)) {
        function.setResultAttrs(i, kept);
        dropped = true;
      }
  return dropped;
}

/// The resource that `op` holds as its value, or null.
static DenseResourceElementsAttr getResource(Operation *op) {
  Attribute value;
  if (auto global = dyn_cast<LLVM::GlobalOp>(op))
    value = global.getValueAttr();
  else if (auto constant = dyn_cast<LLVM::ConstantOp>(op))
    value = constant.getValue();
  return dyn_cast_or_null<DenseResourceElementsAttr>(value);
}

/// The scalars of `op`'s value: their type and their number, which is nothing
/// where it does not count in 64 bits.
static std::pair<Type, std::optional<uint64_t>> getScalars(Operation *op) {
  auto global = dyn_cast<LLVM::GlobalOp>(op);
  Type type = global ? global.getGlobalType() : op->getResult(0).getType();
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
  // An integer of LLVM has no sign; a struct of two is a complex number.
  Type element = resource.getElementType();
  bool areAlike =
      element == scalar ||
      (element.isInteger() &&
       scalar.isInteger(element.getIntOrFloatBitWidth())) ||
      (isa<ComplexType>(element) && isa<LLVM::LLVMStructType>(scalar));
  if (!areAlike || !count ||
      *count != static_cast<uint64_t>(resource.getNumElements()))
    return op->emitOpError("expected a constant of as many elements as its "
                           "type has, of ")
           << scalar << ", found " << resource.getType();
  return success();
}

/// LLVM counts the elements of a vector in 32 bits; translation cuts larger
/// numbers to those.
static LogicalResult verifyVectors(Operation *op, TypeRange types) {
  for (Type type : types) {
    auto vector = dyn_cast<VectorType>(type);
    if (vector && vector.getNumElements() > UINT32_MAX)
      return op->emitOpError("expected vectors of less than 2^32 elements, "
                             "found ")
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

/// What was a resource of no elements becomes `dense<>`.
static void replaceEmptyResource(Operation *op,
                                 DenseResourceElementsAttr resource) {
  auto empty =
      DenseElementsAttr::get(resource.getType(), ArrayRef<Attribute>());
  if (auto global = dyn_cast<LLVM::GlobalOp>(op))
    global.setValueAttr(empty);
  else
    cast<LLVM::ConstantOp>(op).setValueAttr(empty);
}

namespace {
struct QuantDropForeignAttributesPass
    : quantmlir::impl::QuantDropForeignAttributesPassBase<
          QuantDropForeignAttributesPass> {
  using Base::Base;

  void runOnOperation() override {
    WalkResult walk = getOperation()->walk([&](Operation *op) {
      bool dropped = false;
      auto global = dyn_cast<LLVM::GlobalOp>(op);
      if (failed(verifyVectors(op)) || (global && failed(verifyArrays(global))))
        return WalkResult::interrupt();
      if (DictionaryAttr kept = keepKnown(op->getDiscardableAttrDictionary())) {
        op->setDiscardableAttrs(kept);
        dropped = true;
      }
      if (auto function = dyn_cast<FunctionOpInterface>(op))
        dropped |= dropFromSignature(function);
      if (DenseResourceElementsAttr resource = getResource(op)) {
        if (failed(verifyResource(op, resource)))
          return WalkResult::interrupt();
        if (resource.empty()) {
          replaceEmptyResource(op, resource);
          dropped = true;
        }
      }
      numOps += dropped;
      return WalkResult::advance();
    });
    if (walk.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
