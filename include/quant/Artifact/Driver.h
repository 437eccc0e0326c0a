//===- Driver.h - what quant-compile does -----------------------*- C++ -*-===//

#ifndef QUANT_ARTIFACT_DRIVER_H
#define QUANT_ARTIFACT_DRIVER_H

#include "quant/Artifact/ArtifactFiles.h"
#include "quant/Artifact/Compile.h"

#include "mlir/IR/DialectRegistry.h"

namespace quantmlir {

/// The command line of quant-compile.
struct ArtifactOptions {
  RunOptions run;
  CompileOptions compile;
  ArtifactPaths paths;
  std::string linker;
  /// Of run.shard ranks, and the MPI library that it calls.
  int64_t rank = 0;
  std::string mpi = "OpenMPI";
};

/// Reads the command line; ends the process at --help, --version and at
/// options that are not understood.
llvm::Expected<ArtifactOptions> parseArtifactOptions(int argc, char **argv);

/// Reads, quantizes, compiles and writes a model; says on stdout what was
/// written, on stderr what went wrong. The status of the process.
int emitModel(const ArtifactOptions &options, mlir::DialectRegistry &registry);

} // namespace quantmlir

#endif // QUANT_ARTIFACT_DRIVER_H
