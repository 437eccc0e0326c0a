//===- StoredGrid.cpp - what a quantized type says of its integers --------===//

#include "StoredGrid.h"

using namespace mlir;
using namespace quantmlir;

LogicalResult quantmlir::readStorage(quant::QuantizedType type,
                                     StoredGrid &grid, std::string &reason) {
  Type real = type.getExpressedType();
  if (!real.isF32() && !real.isF16() && !real.isBF16()) {
    reason = "expected floats of f32, f16 or bf16";
    return failure();
  }
  grid.storage =
      IntegerType::get(type.getContext(), type.getStorageTypeIntegralWidth());
  grid.isUnsigned = !type.isSigned();
  grid.min = type.getStorageTypeMin();
  grid.max = type.getStorageTypeMax();
  return success();
}

void quantmlir::readBlockParameters(quant::UniformQuantizedSubChannelType type,
                                    SmallVectorImpl<float> &scales,
                                    SmallVectorImpl<int32_t> &zeroPoints) {
  for (APFloat scale : type.getScales().getValues<APFloat>()) {
    bool isLossy;
    scale.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven,
                  &isLossy);
    scales.push_back(scale.convertToFloat());
  }
  for (const APInt &zeroPoint : type.getZeroPoints().getValues<APInt>())
    zeroPoints.push_back(type.isSigned() ? zeroPoint.getSExtValue()
                                         : zeroPoint.getZExtValue());
}
