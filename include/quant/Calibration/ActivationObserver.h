//===- ActivationObserver.h - statistics of one tensor ----------*- C++ -*-===//
//
// Sees the activations of a matmul input by input and sums them up.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_CALIBRATION_ACTIVATIONOBSERVER_H
#define QUANT_CALIBRATION_ACTIVATIONOBSERVER_H

#include "quant/Calibration/Statistics.h"
#include "quant/Reference/Rotation.h"

#include <memory>

namespace quantmlir {

class ActivationObserver {
public:
  /// The dimensions of the tensor that are contracted, in the order in which
  /// they make up K. With a `rotation`, what is seen is rotated first.
  ActivationObserver(std::vector<int64_t> contractedDims, bool secondMoments,
                     const Rotation &rotation = {});
  ~ActivationObserver();
  ActivationObserver(ActivationObserver &&);

  /// Sees a tensor in C order.
  void observe(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<float> values);
  /// Ends a calibration input, which may have shown any number of tensors.
  void endInput();

  /// NaN and infinities that were seen; the statistics leave them out.
  int64_t getNumNonFinite() const { return numNonFinite; }
  /// Whether K was not the same for all tensors.
  bool hasVaryingK() const { return varyingK; }
  /// Fills in everything but name, shape and location.
  void finish(MatmulStatistics &statistics);
  /// X^T X / rows, `[K, K]`; empty when not asked for or K varies.
  std::vector<float> takeSecondMoment();

private:
  struct SecondMoment;

  /// Brings the tensor to rows of length K, in `rows`, if it is not there.
  llvm::ArrayRef<float> getRows(llvm::ArrayRef<int64_t> shape,
                                llvm::ArrayRef<float> values, int64_t k);

  std::vector<int64_t> contractedDims;
  Rotation rotation;
  MatmulStatistics sums;
  std::vector<float> rows;
  double inputMin = 0, inputMax = 0;
  bool sawTensor = false, varyingK = false;
  int64_t numNonFinite = 0;
  std::unique_ptr<SecondMoment> secondMoment;
};

} // namespace quantmlir

#endif // QUANT_CALIBRATION_ACTIVATIONOBSERVER_H
