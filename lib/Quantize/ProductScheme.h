//===- ProductScheme.h - a scheme for two activations -----------*- C++ -*-===//
//
// A product of two activations has a scale for each row of the left operand and
// one for each batch of the right one, whatever else its scheme says.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_QUANTIZE_PRODUCTSCHEME_H
#define QUANT_LIB_QUANTIZE_PRODUCTSCHEME_H

#include "quant/Quantize/QuantScheme.h"

namespace quantmlir {

/// What the activations' scheme makes of a product of two of them.
QuantScheme getProductScheme(const QuantScheme &scheme);

/// What of `scheme` such a product is without; empty where it has all.
std::string explainProductScheme(const QuantScheme &scheme);

} // namespace quantmlir

#endif // QUANT_LIB_QUANTIZE_PRODUCTSCHEME_H
