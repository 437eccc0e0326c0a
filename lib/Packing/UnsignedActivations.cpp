//===- UnsignedActivations.cpp - quantize straight to u8 ------------------===//

#include "UnsignedActivations.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

using namespace mlir;
using namespace quantmlir;

/// Signed minus unsigned reading of the same bits with the top one flipped.
static constexpr int32_t kShift = 128;

/// Whether `value` reaches only left operands of matmuls, directly or through
/// ops that move elements, and who asks for its sizes; the matmuls are
/// collected.
static bool reachesOnlyLhs(Value value, SmallVectorImpl<MatmulOp> &matmuls) {
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (isa<tensor::DimOp>(user))
      continue;
    if (auto matmul = dyn_cast<MatmulOp>(user)) {
      if (use.getOperandNumber() != 0 || matmul.getLhsUnsigned())
        return false;
      matmuls.push_back(matmul);
      continue;
    }
    if (!isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp,
             tensor::ExtractSliceOp, tensor::CastOp>(user) ||
        !reachesOnlyLhs(user->getResult(0), matmuls))
      return false;
  }
  return true;
}

/// `zeroPoint` + 128, or 128 in the shape `shapeOf` when it is null.
static Value shiftZeroPoint(OpBuilder &b, Location loc, Value zeroPoint,
                            Value shapeOf) {
  Type i32 = b.getI32Type();
  if (!zeroPoint) {
    RankedTensorType type = shapeOf ? tensorType(shapeOf).clone(i32)
                                    : RankedTensorType::get({}, i32);
    if (type.hasStaticShape())
      return arith::ConstantOp::create(b, loc, type,
                                       DenseElementsAttr::get(type, kShift));
    return filled(b, loc, type, shapeOf, allDims(type.getRank()),
                  b.getI32IntegerAttr(kShift));
  }
  RankedTensorType type = tensorType(zeroPoint);
  if (std::optional<SmallVector<int64_t>> ints = getConstantInts(zeroPoint)) {
    SmallVector<int32_t> shifted;
    for (int64_t value : *ints)
      shifted.push_back(static_cast<int32_t>(value + kShift));
    return arith::ConstantOp::create(b, loc, type,
                                     makeI32TensorAttr(type, shifted));
  }
  auto add = [](OpBuilder &b, Location loc,
                ValueRange args) -> SmallVector<Value> {
    return {
        arith::AddIOp::create(b, loc, args[0], constantInt(b, loc, kShift))};
  };
  return elementwise(b, loc, {{zeroPoint, allDims(type.getRank())}},
                     emptyLike(b, loc, type, zeroPoint), add)
      .getResult(0);
}

/// [lo + 128, hi + 128].
static SmallVector<int64_t> shiftRange(ArrayRef<int64_t> range) {
  return llvm::map_to_vector(range, [](int64_t x) { return x + kShift; });
}

static void makeUnsigned(RewriterBase &b, QuantizeOp op) {
  b.setInsertionPoint(op);
  Value zeroPoint =
      shiftZeroPoint(b, op.getLoc(), op.getZeroPoint(), op.getScale());
  b.replaceOpWithNewOp<QuantizeOp>(
      op, op.getType(), op.getInput(), op.getScale(), zeroPoint, op.getAxes(),
      shiftRange(op.getRange()), /*is_unsigned=*/true);
}

static void makeUnsigned(RewriterBase &b, RescaleOp op) {
  b.modifyOpInPlace(op, [&] {
    int32_t zeroPoint = op.getZeroPoint().value_or(0);
    op.setZeroPointAttr(b.getI32IntegerAttr(zeroPoint + kShift));
    op.setRange(shiftRange(*op.getRange()));
    op.setIsUnsigned(true);
  });
}

static void makeUnsigned(RewriterBase &b, RescaleFixedPointOp op) {
  b.modifyOpInPlace(op, [&] {
    op.setOutputZeroPoint(op.getOutputZeroPoint() + kShift);
    op.setRange(shiftRange(op.getRange()));
    op.setIsUnsigned(true);
  });
}

static void shiftZeroPoints(RewriterBase &b, ArrayRef<MatmulOp> matmuls) {
  for (MatmulOp matmul : matmuls) {
    b.setInsertionPoint(matmul);
    Value shifted =
        shiftZeroPoint(b, matmul.getLoc(), matmul.getLhsZeroPoint(), Value());
    b.modifyOpInPlace(matmul, [&] {
      matmul.getLhsZeroPointMutable().assign(shifted);
      matmul.setLhsUnsigned(true);
    });
  }
}

/// Changes all ops of one kind that may be changed.
template <typename OpT>
static void changeProducers(RewriterBase &b, Operation *root,
                            llvm::function_ref<bool(MatmulOp)> wantsUnsigned) {
  SmallVector<OpT> ops;
  root->walk([&](OpT op) { ops.push_back(op); });
  for (OpT op : ops) {
    SmallVector<MatmulOp> matmuls;
    if (op.getIsUnsigned() ||
        !tensorType(op.getResult()).getElementType().isInteger(8) ||
        !reachesOnlyLhs(op.getResult(), matmuls) || matmuls.empty() ||
        !llvm::all_of(matmuls, wantsUnsigned))
      continue;
    makeUnsigned(b, op);
    shiftZeroPoints(b, matmuls);
  }
}

void quantmlir::makeActivationsUnsigned(
    Operation *root, llvm::function_ref<bool(MatmulOp)> wantsUnsigned) {
  IRRewriter rewriter(root->getContext());
  changeProducers<QuantizeOp>(rewriter, root, wantsUnsigned);
  changeProducers<RescaleOp>(rewriter, root, wantsUnsigned);
  changeProducers<RescaleFixedPointOp>(rewriter, root, wantsUnsigned);
}
