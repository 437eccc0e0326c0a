//===- SetNVVMTarget.cpp - describe the chip to compile for ---------------===//
//===----------------------------------------------------------------------===//

#include "quant/Target/NVVM/Chips.h"
#include "quant/Target/NVVM/Passes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "quant/Target/IR/QTarget.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTSETNVVMTARGETPASS
#include "quant/Target/NVVM/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::qtarget;

namespace {

struct QuantSetNVVMTargetPass
    : quantmlir::impl::QuantSetNVVMTargetPassBase<QuantSetNVVMTargetPass> {
  using Base::Base;

  void runOnOperation() override {
    const nvvm::Chip *found = nvvm::findChip(chip);
    if (!found) {
      InFlightDiagnostic error = emitError(getOperation().getLoc())
                                 << "expected one of";
      for (const nvvm::Chip &row : nvvm::getChips())
        error << " " << row.name;
      error << ", found chip `" << chip << "`";
      return signalPassFailure();
    }
    Builder builder(&getContext());
    SmallVector<StringRef> names;
    StringRef(found->features).split(names, ',');
    getOperation()->setAttr(
        TargetAttr::kModuleAttrName,
        TargetAttr::get(&getContext(), builder.getStringAttr("nvptx64"),
                        builder.getStringAttr(found->name),
                        builder.getStrArrayAttr(names), found->sharedKiB * 1024,
                        found->l2KiB * 1024, found->multiprocessors));
  }
};

} // namespace
