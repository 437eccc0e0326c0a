//===- Passes.td - move outliers into the weights ----------*- tablegen -*-===//

#ifndef QUANT_EQUALIZE_PASSES_TD
#define QUANT_EQUALIZE_PASSES_TD

include "mlir/Pass/PassBase.td"

def QuantEqualizePass : Pass<"quant-equalize", "::mlir::ModuleOp"> {
  let summary = "Move outlier channels from activations into weights";
  let description = [{
    SmoothQuant (Xiao et al., ICML 2023) on the float program. A few channels
    of an activation are often a hundred times larger than the others and take
    the whole range of its scale. `x * W` is `(x / s) * (s * W)` for any
    vector s over the contracted channels; with

    ```
    s[k] = max|x[:, k]| ^ alpha / max|W[k, :]| ^ (1 - alpha)
    ```

    both sides become easy to quantize. The first maximum is the statistics'
    `channel_absmax`, the second is over all matmuls that share the activation,
    which share one s (query, key and value). A channel that is always 0, on
    either side, keeps s = 1.

    The weights' constants are multiplied by s. The division goes

    * into the constants that the activation was made with, where these serve
      nothing else: the gamma (and beta) of a norm, a factor of a product (SwiGLU's
      `up`), the rows of the weight of the matmul before, through reshapes and
      biases,
    * else into a multiplication of the activation by 1/s, which is later
      fused with its quantization (`unfolded=multiply`), or the matmul is left
      as it is (`unfolded=skip`).

    With `power-of-two`, s is rounded to powers of two: every product is exact,
    so the float program's results stay the same to the bit (as long as nothing
    underflows).

    Statistics describe the program before the pass. What needs them afterwards
    (static scales, second moments) must be calibrated again.

    Example, after `quant-run --calibrate`:

    ```
    quant-opt model.mlirbc -quant-equalize="stats=stats.json alpha=0.6"
    ```

    ```mlir
    %n = linalg.generic ... ins(%x, %gamma : ...) { mulf }
    %y = linalg.matmul ins(%n, %w : ...) outs(...)
    // becomes, with constants gamma / s and s * w
    %n = linalg.generic ... ins(%x, %gamma_over_s : ...) { mulf }
    %y = linalg.matmul ins(%n, %s_times_w : ...) outs(...)
    ```
  }];
  let options = [
    Option<"stats", "stats", "std::string", [{""}],
           "Statistics file of quant-run --calibrate, of this program">,
    Option<"alpha", "alpha", "double", "0.5",
           "0 to 1: how much of the difficulty goes to the weights">,
    Option<"unfolded", "unfolded", "UnfoldedScales", "UnfoldedScales::Multiply",
           "What to do where no constant can take the scales",
           [{::llvm::cl::values(
              clEnumValN(UnfoldedScales::Multiply, "multiply",
                         "multiply the activation at run time"),
              clEnumValN(UnfoldedScales::Skip, "skip", "do not equalize"))}]>,
    Option<"powerOfTwo", "power-of-two", "bool", "false",
           "Round the scales to powers of two: exact in floats">,
    Option<"report", "report", "bool", "false",
           "End with a remark that holds the statistics">
  ];
  let statistics = [
    Statistic<"numFolded", "num-folded",
              "Activations whose scales went into constants">,
    Statistic<"numMultiplied", "num-multiplied",
              "Activations that are multiplied at run time">,
    Statistic<"numSkipped", "num-skipped", "Activations left as they were">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

#endif // QUANT_EQUALIZE_PASSES_TD
