//===- Int4Ops.cpp - int4 storage, two elements in a byte -----------------===//
//
// Verifiers. The labels c1, c2, ... are the constraints of the ops' docs.
//
//===----------------------------------------------------------------------===//

#include "VerifyUtils.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

/// Checks that `packed` holds `unpacked` two in a byte along the last
/// dimension; `what` names the side whose type is reported.
static LogicalResult verifyPackedShape(Operation *op, StringRef what,
                                       RankedTensorType unpacked,
                                       RankedTensorType packed) {
  if (unpacked.getRank() == 0 || packed.getRank() == 0)
    return op->emitOpError("expected operand and result of rank >= 1, but got ")
           << op->getOperand(0).getType() << " and "
           << op->getResult(0).getType();
  SmallVector<int64_t> expected(unpacked.getShape());
  if (!ShapedType::isDynamic(expected.back()))
    expected.back() = llvm::divideCeil(expected.back(), 2);
  return verifyShape(op, what, packed, expected,
                     "two elements of the last dimension in a byte");
}

LogicalResult PackInt4Op::verify() {
  // pack_int4_c1
  return verifyPackedShape(*this, "result", getInput().getType(),
                           getResult().getType());
}

LogicalResult UnpackInt4Op::verify() {
  // unpack_int4_c1
  return verifyPackedShape(*this, "input", getResult().getType(),
                           getInput().getType());
}
