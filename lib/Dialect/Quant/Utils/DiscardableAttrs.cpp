//===- DiscardableAttrs.cpp - what ops carry for later passes -------------===//

#include "quant/Dialect/Quant/Utils/DiscardableAttrs.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace quantmlir;

namespace {

/// An attribute and what its value is.
struct DiscardableAttr {
  StringRef name;
  bool (*isOfKind)(Attribute);
  StringRef kind;
};

template <typename Kind>
bool isKind(Attribute value) {
  return isa<Kind>(value);
}

} // namespace

static constexpr StringLiteral kString = "a string";
static constexpr DiscardableAttr kDiscardableAttrs[] = {
    {kMatmulNameAttr, isKind<StringAttr>, kString},
    {kMatmulOrdinalAttr, isKind<StringAttr>, kString},
    {kMatmulKindAttr, isKind<StringAttr>, kString},
    {kSchemeAttr, isKind<StringAttr>, kString},
    {kLeftAttr, isKind<StringAttr>, kString},
    {kLeftAsAskedAttr, isKind<StringAttr>, kString},
    {kSchemeDroppedAttr, isKind<StringAttr>, kString},
    {kSchemePartlyAttr, isKind<StringAttr>, kString},
    {kPortableAttr, isKind<DictionaryAttr>, "a dictionary"},
    {kIndependentAttr, isKind<IntegerAttr>, "an integer"},
    {kLaunchAttr, isKind<DenseI64ArrayAttr>, "an array of i64"},
    {kRankAttr, isKind<IntegerAttr>, "an integer"},
};

static LogicalResult verifyUnknown(Operation *op, StringRef name) {
  InFlightDiagnostic error =
      op->emitError("expected a discardable attribute of the dialect quant (");
  llvm::interleaveComma(
      kDiscardableAttrs, error,
      [&](const DiscardableAttr &known) { error << known.name; });
  return error << "), found " << name;
}

LogicalResult quantmlir::verifyDiscardableAttrs(Operation *op) {
  for (NamedAttribute attr : op->getDiscardableAttrs()) {
    StringRef name = attr.getName();
    if (!name.starts_with("quant."))
      continue;
    const DiscardableAttr *known =
        llvm::find_if(kDiscardableAttrs, [&](const DiscardableAttr &known) {
          return known.name == name;
        });
    if (known == std::end(kDiscardableAttrs))
      return verifyUnknown(op, name);
    if (!known->isOfKind(attr.getValue()))
      return op->emitError("expected ")
             << known->kind << " as " << name << ", found " << attr.getValue();
  }
  return success();
}
