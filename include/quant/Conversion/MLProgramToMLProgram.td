//===- MLProgramToMLProgram.td - state ---------------------*- tablegen -*-===//

#ifndef QUANT_CONVERSION_MLPROGRAMTOMLPROGRAM_TD
#define QUANT_CONVERSION_MLPROGRAMTOMLPROGRAM_TD

include "mlir/Pass/PassBase.td"

def QuantTensorGlobalsPass
    : Pass<"quant-tensor-globals", "::mlir::ModuleOp"> {
  let summary = "Globals of one number become tensors without dimensions";
  let description = [{
    Upstream lowers `ml_program` globals of tensors only. A global of an integer,
    index or float becomes one of a tensor that holds it, in memory the same, and
    what is loaded from it and stored to it goes through that tensor. Globals of
    other types, and of numbers without a value, are errors.

    Example:

    ```mlir
    %n = ml_program.global_load @step : i64
    // becomes
    %t = ml_program.global_load @step : tensor<i64>
    %n = tensor.extract %t[] : tensor<i64>
    ```
  }];
  let statistics = [
    Statistic<"numConverted", "num-converted", "Globals converted">
  ];
  let dependentDialects = ["::mlir::ml_program::MLProgramDialect",
    "::mlir::tensor::TensorDialect"];
}

def QuantCopyGlobalsPass
    : Pass<"quant-copy-globals", "::mlir::ModuleOp"> {
  let summary = "Copy what is loaded from and stored to globals";
  let description = [{
    A program with state reads its globals, and may write them before it has
    used what it read. Bufferization makes `ml_program.global_load` a view of
    the global's memory, so that a later `ml_program.global_store` would change
    it; and it takes the stored tensor for one that nobody reads, so that a
    slice would be stored uncomputed. Every stored tensor is copied first, and
    so is a load, at once, of a global that the program stores to anywhere.
    Other loads stay views.

    Example:

    ```mlir
    %0 = ml_program.global_load @state : tensor<1x4xi8>
    ml_program.global_store @state = %x : tensor<1x4xi8>
    // becomes
    %0 = ml_program.global_load @state : tensor<1x4xi8>
    %1 = bufferization.alloc_tensor() copy(%0) : tensor<1x4xi8> // for all uses
    %2 = bufferization.alloc_tensor() copy(%x) : tensor<1x4xi8>
    ml_program.global_store @state = %2 : tensor<1x4xi8>
    ```
  }];
  let statistics = [
    Statistic<"numCopied", "num-copied", "Tensors that are copied">
  ];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
    "::mlir::ml_program::MLProgramDialect", "::mlir::tensor::TensorDialect"];
}

#endif // QUANT_CONVERSION_MLPROGRAMTOMLPROGRAM_TD
