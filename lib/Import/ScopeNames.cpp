//===- ScopeNames.cpp - what the framework calls a matmul -----------------===//

#include "quant/Import/ScopeNames.h"

#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace quantmlir;

/// Whether `text` is a chain of attributes and indices: `a.b.0.c`.
static bool isPath(StringRef text) {
  if (!text.contains('.') || !(llvm::isAlpha(text[0]) || text[0] == '_') ||
      text.back() == '.' || text.contains(".."))
    return false;
  return llvm::all_of(text, [](char c) {
    return llvm::isAlnum(c) || c == '_' || c == '.' || c == '-';
  });
}

/// The last part of a node's path is its op: `MatMul`, `Gemm_1`.
static std::string parseNode(StringRef text) {
  SmallVector<StringRef> parts;
  text.split(parts, '/', -1, /*KeepEmpty=*/false);
  if (parts.size() < 2)
    return "";
  parts.pop_back();
  std::string path = llvm::join(parts, ".");
  return isPath(path) ||
                 llvm::all_of(
                     path, [](char c) { return llvm::isAlnum(c) || c == '_'; })
             ? path
             : "";
}

std::string quantmlir::parseScope(StringRef text) {
  if (text.consume_front("/"))
    return parseNode(text);
  // Scopes of scopes: the last is the innermost.
  if (text.contains("__module."))
    text = text.rsplit('/').second.empty() ? text : text.rsplit('/').second;
  text.consume_front("__module.");
  text.consume_front("L['self'].");
  bool isWeight = false;
  for (StringRef suffix : {".weight_q", ".qweight", ".weight"})
    isWeight |= text.consume_back(suffix);
  // What torch-mlir calls weights, and files, say nothing.
  if (text.starts_with("torch_tensor_") || text.starts_with("aten") ||
      text.starts_with("torch."))
    return "";
  for (StringRef suffix : {".py", ".mlir", ".mlirbc", ".onnx", ".cpp"})
    if (text.ends_with(suffix))
      return "";
  bool isTop = isWeight && !text.empty() && llvm::all_of(text, [](char c) {
                 return llvm::isAlnum(c) || c == '_';
               });
  return isTop || (!text.empty() && isPath(text)) ? text.str() : "";
}

/// The innermost name in `location` that is a scope.
static std::string findInLocation(Location location) {
  std::string scope;
  location->walk([&](Location part) {
    if (auto name = dyn_cast<NameLoc>(part))
      scope = parseScope(name.getName());
    return scope.empty() ? WalkResult::advance() : WalkResult::interrupt();
  });
  return scope;
}

/// What is known of the tensor that `value` is: its resource, global, location.
static std::string findInSource(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return findInLocation(value.getLoc());
  std::string scope;
  DenseResourceElementsAttr resource;
  if (matchPattern(op, m_Constant(&resource)))
    scope = parseScope(resource.getRawHandle().getKey());
  else if (auto load = dyn_cast<ml_program::GlobalLoadOp>(op))
    scope = parseScope(load.getGlobal().getLeafReference());
  else if (auto load = dyn_cast<ml_program::GlobalLoadConstOp>(op))
    scope = parseScope(load.getGlobal().getLeafReference());
  return scope.empty() ? findInLocation(op->getLoc()) : scope;
}

/// The weight that `value` is made from, through what moves or dequantizes it.
static Value findWeight(Value value) {
  constexpr int mostSteps = 32;
  for (int step = 0; step < mostSteps; ++step) {
    Operation *op = value.getDefiningOp();
    if (!op || op->getNumOperands() == 0)
      return value;
    auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
    StringRef dialect = op->getName().getDialectNamespace();
    if (linalgOp ? linalgOp.getNumReductionLoops() != 0 ||
                       linalgOp.getNumDpsInputs() == 0
                 : dialect != "tensor" && dialect != "quant")
      return {};
    value = op->getOperand(0);
  }
  return {};
}

std::string quantmlir::findScope(const Contraction &contraction) {
  linalg::LinalgOp op = contraction.op;
  if (std::string scope = findInLocation(op->getLoc()); !scope.empty())
    return scope;
  for (const LoopTensor *operand : {&contraction.rhs, &contraction.lhs})
    if (Value weight = findWeight(operand->value))
      if (std::string scope = findInSource(weight); !scope.empty())
        return scope;
  return "";
}
