//===- NVVMInstructions.h - NVIDIA's own instructions -----------*- C++ -*-===//

#ifndef QUANT_LIB_TARGET_NVVM_NVVMINSTRUCTIONS_H
#define QUANT_LIB_TARGET_NVVM_NVVMINSTRUCTIONS_H

#include "quant/Target/GPU/DeviceInstructions.h"

namespace quantmlir::nvvm {

/// dp4a, shfl.sync, cp.async and fence.proxy.async of the PTX manual.
const device::DeviceInstructions &getInstructions();

} // namespace quantmlir::nvvm

#endif // QUANT_LIB_TARGET_NVVM_NVVMINSTRUCTIONS_H
