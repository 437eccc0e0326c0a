//===- KernelRow.cpp - one row for each kernel ----------------------------===//

#include "quant/Target/IR/KernelRow.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace quantmlir::qtarget;

bool KernelRow::isLegalOn(TargetAttr target) const {
  if (target.getArch() != arch)
    return false;
  SmallVector<StringRef> alternatives;
  features.split(alternatives, '|');
  return llvm::any_of(alternatives, [&](StringRef alternative) {
    SmallVector<StringRef> names;
    alternative.split(names, '+', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
    return llvm::all_of(
        names, [&](StringRef name) { return target.hasFeature(name); });
  });
}

void KernelRow::addFeatures(SmallVectorImpl<StringRef> &names) const {
  SmallVector<StringRef> alternatives;
  features.split(alternatives, '|');
  for (StringRef alternative : alternatives)
    alternative.split(names, '+', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
}
