//===- PackScaledMatmul.h - grouped matmuls to their packed form *- C++ -*-===//

#ifndef QUANT_LIB_PACKING_PACKSCALEDMATMUL_H
#define QUANT_LIB_PACKING_PACKSCALEDMATMUL_H

#include "quant/Target/IR/KernelRow.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"

#include <cstdint>

namespace quantmlir {

/// Rewrites every quant.scaled_matmul of integers by a constant weight below
/// `root` to qtarget.packed_matmul for a kernel of `target`, and returns
/// their number. Others stay; `leave` is told why.
int64_t packScaledMatmuls(
    mlir::Operation *root, qtarget::TargetAttr target,
    llvm::function_ref<void(ScaledMatmulOp, llvm::StringRef reason)> leave);

} // namespace quantmlir

#endif // QUANT_LIB_PACKING_PACKSCALEDMATMUL_H
