//===- Metrics.h - how far two tensors are apart ----------------*- C++ -*-===//

#ifndef QUANT_RUNTIME_HOST_METRICS_H
#define QUANT_RUNTIME_HOST_METRICS_H

#include "quant/Runtime/Host/HostTensor.h"

namespace quantmlir {

/// Distances of a result `y` from its reference `x`.
struct Metrics {
  /// 10 log10(sum x^2 / sum (x - y)^2); +inf when they are equal.
  double sqnrDb = 0;
  /// sum x y / sqrt(sum x^2 sum y^2); 1 when they are equal, 0 when one
  /// is all zeros.
  double cosine = 0;
  double maxAbsError = 0;
  bool bitIdentical = false;
};

/// Sums over pairs of values, from which the metrics follow.
class ErrorSums {
public:
  /// NaN on one side only makes every number NaN.
  void add(double reference, double result);
  /// `bitIdentical` says that no pair differed.
  Metrics getMetrics() const;

private:
  double signal = 0, noise = 0, product = 0, power = 0, maxError = 0;
};

/// Compares element by element in double; fails when the shapes differ. NaN on
/// one side only makes every number NaN.
llvm::Expected<Metrics> compare(const HostTensor &reference,
                                const HostTensor &result);

} // namespace quantmlir

#endif // QUANT_RUNTIME_HOST_METRICS_H
