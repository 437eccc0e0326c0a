//===- MathToArith.td - functions as polynomials -----------*- tablegen -*-===//

#ifndef QUANT_CONVERSION_MATHTOARITH_TD
#define QUANT_CONVERSION_MATHTOARITH_TD

include "mlir/Pass/PassBase.td"

def QuantApproximateMathPass
    : Pass<"quant-approximate-math", "::mlir::ModuleOp"> {
  let summary = "Exponential, error function, tanh and log as polynomials";
  let description = [{
    Replaces `math.exp`, `math.tanh` and `math.log` of f32 by upstream's
    polynomial approximations, and `math.erf` by one polynomial, within 2.0e-7
    (2.7e-7 of the result), on scalars and on vectors alike. They
    are sums, products and `math.fma`, each rounded once: every target computes
    the same bits, whatever its libm, and many lanes at a time. An `erf` of a
    quotient by a constant (a GELU's root of 2) takes the product with the
    reciprocal instead. Other types and functions are left to libm.

    Example:

    ```mlir
    %e = math.exp %x : vector<32xf32>
    // becomes
    %n = math.floor ... : vector<32xf32>
    %p = math.fma ... : vector<32xf32>
    ```
  }];
  let statistics = [
    Statistic<"numApproximated", "num-approximated", "Functions replaced">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
}

#endif // QUANT_CONVERSION_MATHTOARITH_TD
