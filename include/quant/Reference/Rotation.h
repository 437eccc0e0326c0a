//===- Rotation.h - block-diagonal Hadamard rotations -----------*- C++ -*-===//
//
// What `quant.rotate` computes, one row at a time, and the same in f64 for
// weights and their second moments.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_REFERENCE_ROTATION_H
#define QUANT_REFERENCE_ROTATION_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace quantmlir {

/// A rotation by name: blocks of `size`, signs by `seed`; a size of 0 is none.
struct Rotation {
  int64_t size = 0, seed = 0;

  explicit operator bool() const { return size != 0; }
  bool operator==(const Rotation &other) const {
    return size == other.size && (size == 0 || seed == other.seed);
  }
  /// `none`, `hadamard32` or, with signs, `hadamard32:7`.
  std::string getName() const;
  /// What a name stands for, but for `none`.
  static std::optional<Rotation> parse(llvm::StringRef name);
  /// The elements of a row of `k` that are in whole blocks.
  int64_t getRotated(int64_t k) const { return size ? k - k % size : 0; }
};

namespace reference {

/// 1, or -1 where the sign of element `i` of every block is turned.
float getRotationSign(int64_t i, int64_t seed);

/// The f32 that is nearest to 1 / sqrt(size).
float getRotationFactor(int64_t size);

/// Rotates the whole blocks of one row: signs, stages of distances 1, 2, 4, ...
/// size / 2, and the product with the factor, each step rounded once.
void rotateRow(llvm::MutableArrayRef<float> row, const Rotation &rotation);
/// The same in f64.
void rotateRow(llvm::MutableArrayRef<double> row, const Rotation &rotation);

/// The rows of a matrix with rows of `k`, each rotated in f64 and rounded once.
std::vector<float> rotateRows(llvm::ArrayRef<float> matrix, int64_t k,
                              const Rotation &rotation);

/// The second moments, `[k, k]`, of rows that are rotated, from those of the
/// rows.
std::vector<float> rotateMoments(llvm::ArrayRef<float> moments, int64_t k,
                                 const Rotation &rotation);

} // namespace reference
} // namespace quantmlir

#endif // QUANT_REFERENCE_ROTATION_H
