/*===- Quant.h - C interface of the project -----------------------*- C -*-===*\
|*                                                                            *|
|* What a compiler written against MLIR's C API needs: registration. Passes   *|
|* and pipelines are then named in textual pass pipelines                     *|
|* (mlirParsePassPipeline, mlirOpPassManagerAddPipeline).                     *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef QUANT_CAPI_QUANT_H
#define QUANT_CAPI_QUANT_H

#include "mlir-c/IR.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Adds the extension of the `quant` dialect, the dialect `qtarget` and the
/// interface models of both to `registry`. Call it before a context is made
/// from the registry, or append the registry to the context.
void quantRegisterAllDialects(MlirDialectRegistry registry);

/// Registers every pass and pipeline (`quant-to-generic`, `quant-to-x86`, ...)
/// by name. Call it once in a process.
void quantRegisterAllPasses(void);

#ifdef __cplusplus
}
#endif

#endif /* QUANT_CAPI_QUANT_H */
