//===- Presets.h - schemes that have a name ---------------------*- C++ -*-===//

#ifndef QUANT_LIB_QUANTIZE_PRESETS_H
#define QUANT_LIB_QUANTIZE_PRESETS_H

#include "llvm/ADT/StringRef.h"

#include <string>

namespace quantmlir {

/// A word that stands for options, as the field knows them.
struct SchemePreset {
  llvm::StringLiteral name, options;
};

/// For an error about a word that is no option.
std::string listPresets();

/// The preset that `text` begins with, which is cut off; null where it begins
/// with an option.
const SchemePreset *takePreset(llvm::StringRef &text);

} // namespace quantmlir

#endif // QUANT_LIB_QUANTIZE_PRESETS_H
