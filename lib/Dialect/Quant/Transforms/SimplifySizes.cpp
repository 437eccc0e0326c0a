//===- SimplifySizes.cpp - what exporters ask of dynamic sizes ------------===//
//
// A program of dynamic sizes asks in every layer whether a size is negative
// (then it is one to be inferred), divides products of sizes by what they were
// multiplied with, and copies what may have to be broadcast from a size of 1.
// Where sizes are followed to the tensors that they are read off, most of that
// is known, and the copies are of tensors as they are.
//
//===----------------------------------------------------------------------===//

#include "RuntimeSize.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "quant/Dialect/Quant/Transforms/Passes.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTSIMPLIFYSIZESPASS
#include "quant/Dialect/Quant/Transforms/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

/// Whether `index` is the position in loop `dim`, of a tensor of `size` there:
/// also select(size == 1, 0, position), as of one element the position is 0.
static bool isPosition(Value index, int64_t dim, const RuntimeSize &size) {
  if (auto select = index.getDefiningOp<arith::SelectOp>()) {
    auto compare = select.getCondition().getDefiningOp<arith::CmpIOp>();
    if (!compare || compare.getPredicate() != arith::CmpIPredicate::eq ||
        !matchPattern(compare.getRhs(), m_One()) ||
        !matchPattern(select.getTrueValue(), m_Zero()) ||
        RuntimeSize::of(compare.getLhs()) != size)
      return false;
    index = select.getFalseValue();
  }
  auto position = index.getDefiningOp<linalg::IndexOp>();
  return position && static_cast<int64_t>(position.getDim()) == dim;
}

/// The tensor whose elements `op` copies, each to where it was.
static Value getCopied(linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 0 || op->getNumResults() != 1 ||
      op.getNumReductionLoops() != 0 ||
      !op.getIndexingMapsArray().front().isIdentity())
    return {};
  auto extract = op.getBlock()
                     ->getTerminator()
                     ->getOperand(0)
                     .getDefiningOp<tensor::ExtractOp>();
  Value result = op.getResult(0);
  if (!extract || extract->getBlock() != op.getBlock() ||
      extract.getTensor().getType() != result.getType())
    return {};
  Value tensor = extract.getTensor();
  if (op.getRegion().isAncestor(tensor.getParentRegion()))
    return {};
  for (auto [dim, index] : llvm::enumerate(extract.getIndices())) {
    RuntimeSize size = RuntimeSize::of(tensor, dim);
    if (size != RuntimeSize::of(result, dim) || !isPosition(index, dim, size))
      return {};
  }
  return tensor;
}

namespace {

struct QuantSimplifySizesPass
    : quantmlir::impl::QuantSimplifySizesPassBase<QuantSimplifySizesPass> {
  using Base::Base;

  void runOnOperation() override {
    getOperation()->walk([&](Operation *op) {
      if (isa<arith::DivSIOp, arith::DivUIOp, arith::SelectOp,
              affine::AffineApplyOp>(op))
        simplifySize(op);
      else if (isa<arith::CmpIOp>(op))
        simplifyComparison(op);
      else if (auto generic = dyn_cast<linalg::GenericOp>(op))
        removeCopy(generic);
    });
  }

private:
  void replace(Operation *op, Value value) {
    op->getResult(0).replaceAllUsesWith(value);
    op->erase();
    ++numSimplified;
  }

  /// A number that is a product of sizes is written as one.
  void simplifySize(Operation *op) {
    Value value = op->getResult(0);
    if (!value.getType().isIndex() && !value.getType().isInteger(64))
      return;
    RuntimeSize size = RuntimeSize::of(value);
    if (!size.isOfTensors())
      return;
    OpBuilder builder(op);
    Value product = size.emit(builder, op->getLoc());
    if (product.getType() != value.getType())
      product = arith::IndexCastOp::create(builder, op->getLoc(),
                                           value.getType(), product);
    replace(op, product);
  }

  void simplifyComparison(Operation *op) {
    std::optional<bool> holds = RuntimeSize::compareWithZero(op->getResult(0));
    if (!holds)
      return;
    OpBuilder builder(op);
    replace(op, arith::ConstantIntOp::create(builder, op->getLoc(), *holds, 1));
  }

  void removeCopy(linalg::GenericOp op) {
    if (Value tensor = getCopied(op))
      replace(op, tensor);
  }
};

} // namespace
