//===- WeightGrid.h - elements and scales of a scheme -----------*- C++ -*-===//
//
// Where the stored values of a weight lie under a scheme: which scales there
// are, and which element is nearest. Integers are those of WeightRuns.h.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_CALIBRATION_WEIGHTGRID_H
#define QUANT_LIB_CALIBRATION_WEIGHTGRID_H

#include "WeightRuns.h"

namespace quantmlir {

class WeightGrid {
public:
  /// The grid for `weight`, all of the tensor.
  WeightGrid(const WeightScheme &scheme, llvm::ArrayRef<float> weight);

  /// Parameters for elements that share a scale, by the scheme's search.
  reference::QParams chooseQParams(llvm::ArrayRef<float> values,
                                   llvm::ArrayRef<float> importance) const;
  /// Whether the search is one for the least error.
  bool seeksLeastError() const;
  /// What such a search tries, the scale of `absmax` first. All runs that have
  /// a value other than 0 have as many.
  llvm::SmallVector<reference::QParams>
  getCandidates(llvm::ArrayRef<float> values) const;
  /// Quantizes `run` to one byte for each element: an integer, or the number of
  /// an entry of the code book (sign-extended from 4 bits).
  void quantize(llvm::ArrayRef<float> run, reference::QParams params,
                llvm::MutableArrayRef<int8_t> out) const;
  /// One of them, and what it stands for.
  int8_t quantize(float x, reference::QParams params) const;
  float dequantize(int8_t stored, reference::QParams params) const;
  /// What is stored for kLanes values, each under parameters of its own, stands
  /// for.
  static constexpr size_t kLanes = 16;
  void round(const float *x, const float *scale, const float *zeroPoint,
             float *rounded) const;

private:
  bool hasCodes() const { return !row.codes.empty(); }
  reference::QParams chooseAbsMax(llvm::ArrayRef<float> values) const;
  float getTop(const reference::Observer &range) const;
  float getAbsMaxScale(const reference::Observer &range) const;
  float roundScale(float scale) const;
  float search(llvm::ArrayRef<float> values, llvm::ArrayRef<float> importance,
               float start, float top) const;
  double getError(llvm::ArrayRef<float> values,
                  llvm::ArrayRef<float> importance, float scale) const;

  const WeightScheme &scheme;
  const WeightFormatRow &row;
  /// With WeightScales::E4M3: what its values are multiplied by.
  float tensorScale = 1;
  /// The code book in ascending order without duplicates: entries, their
  /// numbers, and between neighbours the largest value of the lower one.
  static constexpr size_t kMost = 16;
  size_t count = 0;
  float entries[kMost], last[kMost];
  int8_t numbers[kMost];
};

} // namespace quantmlir

#endif // QUANT_LIB_CALIBRATION_WEIGHTGRID_H
