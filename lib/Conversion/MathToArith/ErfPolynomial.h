//===- ErfPolynomial.h - the error function as one polynomial --*- C++ -*-===//

#ifndef QUANT_LIB_CONVERSION_MATHTOARITH_ERFPOLYNOMIAL_H
#define QUANT_LIB_CONVERSION_MATHTOARITH_ERFPOLYNOMIAL_H

#include "mlir/IR/PatternMatch.h"

namespace quantmlir {

/// Adds the pattern that replaces `math.erf` of f32, of scalars and of vectors,
/// by a polynomial.
void populateErfPolynomialPattern(mlir::RewritePatternSet &patterns);

} // namespace quantmlir

#endif // QUANT_LIB_CONVERSION_MATHTOARITH_ERFPOLYNOMIAL_H
