//===- Statistics.h - what calibration found out ----------------*- C++ -*-===//
//
// The distribution of each matmul's activations over representative inputs, as
// a readable file (JSON). Written by `quant-run --calibrate`, read by whatever
// chooses static scales, equalizes channels or compensates rounding errors.
// Files come from anywhere: every field is checked, and each error names the
// file, the field, what was expected and what was found.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_CALIBRATION_STATISTICS_H
#define QUANT_CALIBRATION_STATISTICS_H

#include "quant/Calibration/Histogram.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <optional>
#include <string>
#include <vector>

namespace quantmlir {

/// A matmul's name and sizes. `m` is empty where it is dynamic, or the product
/// of several loops of which one is; the same for `k` and `n`.
struct MatmulShape {
  std::string name;
  std::optional<int64_t> m, k, n;
};

/// Identifies a float program by its matmuls: 16 hexadecimal digits.
std::string hashMatmuls(llvm::ArrayRef<MatmulShape> matmuls);

/// Of the activations that one matmul multiplies with its weight (its left
/// operand, if neither is a weight).
struct MatmulStatistics {
  MatmulShape shape;
  /// `file:line:column` or the location's name; may be empty.
  std::string location;
  /// Calibration inputs that reached the matmul, and rows of length K in them.
  int64_t numInputs = 0, numRows = 0;
  /// Over all values.
  double min = 0, max = 0;
  /// Exponential moving average, over the inputs, of each input's extremes.
  double movingMin = 0, movingMax = 0;
  /// Largest magnitude for each index of the contracted dimension.
  std::vector<float> channelAbsMax;
  Histogram histogram;
  /// The same of the activations after a rotation, which has a name; these have
  /// no shape, location, channels or second moments of their own.
  std::vector<MatmulStatistics> rotated;
  std::string rotation;
  /// Path of an NPY file, f32 `[K, K]`: X^T X / rows. Empty: not collected. In
  /// the file it stands relative to the file's folder.
  std::string secondMoment;

  /// Those of `rotated` by a rotation's name; null where there are none.
  const MatmulStatistics *findRotated(llvm::StringRef name) const;
};

struct Statistics {
  /// hashMatmuls of the float program.
  std::string model;
  int64_t numInputs = 0;
  std::vector<MatmulStatistics> matmuls;

  const MatmulStatistics *find(llvm::StringRef name) const;
  /// Fails unless `hash` is that of the program that was calibrated. `path`
  /// only serves the message.
  llvm::Error verifyModel(llvm::StringRef path, llvm::StringRef hash) const;
};

llvm::Expected<Statistics> readStatistics(llvm::StringRef path);

/// The text of a file that will be at `path`: paths in it are relative to its
/// folder.
void printStatistics(llvm::StringRef path, const Statistics &statistics,
                     llvm::raw_ostream &os);

/// The `[K, K]` matrix of a matmul that has one, in C order.
llvm::Expected<std::vector<float>>
readSecondMoment(const MatmulStatistics &matmul);

} // namespace quantmlir

#endif // QUANT_CALIBRATION_STATISTICS_H
