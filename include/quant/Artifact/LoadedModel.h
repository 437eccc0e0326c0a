//===- LoadedModel.h - a compiled model that can be called ------*- C++ -*-===//

#ifndef QUANT_ARTIFACT_LOADEDMODEL_H
#define QUANT_ARTIFACT_LOADEDMODEL_H

#include "quant/Artifact/ModelFacts.h"
#include "quant/CAPI/Artifact.h"
#include "quant/Conversion/ExternalConstants.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <mutex>

namespace llvm::orc {
class LLJIT;
} // namespace llvm::orc

namespace quantmlir {

/// The code of one model in this process, independent of every other, of the
/// same file too. Threads may call it at once; calls of a model that keeps
/// state wait for each other.
class LoadedModel {
public:
  /// Code that was compiled for this machine, and its weights, which move here
  /// but for those that `module` has, too.
  static llvm::Expected<std::unique_ptr<LoadedModel>>
  link(llvm::ArrayRef<char> object, llvm::StringRef name,
       WeightsImage &&weights, mlir::ModuleOp module);
  /// NAME.so or NAME.o, with the weights of `weightsPath` (empty: from where
  /// they were written).
  static llvm::Expected<std::unique_ptr<LoadedModel>>
  open(llvm::StringRef path, llvm::StringRef weightsPath = "");
  ~LoadedModel();

  const QuantArtifact &getArtifact() const { return *artifact; }
  /// The weights' file as it is in memory; empty where they are mapped.
  llvm::StringRef getWeights() const;
  int32_t run(llvm::ArrayRef<QuantTensor> inputs,
              llvm::MutableArrayRef<QuantTensor> results, char *message,
              size_t messageSize);

private:
  LoadedModel();
  llvm::Error linkObject(llvm::ArrayRef<char> object, llvm::StringRef symbol);
  llvm::Error openShared(llvm::ArrayRef<char> library, llvm::StringRef path,
                         llvm::StringRef symbol);
  llvm::Error takeArtifact(void *function);

  std::unique_ptr<llvm::orc::LLJIT> jit;
  /// Of dlopen, and the file in memory that it opened.
  void *handle = nullptr;
  int file = -1;
  char *weights = nullptr;
  size_t weightsSize = 0;
  const QuantArtifact *artifact = nullptr;
  std::mutex mutex;
};

} // namespace quantmlir

#endif // QUANT_ARTIFACT_LOADEDMODEL_H
