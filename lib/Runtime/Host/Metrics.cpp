//===- Metrics.cpp - how far two tensors are apart ------------------------===//

#include "quant/Runtime/Host/Metrics.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace quantmlir;

void ErrorSums::add(double x, double y) {
  // Equal infinities, and NaN where NaN is due, are no error.
  bool isSame = x == y || (std::isnan(x) && std::isnan(y));
  if (isSame && !std::isfinite(x))
    return;
  double error = isSame ? 0 : x - y;
  signal += x * x;
  power += y * y;
  product += x * y;
  noise += error * error;
  // Written so that NaN stays.
  if (!(std::fabs(error) <= maxError))
    maxError = std::isnan(maxError) ? maxError : std::fabs(error);
}

Metrics ErrorSums::getMetrics() const {
  Metrics metrics;
  metrics.maxAbsError = maxError;
  metrics.sqnrDb = noise == 0 ? std::numeric_limits<double>::infinity()
                              : 10 * std::log10(signal / noise);
  double norm = std::sqrt(signal) * std::sqrt(power);
  metrics.cosine = noise == 0 ? 1 : norm == 0 ? 0 : product / norm;
  metrics.bitIdentical = noise == 0;
  return metrics;
}

llvm::Expected<Metrics> quantmlir::compare(const HostTensor &reference,
                                           const HostTensor &result) {
  if (reference.getShape() != result.getShape())
    return llvm::createStringError("cannot compare " + result.getType().str() +
                                   " with " + reference.getType().str());
  ErrorSums sums;
  for (int64_t i = 0, e = reference.getNumElements(); i < e; ++i)
    sums.add(reference.getAsDouble(i), result.getAsDouble(i));
  Metrics metrics = sums.getMetrics();
  metrics.bitIdentical =
      reference.getElementType() == result.getElementType() &&
      reference.getBytes() == result.getBytes();
  return metrics;
}
