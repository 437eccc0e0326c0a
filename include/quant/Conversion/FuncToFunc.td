//===- FuncToFunc.td - calls made and undone ---------------*- tablegen -*-===//

#ifndef QUANT_CONVERSION_FUNCTOFUNC_TD
#define QUANT_CONVERSION_FUNCTOFUNC_TD

include "mlir/Pass/PassBase.td"

def QuantInlineCallsPass
    : Pass<"quant-inline-calls", "::mlir::ModuleOp"> {
  let summary = "Inline private functions, and nothing else";
  let description = [{
    Replaces calls of private functions by their bodies, so that a constant
    which is passed to one is a constant where it is used. Nothing is
    canonicalized on the way. Functions that call themselves, and those of which
    LLVM is told not to inline them (`passthrough = ["noinline"]`,
    `no_inline`), keep their calls.

    Example:

    ```mlir
    %y = call @layer(%x, %w) : (tensor<3x4xf32>, tensor<4x8xf32>) -> tensor<3x8xf32>
    // becomes the body of @layer
    %y = linalg.matmul ins(%x, %w : tensor<3x4xf32>, tensor<4x8xf32>) ...
    ```
  }];
}

def QuantOutlineRepeatsPass
    : Pass<"quant-outline-repeats", "::mlir::ModuleOp"> {
  let summary = "Equal layers become one function that is called for each";
  let description = [{
    Finds the ops that follow each other several times in a function, as the
    layers of a model do, and moves them to a private function that is called
    in their place. Layers are equal when their ops, attributes, types and
    connections are: what differs is what they use from outside, which become
    the function's arguments (weights, among them). The function has its own
    empty and filled tensors and small constants. Names of products (`quant.name`), which
    differ from layer to layer, are dropped.

    Layers are cut where the fewest values cross. Functions of several blocks
    are left alone. The work of what follows, code generation most of all, is
    divided by the number of layers; the function is marked `no_inline`, so that
    LLVM does not undo that.

    To be run where nothing asks any more whether a weight is a constant: after
    packing.

    Example, `min-ops=2 min-repeats=2`:

    ```mlir
    func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
      %a = linalg.exp ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
      %b = linalg.add ins(%a, %w0 : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
      %c = linalg.exp ins(%b : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
      %d = linalg.add ins(%c, %w1 : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
      return %d : tensor<8xf32>
    }
    // becomes
    func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
      %b = call @main_layer(%x, %w0) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
      %d = call @main_layer(%b, %w1) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
      return %d : tensor<8xf32>
    }
    ```
  }];
  let options = [
    Option<"minOps", "min-ops", "unsigned", "24",
           "Least number of ops of a layer, without constants and empty tensors">,
    Option<"minRepeats", "min-repeats", "unsigned", "3",
           "Least number of layers">
  ];
  let statistics = [
    Statistic<"numFunctions", "num-functions", "Functions that were made">,
    Statistic<"numLayers", "num-layers", "Layers that are calls">
  ];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
    "::mlir::func::FuncDialect", "::mlir::tensor::TensorDialect"];
}

#endif // QUANT_CONVERSION_FUNCTOFUNC_TD
