//===- QTarget.cpp - target descriptions ----------------------------------===//

#include "quant/Target/IR/PackedMatmul.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace quantmlir::qtarget;

#include "quant/Target/IR/QTargetDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "quant/Target/IR/QTargetAttrs.cpp.inc"

void QTargetDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "quant/Target/IR/QTargetAttrs.cpp.inc"
      >();
  addOperations<PackedMatmulOp>();
}

void quantmlir::qtarget::registerQTarget(DialectRegistry &registry) {
  registry.insert<QTargetDialect>();
  registry.addExtension(+[](MLIRContext *context, quant::QuantDialect *) {
    context->getOrLoadDialect<QTargetDialect>();
  });
}

void QTargetDialect::addTarget(KernelSyntax syntax,
                               std::unique_ptr<TargetKernels> kernels) {
  syntaxes.push_back(syntax);
  targets.push_back(std::move(kernels));
}

Attribute QTargetDialect::parseAttribute(DialectAsmParser &parser,
                                         Type type) const {
  SMLoc loc = parser.getCurrentLocation();
  StringRef mnemonic;
  Attribute attr;
  OptionalParseResult own =
      generatedAttributeParser(parser, &mnemonic, type, attr);
  if (own.has_value())
    return attr;
  for (const KernelSyntax &syntax : syntaxes)
    if (syntax.mnemonic == mnemonic)
      return syntax.parse(parser);
  InFlightDiagnostic error = parser.emitError(loc)
                             << "expected `target`, `layout`, `schedule`";
  for (const KernelSyntax &syntax : syntaxes)
    error << ", `" << syntax.mnemonic << "`";
  error << " in dialect `qtarget`, found `" << mnemonic << "`";
  return {};
}

void QTargetDialect::printAttribute(Attribute attr,
                                    DialectAsmPrinter &printer) const {
  if (succeeded(generatedAttributePrinter(attr, printer)))
    return;
  for (const KernelSyntax &syntax : syntaxes)
    if (syntax.type == attr.getTypeID()) {
      printer << syntax.mnemonic;
      syntax.print(attr, printer);
    }
}

LogicalResult TargetAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 StringAttr arch, StringAttr cpu,
                                 ArrayAttr features, int64_t l1d, int64_t l2,
                                 int64_t cores) {
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
