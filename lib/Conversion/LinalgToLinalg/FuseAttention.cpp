//===- FuseAttention.cpp - products of activations in tiles of rows -------===//
//
// What exporters write of attention is a product (the scores), ops over whole
// tensors of its size (scale, mask, softmax) and a product of what they give.
// With a few hundred tokens such a tensor is larger than the caches, and each
// op reads and writes all of it. Nothing here knows a softmax: whatever stands
// between two products and is read by nobody else is computed for some rows,
// with upstream's tiling and fusion, and stays near. Each number is computed as
// before, so that results are the same to the bit.
//
//===----------------------------------------------------------------------===//

#include "AttentionReshapes.h"

#include "quant/Conversion/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/DebugLog.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTFUSEATTENTIONPASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

#define DEBUG_TYPE "quant-fuse-attention"

using namespace mlir;
using namespace quantmlir;

/// The loops over rows of the weights, which other operands but the result do
/// not have, and those that all operands have.
static SmallVector<unsigned> getLoops(linalg::LinalgOp op, OpOperand *weights,
                                      bool shared) {
  SmallVector<unsigned> loops;
  OpOperand *other =
      op.getDpsInputOperand(weights == op.getDpsInputOperand(0) ? 1 : 0);
  for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    if (kind == utils::IteratorType::parallel &&
        op.getMatchingIndexingMap(weights).isFunctionOfDim(loop) &&
        op.getMatchingIndexingMap(other).isFunctionOfDim(loop) == shared)
      loops.push_back(loop);
  return loops;
}

/// Whether the value comes from a product by ops on whole tensors, which are
/// added to `found` with that product, users before what they use.
static bool collect(Value value, llvm::SetVector<Operation *> &found,
                    llvm::DenseMap<Operation *, bool> &known) {
  auto op = dyn_cast_if_present<linalg::LinalgOp>(getBehindReshapes(value));
  if (!op || !op.hasPureTensorSemantics())
    return false;
  if (auto it = known.find(op); it != known.end())
    return it->second;
  known[op] = false;
  bool comes = isProduct(op);
  if (!comes && isa<linalg::GenericOp, linalg::ReduceOp, linalg::MapOp>(op))
    for (OpOperand *input : op.getDpsInputOperands())
      comes |= collect(input->get(), found, known);
  if (comes)
    found.insert(op);
  return known[op] = comes;
}

/// Whether all users are among them, or the product.
static bool isReadBy(const Attention &attention, Operation *op) {
  return llvm::all_of(op->getUsers(), [&](Operation *user) {
    return user == attention.product || attention.between.contains(user) ||
           (isReshape(user) && isReadBy(attention, user));
  });
}

static FailureOr<Attention> match(linalg::LinalgOp op) {
  if (!isProduct(op))
    return failure();
  for (OpOperand *weights : op.getDpsInputOperands()) {
    Attention attention{op, weights, {}};
    llvm::DenseMap<Operation *, bool> known;
    if (isProduct(getBehindReshapes(weights->get())) ||
        !collect(weights->get(), attention.between, known))
      continue;
    if (getLoops(op, weights, /*shared=*/true).empty() ||
        getLoops(op, weights, /*shared=*/false).empty()) {
      LDBG() << "no heads or no rows: " << op;
      continue;
    }
    Operation *outside = nullptr;
    for (Operation *one : attention.between)
      if (!isReadBy(attention, one))
        outside = one;
    if (!outside)
      return attention;
    LDBG() << "something else reads " << *outside;
  }
  return failure();
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

/// Bytes of the weights, as far as sizes are known.
static int64_t getBytes(RankedTensorType type) {
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  for (int64_t size : type.getShape())
    if (!ShapedType::isDynamic(size) && llvm::MulOverflow(bytes, size, bytes))
      return std::numeric_limits<int64_t>::max();
  return bytes;
}

/// Whether some of it has no iteration, of which upstream makes no tiles.
static bool isEmpty(const Attention &attention) {
  return llvm::any_of(attention.between, [](Operation *op) {
    return llvm::is_contained(cast<linalg::LinalgOp>(op).getStaticLoopRanges(),
                              0);
  });
}

/// Whether a head has one row only: a decoder's next token.
static bool isOneRow(const Attention &attention) {
  linalg::LinalgOp op = attention.product;
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  return llvm::all_of(getLoops(op, attention.weights, /*shared=*/false),
                      [&](unsigned loop) { return ranges[loop] == 1; });
}

/// Whether only the run knows how many weights a head has.
static bool isLongOfRun(const Attention &attention) {
  linalg::LinalgOp op = attention.product;
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  SmallVector<unsigned> loops =
                            getLoops(op, attention.weights, /*shared=*/false),
                        sums;
  op.getReductionDims(sums);
  loops.append(sums);
  return llvm::any_of(loops, [&](unsigned loop) {
    return ShapedType::isDynamic(ranges[loop]);
  });
}

/// Rows of a tile: whole ones of the kernels' registers, a part of all rows
/// where their number is known.
static int64_t getRows(int64_t rows, std::optional<int64_t> bytesOfRow,
                       int64_t tileBytes) {
  constexpr int64_t step = 8, most = 64, usual = 32;
  int64_t fitting =
      bytesOfRow ? tileBytes / std::max<int64_t>(*bytesOfRow, 1) : usual;
  fitting = std::clamp(fitting / step * step, step, most);
  if (ShapedType::isDynamic(rows))
    return fitting;
  for (int64_t part = fitting; part > 0; part -= step)
    if (rows % part == 0)
      return part;
  return std::min(rows, fitting);
}

static SmallVector<OpFoldResult> getTileSizes(const Attention &attention,
                                              int64_t tileBytes) {
  linalg::LinalgOp op = attention.product;
  Builder b(op.getContext());
  SmallVector<OpFoldResult> sizes(op.getNumLoops(), b.getIndexAttr(0));
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  SmallVector<unsigned> rows =
      getLoops(op, attention.weights, /*shared=*/false);
  SmallVector<unsigned> heads =
      getLoops(op, attention.weights, /*shared=*/true);
  for (unsigned loop : llvm::concat<unsigned>(heads, rows))
    if (ranges[loop] != 1)
      sizes[loop] = b.getIndexAttr(1);
  std::optional<int64_t> bytes =
      cast<RankedTensorType>(attention.weights->get().getType())
          .getElementTypeBitWidth() /
      8;
  for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    if (kind == utils::IteratorType::reduction && bytes) {
      int64_t product = 0;
      bool isKnown = !ShapedType::isDynamic(ranges[loop]) &&
                     !llvm::MulOverflow(*bytes, ranges[loop], product);
      bytes = isKnown ? std::optional(product) : std::nullopt;
    }
  sizes[rows.back()] =
      b.getIndexAttr(getRows(ranges[rows.back()], bytes, tileBytes));
  return sizes;
}

static LogicalResult tile(RewriterBase &b, const Attention &attention,
                          int64_t tileBytes) {
  linalg::LinalgOp op = attention.product;
  fillTiles(b, op);
  for (Operation *one : attention.between)
    fillTiles(b, cast<linalg::LinalgOp>(one));
  scf::SCFTileAndFuseOptions options;
  options.tilingOptions.setTileSizes(getTileSizes(attention, tileBytes))
      .setLoopType(scf::SCFTilingOptions::LoopType::ForallOp);
  options.setFusionControlFn(
      [&](tensor::ExtractSliceOp, OpResult producer,
          bool) -> std::optional<scf::SCFTileAndFuseOptions::ControlFnResult> {
        if (!isa<linalg::FillOp>(producer.getOwner()) &&
            !attention.between.contains(producer.getOwner()))
          return std::nullopt;
        return scf::SCFTileAndFuseOptions::ControlFnResult{};
      });
  b.setInsertionPoint(op);
  FailureOr<scf::SCFTileAndFuseResult> tiled =
      scf::tileConsumerAndFuseProducersUsingSCF(
          b, cast<TilingInterface>(op.getOperation()), options);
  if (failed(tiled))
    return failure();
  b.replaceOp(op, tiled->replacements.lookup(op->getResult(0)));
  // A slice of nothing is nothing: else all of it would have its memory.
  for (LoopLikeOpInterface loop : tiled->loops)
    loop->walk([&](tensor::ExtractSliceOp slice) {
      if (!slice.getSource().getDefiningOp<tensor::EmptyOp>())
        return;
      b.setInsertionPoint(slice);
      RankedTensorType type = slice.getType();
      Value empty = tensor::EmptyOp::create(
          b, slice.getLoc(), slice.getMixedSizes(), type.getElementType());
      if (empty.getType() == type)
        b.replaceOp(slice, empty);
    });
  return success();
}

namespace {
struct QuantFuseAttentionPass
    : quantmlir::impl::QuantFuseAttentionPassBase<QuantFuseAttentionPass> {
  using Base::Base;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    // Reshapes that only move around end somewhere, too.
    constexpr int64_t mostSteps = 10000;
    for (int64_t i = 0; i != mostSteps && step(rewriter); ++i)
      ;
    getOperation()->walk(
        [](linalg::LinalgOp op) { op->removeDiscardableAttr(kSeen); });
  }

private:
  /// Of a product that stays as it is.
  static constexpr StringLiteral kSeen = "quant.seen";

  /// Takes a reshape out of one attention, or fuses one.
  bool step(RewriterBase &b) {
    FailureOr<Attention> found = failure();
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (op->hasAttr(kSeen) || op->getParentOfType<scf::ForallOp>())
        return WalkResult::advance();
      found = match(op);
      if (succeeded(found) && isWorth(*found))
        return WalkResult::interrupt();
      op->setDiscardableAttr(kSeen, UnitAttr::get(&getContext()));
      found = failure();
      return WalkResult::advance();
    });
    if (failed(found))
      return false;
    linalg::GenericOp kept = findKeptSize(*found);
    if (kept && dropKeptSizes(b, kept))
      return true;
    OpOperand *reshape = findReshape(*found);
    if (reshape && takeOut(b, *reshape))
      return true;
    if (!reshape && !kept && succeeded(tile(b, *found, tileBytes))) {
      ++numFused;
      return true;
    }
    LDBG() << (reshape || kept ? "a reshape stays in between"
                               : "cannot be tiled");
    found->product->setDiscardableAttr(kSeen, UnitAttr::get(&getContext()));
    return true;
  }

  /// Whether the weights are more than caches hold, or may be.
  bool isWorth(const Attention &attention) {
    auto type = cast<RankedTensorType>(attention.weights->get().getType());
    return !isEmpty(attention) && !isOneRow(attention) &&
           (getBytes(type) >= (type.hasStaticShape() ? minBytes : tileBytes) ||
            isLongOfRun(attention));
  }
};
} // namespace
