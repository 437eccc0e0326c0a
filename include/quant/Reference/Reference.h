//===- Reference.h - scalar oracle of the quant ops -------------*- C++ -*-===//
//
// What every lowering must compute, one value at a time, in plain C++: obvious
// and slow. Folders evaluate constants with it, so that a constant that is
// folded and a value that is computed at run time are the same.
//
// Every float operation is f32 with one rounding; the library is compiled
// without contraction. Rounding to an integer is to nearest, ties to even, and
// relies on the default rounding mode.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_REFERENCE_REFERENCE_H
#define QUANT_REFERENCE_REFERENCE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <cstdint>
#include <optional>

namespace quantmlir::reference {

//===----------------------------------------------------------------------===//
// Quantize and dequantize
//===----------------------------------------------------------------------===//

/// clamp(roundeven(x / scale) + zeroPoint, qmin, qmax); NaN is 0 before the
/// zero point is added.
int64_t quantizeValue(float x, float scale, int64_t zeroPoint, int64_t qmin,
                      int64_t qmax);

/// scale * f32(q - zeroPoint).
float dequantizeValue(int64_t q, float scale, int64_t zeroPoint);

/// Range of the finite values seen so far.
struct Observer {
  float min = 0.0f;
  float max = 0.0f;
  /// Widens the range, which always holds 0, by `x` if that is finite.
  void observe(float x);
};

struct QParams {
  float scale;
  int64_t zeroPoint;
};

/// scale = max|x| / qmax, 1 where that is 0; zero point 0.
QParams chooseSymmetric(const Observer &range, int64_t qmax);

/// ONNX DynamicQuantizeLinear for [qmin, qmax].
QParams chooseAsymmetric(const Observer &range, int64_t qmin, int64_t qmax);

/// Calls `fn(begin, end, index)` for the runs of consecutive elements of a
/// row-major tensor of `shape` that share coordinates along `axes`; `index` is
/// the linear index of these coordinates in the tensor of the listed sizes.
void forEachRun(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> axes,
                llvm::function_ref<void(int64_t, int64_t, int64_t)> fn);

//===----------------------------------------------------------------------===//
// Integer matmul
//===----------------------------------------------------------------------===//

/// acc + sum_k (lhs[k] - lhsZeroPoint) * (rhs[k * rhsStride] - rhsZeroPoint),
/// modulo 2^32.
int32_t dotProduct(int32_t acc, llvm::ArrayRef<int32_t> lhs, const int32_t *rhs,
                   int64_t rhsStride, int32_t lhsZeroPoint,
                   int32_t rhsZeroPoint);

//===----------------------------------------------------------------------===//
// Rescale
//===----------------------------------------------------------------------===//

/// One element's part of quant.rescale.
struct RescaleParams {
  std::optional<float> rowScale;
  std::optional<float> channelScale;
  int32_t intBias = 0;
  std::optional<float> floatBias;
  std::optional<float> residual;
  std::optional<float> clampMin;
  std::optional<float> clampMax;
};

/// The float result, before it is truncated to f16 or bf16.
float rescaleToFloat(int32_t acc, const RescaleParams &params);

/// clamp(roundeven(rescaleToFloat) + zeroPoint, qmin, qmax).
int64_t rescaleToInteger(int32_t acc, const RescaleParams &params,
                         int64_t zeroPoint, int64_t qmin, int64_t qmax);

/// TOSA 1.0 apply_scale_32: value * multiplier >> shift, rounded.
int64_t applyScale32(int32_t value, int32_t multiplier, int32_t shift,
                     bool doubleRound);

struct FixedPointMultiplier {
  int32_t multiplier;
  int32_t shift;
};

/// gemmlowp's and TFLite's QuantizeMultiplier as TOSA counts its shift:
/// m ~ multiplier * 2^-shift with the multiplier in [2^30, 2^31) and the shift
/// in [2, 62]. A multiplier too small for that is 0. Empty for a negative, NaN
/// or infinite m and for one that needs a smaller shift.
std::optional<FixedPointMultiplier> quantizeMultiplier(double m);

//===----------------------------------------------------------------------===//
// int4 and int2 storage
//===----------------------------------------------------------------------===//

/// Packs rows of `rowLength` elements of 4 or 2 bits (one in each byte, whose
/// low bits count) P = 8 / bits in a byte: element P i + j in its bits from
/// bits * j on; 0 behind a row's last element. `out` has ceil(rowLength / P)
/// bytes a row.
void packElements(unsigned bits, llvm::ArrayRef<int8_t> values,
                  int64_t rowLength, llvm::MutableArrayRef<int8_t> out);

/// The inverse, to sign-extended bytes. `out` has `rowLength` bytes a row.
void unpackElements(unsigned bits, llvm::ArrayRef<int8_t> packed,
                    int64_t rowLength, llvm::MutableArrayRef<int8_t> out);

} // namespace quantmlir::reference

#endif // QUANT_REFERENCE_REFERENCE_H
