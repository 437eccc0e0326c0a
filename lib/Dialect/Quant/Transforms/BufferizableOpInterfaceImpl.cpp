//===- BufferizableOpInterfaceImpl.cpp - bufferization of ops -------------===//

#include "quant/Dialect/Quant/Transforms/BufferizableOpInterfaceImpl.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/IR/Dialect.h"
#include "quant/Dialect/Quant/IR/PackedScaledMatmul.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace quantmlir;

namespace {

/// A packed matmul, plain or grouped.
template <typename OpT>
struct PackedMatmulModel
    : DstBufferizableOpInterfaceExternalModel<PackedMatmulModel<OpT>, OpT> {
  /// The result is overwritten: `init` only says where it goes.
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
    Value init = operands
        [cast<OpT>(op).getDpsInitOperand(0)->getOperandNumber()];
    OperationState newOp(op->getLoc(), op->getName(), operands, TypeRange{},
                         op->getAttrs());
    rewriter.create(newOp);
    replaceOpWithBufferizedValues(rewriter, op, init);
    return success();
  }
};

} // namespace

void quantmlir::registerBufferizationModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *ctx, quant::QuantDialect *) {
    PackedMatmulOp::attachInterface<PackedMatmulModel<PackedMatmulOp>>(*ctx);
    PackedScaledMatmulOp::attachInterface<
        PackedMatmulModel<PackedScaledMatmulOp>>(*ctx);
  });
}
