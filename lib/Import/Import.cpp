//===- Import.cpp - matmuls that are already quantized --------------------===//
//
// `quant-import`: first the forms that are types (upstream's casts) become ops
// on stored integers, then contractions of dequantized tensors, linalg's
// quantized named ops and integer contractions become `quant.matmul`. One
// folder for each source form.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/Passes.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Import/Contraction/FuseBias.h"
#include "quant/Import/Linalg/ImportContraction.h"
#include "quant/Import/QDQGenerics/QDQGenerics.h"
#include "quant/Import/QuantCasts/QuantCasts.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTIMPORTPASS
#include "quant/Import/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

namespace {
struct QuantImportPass : quantmlir::impl::QuantImportPassBase<QuantImportPass> {
  using Base::Base;

  void runOnOperation() override {
    convertQuantCasts(getOperation());
    convertQDQGenerics(getOperation());
    if (!matmuls)
      return;
    sinkDequantize(getOperation());

    SmallVector<linalg::LinalgOp> candidates;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (op.getNumReductionLoops() != 0)
        candidates.push_back(op);
    });
    // The statistics are compiled out of release builds: these are not.
    int64_t imported = 0, notImported = 0;
    for (linalg::LinalgOp op : candidates) {
      std::string reason;
      if (succeeded(importContraction(op, reason))) {
        ++numImported;
        ++imported;
      } else if (!reason.empty()) {
        ++numNotImported;
        ++notImported;
        op->emitRemark() << "quantized matmul is not imported: " << reason;
      }
    }
    fuseBias(getOperation());
    if (report)
      getOperation()->emitRemark()
          << imported << " quantized matmuls imported, " << notImported
          << " left as they were";
  }
};
} // namespace
