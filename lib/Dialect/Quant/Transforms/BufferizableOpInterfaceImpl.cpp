//===- BufferizableOpInterfaceImpl.cpp - bufferization of ops -------------===//

#include "quant/Dialect/Quant/Transforms/BufferizableOpInterfaceImpl.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Dialect.h"
#include "quant/Dialect/Quant/IR/CachedAttention.h"
#include "quant/Dialect/Quant/IR/FloatAttention.h"
#include "quant/Dialect/Quant/IR/QuantizeBlocks.h"
#include "quant/Dialect/Quant/IR/QuantizeRows.h"
#include "quant/Target/IR/PackedMatmul.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace quantmlir;

/// `buffer`, or a copy of it where elements that follow each other in the last
/// dimension do not follow each other in memory (a slice with strides): the
/// kernels load vectors of them.
static FailureOr<Value> closeGaps(RewriterBase &rewriter, Location loc,
                                  Value buffer,
                                  const BufferizationOptions &options) {
  auto type = cast<MemRefType>(buffer.getType());
  if (type.getRank() == 0 || type.areTrailingDimsContiguous(1))
    return buffer;
  SmallVector<Value> sizes;
  for (auto [dim, size] : llvm::enumerate(type.getShape()))
    if (ShapedType::isDynamic(size))
      sizes.push_back(memref::DimOp::create(rewriter, loc, buffer, dim));
  auto plain =
      MemRefType::get(type.getShape(), type.getElementType(),
                      MemRefLayoutAttrInterface(), type.getMemorySpace());
  FailureOr<Value> copy = options.createAlloc(rewriter, loc, plain, sizes);
  if (failed(copy) ||
      failed(options.createMemCpy(rewriter, loc, buffer, *copy)))
    return failure();
  return *copy;
}

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
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isa<TensorType>(operand.get().getType())) {
        operands.push_back(operand.get());
        continue;
      }
      FailureOr<Value> buffer =
          getBuffer(rewriter, operand.get(), options, state);
      if (succeeded(buffer) && isa<qtarget::PackedMatmulOp>(op) &&
          !cast<OpT>(op).isDpsInit(&operand))
        buffer = closeGaps(rewriter, op->getLoc(), *buffer, options);
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
