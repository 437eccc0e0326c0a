//===- CastsByFormula.h - casts of any stored width ------------*- C++ -*-===//

#ifndef QUANT_LIB_IMPORT_QUANTCASTS_CASTSBYFORMULA_H
#define QUANT_LIB_IMPORT_QUANTCASTS_CASTSBYFORMULA_H

#include "mlir/Dialect/Quant/IR/Quant.h"

#include <string>

namespace quantmlir {

/// Replaces `op` by its formula in `arith` and `math`, element by element, and
/// a storage cast: for the casts that our ops have no stored type for. Fails,
/// with the reason, where there is no formula to write.
mlir::LogicalResult quantizeByFormula(mlir::quant::QuantizeCastOp op,
                                      std::string &reason);
mlir::LogicalResult dequantizeByFormula(mlir::quant::DequantizeCastOp op,
                                        std::string &reason);

} // namespace quantmlir

#endif // QUANT_LIB_IMPORT_QUANTCASTS_CASTSBYFORMULA_H
