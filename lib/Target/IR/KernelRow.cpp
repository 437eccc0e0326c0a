//===- KernelRow.cpp - one row for each kernel ----------------------------===//

#include "quant/Target/IR/KernelRow.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace quantmlir::qtarget;

/// Whether `target` has one of the alternatives of `features`.
static bool hasOneOf(TargetAttr target, StringRef features) {
  SmallVector<StringRef> alternatives;
  features.split(alternatives, '|');
  return llvm::any_of(alternatives, [&](StringRef alternative) {
    SmallVector<StringRef> names;
    alternative.split(names, '+', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
    return llvm::all_of(
        names, [&](StringRef name) { return target.hasFeature(name); });
  });
}

bool KernelRow::isLegalOn(TargetAttr target) const {
  return target.getArch() == arch && hasOneOf(target, features);
}

/// Whether `type` has each of `values`, to the bit.
static bool hasAll(FloatType type, ArrayRef<float> values) {
  return llvm::all_of(values, [&](float value) {
    APFloat narrow(value);
    bool losesInfo = false;
    narrow.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                   &losesInfo);
    return !losesInfo;
  });
}

Type KernelRow::chooseScaleType(TargetAttr target,
                                ArrayRef<float> scales) const {
  Builder b(target.getContext());
  if (grouped.readsNarrowScales && hasAll(b.getBF16Type(), scales))
    return b.getBF16Type();
  if (grouped.readsNarrowScales && hasOneOf(target, grouped.f16Features) &&
      hasAll(b.getF16Type(), scales))
    return b.getF16Type();
  return b.getF32Type();
}

void KernelRow::addFeatures(SmallVectorImpl<StringRef> &names) const {
  SmallVector<StringRef> alternatives;
  features.split(alternatives, '|');
  for (StringRef alternative : alternatives)
    alternative.split(names, '+', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
}

LayoutAttr KernelRow::getLayout(MLIRContext *context, RegisterTile tile,
                                unsigned rhsBits, int64_t group,
                                DenseI32ArrayAttr codebook) const {
  if (group != 0) {
    OperandTiles left;
    if (grouped.takesZeroPoints)
      left = {8, false, 1, lhs.kTile};
    if (lhs.isFloat)
      left = {32, false, 0, 0, /*isFloat=*/true};
    constexpr int64_t bitsOfStep = 32;
    OperandTiles right = {rhsBits, codebook || grouped.storesUnsigned(rhsBits),
                          grouped.panelColumns, bitsOfStep / rhsBits};
    return LayoutAttr::get(context, left, right, group, codebook);
  }
  OperandTiles left = {lhs.storedBits, lhs.isUnsigned};
  if (packsLhs) {
    left.rows = std::max<int64_t>(tile.mr, 1);
    left.k = lhs.kTile;
  }
  // Vectors unpack nibbles.
  unsigned bits = packsLhs ? rhs.storedBits : std::min(rhsBits, rhs.storedBits);
  OperandTiles right = {bits, rhs.isUnsigned, tile.nr,
                        rhs.kTile * rhs.storedBits / bits};
  return LayoutAttr::get(context, left, right, /*group=*/0, codebook);
}

int64_t quantmlir::qtarget::getLargestProduct(int64_t bits, bool lhsZeroPoint,
                                              bool rhsZeroPoint) {
  auto largest = [](int64_t bits, bool hasZeroPoint) {
    return hasZeroPoint ? (1 << bits) - 1 : 1 << (bits - 1);
  };
  constexpr int64_t nibbleFactor = 16;
  return largest(8, lhsZeroPoint) * largest(bits, rhsZeroPoint) *
         (bits == 4 ? nibbleFactor : 1);
}
