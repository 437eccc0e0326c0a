//===- PackMatmul.cpp - quant.matmul to packed tiles ----------------------===//
//
// Chooses an instruction of the module's target and rewrites each matmul, with
// the rescale that alone uses it, to operands in the instruction's layout and
// one quant.packed_matmul. Batches come first: those over a shared weight are
// merged into the rows, others become a loop.
//
//===----------------------------------------------------------------------===//

#include "BatchDims.h"
#include "PackOperands.h"
#include "RegisterTile.h"
#include "ZeroPoints.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"
#include "quant/Target/X86/Passes.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTPACKMATMULPASS
#include "quant/Target/X86/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

static RankedTensorType tensorType(Value v) {
  return cast<RankedTensorType>(v.getType());
}

/// Whether an accumulation starts from 0 everywhere.
static bool startsFromZero(Value init) {
  if (isZeroConstant(init))
    return true;
  auto fill = init.getDefiningOp<linalg::FillOp>();
  return fill && matchPattern(fill.value(), m_Zero());
}

/// A signed quantize that nothing else uses can give unsigned bits at once:
/// clamp(r + z, lo, hi) + 128 = clamp(r + z + 128, lo + 128, hi + 128).
static Value requantizeUnsigned(OpBuilder &b, Value value) {
  auto quantize = value.getDefiningOp<QuantizeOp>();
  if (!quantize || !quantize->hasOneUse() || quantize.getIsUnsigned() ||
      !tensorType(value).getElementType().isInteger(8))
    return {};
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(quantize);
  Location loc = quantize.getLoc();
  RankedTensorType paramType =
      tensorType(quantize.getScale()).clone(b.getI32Type());
  Value zp = quantize.getZeroPoint();
  if (!zp && paramType.hasStaticShape()) {
    zp = arith::ConstantOp::create(b, loc,
                                   DenseElementsAttr::get(paramType, 128));
  } else if (!zp) {
    zp = filled(b, loc, paramType, quantize.getScale(),
                allDims(paramType.getRank()), b.getI32IntegerAttr(128));
  } else {
    Value init = emptyLike(b, loc, paramType, zp);
    auto add128 = [](OpBuilder &b, Location loc,
                     ValueRange args) -> SmallVector<Value> {
      return {arith::AddIOp::create(b, loc, args[0], constantInt(b, loc, 128))};
    };
    zp = elementwise(b, loc, {{zp, allDims(paramType.getRank())}}, init, add128)
             .getResult(0);
  }
  SmallVector<int64_t> range(quantize.getRange());
  for (int64_t &bound : range)
    bound += 128;
  return QuantizeOp::create(b, loc, quantize.getType(), quantize.getInput(),
                            quantize.getScale(), zp, quantize.getAxes(), range,
                            /*is_unsigned=*/true);
}

/// The same for an integer rescale, in the epilogue of its matmul or not yet:
/// only its attributes change, since nothing else uses the result.
template <typename OpT>
static Value rescaleUnsigned(PatternRewriter &b, Value value) {
  auto rescale = value.getDefiningOp<OpT>();
  if (!rescale || !rescale->hasOneUse() || rescale.getIsUnsigned() ||
      !tensorType(value).getElementType().isInteger(8))
    return {};
  b.modifyOpInPlace(rescale, [&] {
    int32_t zp = rescale.getZeroPoint().value_or(0);
    rescale.setZeroPointAttr(b.getI32IntegerAttr(zp + 128));
    SmallVector<int64_t> range(*rescale.getRange());
    for (int64_t &bound : range)
      bound += 128;
    rescale.setRange(range);
    rescale.setIsUnsigned(true);
  });
  return value;
}

/// `zp` split into a constant number (returned) and a run-time rest.
static int32_t splitZeroPoint(Value zp, Value &rest) {
  rest = Value();
  if (!zp)
    return 0;
  std::optional<SmallVector<int64_t>> values = getConstantInts(zp);
  if (values && !values->empty() && llvm::all_equal(*values))
    return static_cast<int32_t>(values->front());
  rest = zp;
  return 0;
}

namespace {

/// The rescale that can be computed while the tile is in registers.
struct Epilogue {
  RescaleOp rescale;

  static Epilogue of(MatmulOp op) {
    Epilogue result;
    if (!op->hasOneUse() || !startsFromZero(op.getInit()))
      return result;
    auto rescale = dyn_cast<RescaleOp>(*op->getUsers().begin());
    if (rescale && rescale.getAcc() == op.getResult() &&
        !tensorType(rescale.getResult()).getElementType().isInteger(4))
      result.rescale = rescale;
    return result;
  }
  Value intBias() {
    if (rescale && rescale.getBias() &&
        tensorType(rescale.getBias()).getElementType().isInteger())
      return rescale.getBias();
    return {};
  }
  Value floatBias() {
    return rescale && !intBias() ? rescale.getBias() : Value();
  }
};

struct PackMatmul : OpRewritePattern<MatmulOp> {
  PackMatmul(MLIRContext *context, const qtarget::IntrinsicRow &intrinsic,
             int64_t &numPacked, int64_t &numFused)
      : OpRewritePattern(context), intrinsic(intrinsic), numPacked(numPacked),
        numFused(numFused) {}

  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getNumBatchDims() != 0)
      return rewriter.notifyMatchFailure(op, "batch dimensions come first");
    ZeroPointedOperand lhs = leftOperand(op, rewriter);
    ZeroPointedOperand rhs = rightOperand(op, rewriter);
    Epilogue epilogue = Epilogue::of(op);
    // Scales and bias of the rescale may be defined after the matmul.
    Operation *root = op;
    if (epilogue.rescale)
      root = epilogue.rescale;
    rewriter.setInsertionPoint(root);
    Value packed = buildPacked(op, epilogue, lhs, rhs, rewriter);
    ++numPacked;
    if (epilogue.rescale) {
      ++numFused;
      rewriter.replaceOp(epilogue.rescale, packed);
      rewriter.eraseOp(op);
      return success();
    }
    if (!startsFromZero(op.getInit()))
      packed = addInit(op, packed, rewriter);
    rewriter.replaceOp(op, packed);
    return success();
  }

private:
  ZeroPointedOperand leftOperand(MatmulOp op, PatternRewriter &b) const {
    ZeroPointedOperand lhs;
    lhs.kDim = 1;
    lhs.constantZeroPoint = splitZeroPoint(op.getLhsZeroPoint(), lhs.zeroPoint);
    bool isByte = intrinsic.lhs.bits == 8;
    bool isUnsigned = op.getLhsUnsigned();
    if (isByte && intrinsic.lhs.isUnsigned && !isUnsigned) {
      Value value = requantizeUnsigned(b, op.getLhs());
      if (!value)
        value = rescaleUnsigned<RescaleOp>(b, op.getLhs());
      if (!value)
        value = rescaleUnsigned<PackedMatmulOp>(b, op.getLhs());
      if (value) {
        lhs.value = value;
        lhs.constantZeroPoint += 128;
        return lhs;
      }
    }
    int32_t shift;
    lhs.value =
        convertOperand(b, op.getLoc(), op.getLhs(), isUnsigned,
                       intrinsic.lhs.bits, intrinsic.lhs.isUnsigned, shift);
    lhs.constantZeroPoint += shift;
    return lhs;
  }

  ZeroPointedOperand rightOperand(MatmulOp op, PatternRewriter &b) const {
    ZeroPointedOperand rhs;
    rhs.kDim = op.getRhsKDim();
    rhs.constantZeroPoint = splitZeroPoint(op.getRhsZeroPoint(), rhs.zeroPoint);
    int32_t shift;
    rhs.value = convertOperand(b, op.getLoc(), op.getRhs(), op.getRhsUnsigned(),
                               /*bits=*/8, /*wantUnsigned=*/false, shift);
    rhs.constantZeroPoint += shift;
    return rhs;
  }

  Value buildPacked(MatmulOp op, Epilogue epilogue,
                    const ZeroPointedOperand &lhs,
                    const ZeroPointedOperand &rhs, PatternRewriter &b) const {
    Location loc = op.getLoc();
    RankedTensorType accType = tensorType(op.getResult());
    RegisterTile tile = chooseRegisterTile(intrinsic, accType.getDimSize(0),
                                           accType.getDimSize(1));
    Corrections corrections = computeCorrections(b, loc, lhs, rhs);
    Value colBias = addVectors(b, loc, corrections.colBias, epilogue.intBias());
    Value rows, cols;
    if (!corrections.rows.empty()) {
      rows = stackRows(b, loc, corrections.rows);
      cols = stackColumns(b, loc, corrections.cols, tile.nr);
    }
    RescaleOp rescale = epilogue.rescale;
    RankedTensorType type = rescale ? tensorType(rescale.getResult()) : accType;
    Value init = emptyLike(b, loc, type, op.getInit());
    Value a = packOperand(b, loc, lhs.value, lhs.kDim, tile.mr, intrinsic.k);
    Value w = packOperand(b, loc, rhs.value, rhs.kDim, tile.nr, intrinsic.k);
    auto kind = qtarget::IntrinsicKindAttr::get(b.getContext(), intrinsic.kind);
    auto packed = PackedMatmulOp::create(
        b, loc, TypeRange{type}, kind, a, w,
        packColumns(b, loc, colBias, tile.nr), rows, cols,
        rescale ? rescale.getRowScale() : Value(),
        rescale ? packColumns(b, loc, rescale.getChannelScale(), tile.nr)
                : Value(),
        packColumns(b, loc, epilogue.floatBias(), tile.nr), init,
        /*zero_point=*/nullptr, /*range=*/nullptr, /*clamp_min=*/nullptr,
        /*clamp_max=*/nullptr, /*is_unsigned=*/nullptr);
    if (rescale) {
      packed.setZeroPointAttr(rescale.getZeroPointAttr());
      packed.setRangeAttr(rescale.getRangeAttr());
      packed.setClampMinAttr(rescale.getClampMinAttr());
      packed.setClampMaxAttr(rescale.getClampMaxAttr());
      packed.setIsUnsigned(rescale.getIsUnsigned());
    }
    return packed.getResult(0);
  }

  static Value addInit(MatmulOp op, Value sum, PatternRewriter &b) {
    auto add = [](OpBuilder &b, Location loc,
                  ValueRange args) -> SmallVector<Value> {
      return {arith::AddIOp::create(b, loc, args[0], args[1])};
    };
    Value init = emptyLike(b, op.getLoc(), tensorType(sum), sum);
    return elementwise(b, op.getLoc(), {{sum, {0, 1}}, {op.getInit(), {0, 1}}},
                       init, add)
        .getResult(0);
  }

  const qtarget::IntrinsicRow &intrinsic;
  int64_t &numPacked;
  int64_t &numFused;
};

struct QuantPackMatmulPass
    : quantmlir::impl::QuantPackMatmulPassBase<QuantPackMatmulPass> {
  using Base::Base;

  void runOnOperation() override {
    auto target = qtarget::TargetAttr::lookup(getOperation());
    if (!target) {
      getOperation().emitError()
          << "expected the module to have the attribute `"
          << qtarget::TargetAttr::kModuleAttrName
          << "`; run quant-set-target first";
      return signalPassFailure();
    }
    const qtarget::IntrinsicRow *row = qtarget::chooseIntrinsic(target);
    if (!row) {
      getOperation().emitRemark()
          << "no integer dot product instruction on " << target.getCpu()
          << ": matmuls take the portable path";
      return;
    }
    removeBatchDims(getOperation());
    int64_t packed = 0, fused = 0;
    PackMatmul pattern(&getContext(), *row, packed, fused);
    SmallVector<MatmulOp> matmuls;
    getOperation()->walk([&](MatmulOp op) { matmuls.push_back(op); });
    PatternRewriter rewriter(&getContext());
    for (MatmulOp op : matmuls) {
      rewriter.setInsertionPoint(op);
      if (failed(pattern.matchAndRewrite(op, rewriter)))
        op.emitRemark() << "not packed: it keeps batch dimensions; the "
                           "portable lowering is used";
    }
    numPacked += packed;
    numFusedRescale += fused;
  }
};

} // namespace
