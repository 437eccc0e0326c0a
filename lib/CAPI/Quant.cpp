//===- Quant.cpp - C interface of the project -----------------------------===//

#include "quant/CAPI/Quant.h"

#include "mlir/CAPI/IR.h"

#include "quant/InitAll.h"

void quantRegisterAllDialects(MlirDialectRegistry registry) {
  quantmlir::registerAllDialects(*unwrap(registry));
}

void quantRegisterAllPasses(void) { quantmlir::registerAllPasses(); }
