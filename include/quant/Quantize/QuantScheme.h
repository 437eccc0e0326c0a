//===- QuantScheme.h - how matmuls are quantized ----------------*- C++ -*-===//
//
// A scheme is what an option, a rule of a recipe or the attribute
// `quant.scheme` of an op says, as a value: read once, handed on, printed back.
// The text is that of pass options, `weight-bits=4 weights=group`.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_QUANTIZE_QUANTSCHEME_H
#define QUANT_QUANTIZE_QUANTSCHEME_H

#include "quant/Calibration/Observers.h"
#include "quant/Calibration/WeightQuantizer.h"
#include "quant/Reference/Rotation.h"

#include <optional>
#include <string>
#include <vector>

namespace quantmlir {

/// How the activations' quantization parameters come about.
enum class ActivationScheme {
  DynamicTensor,
  DynamicToken,
  DynamicBlock,
  Static,
  Float
};

/// Values that scales of blocks of activations have: `scales` of
/// quant.quantize_blocks.
enum class ActivationScales { F32, F16, BF16, E8M0, Q8_0, MLAS };

/// How activations and constant weights are rotated before they are quantized.
enum class RotationScheme { None, Hadamard32, Hadamard128 };

/// How one matmul is quantized.
struct QuantScheme {
  WeightScheme weight;
  ActivationScheme activations = ActivationScheme::DynamicToken;
  unsigned activationBits = 8;
  /// Elements that share a scale; of ActivationScheme::DynamicBlock.
  int64_t blockSize = 32;
  ActivationScales activationScales = ActivationScales::F32;
  /// The activations' zero points are 0.
  bool symmetric = true;
  /// Static activations: the range that statistics stand for.
  RangeObserver observer = RangeObserver::MinMax;
  RotationScheme rotation = RotationScheme::None;
  /// Of the rotation's signs; 0: none are turned.
  int64_t rotationSeed = 0;
  /// Whether products of two activations with batch dimensions are quantized.
  bool attention = false;
  /// Statistics file; empty: none.
  std::string stats;

  QuantScheme() { weight.groupSize = 32; }

  /// Reads `text` on top of `base`; it may begin with a preset's name, which
  /// the options after it change. Errors name the option, what was expected and
  /// what was found.
  static llvm::Expected<QuantScheme> parse(llvm::StringRef text,
                                           const QuantScheme &base = {});
  /// The same, and nothing for `none`, which leaves a matmul in float.
  static llvm::Expected<std::optional<QuantScheme>>
  parseOrNone(llvm::StringRef text, const QuantScheme &base = {});

  /// What differs from the defaults; `parse` gives the scheme back.
  std::string str() const;

  /// In words: `W4 group 32, A8 dynamic token`.
  std::string describe() const;

  /// Whether the options fit together.
  llvm::Error verify() const;
  Rotation getRotation() const;
  bool isStatic() const { return activations == ActivationScheme::Static; }
  bool isWeightOnly() const { return activations == ActivationScheme::Float; }
  bool hasBlocks() const {
    return activations == ActivationScheme::DynamicBlock;
  }
};

/// Text that stands for no scheme.
constexpr llvm::StringLiteral kNoScheme = "none";

/// All that `quant-quantize-matmul` is asked for: a scheme, and which matmuls
/// get it.
struct QuantizeRequest {
  QuantScheme scheme;
  /// Globs: only matmuls that one fits, none that one fits.
  std::vector<std::string> include, exclude;
  /// File with rules; empty: none.
  std::string recipe;
  /// Whether the pass ends with a remark that holds its statistics.
  bool report = false;
  /// As it was written, for those who want to read it again.
  std::string text;

  static llvm::Expected<QuantizeRequest> parse(llvm::StringRef text);
  /// Nothing for `none`.
  static llvm::Expected<std::optional<QuantizeRequest>>
  parseOrNone(llvm::StringRef text);

  /// What differs from the defaults; `parse` gives the request back.
  std::string str() const;
  /// Every option with its value, but for files and lists that are not given.
  std::string getFullText() const;
};

} // namespace quantmlir

#endif // QUANT_QUANTIZE_QUANTSCHEME_H
