//===- SCFToSCF.td - types that loops carry ----------------*- tablegen -*-===//

#ifndef QUANT_CONVERSION_SCFTOSCF_TD
#define QUANT_CONVERSION_SCFTOSCF_TD

include "mlir/Pass/PassBase.td"

def QuantKeepLoopTypesPass
    : Pass<"quant-keep-loop-types", "::mlir::ModuleOp"> {
  let summary = "A tensor that changes its sizes in a loop keeps its type";
  let description = [{
    Upstream's canonicalization of `scf.for` (22.1.8) takes the static type of
    what a loop starts with, if it is cast to dynamic sizes, for the type of
    what it carries. A tensor that grows in the loop would be cast back to the
    sizes of the start. What the loop starts with is copied instead, unless what
    it yields is cast from the same static type.

    Example:

    ```mlir
    %0 = tensor.cast %x : tensor<1x8xf32> to tensor<?x8xf32>
    scf.for ... iter_args(%c = %0) -> (tensor<?x8xf32>) { ... %c, with a row more }
    // becomes
    %0 = tensor.cast %x : tensor<1x8xf32> to tensor<?x8xf32>
    %1 = bufferization.alloc_tensor() copy(%0) : tensor<?x8xf32>
    scf.for ... iter_args(%c = %1) ...
    ```
  }];
  let statistics = [
    Statistic<"numKept", "num-kept", "Tensors whose type is kept">
  ];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

#endif // QUANT_CONVERSION_SCFTOSCF_TD
