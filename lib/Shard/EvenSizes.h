//===- EvenSizes.h - dimensions that are no multiple of the ranks -*- C++
//-*-===//

#ifndef LIB_SHARD_EVENSIZES_H
#define LIB_SHARD_EVENSIZES_H

#include "ShardPlan.h"

namespace quantmlir {

/// Whether elements that are added to the end of `loop` of `op` are 0 in its
/// results where they are 0 in its operands.
bool keepsZeros(mlir::Operation *op, unsigned loop);

/// Brings the loops that `plan` cuts to a multiple of `ranks`: constants are
/// padded when the program is compiled (weights and biases with 0, scales with
/// 1), other operands where the dimension begins to be cut, and where it ends
/// the elements are dropped. A padded K adds products with 0 to a sum.
void evenSizes(mlir::func::FuncOp function, const ShardPlan &plan,
               int64_t ranks);

} // namespace quantmlir

#endif // LIB_SHARD_EVENSIZES_H
