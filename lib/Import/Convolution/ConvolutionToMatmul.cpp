//===- ConvolutionToMatmul.cpp - convolutions as contractions -------------===//
//
// `quant-convolution-to-matmul`. A convolution is a contraction but for its
// input's map, which adds loops up (`oh * 2 + kh`). A `linalg.generic` with
// that map copies each window to a row, and the convolution with the copy as
// its input is a contraction that the other passes know. Layouts need no cases:
// everything is read off the indexing maps. Upstream's rewriteInIm2Col (22.1.8)
// gathers by `tensor.extract` with divided indices, and wants static shapes.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/Convolution/ConvolutionToMatmul.h"

#include "quant/Dialect/Quant/Utils/LeftReason.h"
#include "quant/Import/Contraction/ContractionMatcher.h"
#include "quant/Import/Contraction/MatmulEmitter.h"
#include "quant/Import/MatmulNames.h"
#include "quant/Import/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTCONVOLUTIONTOMATMULPASS
#include "quant/Import/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

static bool walks(AffineExpr expr, unsigned loop) {
  return expr.isFunctionOfDim(loop);
}

static bool walks(AffineMap map, unsigned loop) {
  return map.isFunctionOfDim(loop);
}

bool quantmlir::isConvolution(linalg::LinalgOp op) {
  ElementKind lhs, rhs;
  if (op.getNumReductionLoops() == 0 || op.getNumDpsInits() != 1 ||
      failed(matchProductBody(op, lhs, rhs)))
    return false;
  AffineMap input = op.getMatchingIndexingMap(op.getDpsInputOperand(0));
  return llvm::any_of(input.getResults(), [](AffineExpr expr) {
    return !isa<AffineDimExpr, AffineConstantExpr>(expr);
  });
}

namespace {

/// A convolution whose loops are either of the rows (the input's and the
/// result's), of the columns, or of the window.
struct Windows {
  linalg::LinalgOp op;
  AffineMap input, filter, result;
  /// Loops of the copy: rows in the input's order, then the filter's order.
  SmallVector<unsigned> rows, reduced;
  /// Whether each window is one point, so that nothing is copied.
  bool arePoints = false;

  RankedTensorType getType(unsigned operand) const {
    return cast<RankedTensorType>(op->getOperand(operand).getType());
  }
  unsigned getNumLoops() const { return input.getNumDims(); }
  bool isKept(unsigned loop) const {
    return walks(filter, loop) || walks(result, loop);
  }
  OpFoldResult getSize(OpBuilder &builder, unsigned loop) const;
  /// `map` without the loops that are not kept.
  AffineMap compress(AffineMap map) const;
};

} // namespace

static LogicalResult readMaps(Windows &w, std::string &reason) {
  linalg::LinalgOp op = w.op;
  w.input = op.getMatchingIndexingMap(op.getDpsInputOperand(0));
  w.filter = op.getMatchingIndexingMap(op.getDpsInputOperand(1));
  w.result = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!op.hasPureTensorSemantics()) {
    reason = "it works on buffers, not on tensors";
    return failure();
  }
  if (!w.filter.isProjectedPermutation() ||
      !w.result.isProjectedPermutation()) {
    reason = "its filter and result are not walked by one loop a dimension";
    return failure();
  }
  for (unsigned loop = 0; loop < w.getNumLoops(); ++loop) {
    bool inInput = walks(w.input, loop), inFilter = walks(w.filter, loop),
         inResult = walks(w.result, loop);
    if (inInput && inFilter && inResult) {
      reason = "each group of channels has a filter of its own (depthwise or "
               "grouped)";
      return failure();
    }
    if (inInput + inFilter + inResult < 2) {
      reason = "a loop walks one operand only";
      return failure();
    }
  }
  return success();
}

/// Takes the loops over a window of one point out of the maps. Returns whether
/// what is left of the input's map needs no copy.
static bool dropUnitWindow(Windows &w) {
  SmallVector<int64_t> sizes = w.op.getStaticLoopRanges();
  MLIRContext *context = w.op->getContext();
  bool arePoints = true;
  SmallVector<AffineExpr> input;
  RankedTensorType type = w.getType(0);
  AffineExpr zero = getAffineConstantExpr(0, context);
  for (auto [dim, result] : llvm::enumerate(w.input.getResults())) {
    AffineExpr expr = result;
    bool isSum = !isa<AffineDimExpr, AffineConstantExpr>(expr);
    for (unsigned loop = 0; isSum && loop < w.getNumLoops(); ++loop) {
      if (sizes[loop] != 1 || !walks(expr, loop) || walks(w.result, loop))
        continue;
      AffineExpr position = getAffineDimExpr(loop, context);
      expr = simplifyAffineExpr(expr.replace(position, zero), w.getNumLoops(),
                                /*numSymbols=*/0);
      w.filter = w.filter.replace(position, zero, w.getNumLoops(), 0);
    }
    auto loop = dyn_cast<AffineDimExpr>(expr);
    // A convolution may leave the end of its input out.
    bool isWhole =
        loop && (!isSum || (type.getDimSize(dim) == sizes[loop.getPosition()] &&
                            !type.isDynamicDim(dim)));
    arePoints &= isWhole;
    input.push_back(expr);
  }
  w.input = AffineMap::get(w.getNumLoops(), 0, input, context);
  return arePoints && w.input.isProjectedPermutation();
}

static FailureOr<Windows> matchWindows(linalg::LinalgOp op,
                                       std::string &reason) {
  Windows w;
  w.op = op;
  if (failed(readMaps(w, reason)))
    return failure();
  w.arePoints = dropUnitWindow(w);
  for (AffineExpr expr : w.input.getResults())
    for (unsigned loop = 0; loop < w.getNumLoops(); ++loop)
      if (walks(expr, loop) && walks(w.result, loop) &&
          !llvm::is_contained(w.rows, loop))
        w.rows.push_back(loop);
  for (AffineExpr expr : w.filter.getResults())
    if (auto loop = dyn_cast<AffineDimExpr>(expr);
        loop && !walks(w.result, loop.getPosition()))
      w.reduced.push_back(loop.getPosition());
  if (w.reduced.empty()) {
    reason = "it sums nothing up: one channel, one point a window";
    return failure();
  }
  return w;
}

OpFoldResult Windows::getSize(OpBuilder &builder, unsigned loop) const {
  AffineExpr expr = getAffineDimExpr(loop, builder.getContext());
  Location loc = op->getLoc();
  linalg::LinalgOp linalgOp = op;
  if (std::optional<unsigned> dim = result.getResultPosition(expr))
    return tensor::getMixedSize(builder, loc, linalgOp.getDpsInits()[0], *dim);
  return tensor::getMixedSize(builder, loc, op->getOperand(1),
                              *filter.getResultPosition(expr));
}

AffineMap Windows::compress(AffineMap map) const {
  SmallVector<AffineExpr> replacements;
  unsigned numKept = 0;
  for (unsigned loop = 0; loop < getNumLoops(); ++loop)
    replacements.push_back(isKept(loop)
                               ? getAffineDimExpr(numKept++, map.getContext())
                               : getAffineConstantExpr(0, map.getContext()));
  return map.replaceDimsAndSymbols(replacements, {}, numKept, 0);
}

/// Copies every window: `[rows.., reduced..]`.
static Value emitCopy(OpBuilder &builder, const Windows &w) {
  Location loc = w.op->getLoc();
  SmallVector<unsigned> loops(w.rows);
  llvm::append_range(loops, w.reduced);
  SmallVector<AffineExpr> positions(
      w.getNumLoops(), getAffineConstantExpr(0, builder.getContext()));
  SmallVector<OpFoldResult> sizes;
  for (auto [position, loop] : llvm::enumerate(loops)) {
    positions[loop] = builder.getAffineDimExpr(position);
    sizes.push_back(w.getSize(builder, loop));
  }
  AffineMap from =
      w.input.replaceDimsAndSymbols(positions, {}, loops.size(), 0);
  Value empty = tensor::EmptyOp::create(builder, loc, sizes,
                                        w.getType(0).getElementType());
  SmallVector<AffineMap> maps{from,
                              builder.getMultiDimIdentityMap(loops.size())};
  SmallVector<utils::IteratorType> kinds(loops.size(),
                                         utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, TypeRange{empty.getType()}, w.op->getOperand(0),
             empty, maps, kinds,
             [](OpBuilder &b, Location l, mlir::ValueRange args) {
               linalg::YieldOp::create(b, l, args.front());
             })
      .getResult(0);
}

std::string quantmlir::explainConvolution(linalg::LinalgOp op) {
  std::string reason;
  return failed(matchWindows(op, reason)) ? reason : std::string();
}

LogicalResult quantmlir::convolutionToMatmul(linalg::LinalgOp op,
                                             std::string &reason) {
  FailureOr<Windows> windows = matchWindows(op, reason);
  if (failed(windows))
    return failure();
  Windows &w = *windows;
  OpBuilder builder(op);
  SmallVector<Value> inputs(op.getDpsInputs());
  AffineMap lhs = w.input;
  if (!w.arePoints) {
    inputs[0] = emitCopy(builder, w);
    SmallVector<AffineExpr> positions;
    for (ArrayRef<unsigned> loops : {ArrayRef(w.rows), ArrayRef(w.reduced)})
      for (unsigned loop : loops)
        positions.push_back(builder.getAffineDimExpr(loop));
    lhs = AffineMap::get(w.getNumLoops(), 0, positions, builder.getContext());
  }
  SmallVector<AffineMap> maps{w.compress(lhs), w.compress(w.filter)};
  // Named: a range over a temporary would outlive it.
  SmallVector<OpOperand *> operands = op.getDpsInputOperands();
  for (OpOperand *scalar : llvm::drop_begin(operands, 2))
    maps.push_back(w.compress(op.getMatchingIndexingMap(scalar)));
  maps.push_back(w.compress(w.result));
  SmallVector<utils::IteratorType> kinds;
  for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    if (w.isKept(loop))
      kinds.push_back(kind);
  auto contraction =
      linalg::GenericOp::create(builder, op->getLoc(), op->getResultTypes(),
                                inputs, op.getDpsInits(), maps, kinds);
  for (NamedAttribute attribute : op->getDiscardableAttrs())
    if (attribute.getNameDialect() != op->getDialect())
      contraction->setDiscardableAttr(attribute.getName(),
                                      attribute.getValue());
  if (!isa<linalg::GenericOp>(op))
    contraction->setDiscardableAttr(kMatmulKindAttr,
                                    builder.getStringAttr(getMatmulKind(op)));
  IRMapping mapping;
  op->getRegion(0).cloneInto(&contraction.getRegion(), mapping);
  op->getResult(0).replaceAllUsesWith(contraction.getResult(0));
  op->erase();
  return success();
}

namespace {
struct QuantConvolutionToMatmulPass
    : quantmlir::impl::QuantConvolutionToMatmulPassBase<
          QuantConvolutionToMatmulPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> candidates;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (isConvolution(op))
        candidates.push_back(op);
    });
    for (linalg::LinalgOp op : candidates) {
      bool isFloat = isa<FloatType>(
          getElementTypeOrSelf(op.getDpsInputs().front().getType()));
      if (isFloat && !floats)
        continue;
      std::string reason;
      Location loc = op->getLoc();
      if (succeeded(convolutionToMatmul(op, reason))) {
        ++numConverted;
        continue;
      }
      ++numLeft;
      if (!remarks)
        continue;
      noteReason(op, kLeftAttr, reason);
      emitRemark(loc) << (isFloat ? "convolution stays in float: "
                                  : "quantized convolution is not imported: ")
                      << reason;
    }
  }
};
} // namespace
