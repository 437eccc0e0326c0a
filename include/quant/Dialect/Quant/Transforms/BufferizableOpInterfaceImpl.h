//===- BufferizableOpInterfaceImpl.h - bufferization of ops -----*- C++ -*-===//

#ifndef QUANT_DIALECT_QUANT_TRANSFORMS_BUFFERIZABLEOPINTERFACEIMPL_H
#define QUANT_DIALECT_QUANT_TRANSFORMS_BUFFERIZABLEOPINTERFACEIMPL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace quantmlir {

/// Lets One-Shot Bufferize turn `qtarget.packed_matmul` on tensors into the
/// same op on memrefs. All other ops of the project are lowered before that.
void registerBufferizationModels(mlir::DialectRegistry &registry);

} // namespace quantmlir

#endif // QUANT_DIALECT_QUANT_TRANSFORMS_BUFFERIZABLEOPINTERFACEIMPL_H
