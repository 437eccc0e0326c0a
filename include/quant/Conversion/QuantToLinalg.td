//===- QuantToLinalg.td - the reference lowering -----------*- tablegen -*-===//

#ifndef QUANT_CONVERSION_QUANTTOLINALG_TD
#define QUANT_CONVERSION_QUANTTOLINALG_TD

include "mlir/Pass/PassBase.td"

def ConvertQuantToLinalgPass : Pass<"convert-quant-to-linalg", "::mlir::ModuleOp"> {
  let summary = "The reference lowering of every op on tensors to linalg and arith";
  let description = [{
    Lowers each operation by the formula in its documentation to
    `linalg.generic` with `arith` and `math` bodies, one step a line: the
    oracle that every other lowering is compared with, and the `generic`
    target's lowering. `qtarget.packed_matmul` is lowered too, every form by
    its layout and not by its kernel, so that what is packed can be run on any
    machine.

    Example:

    ```mlir
    %q = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-128, 127]
           : tensor<4xf32> -> tensor<4xi8>
    // becomes a linalg.generic over
    %0 = arith.divf %x, %s : f32
    %1 = math.roundeven %0 : f32
    ...
    ```

    With `named-matmul`, `quant.matmul` becomes `linalg.matmul`,
    `linalg.batch_matmul` or `linalg.contract` of signed integers into i32, for
    which other compilers have kernels (docs/iree.md): zero points, and the
    shift that makes an unsigned operand signed, are subtracted after the
    product.

    With `qdq`, a `quant.matmul` whose result one `quant.rescale` takes becomes a
    float product of both operands dequantized (zero points subtracted, scaled),
    followed by what else the rescale does, for compilers that look for that
    form; quantizing stays as it is. Sums are of floats then, so that results
    differ by their rounding. Other products are as with `named-matmul`.
  }];
  let options = [
    Option<"namedMatmul", "named-matmul", "bool", "false",
           "Products without groups as linalg's named ops of signed integers">,
    Option<"qdq", "qdq", "bool", "false",
           "Products without groups as float products of dequantized operands">,
    Option<"packedMatmul", "packed-matmul", "bool", "true",
           "Lower qtarget.packed_matmul too; a target that emits it says false">,
    Option<"quantizeBlocks", "quantize-blocks", "bool", "true",
           "Lower quant.quantize_blocks too; a target that emits it says "
           "false">,
    Option<"attention", "attention", "bool", "true",
           "Lower quant.cached_attention and quant.float_attention too; a "
           "target that emits them says false">,
    Option<"reciprocal", "reciprocal", "bool", "false",
           "Quantize by the scale's reciprocal and two corrections of the "
           "quotient, which give the integers of the division, if the module's "
           "target has fused multiply-adds">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::quant::QuantDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"];
}

#endif // QUANT_CONVERSION_QUANTTOLINALG_TD
