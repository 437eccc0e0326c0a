//===- NamedMatmuls.cpp - the matmuls of a float program ------------------===//

#include "quant/Import/Contraction/NamedMatmuls.h"

#include "quant/Dialect/Quant/Utils/DiscardableAttrs.h"
#include "quant/Import/Contraction/WeightChoice.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace quantmlir;

/// Makes the weight, if there is one, the right-hand side, as quantizing does.
/// Returns whether it is a constant.
static bool orderOperands(Contraction &c) {
  std::string reason;
  FailureOr<Contraction> chosen = chooseWeight(c, reason);
  bool isLhs = succeeded(chosen) && chosen->lhs.value == c.rhs.value &&
               chosen->lhs.loops == c.rhs.loops;
  // A weight with batch dimensions is none to quantize, but still constant.
  if (failed(chosen))
    isLhs =
        !traceMovement(c.rhs).isConstant() && traceMovement(c.lhs).isConstant();
  if (isLhs)
    c.swapOperands();
  return traceMovement(c.rhs).isConstant();
}

std::vector<NamedMatmul> quantmlir::collectNamedMatmuls(ModuleOp module) {
  std::vector<NamedMatmul> matmuls;
  module.walk([&](linalg::LinalgOp op) {
    auto name = op->getAttrOfType<StringAttr>(kMatmulNameAttr);
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

/// The static sizes of the loops, as any operand or what it is moved from has
/// them: folding casts must not make another program of it.
static DenseMap<int64_t, int64_t> getLoopSizes(const Contraction &c) {
  DenseMap<int64_t, int64_t> sizes;
  for (LoopTensor tensor : {c.lhs, c.rhs, c.init}) {
    do {
      for (auto [dim, loop] : llvm::enumerate(tensor.loops))
        if (!tensor.getType().isDynamicDim(dim))
          sizes[loop] = tensor.getType().getDimSize(dim);
    } while (lookThroughMovement(tensor));
  }
  return sizes;
}

MatmulShape NamedMatmul::getShape() const {
  DenseMap<int64_t, int64_t> sizes = getLoopSizes(contraction);
  auto getProduct = [&](ArrayRef<int64_t> loops) {
    std::optional<int64_t> product = 1;
    for (int64_t loop : loops) {
      if (!sizes.contains(loop))
        return std::optional<int64_t>();
      *product *= sizes[loop];
    }
    return product;
  };
  return {name, getProduct(contraction.m), getProduct(contraction.k),
          getProduct(contraction.n)};
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
