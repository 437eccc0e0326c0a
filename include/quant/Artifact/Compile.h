//===- Compile.h - from the quant stage to a compiled model -----*- C++ -*-===//

#ifndef QUANT_ARTIFACT_COMPILE_H
#define QUANT_ARTIFACT_COMPILE_H

#include "quant/Artifact/ModelFacts.h"
#include "quant/Conversion/ExternalConstants.h"
#include "quant/Runtime/Execution/Options.h"
#include "quant/Runtime/Report/ProductSummary.h"

#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/SmallVector.h"

namespace quantmlir {

/// What a program was compiled to. The bytes of the weights are those of the
/// module's context, which has to live as long.
struct CompiledModel {
  ModelFacts facts;
  llvm::SmallVector<char, 0> object;
  WeightsImage weights;
};

/// What a caller says beside target, cpu, features, threads, optLevel,
/// schedules, strict and quantize (which is only noted) of RunOptions.
struct CompileOptions {
  /// What the model's symbols begin with.
  std::string name = "model";
  /// Empty: this machine's. `--target=generic` takes any.
  std::string triple;
  /// The name of the weights' file; empty: NAME.weights.
  std::string weightsFile;
};

/// Compiles the function of `signature`, to which `module` was cut down and
/// which is at the end of the quant stage. The inputs stay as they are: a
/// program that writes to an argument writes to a copy. `products`, if there
/// are any, take note of what the target has no kernel for.
llvm::Expected<CompiledModel> compileModel(mlir::ModuleOp module,
                                           const Signature &signature,
                                           const RunOptions &options,
                                           const CompileOptions &compile,
                                           ProductSummary *products = nullptr);

} // namespace quantmlir

#endif // QUANT_ARTIFACT_COMPILE_H
