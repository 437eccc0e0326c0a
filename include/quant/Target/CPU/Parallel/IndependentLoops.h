//===- IndependentLoops.h - loops that threads may share --------*- C++ -*-===//

#ifndef QUANT_TARGET_CPU_PARALLEL_INDEPENDENTLOOPS_H
#define QUANT_TARGET_CPU_PARALLEL_INDEPENDENTLOOPS_H

#include "quant/Dialect/Quant/Utils/DiscardableAttrs.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace quantmlir {

/// Elements of the loops after the first `done` of `sizes`; unknown sizes count
/// as one.
inline int64_t countInner(llvm::ArrayRef<int64_t> sizes, size_t done) {
  int64_t product = 1;
  for (int64_t size : sizes.drop_front(done))
    if (!mlir::ShapedType::isDynamic(size))
      product *= size;
  return product;
}

inline void markIndependent(mlir::scf::ForOp loop, int64_t elements) {
  mlir::OpBuilder b(loop.getContext());
  loop->setAttr(kIndependentAttr, b.getI64IntegerAttr(elements));
}

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_PARALLEL_INDEPENDENTLOOPS_H
