//===- ArithToArith.td - floats as integers ----------------*- tablegen -*-===//

#ifndef QUANT_CONVERSION_ARITHTOARITH_TD
#define QUANT_CONVERSION_ARITHTOARITH_TD

include "mlir/Pass/PassBase.td"

def QuantExpandBF16Pass : Pass<"quant-expand-bf16", "::mlir::ModuleOp"> {
  let summary = "bf16 to f32 and back by integer arithmetic";
  let description = [{
    Replaces `arith.truncf` from f32 to bf16 by upstream's integer form, which
    rounds to nearest, ties to even, denormals included, and keeps NaN a NaN;
    and `arith.extf` from bf16 to f32 by a shift. LLVM's own choice on x86
    processors with AVX512_BF16 or AVX-NE-CONVERT (`vcvtneps2bf16`) takes
    denormals for zero. Arithmetic on bf16 has to be on f32 already
    (`arith-emulate-unsupported-floats`). Conversions of f4E2M1FN and f8E8M0FNU,
    which LLVM does not know, become integer forms, too: our own to E2M1 and from
    E8M0, upstream's the other way. Errors: rounding modes other than to nearest
    even, and f64 on the other side of these two.

    Example:

    ```mlir
    %y = arith.truncf %x : f32 to bf16
    // becomes
    %bits = arith.bitcast %x : f32 to i32
    %upper = arith.shrui ... : i32
    ...
    %y = arith.bitcast %rounded : i16 to bf16
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def QuantWidenFloatToIntPass
    : Pass<"quant-widen-float-to-int", "::mlir::ModuleOp"> {
  let summary = "Floats become narrow integers by way of i32";
  let description = [{
    Replaces `arith.fptosi` and `arith.fptoui` to integers of less than 32 bits
    by `arith.fptosi` to i32 and `arith.trunci`: a float that fits in i32 and
    not in the narrow type keeps its low bits, on every target, where the op
    itself is poison. A float that does not fit in i32 stays undefined.

    Example:

    ```mlir
    %z = arith.fptosi %x : f64 to i8 // of 146.0
    // becomes
    %i = arith.fptosi %x : f64 to i32
    %z = arith.trunci %i : i32 to i8 // -110
    ```
  }];
  let statistics = [
    Statistic<"numWidened", "num-widened", "Conversions replaced">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

#endif // QUANT_CONVERSION_ARITHTOARITH_TD
