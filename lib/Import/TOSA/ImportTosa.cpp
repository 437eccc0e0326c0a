//===- ImportTosa.cpp - TOSA programs -------------------------------------===//
//
// `quant-import-tosa`. What TOSA says about quantization is taken over first
// (fixed-point rescales, dequantized tensors); everything else goes through
// upstream's conversions to linalg, tensor and arith, whose named ops the other
// importers know, and to globals for what a program keeps from call to call.
//
//===----------------------------------------------------------------------===//

#include "quant/Import/Linalg/ConvertElementwise.h"
#include "quant/Import/Passes.h"
#include "quant/Import/QuantCasts/QuantCasts.h"
#include "quant/Import/TOSA/BlockScaled.h"
#include "quant/Import/TOSA/Rescale.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Conversion/TosaToArith/TosaToArith.h"
#include "mlir/Conversion/TosaToLinalg/TosaToLinalg.h"
#include "mlir/Conversion/TosaToMLProgram/TosaToMLProgram.h"
#include "mlir/Conversion/TosaToSCF/TosaToSCF.h"
#include "mlir/Conversion/TosaToTensor/TosaToTensor.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Shape/IR/Shape.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/Dialect/Tosa/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTIMPORTTOSAPASS
#include "quant/Import/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

static bool hasTosa(Operation *root) {
  return root
      ->walk([](Operation *op) {
        return isa_and_nonnull<tosa::TosaDialect>(op->getDialect())
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Removes constants that nobody reads any more: the shapes of reshapes.
static void eraseDeadShapes(Operation *root) {
  root->walk([](Operation *op) {
    if (isa<tosa::ConstShapeOp, tosa::ConstOp>(op) && op->use_empty())
      op->erase();
  });
}

/// A global needs a size and a value. TOSA leaves open what a variable without
/// one holds before it is written; here it is 0.
static LogicalResult initializeVariable(tosa::VariableOp op) {
  RankedTensorType type = tosa::getVariableType(op);
  if (!type.hasStaticShape())
    return op.emitOpError("expected a variable of a static shape, found ")
           << type;
  if (!op.getInitialValue())
    op.setInitialValueAttr(DenseElementsAttr::get(
        type, OpBuilder(op).getZeroAttr(type.getElementType())));
  return success();
}

namespace {
struct QuantImportTosaPass
    : quantmlir::impl::QuantImportTosaPassBase<QuantImportTosaPass> {
  using Base::Base;

  void runOnOperation() override {
    if (!hasTosa(getOperation()))
      return;
    convertElementwise(getOperation());
    // What follows folds, and upstream takes a dcast of a qcast for nothing.
    if (failed(convertQuantCasts(getOperation())))
      return signalPassFailure();
    if (failed(prepare()) || failed(convertTosaBlockScaled(getOperation())))
      return signalPassFailure();
    numRescales += convertTosaRescales(getOperation());
    numDequantizes += convertTosaDequantizes(getOperation());
    if (failed(convertRest()))
      return signalPassFailure();
    eraseDeadShapes(getOperation());
  }

private:
  /// Variables with values, signless integers, shapes as far as they are known,
  /// equal ranks.
  LogicalResult prepare() {
    for (auto variable : getOperation().getOps<tosa::VariableOp>())
      if (failed(initializeVariable(variable)))
        return failure();
    // A convolution with strides is all that upstream lowers.
    RewritePatternSet decompositions(&getContext());
    tosa::populateTosaDecomposeTransposeConv(&getContext(), decompositions);
    walkAndApplyPatterns(getOperation(), std::move(decompositions));
    // These fold constants, so that other functions are left alone.
    OpPassManager pm(func::FuncOp::getOperationName());
    pm.addPass(tosa::createTosaConvertIntegerTypeToSignless());
    pm.addPass(tosa::createTosaInferShapesPass());
    pm.addPass(tosa::createTosaMakeBroadcastablePass());
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (hasTosa(function) && failed(runPipeline(pm, function)))
        return failure();
    return success();
  }

  LogicalResult convertRest() {
    MLIRContext *context = &getContext();
    TypeConverter converter;
    tosa::populateTosaTypeConversion(converter);
    RewritePatternSet patterns(context);
    tosa::populateTosaToLinalgNamedConversionPatterns(
        converter, &patterns, TosaToLinalgNamedOptions());
    tosa::populateTosaToLinalgConversionPatterns(converter, &patterns);
    tosa::populateTosaToTensorConversionPatterns(converter, &patterns);
    tosa::populateTosaToArithConversionPatterns(&patterns);
    // What is left of rescales, and the division of integer average pools.
    tosa::populateTosaRescaleToArithConversionPatterns(&patterns,
                                                       /*include32Bit=*/false);
    tosa::populateTosaToMLProgramConversionPatterns(&patterns);
    tosa::populateTosaToSCFConversionPatterns(&patterns);
    ConversionTarget target(*context);
    target.addIllegalDialect<tosa::TosaDialect>();
    target.addLegalOp<tosa::ConstShapeOp>();
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    return applyPartialConversion(getOperation(), target, std::move(patterns));
  }
};
} // namespace
