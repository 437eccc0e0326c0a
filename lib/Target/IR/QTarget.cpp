//===- QTarget.cpp - target descriptions ----------------------------------===//

#include "quant/Target/IR/QTarget.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace quantmlir::qtarget;

#include "quant/Target/IR/QTargetDialect.cpp.inc"
#include "quant/Target/IR/QTargetEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "quant/Target/IR/QTargetAttrs.cpp.inc"

void QTargetDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "quant/Target/IR/QTargetAttrs.cpp.inc"
      >();
}

LogicalResult TargetAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 StringAttr cpu, ArrayAttr features,
                                 int64_t l1d, int64_t l2, int64_t cores) {
  for (Attribute feature : features)
    if (!isa<StringAttr>(feature))
      return emitError() << "expected feature names to be strings, found "
                         << feature;
  if (l1d <= 0 || l2 <= 0 || cores <= 0)
    return emitError() << "expected positive cache sizes and core count, found "
                       << "l1d = " << l1d << ", l2 = " << l2
                       << ", cores = " << cores;
  return success();
}

LogicalResult ScheduleAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                   int64_t rows, int64_t blockM,
                                   int64_t blockK) {
  if (rows <= 0 || blockM < 0 || blockK < 0)
    return emitError() << "expected rows > 0 and blocks >= 0, found rows = "
                       << rows << ", blockM = " << blockM
                       << ", blockK = " << blockK;
  return success();
}

bool TargetAttr::hasFeature(StringRef name) const {
  return llvm::any_of(getFeatures(), [&](Attribute feature) {
    return cast<StringAttr>(feature).getValue() == name;
  });
}

TargetAttr TargetAttr::lookup(Operation *op) {
  auto module = dyn_cast<ModuleOp>(op);
  if (!module)
    module = op->getParentOfType<ModuleOp>();
  return module ? module->getAttrOfType<TargetAttr>(kModuleAttrName)
                : TargetAttr();
}
