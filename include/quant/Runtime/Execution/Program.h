//===- Program.h - a program to run, and its stages -------------*- C++ -*-===//
//
// Reading a model, finding the function that is run, and bringing a copy of
// the model to the quant stage, to the LLVM dialect, or to the float program
// that it stands for.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_RUNTIME_EXECUTION_PROGRAM_H
#define QUANT_RUNTIME_EXECUTION_PROGRAM_H

#include "quant/Pipelines/Pipelines.h"
#include "quant/Runtime/Execution/JitRunner.h"
#include "quant/Runtime/Execution/Options.h"

#include "llvm/Support/MemoryBuffer.h"

namespace quantmlir {

/// Parses text or bytecode; diagnostics say what is wrong.
mlir::OwningOpRef<mlir::ModuleOp> loadProgram(llvm::StringRef path,
                                              mlir::MLIRContext *context);
/// The same of a file in memory, which its name stands for.
mlir::OwningOpRef<mlir::ModuleOp>
loadProgram(std::unique_ptr<llvm::MemoryBuffer> file,
            mlir::MLIRContext *context);

/// The function `entry`, or `main`, or the only public one.
llvm::Expected<Signature> findEntry(mlir::ModuleOp module,
                                    llvm::StringRef entry);

/// Removes what the function `entry` does not need.
llvm::LogicalResult keepOnly(mlir::ModuleOp module, llvm::StringRef entry);

/// Whether code for `cpu` and `features` uses AMX tiles, and this process may.
bool canUseTiles(llvm::StringRef cpu, llvm::ArrayRef<std::string> features);

/// Checks that `cpu` and `features` are known and that the host has every
/// instruction that they would let the compiler choose; but for a CPU with AMX
/// the host need not have the vector instructions: `getTargetFeatures` takes
/// them away.
llvm::Error verifyHostCanRun(llvm::StringRef cpu,
                             llvm::ArrayRef<std::string> features);

/// Fails where the host is no AArch64 machine.
llvm::Error verifyHostIsArm();

/// `features`, and for a `cpu` with AMX, `-x` for each vector extension x that
/// it has and the host has not: so the tiles' code runs wherever tiles do, or
/// are emulated.
std::vector<std::string>
getTargetFeatures(llvm::StringRef cpu, llvm::ArrayRef<std::string> features);

/// Imports, quantizes if the options say so, folds, and says what became of
/// every product; `strict`: fails where one is not as asked.
mlir::FailureOr<QuantStageResults> runQuantStage(mlir::ModuleOp module,
                                                 const RunOptions &options,
                                                 bool strict = false);

/// Gives the arguments the sizes that the inputs have, and lets shapes follow.
/// For counting only: what is run has the sizes that the model has.
llvm::LogicalResult specialize(mlir::ModuleOp module,
                               const Signature &signature,
                               llvm::ArrayRef<HostTensor> inputs);

/// For --shard: gives the program the sizes of the inputs, before the quant
/// stage.
llvm::LogicalResult fixSizes(mlir::ModuleOp module, const Signature &signature,
                             llvm::ArrayRef<HostTensor> inputs);

/// From the quant stage of a program to that of the part of rank `rank`, which
/// calls the MPI library `library`. `facts`: what it holds and sends.
llvm::LogicalResult cutToRank(mlir::ModuleOp module, const RunOptions &options,
                              int64_t rank, llvm::StringRef library,
                              ShardFacts &facts);

/// From the quant stage to the LLVM dialect, by the pipeline of `target`;
/// `strict`: fails where the target has no kernel for a product.
llvm::LogicalResult lowerToLLVM(mlir::ModuleOp module, RunTarget target,
                                const RunOptions &options, bool strict = false);

/// Makes matmuls of TOSA programs and of convolutions, which then have names.
llvm::LogicalResult bringToMatmuls(mlir::ModuleOp module);

/// Makes the program that a quantized one stands for: quantizing casts round
/// as they say, matmuls multiply floats.
llvm::LogicalResult makeFloatTwin(mlir::ModuleOp module);
llvm::LogicalResult lowerFloatTwinToLLVM(mlir::ModuleOp module);

} // namespace quantmlir

#endif // QUANT_RUNTIME_EXECUTION_PROGRAM_H
