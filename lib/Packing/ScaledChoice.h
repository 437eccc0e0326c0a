//===- ScaledChoice.h - the kernel of a grouped matmul ----------*- C++ -*-===//

#ifndef QUANT_LIB_PACKING_SCALEDCHOICE_H
#define QUANT_LIB_PACKING_SCALEDCHOICE_H

#include "ScaledWeight.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Target/IR/MatmulKernelInterface.h"

#include <optional>
#include <string>

namespace quantmlir {

/// The kernel for `op`, and its weight; null, and why it cannot be packed.
qtarget::MatmulKernelInterface
chooseScaledKernel(ScaledMatmulOp op, qtarget::TargetAttr target,
                   std::optional<ScaledWeight> &weight, std::string &why);

} // namespace quantmlir

#endif // QUANT_LIB_PACKING_SCALEDCHOICE_H
