//===- Presets.cpp - schemes that have a name -----------------------------===//

#include "Presets.h"

#include "llvm/ADT/STLExtras.h"

using namespace quantmlir;
using llvm::StringRef;

/// `wXaY`: bits of weights and activations, 16 for floats; `gN`: groups of N.
/// `q8_0`, `q4_0`: GGUF's formats, with the products of ggml.
static constexpr SchemePreset kPresets[] = {
    {"w8a8", "weights=channel activations=dynamic-token"},
    {"w8a8-rot", "weights=channel activations=dynamic-token "
                 "rotation=hadamard32"},
    {"w8a16", "weights=channel activations=float"},
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
             "activation-scales=q8_0"}};

llvm::ArrayRef<SchemePreset> quantmlir::getSchemePresets() { return kPresets; }

const SchemePreset *quantmlir::takePreset(StringRef &text) {
  auto [word, rest] = text.ltrim().split(' ');
  const SchemePreset *found =
      llvm::find_if(kPresets, [word = word](const SchemePreset &p) {
        return p.name == word;
      });
  if (found == std::end(kPresets))
    return nullptr;
  text = rest;
  return found;
}
