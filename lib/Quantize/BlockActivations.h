//===- BlockActivations.h - activations in blocks of K ----------*- C++ -*-===//

#ifndef QUANT_LIB_QUANTIZE_BLOCKACTIVATIONS_H
#define QUANT_LIB_QUANTIZE_BLOCKACTIVATIONS_H

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Quantize/QuantScheme.h"

#include <string>

namespace quantmlir {

/// Why activations of `k` elements a row are not quantized in the scheme's
/// blocks where the weight has groups of `group` elements of at most
/// `weightMagnitude`; empty where they are.
std::string explainBlocks(const QuantScheme &scheme, int64_t k, int64_t group,
                          int64_t weightMagnitude);

/// Quantizes the float activations of `op` in the scheme's blocks: gives the op
/// that takes its place.
ScaledMatmulOp quantizeBlocks(ScaledMatmulOp op, const QuantScheme &scheme);

} // namespace quantmlir

#endif // QUANT_LIB_QUANTIZE_BLOCKACTIVATIONS_H
