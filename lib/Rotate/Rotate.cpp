//===- Rotate.cpp - rotate the operands of float matmuls ------------------===//
//
// `quant-rotate`: the float half of QuaRot's idea (Ashkboos et al., NeurIPS
// 2024) where nothing of the surrounding graph is needed.
//
//===----------------------------------------------------------------------===//

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Import/Contraction/ContractionMatcher.h"
#include "quant/Import/Contraction/MatmulEmitter.h"
#include "quant/Import/Convolution/ConvolutionToMatmul.h"
#include "quant/Rotate/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTROTATEPASS
#include "quant/Rotate/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

/// Whether `op` is a product of floats that is no contraction; then `reason`
/// says why it is not rotated, if matching gave none.
static bool isOtherProduct(linalg::LinalgOp op, std::string &reason) {
  if (!isa<FloatType>(getElementTypeOrSelf(op.getDpsInits().front().getType())))
    return false;
  if (reason.empty() && isConvolution(op))
    reason = "it is a convolution";
  return !reason.empty();
}

/// Why the operands of `c` are not rotated, by themselves; empty where they
/// may be.
static std::string explainOperands(const Contraction &c) {
  for (Type type : {c.lhs.getType().getElementType(),
                    c.rhs.getType().getElementType(), c.getResultElementType()})
    if (!type.isF32())
      return "its elements are not all f32";
  if (!traceMovement(c.rhs).isConstant())
    return "neither operand is a constant";
  if (!c.batch.empty())
    return "it has batches of weights";
  return "";
}

/// The weight, `[N, K]`, rotated; null with the reason where it cannot be.
static Value emitRotated(OpBuilder &b, Location loc, Value weight,
                         const Rotation &rotation, std::string &reason) {
  std::optional<FloatConstant> constant = FloatConstant::get(weight);
  auto type = cast<RankedTensorType>(weight.getType());
  int64_t k = type.getDimSize(1);
  if (!constant || constant->isSplat())
    reason = "the data of the weight is not there, or all the same";
  else if (k < rotation.size)
    reason = "K = " + std::to_string(k) + " has no whole block of " +
             std::to_string(rotation.size);
  if (!reason.empty())
    return {};
  // What the program widens (f16) is rounded no further.
  return arith::ConstantOp::create(
      b, loc,
      makeFloatTensorAttr(
          type.clone(b.getF32Type()),
          reference::rotateRows(constant->getStored(), k, rotation),
          "quant_weight"));
}

/// Replaces the product, or says why not.
static LogicalResult rotateMatmul(Contraction c, const Rotation &rotation,
                                  std::string &reason) {
  if (!traceMovement(c.rhs).isConstant())
    c.swapOperands();
  reason = explainOperands(c);
  if (!reason.empty())
    return failure();
  OpBuilder b(c.op);
  Location loc = c.op->getLoc();
  LoopTensor traced = traceMovement(c.rhs);
  c.rhs = traced;
  Value weight = MatmulEmitter(b, c).emitRhsRows(c.rhs);
  Value rotatedWeight = emitRotated(b, loc, weight, rotation, reason);
  eraseDeadChain(weight.getDefiningOp());
  if (!rotatedWeight)
    return failure();
  castContracted(b, c);
  MatmulEmitter emitter(b, c);
  Value lhs = emitter.emitLhs(c.lhs);
  Value rotated = RotateOp::create(b, loc, lhs.getType(), lhs, rotation.size,
                                   rotation.seed);
  AffineExpr m, n, k;
  bindDims(b.getContext(), m, n, k);
  using Exprs = SmallVector<AffineExpr, 4>;
  SmallVector<AffineMap> maps = AffineMap::inferFromExprList(
      ArrayRef<Exprs>{Exprs{m, k}, Exprs{n, k}, Exprs{m, n}}, b.getContext());
  Value init = emitter.emitInit();
  auto matmul = linalg::MatmulOp::create(
      b, loc, init.getType(), ValueRange{rotated, rotatedWeight}, init);
  matmul.setIndexingMapsAttr(b.getAffineMapArrayAttr(maps));
  for (NamedAttribute attr : c.op->getDiscardableAttrs())
    matmul->setDiscardableAttr(attr.getName(), attr.getValue());
  c.op->getResult(0).replaceAllUsesWith(
      emitter.emitResult(matmul.getResult(0)));
  eraseDeadChain(c.op);
  return success();
}

namespace {
struct QuantRotatePass : quantmlir::impl::QuantRotatePassBase<QuantRotatePass> {
  using Base::Base;

  void runOnOperation() override {
    std::optional<Rotation> parsed = Rotation::parse(rotation);
    if (!parsed) {
      emitError(getOperation().getLoc())
          << "option 'rotation': expected hadamard32 or hadamard128, with "
             "`:seed` where signs are turned, found '"
          << rotation << "'";
      return signalPassFailure();
    }
    SmallVector<linalg::LinalgOp> candidates;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (op.getNumReductionLoops() != 0)
        candidates.push_back(op);
    });
    for (linalg::LinalgOp op : candidates) {
      std::string reason;
      FailureOr<Contraction> contraction = matchContraction(op, reason);
      bool isMatmul = succeeded(contraction) && contraction->isFloat();
      if (!isMatmul && (succeeded(contraction) || !isOtherProduct(op, reason)))
        continue;
      Location loc = op->getLoc();
      if (isMatmul && succeeded(rotateMatmul(*contraction, *parsed, reason))) {
        ++numRotated;
        emitRemark(loc) << "rotated by " << parsed->getName();
        continue;
      }
      ++numSkipped;
      emitRemark(loc) << "not rotated: " << reason;
    }
  }
};
} // namespace
