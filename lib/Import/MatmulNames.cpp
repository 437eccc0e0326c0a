//===- MatmulNames.cpp - names of a program's matmuls ---------------------===//

#include "quant/Import/MatmulNames.h"

#include "quant/Import/Contraction/ContractionMatcher.h"
#include "quant/Import/Passes.h"
#include "quant/Import/ScopeNames.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringSet.h"

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

StringRef quantmlir::getMatmulOrdinal(Operation *op) {
  auto ordinal = op->getAttrOfType<StringAttr>(kMatmulOrdinalAttr);
  return ordinal ? ordinal.getValue() : StringRef();
}

namespace {
/// Gives each name once.
class UniqueNames {
public:
  explicit UniqueNames(ModuleOp module) {
    module.walk([&](linalg::LinalgOp op) {
      if (StringRef name = getMatmulName(op); !name.empty())
        taken.insert(name);
    });
  }

  std::string get(const std::string &wanted) {
    std::string name = wanted;
    for (int64_t i = 1; !taken.insert(name).second; ++i)
      name = wanted + "#" + std::to_string(i);
    return name;
  }

private:
  llvm::StringSet<> taken;
};
} // namespace

int64_t quantmlir::nameMatmuls(ModuleOp module) {
  int64_t numNamed = 0;
  UniqueNames names(module);
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
      MLIRContext *context = op->getContext();
      std::string scope = findScope(*contraction);
      if (!scope.empty())
        op->setAttr(kMatmulOrdinalAttr, StringAttr::get(context, name));
      op->setAttr(
          kMatmulNameAttr,
          StringAttr::get(context, names.get(scope.empty() ? name : scope)));
      ++numNamed;
    });
  });
  return numNamed;
}

namespace {
struct QuantNameMatmulsPass
    : quantmlir::impl::QuantNameMatmulsPassBase<QuantNameMatmulsPass> {
  using Base::Base;

  void runOnOperation() override {
    // The first pass that reads them.
    WalkResult verified = getOperation().walk([](Operation *op) {
      return failed(verifyDiscardableAttrs(op)) ? WalkResult::interrupt()
                                                : WalkResult::advance();
    });
    if (verified.wasInterrupted())
      return signalPassFailure();
    numNamed += nameMatmuls(getOperation());
  }
};
} // namespace
