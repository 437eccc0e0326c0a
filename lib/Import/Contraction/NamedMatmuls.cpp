//===- NamedMatmuls.cpp - the matmuls of a float program ------------------===//

#include "quant/Import/Contraction/NamedMatmuls.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace quantmlir;

/// Makes the constant operand, if there is one, the right-hand side.
static bool orderOperands(Contraction &c) {
  if (traceMovement(c.rhs).isConstant())
    return true;
  if (!traceMovement(c.lhs).isConstant())
    return false;
  c.swapOperands();
  return true;
}

std::vector<NamedMatmul> quantmlir::collectNamedMatmuls(ModuleOp module) {
  std::vector<NamedMatmul> matmuls;
  module.walk([&](linalg::LinalgOp op) {
    auto name = op->getAttrOfType<StringAttr>("quant.name");
    std::string reason;
    if (!name)
      return;
    FailureOr<Contraction> contraction = matchContraction(op, reason);
    if (failed(contraction) || !contraction->isFloat())
      return;
    NamedMatmul matmul;
    matmul.name = name.str();
    matmul.contraction = std::move(*contraction);
    matmul.hasConstantWeight = orderOperands(matmul.contraction);
    matmuls.push_back(std::move(matmul));
  });
  return matmuls;
}

std::string quantmlir::getModelHash(ModuleOp module) {
  std::vector<MatmulShape> shapes;
  for (const NamedMatmul &matmul : collectNamedMatmuls(module))
    shapes.push_back(matmul.getShape());
  return hashMatmuls(shapes);
}

MatmulShape NamedMatmul::getShape() const {
  auto getProduct = [&](const LoopTensor &tensor, ArrayRef<int64_t> loops) {
    std::optional<int64_t> product = 1;
    for (auto [dim, loop] : llvm::enumerate(tensor.loops)) {
      if (!llvm::is_contained(loops, loop))
        continue;
      if (tensor.getType().isDynamicDim(dim))
        return std::optional<int64_t>();
      *product *= tensor.getType().getDimSize(dim);
    }
    return product;
  };
  const Contraction &c = contraction;
  return {name, getProduct(c.lhs, c.m), getProduct(c.lhs, c.k),
          getProduct(c.rhs, c.n)};
}

std::string NamedMatmul::getLocation() const {
  return printLocation(contraction.op->getLoc());
}

std::string quantmlir::printLocation(Location loc) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (auto named = loc->findInstanceOf<NameLoc>())
    return named.getName().str();
  if (auto file = loc->findInstanceOf<FileLineColLoc>())
    os << file.getFilename().getValue() << ":" << file.getLine() << ":"
       << file.getColumn();
  return text;
}
