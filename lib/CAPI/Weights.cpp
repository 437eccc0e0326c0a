//===- Weights.cpp - one weight's integers, from C ------------------------===//

#include "Log.h"

#include "quant/Quantize/QuantScheme.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace llvm;
using namespace quantmlir;

int32_t quantWeightQuantize(const float *weight, int64_t n, int64_t k,
                            const char *options, const float *moments,
                            int8_t *ints, float *scales, int32_t *zeroPoints,
                            size_t numScales, QuantLog *log) {
  if (!weight || !options || !ints || !scales || n < 1 || k < 1)
    return fail(log, QUANT_INVALID,
                "expected a weight of at least one element, options, and where "
                "to put integers and scales");
  // Whoever has second moments needs no file of them.
  QuantScheme base;
  const std::string given = moments ? "moments" : "";
  base.stats = given;
  auto scheme = QuantScheme::parse(options, base);
  if (!scheme)
    return fail(log, QUANT_INVALID, scheme.takeError());
  if (scheme->stats != given)
    return fail(log, QUANT_INVALID,
                "option 'stats': expected moments as an argument instead");
  if (scheme->rotation != RotationScheme::None)
    return fail(
        log, QUANT_INVALID,
        "option 'rotation': expected none, since the caller rotates the "
        "weight");
  if (!llvm::all_of(ArrayRef(weight, n * k),
                    [](float value) { return std::isfinite(value); }))
    return fail(log, QUANT_INVALID,
                "expected finite weights, found NaN or infinity");
  size_t count = 1;
  for (int64_t size : scheme->weight.getScaleShape(n, k))
    count *= size;
  bool hasZeroPoints = scheme->weight.hasZeroPoints();
  if (count != numScales)
    return fail(log, QUANT_INVALID,
                "expected room for " + Twine(count) + " scales, found " +
                    Twine(numScales));
  if (hasZeroPoints && !zeroPoints)
    return fail(log, QUANT_INVALID,
                "expected room for " + Twine(count) +
                    " zero points, found none");
  auto result =
      quantizeWeightInto(ArrayRef(weight, n * k), n, k, scheme->weight,
                         moments ? ArrayRef(moments, k * k) : ArrayRef<float>(),
                         MutableArrayRef(ints, n * k));
  if (!result)
    return fail(log, QUANT_INVALID, result.takeError());
  llvm::copy(result->scales, scales);
  llvm::copy(result->zeroPoints, zeroPoints);
  return QUANT_OK;
}
