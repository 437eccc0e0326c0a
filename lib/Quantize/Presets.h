//===- Presets.h - schemes that have a name ---------------------*- C++ -*-===//

#ifndef QUANT_LIB_QUANTIZE_PRESETS_H
#define QUANT_LIB_QUANTIZE_PRESETS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace quantmlir {

/// A word that stands for options, as the field knows them.
struct SchemePreset {
  llvm::StringLiteral name, options;
};

llvm::ArrayRef<SchemePreset> getSchemePresets();

/// The preset that `text` begins with, which is cut off; null where it begins
/// with an option.
const SchemePreset *takePreset(llvm::StringRef &text);

} // namespace quantmlir

#endif // QUANT_LIB_QUANTIZE_PRESETS_H
