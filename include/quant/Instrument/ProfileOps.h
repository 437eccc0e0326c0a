//===- ProfileOps.h - how long each op takes --------------------*- C++ -*-===//

#ifndef QUANT_INSTRUMENT_PROFILEOPS_H
#define QUANT_INSTRUMENT_PROFILEOPS_H

#include "llvm/ADT/StringRef.h"

namespace quantmlir {

/// `void quant_profile_begin(void)`: an op begins.
constexpr llvm::StringLiteral kProfileBegin = "quant_profile_begin";
/// `void quant_profile_end(const char *op)`: the one that began last has ended.
/// `op` is the same pointer each time: kind, name, types and location, one a
/// line.
constexpr llvm::StringLiteral kProfileEnd = "quant_profile_end";

} // namespace quantmlir

#endif // QUANT_INSTRUMENT_PROFILEOPS_H
