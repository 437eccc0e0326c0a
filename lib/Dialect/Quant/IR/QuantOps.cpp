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

LogicalResult ChooseQParamsOp::fold(FoldAdaptor,
                                    SmallVectorImpl<OpFoldResult> &) {
  return failure();
}
OpFoldResult QuantizeOp::fold(FoldAdaptor) { return {}; }
OpFoldResult DequantizeOp::fold(FoldAdaptor) { return {}; }
OpFoldResult RescaleOp::fold(FoldAdaptor) { return {}; }
OpFoldResult RescaleFixedPointOp::fold(FoldAdaptor) { return {}; }
OpFoldResult PackInt4Op::fold(FoldAdaptor) { return {}; }
OpFoldResult UnpackInt4Op::fold(FoldAdaptor) { return {}; }
void QuantizeOp::getCanonicalizationPatterns(RewritePatternSet &,
                                             MLIRContext *) {}
void MatmulOp::getCanonicalizationPatterns(RewritePatternSet &, MLIRContext *) {
}
void RescaleOp::getCanonicalizationPatterns(RewritePatternSet &,
                                            MLIRContext *) {}
