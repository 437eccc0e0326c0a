//===- Passes.td - float matmuls into integer ones ---------*- tablegen -*-===//

#ifndef QUANT_QUANTIZE_PASSES_TD
#define QUANT_QUANTIZE_PASSES_TD

include "mlir/Pass/PassBase.td"

def QuantQuantizeMatmulPass : Pass<"quant-quantize-matmul", "::mlir::ModuleOp"> {
  let summary = "Rewrite float matmuls into integer ones";
  let description = [{
    Every float contraction with a weight (named linalg ops, transposing
    indexing maps, `linalg.generic`, weights behind a transpose or a broadcast
    over the batch, dynamic sizes) becomes: quantize the activations, an
    integer `quant.matmul` with a quantized weight, `quant.rescale`. Constant
    weights are quantized on the spot, so no float copy of them is left.

    A product whose weight the program gives in integers keeps them: the
    scheme is for its activations. So it is for a `quant.scaled_matmul` of float
    activations, whose groups stay as they are.

    A contraction that stays in float gets a remark at its location that says
    why, and is counted; the reason is noted on it (`quant.left`).

    `include`, `exclude` and `recipe` say which matmuls are quantized, and how
    each; a string attribute `quant.scheme` on the op comes before them.

    Options may begin with a preset, a word that stands for some of them and
    that the others change: `w8a8`, `w8a8-rot`, `w8a16`, `w2a8-g32`,
    `w2a16-g32`, `bitnet`, `w4a8-g32`,
    `w4a8-g128`, `w4a16-g32`, `w4a16-g128`, `w4a4-rot`, `q8_0`, `q4_0`, `mxfp4`,
    `nvfp4`.

    Example, with `weights=channel activations=dynamic-token`:

    ```mlir
    %t = linalg.transpose ins(%w : tensor<1536x384xf32>) ... permutation = [1, 0]
    %y = linalg.matmul ins(%x, %t : tensor<?x384xf32>, tensor<384x1536xf32>) ...
    // becomes
    %sx = quant.choose_qparams %x axes = [0] range = [-128, 127] ...
    %qx = quant.quantize %x scale(%sx : tensor<?xf32>) axes = [0] ...
    %acc = quant.matmul ins(%qx, %qw : tensor<?x384xi8>, tensor<1536x384xi8>)
             outs(%zero : tensor<?x1536xi32>) {transpose_rhs} -> tensor<?x1536xi32>
    %y = quant.rescale %acc row_scale(%sx : tensor<?xf32>)
           channel_scale(%sw : tensor<1536xf32>) ...
    ```
  }];
  let constructor = "::quantmlir::createQuantQuantizeMatmulPass()";
  // What they say is read by QuantizeRequest, which has their names as well.
  let options = [
    Option<"weightFormat", "weight-format", "WeightFormat", "WeightFormat::Int",
           "What elements and scales of constant weights may be; but for int "
           "it says the bits and the group size as well",
           [{::llvm::cl::values(
              clEnumValN(WeightFormat::Int, "int", "integers, scales in f32"),
              clEnumValN(WeightFormat::MXFP4, "mxfp4",
                         "E2M1 in groups of 32, scales are powers of two"),
              clEnumValN(WeightFormat::NVFP4, "nvfp4",
                         "E2M1 in groups of 16, scales are E4M3 times one f32 "
                         "for the tensor"),
              clEnumValN(WeightFormat::MXINT8, "mxint8",
                         "8 bits in groups of 32, scales are powers of two"),
              clEnumValN(WeightFormat::IQ4_NL, "iq4_nl",
                         "GGUF's table in groups of 32, scales in f16"),
              clEnumValN(WeightFormat::NF4, "nf4",
                         "QLoRA's table, in steps of 1/127, in groups of 64 or "
                         "group-size"),
              clEnumValN(WeightFormat::Ternary, "ternary",
                         "BitNet b1.58: -1, 0 and 1 with one scale, or as "
                         "weights= says"))}]>,
    Option<"weightBits", "weight-bits", "unsigned", "8",
           "8, 6 (stored in 8), 4, 3 (stored in 4) or 2">,
    Option<"activationBits", "activation-bits", "unsigned", "8", "8 or 4">,
    Option<"weights", "weights", "WeightGranularity",
           "WeightGranularity::Channel", "Granularity of the weights' scales",
           [{::llvm::cl::values(
              clEnumValN(WeightGranularity::Tensor, "tensor", "one scale"),
              clEnumValN(WeightGranularity::Channel, "channel",
                         "a scale for each output feature"),
              clEnumValN(WeightGranularity::Group, "group",
                         "a scale for each group-size consecutive elements of "
                         "an output feature's weights; constant weights only"))}]>,
    Option<"groupSize", "group-size", "int64_t", "32",
           "Elements that share a scale with weights=group">,
    Option<"weightSymmetric", "weight-symmetric", "bool", "true",
           "The weights' zero points are 0; false: constant weights are "
           "asymmetric">,
    Option<"weightScale", "weight-scale", "WeightScaleSearch",
           "WeightScaleSearch::AbsMax", "How the scales of constant weights are chosen",
           [{::llvm::cl::values(
              clEnumValN(WeightScaleSearch::AbsMax, "absmax",
                         "no value is clipped"),
              clEnumValN(WeightScaleSearch::MSE, "mse",
                         "least squared error; weighted by the inputs' second "
                         "moments where the statistics hold them"),
              clEnumValN(WeightScaleSearch::FullRange, "full-range",
                         "the largest magnitude is 2^(bits - 1) steps on the "
                         "side of its sign, by the zero point 0 or -1; some "
                         "values of the other sign are clipped"),
              clEnumValN(WeightScaleSearch::FullRangeMSE, "full-range-mse",
                         "least squared error, with the zero point 0 or -1"),
              clEnumValN(WeightScaleSearch::AbsMean, "absmean",
                         "the mean magnitude; weight-format=ternary only"))}]>,
    Option<"scaleType", "scale-type", "WeightScales", "WeightScales::F32",
           "What scales of weights=group are rounded to: two bytes of a scale "
           "are half of what groups of 2 bits read besides their elements",
           [{::llvm::cl::values(
              clEnumValN(WeightScales::F32, "f32", "any"),
              clEnumValN(WeightScales::F16, "f16", "those of f16"),
              clEnumValN(WeightScales::BF16, "bf16", "those of bf16"))}]>,
    Option<"rounding", "rounding", "WeightRounding", "WeightRounding::Nearest",
           "How the values of constant weights are rounded",
           [{::llvm::cl::values(
              clEnumValN(WeightRounding::Nearest, "nearest", "each on its own"),
              clEnumValN(WeightRounding::ErrorCompensated, "error-compensated",
                         "GPTQ: an error is made good by the values after it; "
                         "needs second moments in the statistics"))}]>,
    Option<"damping", "damping", "double", "0.05",
           "Error compensation: share of the mean second moment that is added "
           "to each">,
    Option<"activationOrder", "activation-order", "bool", "false",
           "Error compensation: columns of large activations are rounded "
           "first">,
    Option<"stats", "stats", "std::string", [{""}],
           "Statistics file of quant-run --calibrate, of this program">,
    Option<"activations", "activations", "ActivationScheme",
           "ActivationScheme::DynamicToken", "How activations are quantized",
           [{::llvm::cl::values(
              clEnumValN(ActivationScheme::DynamicTensor, "dynamic-tensor",
                         "one scale, from the data"),
              clEnumValN(ActivationScheme::DynamicToken, "dynamic-token",
                         "a scale for each row, from the data"),
              clEnumValN(ActivationScheme::DynamicBlock, "dynamic-block",
                         "a scale for each block-size consecutive elements of "
                         "a row, from the data; constant weights only"),
              clEnumValN(ActivationScheme::Static, "static",
                         "scales that the program gives in QDQ form, else from "
                         "the statistics"),
              clEnumValN(ActivationScheme::Float, "float",
                         "they stay float: only constant weights are "
                         "quantized"))}]>,
    Option<"blockSize", "block-size", "int64_t", "32",
           "Elements that share a scale with activations=dynamic-block">,
    Option<"activationScales", "activation-scales", "ActivationScales",
           "ActivationScales::F32", "Values that scales of blocks have "
           "(quant.quantize_blocks)",
           [{::llvm::cl::values(
              clEnumValN(ActivationScales::F32, "f32", "any"),
              clEnumValN(ActivationScales::F16, "f16", "those of f16"),
              clEnumValN(ActivationScales::BF16, "bf16", "those of bf16"),
              clEnumValN(ActivationScales::E8M0, "e8m0",
                         "powers of two, as OCP MX chooses them"),
              clEnumValN(ActivationScales::Q8_0, "q8_0",
                         "those of f16, and integers rounded as by the "
                         "reference of GGUF's Q8_0"),
              clEnumValN(ActivationScales::MLAS, "mlas",
                         "any, and integers rounded as by ONNX Runtime's "
                         "MatMulNBits with accuracy_level=4"))}]>,
    Option<"observer", "observer", "RangeObserver", "RangeObserver::MinMax",
           "Static activations: the range that statistics stand for",
           [{::llvm::cl::values(
              clEnumValN(RangeObserver::MinMax, "minmax", "all that was seen"),
              clEnumValN(RangeObserver::MovingAverage, "moving-average",
                         "average of the inputs' extremes"),
              clEnumValN(RangeObserver::Percentile, "percentile",
                         "all but one of 10,000 values"),
              clEnumValN(RangeObserver::Mse, "mse", "least squared error"),
              clEnumValN(RangeObserver::KL, "kl",
                         "least divergence of distributions"))}]>,
    Option<"rotation", "rotation", "RotationScheme", "RotationScheme::None",
           "Blocks along K of the activations and of constant weights are "
           "rotated before they are quantized (quant.rotate)",
           [{::llvm::cl::values(
              clEnumValN(RotationScheme::None, "none", "they are not"),
              clEnumValN(RotationScheme::Hadamard32, "hadamard32",
                         "blocks of 32"),
              clEnumValN(RotationScheme::Hadamard128, "hadamard128",
                         "blocks of 128"))}]>,
    Option<"rotationSeed", "rotation-seed", "int64_t", "0",
           "Of the rotation's signs; 0: none are turned">,
    Option<"attention", "attention", "bool", "false",
           "Also quantize products of two activations with batch dimensions: "
           "a scale for each row of the left one, for each batch of the right "
           "one, from the data">,
    ListOption<"include", "include", "std::string",
               "Globs: only matmuls whose name, location or op fits one">,
    ListOption<"exclude", "exclude", "std::string",
               "Globs: not the matmuls whose name, location or op fits one">,
    Option<"recipe", "recipe", "std::string", [{""}],
           "JSON file with options for each matmul, see Quantize/Recipe.h">,
    Option<"symmetric", "symmetric", "bool", "true",
           "Zero points are 0; false: activations are asymmetric">,
    Option<"report", "report", "bool", "false",
           "End with a remark that holds the statistics (which release builds "
           "of LLVM cannot print)">
  ];
  let statistics = [
    Statistic<"numMatmuls", "num-matmuls", "Float contractions seen">,
    Statistic<"numQuantized", "num-quantized", "Contractions rewritten">,
    Statistic<"numSkipped", "num-skipped", "Contractions left in float">
  ];
  let dependentDialects = ["::mlir::quant::QuantDialect",
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"];
}

#endif // QUANT_QUANTIZE_PASSES_TD
