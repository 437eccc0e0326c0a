//===- SinkDequantize.cpp - move stored integers, not floats --------------===//
//
// What only moves elements commutes with a dequantize of the whole tensor:
// reshapes, the padding of a convolution (with the zero point, which stands for
// 0) and the copy of its windows. The integers then reach the contraction.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/QuantCasts/QuantCasts.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Import/Contraction/MatmulEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace quantmlir;

/// Whether `op` copies windows: its map is no projected permutation. Other
/// copies are looked through where they are read.
static bool isWindowCopy(linalg::GenericOp op) {
  return op.getNumDpsInputs() == 1 && op.getNumDpsInits() == 1 &&
         op.getNumReductionLoops() == 0 && op.hasPureTensorSemantics() &&
         !op.getIndexingMapsArray().front().isProjectedPermutation(
             /*allowZeroInResults=*/true) &&
         op.getBlock()->getTerminator()->getOperand(0) ==
             op.getBlock()->getArgument(0);
}

static Value moveReshape(OpBuilder &builder, Operation *reshape,
                         DequantizeOp op) {
  IRMapping mapping;
  mapping.map(op.getResult(), op.getInput());
  Operation *moved = builder.clone(*reshape, mapping);
  auto type = cast<RankedTensorType>(reshape->getResult(0).getType());
  moved->getResult(0).setType(
      type.clone(op.getInput().getType().getElementType()));
  return moved->getResult(0);
}

/// Whether parameters are the same wherever `pad` adds elements, and where
/// others are.
static bool padsWithinParameters(tensor::PadOp pad, DequantizeOp op) {
  return llvm::none_of(
             op.getAxes(),
             [&](int64_t axis) { return pad.getPaddedDims().test(axis); }) &&
         (op.getAxes().empty() || !op.getZeroPoint());
}

/// Pads with the zero point; null unless the program pads with 0.
static Value movePad(OpBuilder &builder, tensor::PadOp pad, DequantizeOp op) {
  Value padding = pad.getConstantPaddingValue();
  if (!padding || !matchPattern(padding, m_AnyZeroFloat()))
    return {};
  int64_t zero = 0;
  if (op.getZeroPoint()) {
    auto constants = getConstantInts(op.getZeroPoint());
    if (!constants)
      return {};
    zero = constants->front();
  }
  auto element = cast<IntegerType>(op.getInput().getType().getElementType());
  auto type = cast<RankedTensorType>(pad.getType()).clone(element);
  APInt bits = APInt(64, zero, /*isSigned=*/true).trunc(element.getWidth());
  Value stored = arith::ConstantOp::create(
      builder, pad.getLoc(), builder.getIntegerAttr(element, bits));
  return tensor::PadOp::create(builder, pad.getLoc(), type, op.getInput(),
                               pad.getMixedLowPad(), pad.getMixedHighPad(),
                               stored);
}

static Value moveWindowCopy(OpBuilder &builder, linalg::GenericOp copy,
                            DequantizeOp op) {
  Location loc = copy.getLoc();
  Value empty = tensor::EmptyOp::create(
      builder, loc, tensor::getMixedSizes(builder, loc, copy.getOutputs()[0]),
      op.getInput().getType().getElementType());
  return linalg::GenericOp::create(
             builder, loc, TypeRange{empty.getType()}, op.getInput(), empty,
             copy.getIndexingMapsArray(), copy.getIteratorTypesArray(),
             [](OpBuilder &b, Location l, ValueRange args) {
               linalg::YieldOp::create(b, l, args.front());
             })
      .getResult(0);
}

void quantmlir::sinkDequantize(Operation *root) {
  SmallVector<Operation *> movements;
  root->walk([&](Operation *op) {
    auto generic = dyn_cast<linalg::GenericOp>(op);
    if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::PadOp>(
            op) ||
        (generic && isWindowCopy(generic)))
      movements.push_back(op);
  });
  for (Operation *movement : movements) {
    auto op = movement->getOperand(0).getDefiningOp<DequantizeOp>();
    auto padded = dyn_cast<tensor::PadOp>(movement);
    if (!op ||
        (padded ? !padsWithinParameters(padded, op) : !op.getAxes().empty()))
      continue;
    OpBuilder builder(movement);
    Value moved;
    if (auto pad = dyn_cast<tensor::PadOp>(movement))
      moved = movePad(builder, pad, op);
    else if (auto copy = dyn_cast<linalg::GenericOp>(movement))
      moved = moveWindowCopy(builder, copy, op);
    else
      moved = moveReshape(builder, movement, op);
    if (!moved)
      continue;
    Value floats = DequantizeOp::create(
        builder, movement->getLoc(), movement->getResult(0).getType(), moved,
        op.getScale(), op.getZeroPoint(), op.getAxesAttr(),
        op.getIsUnsignedAttr());
    movement->getResult(0).replaceAllUsesWith(floats);
    movement->erase();
    eraseDeadChain(op);
  }
}
