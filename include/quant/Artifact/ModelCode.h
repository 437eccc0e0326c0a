//===- ModelCode.h - from the LLVM dialect to an object file ----*- C++ -*-===//

#ifndef QUANT_ARTIFACT_MODELCODE_H
#define QUANT_ARTIFACT_MODELCODE_H

#include "quant/Artifact/ModelFacts.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Target/TargetMachine.h"

namespace quantmlir {

/// What the function that a model runs is called on its way, so that its name
/// is none of the C library's and not `main`.
constexpr llvm::StringLiteral kProgramName = "quantProgram";

/// Translates, optimizes (at LLVM's level `optLevel`) and assembles `module`,
/// whose function is `kProgramName` with its C interface and whose large
/// constants are externalized. The object's one visible symbol is
/// `<name>_artifact` (quant/CAPI/Artifact.h). Sets the facts that the code
/// decides.
llvm::Expected<llvm::SmallVector<char, 0>>
generateObject(mlir::ModuleOp module, ModelFacts &facts,
               llvm::TargetMachine &machine, unsigned optLevel);

} // namespace quantmlir

#endif // QUANT_ARTIFACT_MODELCODE_H
