//===- Passes.td - from float and QDQ programs to quant ----*- tablegen -*-===//

#ifndef QUANT_IMPORT_PASSES_TD
#define QUANT_IMPORT_PASSES_TD

include "mlir/Pass/PassBase.td"

def QuantImportTosaPass : Pass<"quant-import-tosa", "::mlir::ModuleOp"> {
  let summary = "Rewrite TOSA programs into linalg, tensor, arith and quant";
  let description = [{
    `tosa.rescale` becomes `quant.rescale_fixed_point`, which computes the same
    integers, and a cast, subtraction and multiplication that dequantize become
    `quant.dequantize`. Everything else goes through upstream's conversions:
    `tosa.matmul` and `tosa.conv2d` become named linalg ops, quantized ones
    where they have zero points, which the other passes import.

    `tosa.variable` becomes a mutable `ml_program.global`: what a program writes
    to it, the next call reads.

    Runs before any other pass. Programs without TOSA stay as they are.

    Example:

    ```mlir
    %y = tosa.rescale %acc, %m, %s, %zi, %zo {scale32 = true,
           rounding_mode = DOUBLE_ROUND, per_channel = true, ...}
           : (tensor<1x4x4x32xi32>, ...) -> tensor<1x4x4x32xi8>
    // becomes
    %y = quant.rescale_fixed_point %acc multiplier(%m : tensor<32xi32>)
           shift(%s : tensor<32xi8>) rounding(DOUBLE_ROUND)
           {output_zero_point = -7 : i32, range = array<i64: -128, 127>}
           : tensor<1x4x4x32xi32> -> tensor<1x4x4x32xi8>
    ```
  }];
  let statistics = [
    Statistic<"numRescales", "num-rescales", "tosa.rescale imported">,
    Statistic<"numDequantizes", "num-dequantizes",
              "Dequantizing multiplications imported">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::index::IndexDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::ml_program::MLProgramDialect",
    "::mlir::quant::QuantDialect", "::mlir::scf::SCFDialect",
    "::mlir::shape::ShapeDialect", "::mlir::tensor::TensorDialect",
    "::mlir::tosa::TosaDialect"];
}

def QuantConvolutionToMatmulPass
    : Pass<"quant-convolution-to-matmul", "::mlir::ModuleOp"> {
  let summary = "Rewrite convolutions into contractions of their windows";
  let description = [{
    A convolution, in any layout, of floats or of stored integers with zero
    points, becomes a copy that makes each window a row, and a contraction of
    the rows and the filter (im2col). A 1x1 convolution without stride needs no
    copy. What the other passes do with products of matrices (schemes, names,
    statistics, packing) so holds for convolutions.

    Depthwise and grouped convolutions are no products of matrices: they stay,
    with a remark.

    Example:

    ```mlir
    %y = linalg.conv_2d_nchw_fchw {strides = dense<2> : tensor<2xi64>}
           ins(%x, %f : tensor<1x3x50x194xf32>, tensor<8x3x3x3xf32>) ...
    // becomes
    %rows = linalg.generic {indexing_maps = [
        (n, i, j, c, k, l) -> (n, c, i * 2 + k, j * 2 + l), identity]} ...
        -> tensor<1x24x96x3x3x3xf32>
    %y = linalg.generic ins(%rows, %f : tensor<1x24x96x3x3x3xf32>,
        tensor<8x3x3x3xf32>) ... // mulf, addf
    ```
  }];
  let options = [
    Option<"floats", "floats", "bool", "true",
           "Rewrite float convolutions too; false: of stored integers only">,
    Option<"remarks", "remarks", "bool", "true",
           "A remark for each convolution that is left">
  ];
  let statistics = [
    Statistic<"numConverted", "num-converted", "Convolutions rewritten">,
    Statistic<"numLeft", "num-left", "Convolutions left as they were">
  ];
  let dependentDialects = ["::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect"];
}

def QuantImportPass : Pass<"quant-import", "::mlir::ModuleOp"> {
  let summary = "Rewrite matmuls that are already quantized into quant.matmul";
  let description = [{
    Recognises the integer matmuls that a program already describes and brings
    them to one form (`quant.matmul`, `quant.rescale`):

    * `quant.qcast` / `quant.dcast` / `quant.scast` around a float contraction,
      with `!quant.uniform` types per tensor and per axis; stored types of other
      than 8 and 4 bits are computed in float, with a remark, and a cast that
      has no formula (unranked, dynamic blocks) is an error: upstream would
      fold it away,
    * float matmuls between ops that quantize and dequantize, as torch-mlir and
      ONNX importers write QDQ out, per tensor and per axis: `linalg`, and
      `arith` and `math` on tensors, which become `linalg`,
    * weights with a scale for each group of the contracted dimension
      (`quant.scaled_matmul`), also where their groups are merged before the
      matmul, and weights alone that are dequantized (`weight-only`),
    * `linalg.quantized_matmul`, `linalg.quantized_batch_matmul`,
    * ONNX `MatMulInteger`: bytes that are widened, and shifted by a zero
      point, before a matmul of i32 or i64,
    * `linalg.matmul` (and transposed, batched, generic forms) of i8 operands
      with i32 results.

    Must run before any pass that folds `quant.dcast(quant.qcast(x))` to `x`
    (canonicalize, inline, linalg passes), or the quantization is lost.

    Example:

    ```mlir
    %d = quant.dcast %q : tensor<4x8x!quant.uniform<i8:f32, 0.5:3>> to tensor<4x8xf32>
    %w = quant.dcast %wq : tensor<8x2x!quant.uniform<i8:f32, 0.25>> to tensor<8x2xf32>
    %y = linalg.matmul ins(%d, %w : ...) outs(%zero : ...) -> tensor<4x2xf32>
    // becomes
    %acc = quant.matmul ins(%qi, %wi : tensor<4x8xi8>, tensor<8x2xi8>)
             lhs_zero_point(%c3 : tensor<i32>) outs(%z : tensor<4x2xi32>) -> ...
    %y = quant.rescale %acc row_scale(%sx : tensor<f32>)
           channel_scale(%sw : tensor<f32>) : tensor<4x2xi32> -> tensor<4x2xf32>
    ```
  }];
  let options = [
    Option<"matmuls", "matmuls", "bool", "true",
           "Rewrite matmuls; false: only quant.qcast and quant.dcast become "
           "quant.quantize and quant.dequantize, and matmuls stay in float">,
    Option<"weightOnly", "weight-only", "bool", "false",
           "Rewrite float matmuls of which only the weight is dequantized too; "
           "false: quant-quantize-matmul is to choose their activations' "
           "scheme">,
    Option<"report", "report", "bool", "false",
           "End with a remark that holds the statistics (which release builds "
           "of LLVM cannot print)">
  ];
  let statistics = [
    Statistic<"numImported", "num-imported", "Quantized matmuls imported">,
    Statistic<"numNotImported", "num-not-imported",
              "Quantized matmuls left as they were">
  ];
  let dependentDialects = ["::mlir::quant::QuantDialect",
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def QuantFoldConstantTransposesPass
    : Pass<"quant-fold-constant-transposes", "::mlir::ModuleOp"> {
  let summary = "Move constants once, not in every call";
  let description = [{
    A `linalg` op that only moves the elements of a constant (a transpose, a copy,
    with unit dimensions that come or go between) becomes a constant: what
    exporters put before the weight of a product, where the product stays in
    float. Comes after quantizing, which reads weights through such ops, and
    leaves the old constant to those who read it, too. What repeats elements (a
    broadcast) stays, as do constants whose elements take no whole bytes.

    Example:

    ```mlir
    %w = arith.constant dense_resource<w> : tensor<1536x384xf32>
    %t = linalg.transpose ins(%w : tensor<1536x384xf32>)
           outs(%e : tensor<384x1536xf32>) permutation = [1, 0]
    // becomes
    %t = arith.constant dense_resource<quant_weight> : tensor<384x1536xf32>
    ```
  }];
  let statistics = [
    Statistic<"numFolded", "num-folded", "Ops that became constants">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def QuantNameMatmulsPass : Pass<"quant-name-matmuls", "::mlir::ModuleOp"> {
  let summary = "Give every float matmul a name";
  let description = [{
    Sets the attribute `quant.name` of each float contraction that has none: to
    the framework's module that it comes from (`model.layers.3.mlp.down_proj`)
    where its location or the name of its weight says so, with `#1`, `#2`, ...
    after the first of a module, and else to `<function>#<ordinal>`, counted in
    walk order. The latter stays known as `quant.ordinal`. Statistics, recipes and
    reports refer to matmuls by it, so it is given before anything changes the
    program; `quant-quantize-matmul` hands it on to `quant.matmul` and
    `quant.scaled_matmul`.

    An attribute in the namespace `quant` that is none of those in
    Dialect/Quant/Utils/DiscardableAttrs.h, or not of their kind, is an error.

    Example:

    ```mlir
    %y = linalg.matmul ins(%x, %w : ...) outs(%z : ...) -> tensor<?x8xf32>
    // in @main becomes
    %y = linalg.matmul {quant.name = "main#0"} ins(%x, %w : ...) ...
    ```
  }];
  let statistics = [
    Statistic<"numNamed", "num-named", "Matmuls that got a name">
  ];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def QuantAccountProductsPass
    : Pass<"quant-account-products", "::mlir::ModuleOp"> {
  let summary = "Say what became of every product of tensors";
  let description = [{
    Stands at the end of the quant stage and changes nothing. Every product (a
    contraction or a convolution, of floats or of integers) that is no
    `quant.matmul` or `quant.scaled_matmul` gets a remark at its location with
    the reason, unless the pass that left it has given one; so does every
    weight that is quantized in every call: one that is made of constants and
    did not fold, a function argument, a variable, a computed operand.

    Reasons are attributes of the ops (`quant.left`, `quant.left_as_asked`,
    `quant.scheme_dropped`, `quant.scheme_partly`;
    Dialect/Quant/Utils/LeftReason.h), set by the pass that knows them; without
    one the reason is read off the program.

    With `strict` these are errors, but for what is as asked: float products
    without a scheme, and those that a recipe or `exclude` leaves out.
  }];
  let options = [
    Option<"asked", "asked", "bool", "true",
           "Float products were to be quantized; false: that they are float is "
           "as it should be">,
    Option<"strict", "strict", "bool", "false", "Errors instead of remarks">,
    Option<"summary", "summary", "bool", "false",
           "End with a remark: `products: I in integers + L left with reason = "
           "all`">
  ];
  let statistics = [
    Statistic<"numInteger", "num-integer", "Products in integers">,
    Statistic<"numLeft", "num-left", "Products left as they were">,
    Statistic<"numEveryCall", "num-every-call",
              "Weights that are quantized in every call">
  ];
}

#endif // QUANT_IMPORT_PASSES_TD
