//===- Passes.td - looking at a program while it runs ------*- tablegen -*-===//

#ifndef QUANT_INSTRUMENT_PASSES_TD
#define QUANT_INSTRUMENT_PASSES_TD

include "mlir/Pass/PassBase.td"

def QuantInstrumentMatmulsPass
    : Pass<"quant-instrument-matmuls", "::mlir::ModuleOp"> {
  let summary = "Show the tensors of named matmuls to the host while they run";
  let description = [{
    Inserts calls of the external function `quant_observe(id, tensor)` for the
    activations and the results of float matmuls that have a name
    (`quant.name`, see `quant-name-matmuls`). The id counts the calls in walk
    order. Tensors are passed as they are, of any shape (`tensor<*xf32>`,
    declared read-only so that bufferization makes no copy); f16 and bf16 are
    widened first. The program computes what it did before.

    Activations that several matmuls share are shown once.

    Whoever runs the program binds the symbol `_mlir_ciface_quant_observe`;
    `quant-run --calibrate` and `--report` do.

    Example:

    ```mlir
    %y = linalg.matmul {quant.name = "main#0"}
           ins(%x, %w : tensor<?x8xf32>, tensor<8x4xf32>) outs(...)
    // becomes
    %s = tensor.cast %x : tensor<?x8xf32> to tensor<*xf32>
    call @quant_observe(%c0_i64, %s) : (i64, tensor<*xf32>) -> ()
    %y = linalg.matmul ...
    ```
  }];
  let options = [
    Option<"observe", "observe", "Observed", "Observed::Inputs",
           "Which tensors are shown",
           [{::llvm::cl::values(
              clEnumValN(Observed::Inputs, "inputs", "activations"),
              clEnumValN(Observed::Results, "results", "results"),
              clEnumValN(Observed::Both, "both", "activations and results"))}]>
  ];
  let statistics = [
    Statistic<"numObserved", "num-observed", "Calls inserted">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::func::FuncDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect"];
}

def QuantProfileOpsPass : Pass<"quant-profile-ops", "::mlir::ModuleOp"> {
  let summary = "Tell the host when each op begins and ends";
  let description = [{
    For programs on memory, before kernels become loops: puts calls of
    `quant_profile_begin()` and `quant_profile_end(op)` around every linalg op,
    kernel, copy, and loop without such ops inside. Loops and branches that run
    in order (`scf.for`, `scf.while`, `scf.if`) are looked into. `op` points to a
    string: kind, name (`quant.name`), types and location, one a line.

    Whoever runs the program binds the two symbols; `quant-run --profile` does.

    Example:

    ```mlir
    linalg.fill ins(%c : f32) outs(%m : memref<4x8xf32>)
    // becomes
    llvm.call @quant_profile_begin() : () -> ()
    linalg.fill ins(%c : f32) outs(%m : memref<4x8xf32>)
    %0 = llvm.mlir.addressof @quant_profile_0 : !llvm.ptr
    llvm.call @quant_profile_end(%0) : (!llvm.ptr) -> ()
    ```
  }];
  let statistics = [
    Statistic<"numTimed", "num-timed", "Ops that are timed">
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // QUANT_INSTRUMENT_PASSES_TD
