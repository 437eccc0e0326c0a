//===- MatmulStudy.h - what quantization does to each matmul ----*- C++ -*-===//
//
// One comparison of a float program with its quantized form, matmul by matmul.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_RUNTIME_SEARCH_MATMULSTUDY_H
#define QUANT_RUNTIME_SEARCH_MATMULSTUDY_H

#include "quant/Calibration/Histogram.h"
#include "quant/Runtime/Host/Metrics.h"
#include "quant/Runtime/Search/SwitchedProgram.h"

namespace quantmlir {

/// How often a weight's elements, divided by their scale, come to lie where.
struct WeightHistogram {
  static constexpr int64_t kBinsPerStep = 4;

  /// The stored range: bins of 1 / kBinsPerStep steps go from one step below
  /// `min` to one above `max`; what is further out is in the last bins.
  int64_t min = 0, max = 0;
  std::vector<int64_t> counts;
};

struct MatmulFindings {
  MatmulShape shape;
  std::string location, scheme;
  bool isQuantized = false;
  /// Result against float's, for the same float activations: what this matmul
  /// does wrong. Without matmuls that stay in float.
  std::optional<Metrics> local;
  /// Result against float's, in the quantized program: what all matmuls before
  /// it have done wrong too.
  std::optional<Metrics> cumulative;
  /// Of activations, and of elements of the weight, that lie outside the grid.
  double clippedActivations = 0, clippedWeights = 0;
  /// The weight against its stored form.
  std::optional<Metrics> weightError;
  int64_t weightBytesBefore = 0, weightBytesAfter = 0;
  Histogram activations;
  double activationMin = 0, activationMax = 0;
  /// Empty where the grid depends on the input.
  std::optional<StaticGrid> grid;
  WeightHistogram weights;
};

/// Runs the quantized and the float form of `module` (as it was read) on one
/// input. Gives the matmuls in walk order.
llvm::Expected<std::vector<MatmulFindings>>
studyMatmuls(mlir::OwningOpRef<mlir::ModuleOp> module,
             const Signature &signature, llvm::ArrayRef<HostTensor> inputs,
             const RunOptions &options);

/// Prepares the float program for SwitchedProgram: names, folded constants.
llvm::Error prepareFloat(mlir::ModuleOp module);

} // namespace quantmlir

#endif // QUANT_RUNTIME_SEARCH_MATMULSTUDY_H
