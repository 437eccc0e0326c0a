//===- LoadDialects.cpp - what convert-to-llvm wants loaded ---------------===//

#include "quant/Pipelines/Passes.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTLOADDIALECTSPASS
#include "quant/Pipelines/Passes.h.inc"
} // namespace quantmlir

using namespace quantmlir;

namespace {
class QuantLoadDialectsPass
    : public quantmlir::impl::QuantLoadDialectsPassBase<QuantLoadDialectsPass> {
public:
  void runOnOperation() override { markAllAnalysesPreserved(); }
};
} // namespace
