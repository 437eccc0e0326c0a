//===- ModelFacts.h - what a compiled model says of itself ------*- C++ -*-===//

#ifndef QUANT_ARTIFACT_MODELFACTS_H
#define QUANT_ARTIFACT_MODELFACTS_H

#include "quant/Runtime/Execution/JitRunner.h"

#include <array>
#include <string>

namespace quantmlir {

/// The fields of QuantArtifact (quant/CAPI/Artifact.h) that are data.
struct ModelFacts {
  /// A C identifier, which symbols begin with.
  std::string name;
  /// Options of quant-quantize-matmul; empty: as it was written.
  std::string scheme;
  std::string target, triple, cpu, features;
  Signature signature;
  bool keepsState = false, usesTiles = false;
  /// Empty: the model has no large constants.
  std::string weightsFile;
  uint64_t weightsSize = 0;
  std::array<uint8_t, 16> weightsHash = {};
};

/// `text` as a C identifier; `model` where nothing of it can be one.
std::string makeModelName(llvm::StringRef text);
bool isModelName(llvm::StringRef name);

} // namespace quantmlir

#endif // QUANT_ARTIFACT_MODELFACTS_H
