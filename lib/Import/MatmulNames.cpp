//===- MatmulNames.cpp - names of a program's matmuls ---------------------===//

#include "quant/Import/MatmulNames.h"

#include "quant/Import/Contraction/ContractionMatcher.h"
#include "quant/Import/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTNAMEMATMULSPASS
#include "quant/Import/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

StringRef quantmlir::getMatmulName(Operation *op) {
  auto name = op->getAttrOfType<StringAttr>(kMatmulNameAttr);
  return name ? name.getValue() : StringRef();
}

StringRef quantmlir::getMatmulKind(Operation *op) {
  auto kind = op->getAttrOfType<StringAttr>(kMatmulKindAttr);
  return kind ? kind.getValue() : op->getName().getStringRef();
}

int64_t quantmlir::nameMatmuls(ModuleOp module) {
  int64_t numNamed = 0;
  module.walk([&](FunctionOpInterface function) {
    int64_t ordinal = 0;
    function.walk([&](linalg::LinalgOp op) {
      std::string reason;
      FailureOr<Contraction> contraction = matchContraction(op, reason);
      if (failed(contraction) || !contraction->isFloat())
        return;
      std::string name =
          function.getName().str() + "#" + std::to_string(ordinal++);
      if (!getMatmulName(op).empty())
        return;
      op->setAttr(kMatmulNameAttr, StringAttr::get(op->getContext(), name));
      ++numNamed;
    });
  });
  return numNamed;
}

namespace {
struct QuantNameMatmulsPass
    : quantmlir::impl::QuantNameMatmulsPassBase<QuantNameMatmulsPass> {
  using Base::Base;

  void runOnOperation() override { numNamed += nameMatmuls(getOperation()); }
};
} // namespace
