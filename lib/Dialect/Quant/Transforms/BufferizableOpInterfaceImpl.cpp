//===- BufferizableOpInterfaceImpl.cpp - bufferization of ops -------------===//

#include "quant/Dialect/Quant/Transforms/BufferizableOpInterfaceImpl.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/IR/Dialect.h"
#include "quant/Dialect/Quant/IR/CachedAttention.h"
#include "quant/Dialect/Quant/IR/FloatAttention.h"
#include "quant/Dialect/Quant/IR/QuantizeBlocks.h"
#include "quant/Dialect/Quant/IR/QuantizeRows.h"
#include "quant/Target/IR/PackedMatmul.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace quantmlir;

namespace {

/// An op of the packed stage: its results overwrite its inits.
template <typename OpT>
struct PackedStageModel
    : DstBufferizableOpInterfaceExternalModel<PackedStageModel<OpT>, OpT> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    return !cast<OpT>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    rewriter.setInsertionPoint(op);
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      if (!isa<TensorType>(operand.getType())) {
        operands.push_back(operand);
        continue;
      }
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      operands.push_back(*buffer);
    }
    SmallVector<Value> inits;
    for (OpOperand &init : cast<OpT>(op).getDpsInitsMutable())
      inits.push_back(operands[init.getOperandNumber()]);
    OperationState newOp(op->getLoc(), op->getName(), operands, TypeRange{},
                         op->getAttrs());
    rewriter.create(newOp);
    replaceOpWithBufferizedValues(rewriter, op, inits);
    return success();
  }
};

} // namespace

void quantmlir::registerBufferizationModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *ctx, quant::QuantDialect *) {
    CachedAttentionOp::attachInterface<PackedStageModel<CachedAttentionOp>>(
        *ctx);
    FloatAttentionOp::attachInterface<PackedStageModel<FloatAttentionOp>>(*ctx);
    QuantizeRowsOp::attachInterface<PackedStageModel<QuantizeRowsOp>>(*ctx);
    RotateRowsOp::attachInterface<PackedStageModel<RotateRowsOp>>(*ctx);
    QuantizeBlocksOp::attachInterface<PackedStageModel<QuantizeBlocksOp>>(*ctx);
  });
  registry.addExtension(+[](MLIRContext *ctx, qtarget::QTargetDialect *) {
    qtarget::PackedMatmulOp::attachInterface<
        PackedStageModel<qtarget::PackedMatmulOp>>(*ctx);
  });
}
