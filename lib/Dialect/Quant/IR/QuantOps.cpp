//===- QuantOps.cpp - ops that extend upstream's quant dialect ------------===//

#include "quant/Dialect/Quant/IR/QuantOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace quantmlir;

#include "quant/Dialect/Quant/IR/QuantEnums.cpp.inc"

#define GET_OP_CLASSES
#include "quant/Dialect/Quant/IR/QuantOps.cpp.inc"

namespace {
/// Registers each of `Ops` as an operation of `dialect`.
template <typename... Ops>
void insertOps(Dialect *dialect) {
  (RegisteredOperationName::insert<Ops>(*dialect), ...);
}
} // namespace

void quantmlir::registerQuantExtension(DialectRegistry &registry) {
  registry.insert<quant::QuantDialect, qtarget::QTargetDialect>();
  registry.addExtension(+[](MLIRContext *ctx, quant::QuantDialect *dialect) {
    (void)ctx->getOrLoadDialect<qtarget::QTargetDialect>();
    insertOps<
#define GET_OP_LIST
#include "quant/Dialect/Quant/IR/QuantOps.cpp.inc"
        >(dialect);
  });
}

LogicalResult ChooseQParamsOp::verify() { return success(); }
LogicalResult QuantizeOp::verify() { return success(); }
LogicalResult DequantizeOp::verify() { return success(); }
LogicalResult MatmulOp::verify() { return success(); }
LogicalResult RescaleOp::verify() { return success(); }
LogicalResult RescaleFixedPointOp::verify() { return success(); }
LogicalResult PackInt4Op::verify() { return success(); }
LogicalResult UnpackInt4Op::verify() { return success(); }
LogicalResult PackedMatmulOp::verify() { return success(); }
LogicalResult ChooseQParamsOp::fold(FoldAdaptor, SmallVectorImpl<OpFoldResult> &) { return failure(); }
OpFoldResult QuantizeOp::fold(FoldAdaptor) { return {}; }
OpFoldResult DequantizeOp::fold(FoldAdaptor) { return {}; }
OpFoldResult RescaleOp::fold(FoldAdaptor) { return {}; }
OpFoldResult RescaleFixedPointOp::fold(FoldAdaptor) { return {}; }
OpFoldResult PackInt4Op::fold(FoldAdaptor) { return {}; }
OpFoldResult UnpackInt4Op::fold(FoldAdaptor) { return {}; }
void QuantizeOp::getCanonicalizationPatterns(RewritePatternSet &, MLIRContext *) {}
void MatmulOp::getCanonicalizationPatterns(RewritePatternSet &, MLIRContext *) {}
void RescaleOp::getCanonicalizationPatterns(RewritePatternSet &, MLIRContext *) {}

void PackedMatmulOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand &operand : (*this)->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  }
}
