//===- PackMatmul.cpp - quant.matmul to packed tiles ----------------------===//
//
// Chooses an instruction of the module's target and rewrites each matmul, with
// the rescale that alone uses it, to operands in the instruction's layout and
// one qtarget.packed_matmul. Batches come first: those over a shared weight are
// merged into the rows, others become a loop.
//
//===----------------------------------------------------------------------===//

#include "BatchDims.h"
#include "ChosenConstant.h"
#include "PackOperands.h"
#include "PackScaledMatmul.h"
#include "PackedRescale.h"
#include "UnsignedActivations.h"
#include "ZeroPoints.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"
#include "quant/Dialect/Quant/Utils/LeftReason.h"
#include "quant/Packing/Passes.h"
#include "quant/Target/CPU/Schedule/ScheduleFile.h"
#include "quant/Target/IR/PackedMatmul.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTPACKMATMULPASS
#include "quant/Packing/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

/// Whether an accumulation starts from 0 everywhere.
static bool startsFromZero(Value init) {
  // A part or another shape of zeros is zeros.
  while (Operation *op = init.getDefiningOp()) {
    if (!isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp,
             tensor::ExtractSliceOp, tensor::CastOp>(op))
      break;
    init = op->getOperand(0);
  }
  if (isZeroConstant(init))
    return true;
  auto fill = init.getDefiningOp<linalg::FillOp>();
  return fill && matchPattern(fill.value(), m_Zero());
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

struct PackMatmul : OpRewritePattern<MatmulOp> {
  PackMatmul(qtarget::TargetAttr target, qtarget::MatmulKernelInterface kernel,
             const TunedSchedule *tuned, int64_t &numPacked, int64_t &numFused)
      : OpRewritePattern(target.getContext()), target(target), kernel(kernel),
        row(kernel.getRow()), tuned(tuned), numPacked(numPacked),
        numFused(numFused) {}

  LogicalResult matchAndRewrite(MatmulOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getNumBatchDims() != 0)
      return rewriter.notifyMatchFailure(op, "batch dimensions come first");
    ZeroPointedOperand lhs = leftOperand(op, rewriter);
    ZeroPointedOperand rhs = rightOperand(op, rewriter);
    PackedRescale epilogue;
    if (startsFromZero(op.getInit()))
      epilogue = PackedRescale::of(op);
    // Scales and bias of the rescale may be defined after the matmul.
    Operation *root = op;
    if (epilogue)
      root = epilogue.getRescale();
    rewriter.setInsertionPoint(root);
    Value packed = buildPacked(op, epilogue, lhs, rhs, rewriter);
    ++numPacked;
    if (epilogue) {
      ++numFused;
      rewriter.replaceOp(epilogue.getRescale(), packed);
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
    lhs.isUnsigned = row.lhs.isUnsigned;
    lhs.constantZeroPoint = splitZeroPoint(op.getLhsZeroPoint(), lhs.zeroPoint);
    int32_t shift;
    lhs.value = convertOperand(b, op.getLoc(), op.getLhs(), op.getLhsUnsigned(),
                               row.lhs.bits, row.lhs.isUnsigned, shift);
    lhs.constantZeroPoint += shift;
    return lhs;
  }

  ZeroPointedOperand rightOperand(MatmulOp op, PatternRewriter &b) const {
    ZeroPointedOperand rhs;
    rhs.kDim = op.getRhsKDim();
    rhs.isUnsigned = row.rhs.isUnsigned;
    rhs.constantZeroPoint = splitZeroPoint(op.getRhsZeroPoint(), rhs.zeroPoint);
    int32_t shift;
    rhs.value = convertOperand(b, op.getLoc(), op.getRhs(), op.getRhsUnsigned(),
                               /*bits=*/8, row.rhs.isUnsigned, shift);
    rhs.constantZeroPoint += shift;
    return rhs;
  }

  Value buildPacked(MatmulOp op, const PackedRescale &epilogue,
                    const ZeroPointedOperand &lhs,
                    const ZeroPointedOperand &rhs, PatternRewriter &b) const {
    Location loc = op.getLoc();
    RankedTensorType accType = tensorType(op.getResult());
    Corrections corrections = computeCorrections(b, loc, lhs, rhs);
    Value bias = epilogue.getIntegerBias(b);
    Value colBias = addVectors(b, loc, corrections.colBias, bias);
    bool nibbles = fitsNibbles(op, colBias, bias != nullptr);
    qtarget::RegisterTile tile = chooseTile(accType, nibbles);
    Value rows, cols;
    if (!corrections.rows.empty()) {
      rows = stackRows(b, loc, corrections.rows);
      cols = stackColumns(b, loc, corrections.cols, tile.nr);
    }
    RankedTensorType type = epilogue ? epilogue.getType() : accType;
    Value init = emptyLike(b, loc, type, op.getInit());
    bool isTiled = row.packsLhs;
    Value a = isTiled ? packOperand(b, loc, lhs.value, lhs.kDim, tile.mr,
                                    row.lhs.kTile, row.kPadding())
                      : lhs.value;
    Value w = nibbles ? packNibbles(b, loc, rhs.value, rhs.kDim, tile.nr,
                                    row.rhs.kTile)
                      : packOperand(b, loc, rhs.value, rhs.kDim, tile.nr,
                                    row.rhs.kTile, row.kPadding());
    auto packed = qtarget::PackedMatmulOp::create(
        b, loc, TypeRange{type}, kernel,
        row.getLayout(getContext(), tile, nibbles ? 4 : row.rhs.storedBits,
                      /*group=*/0),
        a, w, /*rhs_scale=*/nullptr, /*lhs_scale=*/nullptr,
        packColumns(b, loc, colBias, tile.nr),
        /*row_bias=*/nullptr, rows, cols, /*row_sums=*/nullptr,
        /*rhs_offset=*/nullptr, /*rhs_zero_point=*/nullptr,
        /*lhs_zero_point=*/nullptr, /*rhs_sums=*/nullptr,
        /*row_scale=*/nullptr, /*channel_scale=*/nullptr, /*bias=*/nullptr,
        /*residual=*/nullptr, /*multiplier=*/nullptr, /*shift=*/nullptr, init,
        /*zero_point=*/nullptr, /*range=*/nullptr, /*clamp_min=*/nullptr,
        /*clamp_max=*/nullptr, /*is_unsigned=*/nullptr, /*rounding=*/nullptr,
        getSchedule(tile, accType.getDimSize(0), op.getK()));
    epilogue.attachTo(packed, b, tile.nr);
    return packed.getResult(0);
  }

  /// Whether the weight stays in 4 bits: a constant, for vectors, whose sums
  /// leave room for their four more bits while they are summed.
  bool fitsNibbles(MatmulOp op, Value colBias, bool hasOtherBias) const {
    RankedTensorType type = tensorType(op.getRhs());
    if (row.packsLhs || !type.getElementType().isInteger(4) ||
        !type.hasStaticShape() || !isConstantWeight(op.getRhs()))
      return false;
    // Bytes of the left operand times [-8, 7].
    int64_t largest = op.getK() * 256 * 8;
    if (colBias) {
      std::optional<SmallVector<int64_t>> values = getConstantInts(colBias);
      // Of a chosen weight only the bound is known, where all of it is a zero
      // point of bytes.
      if (!values && !hasOtherBias)
        return largest * 2 < int64_t(1) << 27;
      if (!values)
        return false;
      int64_t bias = 0;
      for (int64_t value : *values)
        bias = std::max(bias, std::abs(value));
      largest += bias;
    }
    return largest < int64_t(1) << 27;
  }

  /// int4 weights are constants behind their unpacking.
  static bool isConstantWeight(Value weight) {
    if (auto unpack = weight.getDefiningOp<UnpackInt4Op>())
      weight = unpack.getInput();
    return ChosenConstant::get(weight).has_value();
  }

  qtarget::RegisterTile chooseTile(RankedTensorType accType,
                                   bool nibbles) const {
    int64_t m = accType.getDimSize(0), n = accType.getDimSize(1);
    if (tuned)
      return {tuned->rows, tuned->columns};
    return kernel.chooseTile(m, n, nibbles);
  }

  qtarget::ScheduleAttr getSchedule(qtarget::RegisterTile tile, int64_t m,
                                    int64_t k) const {
    if (tuned)
      return qtarget::ScheduleAttr::get(getContext(), tuned->rows,
                                        tuned->blockM, tuned->blockK);
    return kernel.chooseSchedule(tile, target, m, k);
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

  qtarget::TargetAttr target;
  qtarget::MatmulKernelInterface kernel;
  const qtarget::KernelRow &row;
  /// A measured schedule, or null.
  const TunedSchedule *tuned;
  int64_t &numPacked;
  int64_t &numFused;
};

/// Rows of the matmul of rank 2 that `op` becomes.
int64_t countRows(MatmulOp op) {
  ArrayRef<int64_t> shape = tensorType(op.getLhs()).getShape().drop_back();
  if (op.hasBatchedRhs())
    return shape.back();
  return ShapedType::isDynamicShape(shape) ? ShapedType::kDynamic
                                           : ShapedType::getNumElements(shape);
}

qtarget::MatmulFacts getFacts(MatmulOp op) {
  return {countRows(op), op.getLhsUnsigned(), op.getRhsUnsigned()};
}

/// The sizes by which a file of schedules knows `op`.
MatmulSizes getSizes(MatmulOp op) {
  RankedTensorType type = tensorType(op.getResult());
  return {type.getDimSize(0), type.getDimSize(1), op.getK()};
}

struct QuantPackMatmulPass
    : quantmlir::impl::QuantPackMatmulPassBase<QuantPackMatmulPass> {
  using Base::Base;

  LogicalResult initialize(MLIRContext *context) override {
    if (schedules.empty())
      return success();
    auto read = ScheduleFile::read(context, schedules);
    if (!read)
      return emitError(UnknownLoc::get(context))
             << llvm::toString(read.takeError());
    file = std::make_shared<const ScheduleFile>(std::move(*read));
    return success();
  }

  void runOnOperation() override {
    auto target = qtarget::TargetAttr::lookup(getOperation());
    if (!target) {
      // Not on the op: that would print the module, weights and all.
      emitError(getOperation().getLoc())
          << "expected the module to have the attribute `"
          << qtarget::TargetAttr::kModuleAttrName
          << "`; run quant-set-target first";
      return signalPassFailure();
    }
    std::string why;
    if (!chooseKernel({ShapedType::kDynamic}, target, why)) {
      leaveAll(why);
      return noteLeft();
    }
    makeActivationsUnsigned(getOperation(), [&](MatmulOp op) {
      const qtarget::KernelRow &row =
          chooseKernel(getFacts(op), target, why).getRow();
      return row.lhs.bits == 8 && row.lhs.isUnsigned && !row.packsLhs;
    });
    numPacked += packScaledMatmuls(
        getOperation(), target,
        [&](ScaledMatmulOp op, StringRef reason) { leave(op, reason); });
    removeBatchDims(getOperation());
    int64_t packed = 0, fused = 0;
    SmallVector<MatmulOp> matmuls;
    getOperation()->walk([&](MatmulOp op) { matmuls.push_back(op); });
    PatternRewriter rewriter(&getContext());
    for (MatmulOp op : matmuls) {
      rewriter.setInsertionPoint(op);
      qtarget::MatmulKernelInterface chosen =
          chooseKernel(getFacts(op), target, why);
      const TunedSchedule *tuned =
          file && op.getNumBatchDims() == 0
              ? file->find(chosen.getRow(), getSizes(op))
              : nullptr;
      PackMatmul pattern(target, chosen, tuned, packed, fused);
      numTuned += tuned != nullptr;
      if (failed(pattern.matchAndRewrite(op, rewriter)))
        leave(op, "it keeps batch dimensions");
    }
    numPacked += packed;
    numFusedRescale += fused;
    noteLeft();
  }

private:
  /// Says that `op` takes the portable lowering.
  void leave(Operation *op, StringRef reason) {
    ++left[reason];
    if (strict)
      emitError(op->getLoc())
          << "not packed: " << reason << "; the portable lowering is slow";
    else
      emitRemark(op->getLoc())
          << "not packed: " << reason << "; the portable lowering is used";
  }

  /// The target has no instruction for any of them: said once.
  void leaveAll(StringRef reason) {
    getOperation()->walk([&](Operation *op) {
      if (isa<MatmulOp, ScaledMatmulOp>(op))
        ++left[reason];
    });
    Location loc = getOperation().getLoc();
    if (strict && !left.empty())
      emitError(loc) << reason << ": matmuls take the portable path";
    else
      emitRemark(loc) << reason << ": matmuls take the portable path";
  }

  /// Counts by reason, as an attribute of the module; ends a strict pass.
  void noteLeft() {
    Builder builder(&getContext());
    SmallVector<NamedAttribute> counts;
    for (const auto &entry : left)
      counts.push_back(builder.getNamedAttr(
          entry.getKey(), builder.getI64IntegerAttr(entry.getValue())));
    if (!counts.empty())
      getOperation()->setDiscardableAttr(kPortableAttr,
                                         builder.getDictionaryAttr(counts));
    if (strict && !left.empty())
      signalPassFailure();
    left.clear();
  }

  llvm::StringMap<int64_t> left;
  /// Shared by the copies of a pass; null without `schedules`.
  std::shared_ptr<const ScheduleFile> file;
};

} // namespace
