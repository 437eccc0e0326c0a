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
#include "quant/Dialect/Quant/Utils/LeftReason.h"
#include "quant/Import/Contraction/ChosenWeight.h"
#include "quant/Import/Contraction/DropUnitLoops.h"
#include "quant/Import/Contraction/FuseBias.h"
#include "quant/Import/Contraction/QuantizedOperand.h"
#include "quant/Import/Convolution/ConvolutionToMatmul.h"
#include "quant/Import/Groups/SplitReduction.h"
#include "quant/Import/Linalg/ConvertElementwise.h"
#include "quant/Import/Linalg/ExpandGathers.h"
#include "quant/Import/Linalg/ImportContraction.h"
#include "quant/Import/QDQ/ConvertQDQ.h"
#include "quant/Import/QuantCasts/QuantCasts.h"
#include "quant/Import/VerifyReshapes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
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
    if (failed(verifyReshapes(getOperation())))
      return signalPassFailure();
    convertElementwise(getOperation());
    expandGathers(getOperation());
    dropUnitLoops(getOperation());
    loopOverChoices(getOperation());
    sliceLookups(getOperation());
    if (failed(convertQuantCasts(getOperation())))
      return signalPassFailure();
    splitProductBodies(getOperation());
    convertQDQ(getOperation());
    foldConstantOperands(getOperation());
    foldConstantQuantizes(getOperation());
    if (!matmuls)
      return;
    convertDequantizedConvolutions();
    sinkDequantize(getOperation());
    splitGroupedReductions(getOperation(), weightOnly);
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
      if (succeeded(importContraction(op, weightOnly, reason))) {
        ++numImported;
        ++imported;
      } else if (!reason.empty()) {
        ++numNotImported;
        ++notImported;
        noteReason(op, kLeftAttr, reason);
        emitRemark(op->getLoc())
            << "quantized matmul is not imported: " << reason;
      }
    }
    fuseBias(getOperation());
    if (report)
      getOperation()->emitRemark()
          << imported << " quantized matmuls imported, " << notImported
          << " left as they were";
  }

private:
  /// Float convolutions of two dequantized operands are quantized ones.
  void convertDequantizedConvolutions() {
    SmallVector<linalg::LinalgOp> convolutions;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (isConvolution(op) && isDequantized(op.getDpsInputs()[0]) &&
          isDequantized(op.getDpsInputs()[1]))
        convolutions.push_back(op);
    });
    for (linalg::LinalgOp op : convolutions) {
      std::string reason;
      Location loc = op->getLoc();
      if (succeeded(convolutionToMatmul(op, reason)))
        continue;
      noteReason(op, kLeftAttr, reason);
      emitRemark(loc) << "quantized convolution is not imported: " << reason;
    }
  }

  static bool isDequantized(Value value) {
    if (auto pad = value.getDefiningOp<tensor::PadOp>())
      value = pad.getSource();
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type)
      return false;
    auto loops = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
    return matchDequantized({value, loops}).has_value();
  }
};
} // namespace
