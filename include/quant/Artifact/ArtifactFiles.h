//===- ArtifactFiles.h - the files of a compiled model ----------*- C++ -*-===//

#ifndef QUANT_ARTIFACT_ARTIFACTFILES_H
#define QUANT_ARTIFACT_ARTIFACTFILES_H

#include "quant/Artifact/ModelFacts.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace quantmlir {

/// Where the files of a model go, from the path of its code.
struct ArtifactPaths {
  /// DIR/STEM.so or DIR/STEM.o, and DIR/STEM.h.
  std::string code, header;
  bool isShared = false;

  /// Fails where `path` ends otherwise.
  static llvm::Expected<ArtifactPaths> of(llvm::StringRef path);
  /// A shared library knows its name, and seeks DIR/STEM.weights. An object
  /// becomes a part of something else: DIR/ and the name that its code has.
  std::string getWeights(const ModelFacts &facts) const;
  /// STEM.
  std::string getStem() const;
};

/// Prints the header: the interface, and what is particular to this model.
void printHeader(const ModelFacts &facts, llvm::raw_ostream &os);

/// Links an object to a shared library that depends on libc and libm, and on
/// MPI's if it is a rank's, by the compiler driver `linker` (empty: cc).
llvm::Expected<llvm::SmallVector<char, 0>>
linkSharedLibrary(llvm::ArrayRef<char> object, const ModelFacts &facts,
                  llvm::StringRef linker = "");

/// Whether an object calls MPI, as programs of ranks do.
bool needsMPI(llvm::ArrayRef<char> object);

/// Writes all files of a model, or none: the weights by `printWeights`.
llvm::Error
writeArtifact(const ArtifactPaths &paths, const ModelFacts &facts,
              llvm::ArrayRef<char> object,
              llvm::function_ref<void(llvm::raw_ostream &)> printWeights,
              llvm::StringRef linker = "");

} // namespace quantmlir

#endif // QUANT_ARTIFACT_ARTIFACTFILES_H
