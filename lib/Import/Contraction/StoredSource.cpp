//===- StoredSource.cpp - the integers that floats are made from ----------===//

#include "quant/Import/Contraction/StoredSource.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace quantmlir;

/// Whether `op` computes each element of its result from elements at the same
/// or another place, without a sum: what stands between stored integers and
/// their product.
static bool isOnTheWay(Operation *op) {
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return linalgOp.getNumReductionLoops() == 0;
  StringRef dialect = op->getName().getDialectNamespace();
  return (dialect == "tensor" || dialect == "arith" || dialect == "quant") &&
         op->getNumRegions() <= 1;
}

Type quantmlir::findStoredType(Value value) {
  // A dequantizing chain is short; whoever is further away is another layer.
  constexpr size_t mostValues = 64;
  llvm::SetVector<Value> seen;
  seen.insert(value);
  for (size_t i = 0; i < seen.size() && i < mostValues; ++i) {
    auto type = dyn_cast<RankedTensorType>(seen[i].getType());
    if (!type)
      continue;
    if (auto integer = dyn_cast<IntegerType>(type.getElementType());
        integer && integer.getWidth() > 1 && integer.getWidth() <= 16)
      return integer;
    Operation *op = seen[i].getDefiningOp();
    if (op && isOnTheWay(op))
      seen.insert(op->operand_begin(), op->operand_end());
  }
  return {};
}

bool quantmlir::isQuantizedHere(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (isa<QuantizeOp, RescaleOp>(op))
      return true;
    bool isMovement = isa<linalg::LinalgOp>(op) ||
                      isa_and_nonnull<tensor::TensorDialect>(op->getDialect());
    if (!isMovement || op->getNumOperands() == 0)
      return false;
    value = op->getOperand(0);
  }
  return false;
}
