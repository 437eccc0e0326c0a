//===- InitAll.h - the one registration list --------------------*- C++ -*-===//

#ifndef QUANT_INITALL_H
#define QUANT_INITALL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace quantmlir {

/// Registers the `quant` extension, the dialect `qtarget`, and the external
/// interface models that bufferization needs.
void registerAllDialects(mlir::DialectRegistry &registry);

/// Registers every pass and pipeline of the project.
void registerAllPasses();

} // namespace quantmlir

#endif // QUANT_INITALL_H
