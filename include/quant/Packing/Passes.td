//===- Passes.td - from the quant to the packed stage ------*- tablegen -*-===//

#ifndef QUANT_PACKING_PASSES_TD
#define QUANT_PACKING_PASSES_TD

include "mlir/Pass/PassBase.td"

def QuantPackMatmulPass : Pass<"quant-pack-matmul", "::mlir::ModuleOp"> {
  let summary = "Pack quant.matmul for the best instruction of the target";
  let description = [{
    Chooses an instruction and a register tile from the module's
    `qtarget.target`, and rewrites `quant.matmul`, with the `quant.rescale`
    that is its only user, into `linalg.pack` of both operands and one
    `qtarget.packed_matmul`. A constant weight is packed at compile time; its
    column sums, the zero points and the shift that makes signed activations
    unsigned become one i32 vector.

    Batch dimensions become an `scf.for` over matmuls of rank 2.

    What has no kernel stays for the portable lowering, which is correct and
    slow, with a remark; the module's `quant.portable` counts them by reason.

    Tile and blocks follow from a cost model (docs/x86.md), or, for matmuls that
    `schedules` lists, from what `quant-run --tune` measured.
  }];
  let options = [
    Option<"schedules", "schedules", "std::string", /*default=*/"",
           "JSON file of schedules that `quant-run --tune` wrote">,
    Option<"strict", "strict", "bool", "false",
           "Fail where a product is not packed">
  ];
  let statistics = [
    Statistic<"numPacked", "num-packed", "Matmuls packed">,
    Statistic<"numFusedRescale", "num-fused-rescale",
              "Rescales fused into their matmul">,
    Statistic<"numTuned", "num-tuned", "Matmuls with a measured schedule">
  ];
  let dependentDialects = ["::mlir::quant::QuantDialect",
    "::quantmlir::qtarget::QTargetDialect", "::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

#endif // QUANT_PACKING_PASSES_TD
