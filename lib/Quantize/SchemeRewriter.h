//===- SchemeRewriter.h - one scheme, applied to a matmul -------*- C++ -*-===//

#ifndef QUANT_LIB_QUANTIZE_SCHEMEREWRITER_H
#define QUANT_LIB_QUANTIZE_SCHEMEREWRITER_H

#include "SharedWeights.h"

#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Import/Contraction/DynamicQuantize.h"
#include "quant/Quantize/CalibratedMatmuls.h"
#include "quant/Quantize/Passes.h"

namespace quantmlir {

/// Quantizes float contractions under one scheme: the pass's options, or what a
/// recipe makes of them.
class SchemeRewriter : private QuantQuantizeMatmulPassOptions {
public:
  explicit SchemeRewriter(const QuantQuantizeMatmulPassOptions &options)
      : QuantQuantizeMatmulPassOptions(options) {}

  /// Proves the options and loads the statistics that they name; errors are
  /// emitted at `loc`.
  mlir::LogicalResult prepare(mlir::ModuleOp module, mlir::Location loc);
  /// Whether the program's own static scales are asked for.
  bool wantsStatic() const { return activations == ActivationScheme::Static; }
  /// Replaces a float contraction, or says why it stays.
  mlir::LogicalResult rewrite(const Contraction &matched, std::string &reason);
  /// Quantizes the float activations of a product whose weight the program
  /// gives in integers, or says why they stay.
  mlir::LogicalResult quantizeActivations(ScaledMatmulOp op,
                                          std::string &reason);

private:
  mlir::LogicalResult verifyOptions(mlir::Location loc);
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
  QuantizedMatrix quantizeStatic(mlir::OpBuilder &builder, mlir::Location loc,
                                 mlir::Value matrix,
                                 const MatmulStatistics &statistics);

  StoredRange getActivationRange() const {
    return {activationBits, !symmetric};
  }
  StoredRange getWeightRange() const { return {weightBits, false}; }
  int64_t getWeightMagnitude() const {
    StoredRange stored = getWeightRange();
    return weightSymmetric ? stored.getMaxMagnitude()
                           : stored.max() - stored.min();
  }
  /// Whether the matmul needs quant.scaled_matmul.
  bool isScaled() const {
    return weights == WeightGranularity::Group ||
           activations == ActivationScheme::Float;
  }
  /// Whether choose_qparams and quantize say what the scheme wants of weights.
  bool isPlain() const {
    return !isScaled() && weightSymmetric &&
           weightScale == WeightScaleSearch::AbsMax &&
           rounding == WeightRounding::Nearest;
  }
  /// Elements of a group of a scaled matmul's weight.
  int64_t getGroupSize(const QuantizedMatrix &rhs) const {
    return weights == WeightGranularity::Group
               ? int64_t(groupSize)
               : mlir::cast<mlir::RankedTensorType>(rhs.ints.getType())
                     .getDimSize(1);
  }
  WeightScheme getWeightScheme() const;

  CalibratedMatmuls calibrated;
  SharedWeights shared;
};

} // namespace quantmlir

#endif // QUANT_LIB_QUANTIZE_SCHEMEREWRITER_H
