//===- LowerPack.cpp - linalg.pack to vector copies -----------------------===//

#include "LowerColumnPack.h"
#include "quant/Target/CPU/Parallel/IndependentLoops.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/PatternMatch.h"
#include "quant/Target/CPU/Passes.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTLOWERPACKPASS
#include "quant/Target/CPU/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

/// Whether `op` is [rows, K] to [rows/R][K/KR][R][KR] with static R and KR.
static bool isRowPanelPack(linalg::PackOp op) {
  return op.getSourceType().getRank() == 2 && op.getOuterDimsPerm().empty() &&
         op.getInnerDimsPos() == ArrayRef<int64_t>{0, 1} &&
         op.getInnerTiles().empty();
}

/// Copies the columns of one row: whole vectors, then single elements.
static Value copyRow(OpBuilder &b, linalg::PackOp op, Value row, Value dest) {
  Location loc = op.getLoc();
  ArrayRef<int64_t> tiles = op.getStaticInnerTiles();
  Type element = op.getSourceType().getElementType();
  auto index = [&](int64_t v) -> Value {
    return arith::ConstantIndexOp::create(b, loc, v);
  };
  Value zero = index(0), one = index(1);
  Value rowTile = index(tiles[0]), kTile = index(tiles[1]);
  Value panel = arith::DivUIOp::create(b, loc, row, rowTile);
  Value lane = arith::RemUIOp::create(b, loc, row, rowTile);
  Value k = tensor::DimOp::create(b, loc, op.getSource(), 1);
  Value steps = arith::DivUIOp::create(b, loc, k, kTile);
  auto vectorType = VectorType::get({tiles[1]}, element);
  auto body = scf::ForOp::create(
      b, loc, zero, steps, one, dest,
      [&](OpBuilder &b, Location loc, Value step, ValueRange args) {
        Value column = arith::MulIOp::create(b, loc, step, kTile);
        Value v = vector::TransferReadOp::create(
            b, loc, vectorType, op.getSource(), ValueRange{row, column},
            /*padding=*/std::nullopt, ArrayRef<bool>{true});
        Value written =
            vector::TransferWriteOp::create(b, loc, v, args[0],
                                            ValueRange{panel, step, lane, zero},
                                            ArrayRef<bool>{true})
                .getResult();
        scf::YieldOp::create(b, loc, written);
      });
  dest = body.getResult(0);
  if (!op.getSourceType().isDynamicDim(1) &&
      op.getSourceType().getDimSize(1) % tiles[1] == 0)
    return dest;
  Value first = arith::MulIOp::create(b, loc, steps, kTile);
  auto tail = scf::ForOp::create(
      b, loc, first, k, one, dest,
      [&](OpBuilder &b, Location loc, Value column, ValueRange args) {
        Value x = tensor::ExtractOp::create(b, loc, op.getSource(),
                                            ValueRange{row, column});
        Value offset = arith::SubIOp::create(b, loc, column, first);
        Value written = tensor::InsertOp::create(
            b, loc, x, args[0], ValueRange{panel, steps, lane, offset});
        scf::YieldOp::create(b, loc, written);
      });
  return tail.getResult(0);
}

static void lowerRowPanelPack(RewriterBase &b, linalg::PackOp op) {
  Location loc = op.getLoc();
  b.setInsertionPoint(op);
  Value dest = op.getDest();
  if (Value padding = op.getPaddingValue())
    dest = linalg::FillOp::create(b, loc, padding, dest).getResult(0);
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value rows = tensor::DimOp::create(b, loc, op.getSource(), 0);
  auto loop = scf::ForOp::create(
      b, loc, zero, rows, one, dest,
      [&](OpBuilder &b, Location loc, Value row, ValueRange args) {
        scf::YieldOp::create(b, loc, copyRow(b, op, row, args[0]));
      });
  // A byte that is copied is a fraction of an element that is computed.
  constexpr int64_t copies = 8;
  markIndependent(loop, countInner(op.getSourceType().getShape(), 1) / copies);
  b.replaceOp(op, loop.getResults());
}

namespace {

struct QuantLowerPackPass
    : quantmlir::impl::QuantLowerPackPassBase<QuantLowerPackPass> {
  using Base::Base;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    WalkResult result = getOperation()->walk([&](Operation *op) {
      LogicalResult lowered = success();
      if (auto pack = dyn_cast<linalg::PackOp>(op)) {
        if (isRowPanelPack(pack)) {
          lowerRowPanelPack(rewriter, pack);
        } else if (isColumnPanelPack(pack)) {
          lowerColumnPanelPack(rewriter, pack);
        } else {
          rewriter.setInsertionPoint(pack);
          lowered = linalg::lowerPack(rewriter, pack);
        }
      } else if (auto unpack = dyn_cast<linalg::UnPackOp>(op)) {
        rewriter.setInsertionPoint(unpack);
        lowered = linalg::lowerUnPack(rewriter, unpack);
      }
      if (failed(lowered)) {
        op->emitError() << "could not be lowered: expected static inner tiles";
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
