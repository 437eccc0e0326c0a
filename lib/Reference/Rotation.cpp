//===- Rotation.cpp - block-diagonal Hadamard rotations -------------------===//

#include "quant/Reference/Rotation.h"

#include <cmath>

using namespace quantmlir;

std::string Rotation::getName() const {
  if (!size)
    return "none";
  std::string name = "hadamard" + std::to_string(size);
  return seed ? name + ":" + std::to_string(seed) : name;
}

std::optional<Rotation> Rotation::parse(llvm::StringRef name) {
  Rotation rotation;
  auto [blocks, seed] = name.split(':');
  if (!blocks.consume_front("hadamard") ||
      blocks.getAsInteger(10, rotation.size) ||
      (rotation.size != 32 && rotation.size != 128))
    return std::nullopt;
  if (name.contains(':') && (seed.getAsInteger(10, rotation.seed) ||
                             rotation.seed < 0 || rotation.seed > INT32_MAX))
    return std::nullopt;
  return rotation;
}

float reference::getRotationSign(int64_t i, int64_t seed) {
  if (seed == 0)
    return 1;
  // The finalizer of SplitMix64.
  uint64_t z = (static_cast<uint64_t>(seed) << 32) + static_cast<uint64_t>(i) +
               0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return (z ^ (z >> 31)) >> 63 ? -1 : 1;
}

float reference::getRotationFactor(int64_t size) {
  return static_cast<float>(1.0 / std::sqrt(static_cast<double>(size)));
}

/// One block, whose elements are `stride` apart.
template <typename Float>
static void rotateBlock(Float *block, int64_t stride, const Rotation &rotation,
                        Float factor) {
  int64_t size = rotation.size;
  for (int64_t i = 0; i < size; ++i)
    block[i * stride] *=
        static_cast<Float>(reference::getRotationSign(i, rotation.seed));
  for (int64_t distance = 1; distance < size; distance *= 2)
    for (int64_t i = 0; i < size; ++i) {
      if (i & distance)
        continue;
      Float a = block[i * stride], b = block[(i + distance) * stride];
      block[i * stride] = a + b;
      block[(i + distance) * stride] = a - b;
    }
  for (int64_t i = 0; i < size; ++i)
    block[i * stride] *= factor;
}

void reference::rotateRow(llvm::MutableArrayRef<float> row,
                          const Rotation &rotation) {
  int64_t rotated = rotation.getRotated(row.size());
  for (int64_t k = 0; k < rotated; k += rotation.size)
    rotateBlock(row.data() + k, 1, rotation, getRotationFactor(rotation.size));
}

void reference::rotateRow(llvm::MutableArrayRef<double> row,
                          const Rotation &rotation) {
  int64_t rotated = rotation.getRotated(row.size());
  for (int64_t k = 0; k < rotated; k += rotation.size)
    rotateBlock(row.data() + k, 1, rotation,
                1.0 / std::sqrt(static_cast<double>(rotation.size)));
}

std::vector<float> reference::rotateRows(llvm::ArrayRef<float> matrix,
                                         int64_t k, const Rotation &rotation) {
  std::vector<float> result(matrix.begin(), matrix.end());
  if (k == 0)
    return result;
  std::vector<double> row(k);
  for (size_t begin = 0; begin < matrix.size(); begin += k) {
    std::copy_n(matrix.begin() + begin, k, row.begin());
    rotateRow(row, rotation);
    std::copy_n(row.begin(), k, result.begin() + begin);
  }
  return result;
}

std::vector<float> reference::rotateMoments(llvm::ArrayRef<float> moments,
                                            int64_t k,
                                            const Rotation &rotation) {
  std::vector<double> matrix(moments.begin(), moments.end());
  for (int64_t i = 0; i < k; ++i)
    rotateRow(llvm::MutableArrayRef<double>(matrix).slice(i * k, k), rotation);
  int64_t rotated = rotation.getRotated(k);
  double factor = 1.0 / std::sqrt(static_cast<double>(rotation.size));
  for (int64_t begin = 0; begin < rotated; begin += rotation.size)
    for (int64_t column = 0; column < k; ++column)
      rotateBlock(matrix.data() + begin * k + column, k, rotation, factor);
  return std::vector<float>(matrix.begin(), matrix.end());
}
