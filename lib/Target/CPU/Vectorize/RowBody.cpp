//===- RowBody.cpp - bodies of linalg ops as vectors ----------------------===//

#include "RowBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace quantmlir;

bool quantmlir::isRowElement(Type type) {
  return type.isF32() || type.isF64() || type.isInteger(8) ||
         type.isInteger(16) || type.isInteger(32);
}

/// Functions that quant-approximate-math replaces.
static bool isApproximated(Operation *op) {
  return isa<math::ErfOp, math::ExpOp, math::LogOp, math::TanhOp>(op) &&
         getElementTypeOrSelf(op->getResult(0).getType()).isF32();
}

/// No vector divides integers, and lanes outside of a mask would divide by 0.
static bool dividesIntegers(Operation *op) {
  return isa<arith::CeilDivSIOp, arith::CeilDivUIOp, arith::DivSIOp,
             arith::DivUIOp, arith::FloorDivSIOp, arith::RemSIOp,
             arith::RemUIOp>(op);
}

/// Other functions of libm are called for each element in any case.
static bool isVectorInstruction(Operation *op) {
  return OpTrait::hasElementwiseMappableTraits(op) && !dividesIntegers(op) &&
         (!isa_and_present<math::MathDialect>(op->getDialect()) ||
          isApproximated(op) ||
          isa<math::AbsFOp, math::AbsIOp, math::CeilOp, math::CopySignOp,
              math::FloorOp, math::FmaOp, math::RoundEvenOp, math::RsqrtOp,
              math::SqrtOp, math::TruncOp>(op));
}

bool quantmlir::hasElementwiseBody(linalg::LinalgOp op) {
  for (Operation &inner : op.getBlock()->without_terminator()) {
    if (!isVectorInstruction(&inner))
      return false;
    for (Type type : inner.getResultTypes())
      if (!type.isInteger(1) && !type.isInteger(64) && !isRowElement(type))
        return false;
  }
  return true;
}

bool quantmlir::hasRowMaps(linalg::LinalgOp op) {
  if (op.getNumLoops() == 0)
    return false;
  unsigned innermost = op.getNumLoops() - 1;
  for (OpOperand &operand : op->getOpOperands()) {
    Type type = operand.get().getType();
    if (op.isScalar(&operand) && isRowElement(type))
      continue;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!isa<MemRefType>(type) || !isRowElement(getElementTypeOrSelf(type)) ||
        !map.isProjectedPermutation(/*allowZeroInResults=*/true))
      return false;
    if (!map.isFunctionOfDim(innermost))
      continue;
    auto last = dyn_cast<AffineDimExpr>(map.getResults().back());
    if (!last || last.getPosition() != innermost)
      return false;
  }
  return true;
}

SmallVector<Value> quantmlir::getLoopSizes(OpBuilder &b, linalg::LinalgOp op) {
  SmallVector<Value> sizes(op.getNumLoops());
  for (OpOperand &operand : op->getOpOperands())
    for (auto [i, result] :
         llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults())) {
      auto dim = dyn_cast<AffineDimExpr>(result);
      if (!dim)
        continue;
      Value &size = sizes[dim.getPosition()];
      if (!size)
        size = memref::DimOp::create(b, op.getLoc(), operand.get(), i);
    }
  return sizes;
}
