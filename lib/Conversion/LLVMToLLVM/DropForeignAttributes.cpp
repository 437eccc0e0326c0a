//===- DropForeignAttributes.cpp - what stock translation cannot read -----===//
//
// `quant-drop-foreign-attributes`. Discardable attributes survive lowering: the
// target of a module within the module, notes that a frontend left. Text that
// holds an attribute or a type of a dialect which `mlir-translate` does not
// know does not parse there. And translation divides by the size of a resource
// of no elements. What else it cannot do is refused (TranslatableConstants.h).
//
//===----------------------------------------------------------------------===//

#include "TranslatableConstants.h"

#include "quant/Conversion/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTDROPFOREIGNATTRIBUTESPASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

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

/// Whether translation has no way to write `resource`: of integers it knows
/// those that a list of LLVM's raw data has.
static bool mustBeInline(DenseResourceElementsAttr resource) {
  if (resource.empty())
    return true;
  auto type = dyn_cast<IntegerType>(resource.getElementType());
  return type && !llvm::is_contained({8u, 16u, 32u, 64u}, type.getWidth());
}

/// The elements of `resource`, which has a byte for each i1, as upstream's
/// DenseBoolResourceElementsAttr reads them, and whole bytes for each other
/// integer; null, and an error at `op`, where it has not.
static DenseElementsAttr getInline(Operation *op,
                                   DenseResourceElementsAttr resource) {
  ShapedType type = resource.getType();
  if (resource.empty())
    return DenseElementsAttr::get(type, ArrayRef<Attribute>());
  AsmResourceBlob *blob = resource.getRawHandle().getBlob();
  ArrayRef<char> bytes = blob ? blob->getData() : ArrayRef<char>();
  bool isSplat = false;
  bool isBool = resource.getElementType().isInteger(1);
  bool isWhole =
      isBool ? static_cast<int64_t>(bytes.size()) == resource.getNumElements()
             : DenseElementsAttr::isValidRawBuffer(type, bytes, isSplat) &&
                   (!isSplat || resource.getNumElements() == 1);
  if (!blob || !isWhole) {
    op->emitOpError("expected a blob of whole bytes for each element of ")
        << type;
    return {};
  }
  if (!isBool)
    return DenseElementsAttr::getFromRawBuffer(type, bytes);
  if (llvm::any_of(bytes, [](char byte) { return byte != 0 && byte != 1; })) {
    op->emitOpError("expected a blob of bytes of 0 and 1 for ") << type;
    return {};
  }
  SmallVector<bool> bits(bytes.begin(), bytes.end());
  return DenseElementsAttr::get(type, ArrayRef<bool>(bits));
}

/// What was a resource of no elements becomes `dense<>`, one of integers of
/// other widths a list of them.
static LogicalResult replaceResource(Operation *op,
                                     DenseResourceElementsAttr resource) {
  DenseElementsAttr dense = getInline(op, resource);
  if (!dense)
    return failure();
  if (auto global = dyn_cast<LLVM::GlobalOp>(op))
    global.setValueAttr(dense);
  else
    cast<LLVM::ConstantOp>(op).setValueAttr(dense);
  return success();
}

namespace {
struct QuantDropForeignAttributesPass
    : quantmlir::impl::QuantDropForeignAttributesPassBase<
          QuantDropForeignAttributesPass> {
  using Base::Base;

  void runOnOperation() override {
    WalkResult walk = getOperation()->walk([&](Operation *op) {
      bool dropped = false;
      if (failed(verifyTranslatable(op)))
        return WalkResult::interrupt();
      if (DictionaryAttr kept = keepKnown(op->getDiscardableAttrDictionary())) {
        op->setDiscardableAttrs(kept);
        dropped = true;
      }
      if (auto function = dyn_cast<FunctionOpInterface>(op))
        dropped |= dropFromSignature(function);
      if (auto resource =
              dyn_cast_or_null<DenseResourceElementsAttr>(getConstantValue(op));
          resource && mustBeInline(resource)) {
        if (failed(replaceResource(op, resource)))
          return WalkResult::interrupt();
        dropped = true;
      }
      numOps += dropped;
      return WalkResult::advance();
    });
    if (walk.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
