//===- MatmulForm.h - how one matmul was quantized --------------*- C++ -*-===//
//
// Read off a function that holds one matmul, after the quant stage: the scheme
// in words, the stored weight and what it stands for, the activations' grid.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_RUNTIME_SEARCH_MATMULFORM_H
#define QUANT_RUNTIME_SEARCH_MATMULFORM_H

#include "quant/Reference/Rotation.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <optional>
#include <string>
#include <vector>

namespace quantmlir {

/// A weight `[N, K]` as stored integers.
struct StoredWeight {
  int64_t n = 0, k = 0;
  unsigned bits = 8;
  bool isUnsigned = false;
  /// What an integer may be.
  int64_t min = -128, max = 127;
  /// Elements of a row that share a scale.
  int64_t groupSize = 0;
  std::vector<int16_t> ints;
  /// One for all, one a row, or `[N, ceil(K / groupSize)]`; zero points and
  /// offsets likewise, or empty.
  std::vector<float> scales, offsets;
  std::vector<int32_t> zeroPoints;

  float getScale(int64_t row, int64_t column) const {
    return scales[getIndex(scales.size(), row, column)];
  }
  /// What the integer at this place stands for.
  float getValue(int64_t row, int64_t column) const;
  /// `value` in steps of the scale, with the zero point: nearest to what would
  /// be stored.
  double getSteps(float value, int64_t row, int64_t column) const;

private:
  size_t getIndex(size_t size, int64_t row, int64_t column) const;
};

/// Activations on one grid for all inputs.
struct StaticGrid {
  float scale = 1;
  int64_t zeroPoint = 0, min = -128, max = 127;

  /// Values outside are clipped.
  float getLeast() const { return (min - zeroPoint - 0.5f) * scale; }
  float getMost() const { return (max - zeroPoint + 0.5f) * scale; }
};

struct MatmulForm {
  bool isQuantized = false;
  /// `W8 channel, A8 dynamic token`; or why the matmul stays in float.
  std::string scheme = "float";
  /// Bits of the weight; 0: float.
  unsigned weightBits = 0;
  /// Bytes of the weight and of its parameters.
  int64_t weightBytes = 0;
  std::optional<StoredWeight> weight;
  std::optional<StaticGrid> grid;
  /// Of activations and weight, before they were quantized.
  Rotation rotation;
};

MatmulForm getMatmulForm(mlir::func::FuncOp function);

/// A constant weight of a float matmul, as `[N, K]`.
struct FloatWeight {
  int64_t n = 0, k = 0, bytes = 0;
  std::vector<float> values;
};
std::optional<FloatWeight> getFloatWeight(mlir::func::FuncOp function);

} // namespace quantmlir

#endif // QUANT_RUNTIME_SEARCH_MATMULFORM_H
