//===- SchemeRewriter.h - one scheme, applied to a matmul -------*- C++ -*-===//

#ifndef QUANT_LIB_QUANTIZE_SCHEMEREWRITER_H
#define QUANT_LIB_QUANTIZE_SCHEMEREWRITER_H

#include "SharedWeights.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Import/Contraction/DynamicQuantize.h"
#include "quant/Quantize/CalibratedMatmuls.h"
#include "quant/Quantize/QuantScheme.h"

namespace quantmlir {

/// Quantizes float contractions under one scheme.
class SchemeRewriter {
public:
  explicit SchemeRewriter(const QuantScheme &scheme) : scheme(scheme) {}

  /// Loads the statistics that the scheme names; errors are emitted at the
  /// module.
  mlir::LogicalResult prepare(mlir::ModuleOp module);
  /// Replaces a float contraction, or says why it stays. Gives the scheme as it
  /// was applied.
  mlir::FailureOr<QuantScheme> rewrite(const Contraction &matched,
                                       std::string &reason);
  /// Quantizes the float activations of a product whose weight the program
  /// gives in integers, or says why they stay.
  mlir::FailureOr<QuantScheme> quantizeActivations(ScaledMatmulOp op,
                                                   std::string &reason);
  /// What of the scheme the matmul that was quantized last is without, and why;
  /// empty where it has all. It is noted on the quantized matmul as well.
  std::string takeMissing() { return std::move(missing); }

private:
  void noteMissing(mlir::Operation *op);
  void noteLostScales(mlir::Operation *op, mlir::Value scale);
  mlir::FailureOr<QuantScheme> rewriteProduct(const Contraction &c,
                                              std::string &reason);
  /// Emits the quantized matmul of a contraction that fits the scheme.
  mlir::FailureOr<QuantScheme> emit(Contraction &c,
                                    std::optional<QuantizedOperand> &givenLhs,
                                    std::optional<QuantizedOperand> &givenRhs,
                                    std::string &reason);
  void chooseRotation(const Contraction &c, bool isLhsGiven, bool isRhsGiven);
  const MatmulStatistics *findStatistics(mlir::Operation *op) const;
  QuantScheme getApplied(const std::optional<QuantizedOperand> &lhs,
                         const std::optional<QuantizedOperand> &rhs) const;
  std::string explainNoStatistics(mlir::Operation *op);
  mlir::LogicalResult findStaticLhs(Contraction &c,
                                    std::optional<QuantizedOperand> &given,
                                    std::string &reason);
  std::string explainScheme(const Contraction &c,
                            const std::optional<QuantizedOperand> &givenLhs,
                            const std::optional<QuantizedOperand> &givenRhs);
  QuantizedMatrix emitLhs(mlir::OpBuilder &builder, MatmulEmitter &emitter,
                          const Contraction &c,
                          const std::optional<QuantizedOperand> &given);
  mlir::FailureOr<std::vector<float>>
  findMoments(const Contraction &c, bool isChosen, std::string &reason);
  mlir::FailureOr<QuantizedMatrix> emitRhs(mlir::OpBuilder &builder,
                                           MatmulEmitter &emitter,
                                           const Contraction &c,
                                           std::string &reason);
  QuantizedMatrix quantizeRunTimeWeight(mlir::OpBuilder &builder,
                                        mlir::Location loc, mlir::Value matrix,
                                        bool isTransposed);
  QuantizedMatrix quantizeStatic(mlir::OpBuilder &builder, mlir::Location loc,
                                 mlir::Value matrix,
                                 const MatmulStatistics &statistics);

  StoredRange getActivationRange() const {
    return {scheme.activationBits, !scheme.symmetric};
  }
  StoredRange getWeightRange() const { return {scheme.weight.bits, false}; }
  int64_t getWeightMagnitude() const { return scheme.weight.getMaxMagnitude(); }
  bool hasGroups() const {
    return scheme.weight.granularity == WeightScheme::Granularity::Group;
  }
  /// Whether activations are float while the weight is quantized; those in
  /// blocks come after it.
  bool leavesActivations() const {
    return scheme.isWeightOnly() || scheme.hasBlocks();
  }
  /// Whether the matmul needs quant.scaled_matmul, which alone has weights of 2
  /// bits.
  bool isScaled() const {
    return hasGroups() || leavesActivations() ||
           scheme.weight.getStoredBits() == 2;
  }
  /// Whether choose_qparams and quantize say what the scheme wants of weights.
  bool isPlain() const {
    return !isScaled() && scheme.weight.symmetric &&
           scheme.weight.bits == scheme.weight.getStoredBits() &&
           scheme.weight.scaleSearch == WeightScheme::ScaleSearch::AbsMax &&
           scheme.weight.rounding == WeightScheme::Rounding::Nearest;
  }

  QuantScheme scheme;
  CalibratedMatmuls calibrated;
  /// Weights as they are, and rotated ones.
  SharedWeights shared, sharedRotated;
  /// Of the matmul at hand, and what of the scheme it is without.
  Rotation rotation;
  std::string missing;
};

} // namespace quantmlir

#endif // QUANT_LIB_QUANTIZE_SCHEMEREWRITER_H
