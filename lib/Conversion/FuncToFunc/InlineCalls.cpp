//===- InlineCalls.cpp - one function of several --------------------------===//
//
// `quant-inline-calls`. A weight that is an argument of a private function is
// no constant there, however constant it is where the function is called.
// Upstream's inliner, without the canonicalization that it runs by default:
// that folds `quant.dcast(quant.qcast(x))`.
//
//===----------------------------------------------------------------------===//

#include "quant/Conversion/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTINLINECALLSPASS
#include "quant/Conversion/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;

/// Whether LLVM is told not to inline `function`: then it stays here, too.
static bool isNoInline(func::FuncOp function) {
  auto passthrough = function->getAttrOfType<ArrayAttr>("passthrough");
  return passthrough && llvm::any_of(passthrough, [](Attribute attr) {
           auto text = dyn_cast<StringAttr>(attr);
           return text && text == "noinline";
         });
}

namespace {
struct QuantInlineCallsPass
    : quantmlir::impl::QuantInlineCallsPassBase<QuantInlineCallsPass> {
  using Base::Base;

  void runOnOperation() override {
    bool hasCalls = false;
    getOperation()->walk([&](func::CallOp) { hasCalls = true; });
    if (!hasCalls)
      return;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (isNoInline(function))
        function.setNoInline(true);
    OpPassManager inliner(ModuleOp::getOperationName());
    inliner.addPass(createInlinerPass({}, [](OpPassManager &) {}));
    if (failed(runPipeline(inliner, getOperation())))
      signalPassFailure();
  }
};
} // namespace
