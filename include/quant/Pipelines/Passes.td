//===- Passes.td - steps of pipelines that change nothing --*- tablegen -*-===//

#ifndef QUANT_PIPELINES_PASSES_TD
#define QUANT_PIPELINES_PASSES_TD

include "mlir/Pass/PassBase.td"

def QuantLoadDialectsPass : Pass<"quant-load-dialects", "::mlir::ModuleOp"> {
  let summary = "Load the dialects that are converted to LLVM's; changes nothing";
  let description = [{
    Stands before the one `convert-to-llvm` that takes all that is left to LLVM's
    dialect. That pass, confined to dialects, wants them loaded, and a program may
    have no op of one.
  }];
  let dependentDialects = ["::mlir::amx::AMXDialect", "::mlir::arith::ArithDialect",
    "::mlir::cf::ControlFlowDialect", "::mlir::func::FuncDialect",
    "::mlir::memref::MemRefDialect", "::mlir::ub::UBDialect"];
}

#endif // QUANT_PIPELINES_PASSES_TD
