//===- Presets.cpp - schemes that have a name -----------------------------===//

#include "Presets.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace quantmlir;
using llvm::StringRef;

/// `wXaY`: bits of weights and activations, 16 for floats; `gN`: groups of N.
/// `q8_0`, `q4_0`: groups and blocks of GGUF's formats; activations are ggml's
/// to the bit, weights have scales in f32.
static constexpr SchemePreset kPresets[] = {
    {"w8a8", "weights=channel activations=dynamic-token"},
    {"w8a8-rot", "weights=channel activations=dynamic-token "
                 "rotation=hadamard32"},
    {"w8a16", "weights=channel activations=float"},
    {"w2a8-g32", "weights=group group-size=32 weight-bits=2 "
                 "weight-scale=full-range-mse activations=dynamic-token"},
    {"w2a16-g32", "weights=group group-size=32 weight-bits=2 "
                  "weight-scale=full-range-mse activations=float"},
    {"bitnet", "weight-format=ternary activations=dynamic-token"},
    {"w4a8-g32", "weights=group group-size=32 weight-bits=4 weight-scale=mse "
                 "activations=dynamic-token"},
    {"w4a8-g128", "weights=group group-size=128 weight-bits=4 "
                  "weight-scale=mse activations=dynamic-token"},
    {"w4a16-g32", "weights=group group-size=32 weight-bits=4 weight-scale=mse "
                  "activations=float"},
    {"w4a16-g128", "weights=group group-size=128 weight-bits=4 "
                   "weight-scale=mse activations=float"},
    {"w4a4-rot", "weights=group group-size=32 weight-bits=4 weight-scale=mse "
                 "activations=dynamic-block block-size=32 activation-bits=4 "
                 "rotation=hadamard32"},
    {"q8_0", "weights=group group-size=32 activations=dynamic-block "
             "block-size=32 activation-scales=q8_0"},
    {"q4_0", "weights=group group-size=32 weight-bits=4 "
             "weight-scale=full-range activations=dynamic-block block-size=32 "
             "activation-scales=q8_0"},
    {"mxfp4", "weight-format=mxfp4 weight-scale=mse "
              "activations=dynamic-token"},
    {"nvfp4", "weight-format=nvfp4 weight-scale=mse "
              "activations=dynamic-token"}};

std::string quantmlir::listPresets() {
  std::string text = "; before them there may be one of ";
  llvm::ListSeparator comma;
  for (const SchemePreset &preset : kPresets)
    text += StringRef(comma).str() + preset.name.str();
  return text;
}

const SchemePreset *quantmlir::takePreset(StringRef &text) {
  StringRef trimmed = text.ltrim();
  StringRef word = trimmed.take_until(llvm::isSpace);
  const SchemePreset *found = llvm::find_if(
      kPresets, [&](const SchemePreset &p) { return p.name == word; });
  if (found == std::end(kPresets))
    return nullptr;
  text = trimmed.drop_front(word.size());
  return found;
}
