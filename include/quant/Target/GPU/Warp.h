//===- Warp.h - threads that step together ----------------------*- C++ -*-===//

#ifndef QUANT_TARGET_GPU_WARP_H
#define QUANT_TARGET_GPU_WARP_H

#include <cstdint>

namespace quantmlir::device {

/// Threads of a warp.
inline constexpr int64_t kLanes = 32;

} // namespace quantmlir::device

#endif // QUANT_TARGET_GPU_WARP_H
