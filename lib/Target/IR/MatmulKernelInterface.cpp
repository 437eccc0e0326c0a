//===- MatmulKernelInterface.cpp - what a kernel is -----------------------===//

#include "quant/Target/IR/MatmulKernelInterface.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace quantmlir::qtarget;

#include "quant/Target/IR/MatmulKernelInterface.cpp.inc"

TargetKernels::~TargetKernels() = default;

std::string quantmlir::qtarget::explainKernel(const KernelRow &row,
                                              const MatmulFacts &matmul,
                                              TargetAttr target) {
  std::string why;
  llvm::raw_string_ostream os(why);
  if (!row.isLegalOn(target))
    os << "expected a kernel of " << target.getCpu() << ", found " << row.name;
  else if (matmul.isLhsFloat && !row.lhs.isFloat)
    os << "its activations are float";
  else if (matmul.group != 0 && row.grouped.panelColumns == 0)
    os << "there is no dot product of bytes, only " << row.name;
  return why;
}

//===----------------------------------------------------------------------===//
// Choice
//===----------------------------------------------------------------------===//

static ArrayRef<std::unique_ptr<TargetKernels>>
getTargets(MLIRContext *context) {
  auto *dialect = context->getLoadedDialect<QTargetDialect>();
  return dialect ? dialect->getTargets()
                 : ArrayRef<std::unique_ptr<TargetKernels>>();
}

MatmulKernelInterface
quantmlir::qtarget::chooseKernel(const MatmulFacts &matmul, TargetAttr target,
                                 std::string &why) {
  for (const auto &kernels : getTargets(target.getContext()))
    if (kernels->getArch() == target.getArch().getValue())
      return kernels->choose(matmul, target, why);
  why = ("no kernels for " + target.getArch().getValue()).str();
  return {};
}

VectorFile quantmlir::qtarget::getVectors(TargetAttr target) {
  if (target)
    for (const auto &kernels : getTargets(target.getContext()))
      if (kernels->getArch() == target.getArch().getValue())
        return kernels->getVectors(target);
  return {};
}

MatmulKernelInterface quantmlir::qtarget::findKernel(MLIRContext *context,
                                                     StringRef name) {
  for (const auto &kernels : getTargets(context))
    if (MatmulKernelInterface found = kernels->find(context, name))
      return found;
  return {};
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

func::FuncOp KernelFunctions::build(
    RewriterBase &b, Operation *op, StringRef prefix,
    llvm::function_ref<void(RewriterBase &, Operation *)> emitBody) {
  OpBuilder::InsertionGuard guard(b);
  Location loc = op->getLoc();
  b.setInsertionPointToEnd(module.getBody());
  auto type = b.getFunctionType(op->getOperandTypes(), {});
  std::string name = (prefix + std::to_string(functions.size() - 1)).str();
  while (module.lookupSymbol(name))
    name += "_";
  auto function = func::FuncOp::create(b, loc, name, type);
  function.setPrivate();
  // Inlined, it would share what is set up once in a function with its
  // neighbours.
  function->setAttr("passthrough",
                    b.getArrayAttr({b.getStringAttr("noinline")}));
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  IRMapping mapping;
  mapping.map(op->getOperands(), entry->getArguments());
  Operation *inside = b.clone(*op, mapping);
  auto end = func::ReturnOp::create(b, loc);
  b.setInsertionPoint(inside);
  emitBody(b, inside);
  b.eraseOp(inside);
  b.setInsertionPoint(end);
  return function;
}

void KernelFunctions::call(
    RewriterBase &b, Operation *op, StringRef prefix,
    llvm::function_ref<void(RewriterBase &, Operation *)> emitBody) {
  Attribute key = b.getArrayAttr(
      {op->getName().getIdentifier(),
       TypeAttr::get(b.getFunctionType(op->getOperandTypes(), {})),
       op->getPropertiesAsAttribute()});
  func::FuncOp &function = functions[key];
  if (!function)
    function = build(b, op, prefix, emitBody);
  func::CallOp::create(b, op->getLoc(), function, op->getOperands());
}
