//===- RandomInputs.cpp - reproducible inputs -----------------------------===//
//
// The standard's distributions differ between libraries, so the normal
// numbers are made here, as a sum of twelve uniform ones: only additions, the
// same bits everywhere.
//
//===----------------------------------------------------------------------===//

#include "quant/Runtime/Host/RandomInputs.h"

#include "llvm/ADT/APFloat.h"

#include <random>

using namespace mlir;
using namespace quantmlir;

static double makeNormal(std::mt19937_64 &random) {
  // Each of the words gives two numbers of 32 bits; their sum of twelve has
  // the mean 6 and the variance 1.
  uint64_t sum = 0;
  for (int i = 0; i < 6; ++i) {
    uint64_t word = random();
    sum += (word >> 32) + (word & 0xffffffff);
  }
  return static_cast<double>(sum) / 4294967296.0 - 6.0;
}

/// Writes the low bytes of `bits`, as little-endian machines store them.
static void store(char *to, uint64_t bits, int64_t width) {
  for (int64_t i = 0; i < width; ++i)
    to[i] = static_cast<char>(bits >> (8 * i));
}

static uint64_t convert(double value, const llvm::fltSemantics &semantics) {
  llvm::APFloat number(value);
  bool losesInfo;
  number.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return number.bitcastToAPInt().getZExtValue();
}

static uint64_t makeBits(HostType type, std::mt19937_64 &random) {
  switch (type) {
  case HostType::F16:
    return convert(makeNormal(random), llvm::APFloat::IEEEhalf());
  case HostType::BF16:
    return convert(makeNormal(random), llvm::APFloat::BFloat());
  case HostType::F32:
    return llvm::bit_cast<uint32_t>(static_cast<float>(makeNormal(random)));
  case HostType::F64:
    return llvm::bit_cast<uint64_t>(makeNormal(random));
  case HostType::I1:
    return random() & 1;
  case HostType::I4:
    return random() & 15;
  default:
    return random();
  }
}

llvm::Expected<std::vector<HostTensor>>
quantmlir::makeRandomInputs(ArrayRef<HostTensorType> types, uint64_t seed,
                            int64_t dynamicSize) {
  std::vector<HostTensor> inputs;
  for (auto [index, type] : llvm::enumerate(types)) {
    HostTensorType known = type;
    for (int64_t &size : known.shape)
      if (ShapedType::isDynamic(size))
        size = dynamicSize;
    auto tensor = HostTensor::create(known);
    if (!tensor)
      return tensor.takeError();
    std::seed_seq sequence{uint32_t(seed), uint32_t(seed >> 32),
                           uint32_t(index)};
    std::mt19937_64 random(sequence);
    int64_t width = getByteWidth(known.element);
    for (int64_t i = 0, e = tensor->getNumElements(); i < e; ++i)
      store(tensor->getData() + i * width, makeBits(known.element, random),
            width);
    inputs.push_back(std::move(*tensor));
  }
  return inputs;
}
