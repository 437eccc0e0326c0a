//===- Passes.td - passes of the quant stage --------------*- tablegen -*-===//

#ifndef QUANT_DIALECT_QUANT_TRANSFORMS_PASSES_TD
#define QUANT_DIALECT_QUANT_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def QuantVerifyStagePass : Pass<"quant-verify-stage", "::mlir::ModuleOp"> {
  let summary = "Prove the contract of a named stage, or fail";
  let description = [{
    Each stage of the pipelines ends with a promise about the IR; this pass
    proves it and fails with an error at the offending op otherwise.

    * `quant`: every `quant.matmul` has an accumulator that is proven to fit
      in i32 (K, the operands' ranges and the zero points), or an error names
      K and the bound. A `dense_resource` has the bytes that its type says. A
      discardable attribute of the namespace `quant` is one of those declared
      in Dialect/Quant/Utils/DiscardableAttrs.h.
    * `packed`: in addition no `quant.matmul` is left; every
      `qtarget.packed_matmul`, with or without groups, has a kernel that the
      module's target offers. (That its operands have its layout, and its layout
      is the kernel's, its own verifier knows.)
    * `target`: no tensor type and no op of `quant` or `qtarget` is left.
    * `llvm`: only ops of the LLVM dialect (and the module) are left.

    Example: `quant-verify-stage{stage=quant}` on

    ```mlir
    %0 = quant.matmul ins(%a, %b : tensor<1x140000xi8>, tensor<140000x1xi8>)
           outs(%c : tensor<1x1xi32>) -> tensor<1x1xi32>
    ```

    is an error: `sum over K = 140000 may reach 2293760000, past 2147483647`.

    A K that is dynamic, and not bounded by what made the operands, is an error
    that names the largest K that would be safe. A sum that adds to another
    `quant.matmul` counts both; what else `init` holds is the program's own.
  }];
  let statistics = [
    Statistic<"numProvenAccumulators", "proven-accumulators",
              "Number of quant.matmul whose sum is proven to fit">
  ];
  let options = [
    Option<"stage", "stage", "Stage", "Stage::Quant",
           "The stage whose contract is proven",
           [{::llvm::cl::values(
              clEnumValN(Stage::Quant, "quant", "integers on tensors"),
              clEnumValN(Stage::Packed, "packed", "tiled and packed"),
              clEnumValN(Stage::Target, "target", "instructions on memory"),
              clEnumValN(Stage::LLVM, "llvm", "the LLVM dialect"))}]>
  ];
}

def QuantQuantizeConstantsPass : Pass<"quant-quantize-constants"> {
  let summary = "Evaluate quantizations of large constants";
  let description = [{
    `quant.choose_qparams` and `quant.quantize` of constants become constants:
    int8 ones a resource, int4 ones packed two in a byte and unpacked where they
    are used. Canonicalizing does so with constants of at most 1024 elements,
    and would otherwise quantize a weight wherever somebody happens to
    canonicalize. Weights of float matmuls are quantized by
    `quant-quantize-matmul`; this pass is for those that the program quantizes.

    Example:

    ```mlir
    %w = arith.constant dense_resource<w> : tensor<384x384xf32>
    %q = quant.quantize %w scale(%s : tensor<f32>) axes = [] range = [-128, 127]
           : tensor<384x384xf32> -> tensor<384x384xi8>
    // becomes
    %q = arith.constant dense_resource<quant_weight> : tensor<384x384xi8>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def QuantSimplifySizesPass
    : Pass<"quant-simplify-sizes", "::mlir::ModuleOp"> {
  let summary = "Decide what exporters leave to dynamic sizes";
  let description = [{
    A size is followed through the ops that make a tensor to the tensors that it
    is read off, as by `quant-check-sizes`. A number that is a product of such
    sizes is written as that product, a comparison of one with 0 is decided, and a
    `linalg.generic` that copies a tensor, because a size could be 1 and want
    broadcasting, is replaced by the tensor where the sizes are the same.

    Example:

    ```mlir
    %n = tensor.dim %x, %c0 : tensor<?x12xf32>
    %e = tensor.empty(%n) : tensor<?x12xf32>
    %y = linalg.generic {...} outs(%e : tensor<?x12xf32>) {
      %i = linalg.index 0 : index
      %j = linalg.index 1 : index
      %isOne = arith.cmpi eq, %n, %c1 : index
      %k = arith.select %isOne, %c0, %i : index
      %v = tensor.extract %x[%k, %j] : tensor<?x12xf32>
      linalg.yield %v : f32
    }
    // is %x
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numSimplified", "simplified",
              "Sizes, comparisons and copies that are decided">
  ];
}

def QuantCheckSizesPass : Pass<"quant-check-sizes", "::mlir::ModuleOp"> {
  let summary = "Compare sizes that only the run knows before they are used";
  let description = [{
    Loops take each size from one operand. Where the definition of an op says
    that another operand has the same size (both K of a matmul, the rows of an
    activation and of its scales, what an elementwise op reads, rows and what
    they are written into), where a
    `tensor.cast` claims a size, or an `expand_shape` splits one, and nothing
    before the run proves it, the program compares the two once, before the op
    or, if they are sizes of arguments, where the function begins. If they
    differ, it says both to the standard error (by `dprintf` of the C library)
    and stops, and no memory outside of the operands is read or written.

    A size is followed through the ops that make a tensor to where it comes
    from, so that what has the same origin is not compared: programs whose sizes
    are static, or all derived from one argument, do not change.

    Example:

    ```mlir
    func.func @f(%a: tensor<?x?xi8>, %b: tensor<8x4xi8>, %c: tensor<?x4xi32>)
    %0 = quant.matmul ins(%a, %b : ...) outs(%c : ...)
    // stops with
    // 'quant.matmul' op expected equal sizes, but dimension 1 of lhs is 80 and
    // dimension 0 of rhs is 8
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::LLVM::LLVMDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numChecks", "checks", "Pairs of sizes that the run compares">
  ];
}

def QuantFuseQuantizeRowsPass : Pass<"quant-fuse-quantize-rows"> {
  let summary = "Choose scales and quantize rows by one op";
  let description = [{
    A `quant.quantize` by scales that `quant.choose_qparams` chooses for each
    row, symmetric, becomes `quant.quantize_rows`, which reads a row from memory
    once. Where `plain` is set, rows stay as they are, signed or (with a zero
    point of 128) unsigned: `quant-vectorize-rows` emits them for x86. Else
    what is fused are rows packed in tiles of one row, for which
    `convert-quant-to-nvvm` has a kernel. Others are left alone: static scales,
    scales for the whole tensor, zero points, 4-bit activations, a dynamic K.

    Example:

    ```mlir
    %s = quant.choose_qparams %x axes = [0] range = [-128, 127]
    %q = quant.quantize %x scale(%s) axes = [0] range = [-128, 127]
    %p = linalg.pack %q ... inner_tiles = [1, 64]
    // becomes
    %p, %s = quant.quantize_rows ins(%x) outs(%e0, %e1) range = [-128, 127]
    ```
  }];
  let options = [
    Option<"plain", "plain", "bool", /*default=*/"false",
           "Rows as they are, [M, K], instead of tiles of one row">
  ];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numFused", "fused", "Quantizations fused with their scales">
  ];
}

def QuantFuseEpiloguePass : Pass<"quant-fuse-epilogue"> {
  let summary = "Take residuals, clamps, the next quantize into quant.rescale";
  let description = [{
    An elementwise `linalg.generic` that only clamps (a ReLU, as
    `arith.maximumf` or as comparison and select) an f32 `quant.rescale` that
    nothing else uses, also through reshapes, becomes `clamp_min` and
    `clamp_max` of the rescale. So does a tensor that is added to it
    (`linalg.add`, a `linalg.generic` or `arith.addf`): it becomes the
    `residual` of the rescale, which has no clamp yet. No bit changes. A `quant.quantize` with constant per-tensor
    parameters that follows is fused as well, so that nothing of float type
    stands between two quantized matmuls.

    ```mlir
    %y = quant.rescale %acc channel_scale(%s : tensor<f32>) : tensor<4x8xi32> -> tensor<4x8xf32>
    %r = linalg.generic ... ins(%y) { arith.maximumf %in, %zero }
    %q = quant.quantize %r scale(%sy : tensor<f32>) axes = [] range = [-128, 127]
    // becomes
    %q = quant.rescale %acc channel_scale(%m : tensor<f32>)
           {clamp_min = 0.0 : f32, range = array<i64: -128, 127>}
           : tensor<4x8xi32> -> tensor<4x8xi8>
    ```
  }];
  let statistics = [
    Statistic<"numFusedClamps", "fused-clamps",
              "Number of elementwise clamps taken into a rescale">,
    Statistic<"numFusedResiduals", "fused-residuals",
              "Number of additions taken into a rescale">
  ];
}

#endif // QUANT_DIALECT_QUANT_TRANSFORMS_PASSES_TD
