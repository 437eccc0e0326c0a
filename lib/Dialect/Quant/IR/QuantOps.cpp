//===- QuantOps.cpp - ops that extend upstream's quant dialect ------------===//

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/IR/CachedAttention.h"
#include "quant/Dialect/Quant/IR/FloatAttention.h"
#include "quant/Dialect/Quant/IR/QuantizeBlocks.h"
#include "quant/Dialect/Quant/IR/QuantizeRows.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
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
  // Folds make arith ops and tiling makes tensor ops while passes run, when no
  // dialect may be loaded any more.
  registry.insert<arith::ArithDialect, quant::QuantDialect,
                  tensor::TensorDialect>();
  registry.addExtension(+[](MLIRContext *ctx, quant::QuantDialect *dialect) {
    (void)ctx->getOrLoadDialect<arith::ArithDialect>();
    (void)ctx->getOrLoadDialect<tensor::TensorDialect>();
    insertOps<
#define GET_OP_LIST
#include "quant/Dialect/Quant/IR/QuantOps.cpp.inc"
        , CachedAttentionOp, FloatAttentionOp, QuantizeRowsOp, QuantizeBlocksOp,
        RotateRowsOp>(dialect);
  });
}
