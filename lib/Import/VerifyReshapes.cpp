//===- VerifyReshapes.cpp - what upstream's verifier lets pass ------------===//

#include "quant/Import/VerifyReshapes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace quantmlir;

/// The first number of a dimension that is not the next one.
static std::optional<int64_t>
findMisplaced(ArrayRef<ReassociationIndices> groups) {
  int64_t next = 0;
  for (const ReassociationIndices &group : groups)
    for (int64_t dim : group)
      if (dim != next++)
        return dim;
  return std::nullopt;
}

LogicalResult quantmlir::verifyReshapes(Operation *root) {
  bool isValid = true;
  root->walk([&](Operation *op) {
    SmallVector<ReassociationIndices, 4> groups;
    if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
      groups = collapse.getReassociationIndices();
    else if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
      groups = expand.getReassociationIndices();
    std::optional<int64_t> misplaced = findMisplaced(groups);
    if (!misplaced)
      return;
    isValid = false;
    op->emitOpError("expected dimensions 0, 1, 2, ... in this order, found ")
        << *misplaced;
  });
  return success(isValid);
}
