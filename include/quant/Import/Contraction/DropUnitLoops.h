//===- DropUnitLoops.h - loops of one step ----------------------*- C++ -*-===//

#ifndef QUANT_IMPORT_CONTRACTION_DROPUNITLOOPS_H
#define QUANT_IMPORT_CONTRACTION_DROPUNITLOOPS_H

#include "mlir/IR/PatternMatch.h"

namespace quantmlir {

/// `product` without `loops`, which have one step each, where they are not
/// those of a named op.
void dropLoops(mlir::RewriterBase &rewriter, mlir::Operation *product,
               llvm::ArrayRef<int64_t> loops);

/// Drops loops of one step from products in `root` whose operand has another
/// loop of its own: what an operand is moved from need not have them.
void dropUnitLoops(mlir::Operation *root);

} // namespace quantmlir

#endif // QUANT_IMPORT_CONTRACTION_DROPUNITLOOPS_H
