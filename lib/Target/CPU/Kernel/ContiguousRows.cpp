//===- ContiguousRows.cpp - rows that vectors can read and write ----------===//

#include "quant/Target/CPU/Kernel/ContiguousRows.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace quantmlir;

bool quantmlir::isContiguous(Value memref, int64_t dims) {
  return !memref || cast<MemRefType>(memref.getType()).getRank() < dims ||
         cast<MemRefType>(memref.getType()).areTrailingDimsContiguous(dims);
}

/// A buffer of its own of `value`'s shape.
static Value allocateLike(RewriterBase &b, Location loc, Value value) {
  auto type = cast<MemRefType>(value.getType());
  SmallVector<Value> sizes;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim))
      sizes.push_back(memref::DimOp::create(b, loc, value, dim));
  return memref::AllocOp::create(
      b, loc, MemRefType::get(type.getShape(), type.getElementType()), sizes);
}

void quantmlir::readContiguousRows(RewriterBase &b, Operation *op,
                                   OpOperand &operand) {
  Value memory = operand.get();
  if (isContiguous(memory, 1))
    return;
  Location loc = op->getLoc();
  b.setInsertionPoint(op);
  Value apart = allocateLike(b, loc, memory);
  memref::CopyOp::create(b, loc, memory, apart);
  b.modifyOpInPlace(op, [&] { operand.set(apart); });
  b.setInsertionPointAfter(op);
  memref::DeallocOp::create(b, loc, apart);
}

void quantmlir::writeContiguousRows(RewriterBase &b, Operation *op,
                                    OpOperand &operand) {
  Value memory = operand.get();
  if (isContiguous(memory, 1))
    return;
  Location loc = op->getLoc();
  b.setInsertionPoint(op);
  Value apart = allocateLike(b, loc, memory);
  b.modifyOpInPlace(op, [&] { operand.set(apart); });
  b.setInsertionPointAfter(op);
  memref::CopyOp::create(b, loc, apart, memory);
  memref::DeallocOp::create(b, loc, apart);
}

void quantmlir::accessContiguousRows(RewriterBase &b,
                                     DestinationStyleOpInterface op) {
  for (OpOperand *input : op.getDpsInputOperands())
    readContiguousRows(b, op, *input);
  for (OpOperand &init : op.getDpsInitsMutable())
    writeContiguousRows(b, op, init);
}
