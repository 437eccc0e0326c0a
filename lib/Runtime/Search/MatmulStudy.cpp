//===- MatmulStudy.cpp - what quantization does to each matmul ------------===//

#include "quant/Runtime/Search/MatmulStudy.h"

#include "quant/Import/MatmulNames.h"
#include "quant/Runtime/Execution/Program.h"
#include "quant/Runtime/Execution/Reported.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace quantmlir;

llvm::Error quantmlir::prepareFloat(ModuleOp module) {
  if (failed(bringToMatmuls(module)))
    return reported();
  nameMatmuls(module);
  if (failed(makeFloatTwin(module)))
    return reported();
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// A rotated weight is compared with what was quantized.
static void studyWeight(FloatWeight before, const StoredWeight &after,
                        const Rotation &rotation, MatmulFindings &findings) {
  if (before.n != after.n || before.k != after.k)
    return;
  if (rotation)
    before.values = reference::rotateRows(before.values, before.k, rotation);
  WeightHistogram &histogram = findings.weights;
  histogram.min = after.min;
  histogram.max = after.max;
  int64_t low = (histogram.min - 1) * WeightHistogram::kBinsPerStep;
  int64_t numBins =
      (histogram.max - histogram.min + 2) * WeightHistogram::kBinsPerStep;
  histogram.counts.assign(numBins, 0);
  ErrorSums sums;
  int64_t clipped = 0;
  for (int64_t i = 0; i < before.n; ++i)
    for (int64_t j = 0; j < before.k; ++j) {
      float value = before.values[i * before.k + j];
      sums.add(value, after.getValue(i, j));
      double steps = after.getSteps(value, i, j);
      clipped += steps < histogram.min - 0.5 || steps > histogram.max + 0.5;
      double bin = std::floor(steps * WeightHistogram::kBinsPerStep) - low;
      // Written so that NaN is in the first bin.
      ++histogram.counts[bin > 0 ? std::min<double>(bin, numBins - 1) : 0];
    }
  findings.weightError = sums.getMetrics();
  findings.clippedWeights = double(clipped) / (before.n * before.k);
}

//===----------------------------------------------------------------------===//
// Activations and results
//===----------------------------------------------------------------------===//

namespace {

/// Listens to the two runs.
class Listener {
public:
  Listener(ArrayRef<SwitchedMatmul> matmuls,
           std::vector<MatmulFindings> &findings)
      : findings(findings), tensors(matmuls.size()) {}

  /// The float run, in which every matmul's quantized form is shown too.
  void hearShadow(const SwitchObservation &what, ArrayRef<float> values) {
    MatmulTensors &own = tensors[what.matmul];
    MatmulFindings &found = findings[what.matmul];
    switch (what.kind) {
    case SwitchObservation::Activations:
      hearActivations(own, found, values);
      break;
    case SwitchObservation::Shadow:
      own.shadow.assign(values.begin(), values.end());
      break;
    case SwitchObservation::Result:
      for (auto [x, y] : llvm::zip(values, own.shadow))
        own.local.add(x, y);
      own.results.emplace_back(values.begin(), values.end());
      break;
    }
  }

  /// The quantized run.
  void hearQuantized(const SwitchObservation &what, ArrayRef<float> values) {
    MatmulTensors &own = tensors[what.matmul];
    if (what.kind != SwitchObservation::Result ||
        own.next == own.results.size())
      return;
    for (auto [x, y] : llvm::zip(own.results[own.next], values))
      own.cumulative.add(x, y);
    own.results[own.next++] = {};
  }

  void finish() {
    for (auto [own, found] : llvm::zip_equal(tensors, findings)) {
      if (own.next == 0)
        continue;
      if (found.isQuantized)
        found.local = own.local.getMetrics();
      found.cumulative = own.cumulative.getMetrics();
      if (own.numActivations)
        found.clippedActivations = double(own.numClipped) / own.numActivations;
    }
  }

private:
  struct MatmulTensors {
    ErrorSums local, cumulative;
    std::vector<float> shadow;
    /// Of each time that the matmul ran, and how many were compared.
    std::vector<std::vector<float>> results;
    size_t next = 0;
    int64_t numClipped = 0, numActivations = 0;
  };

  void hearActivations(MatmulTensors &own, MatmulFindings &found,
                       ArrayRef<float> values) {
    if (values.empty() ||
        !llvm::all_of(values, [](float x) { return std::isfinite(x); }))
      return;
    auto [least, most] = std::minmax_element(values.begin(), values.end());
    bool isFirst = own.numActivations == 0;
    found.activationMin =
        isFirst ? *least : std::min<double>(found.activationMin, *least);
    found.activationMax =
        isFirst ? *most : std::max<double>(found.activationMax, *most);
    found.activations.add(values,
                          std::max(std::fabs(*least), std::fabs(*most)));
    own.numActivations += values.size();
    if (!found.grid)
      return;
    float low = found.grid->getLeast(), high = found.grid->getMost();
    own.numClipped +=
        llvm::count_if(values, [&](float x) { return x < low || x > high; });
  }

  std::vector<MatmulFindings> &findings;
  std::vector<MatmulTensors> tensors;
};

} // namespace

llvm::Expected<std::vector<MatmulFindings>>
quantmlir::studyMatmuls(OwningOpRef<ModuleOp> module,
                        const Signature &signature, ArrayRef<HostTensor> inputs,
                        const RunOptions &options) {
  if (llvm::Error error = prepareFloat(*module))
    return std::move(error);
  auto program = SwitchedProgram::create(std::move(module), signature,
                                         *options.quantize, options);
  if (!program)
    return program.takeError();
  ArrayRef<SwitchedMatmul> matmuls = (*program)->getMatmuls();
  std::vector<MatmulFindings> findings;
  for (const SwitchedMatmul &matmul : matmuls) {
    const MatmulForm &form = matmul.forms[1];
    MatmulFindings found;
    found.shape = matmul.shape;
    found.location = matmul.location;
    found.scheme = form.scheme;
    found.isQuantized = form.isQuantized;
    found.weightBytesBefore = matmul.forms[0].weightBytes;
    found.weightBytesAfter = form.weightBytes;
    // Activations are shown as they are before they are rotated.
    if (!form.rotation)
      found.grid = form.grid;
    if (matmul.weight && form.weight)
      studyWeight(*matmul.weight, *form.weight, form.rotation, found);
    findings.push_back(std::move(found));
  }

  Listener listener(matmuls, findings);
  std::vector<unsigned> forms(matmuls.size(), (*program)->getShadowForm());
  auto shadow = (*program)->run(
      inputs, forms,
      [&](const SwitchObservation &what, ArrayRef<int64_t>,
          ArrayRef<float> values) { listener.hearShadow(what, values); });
  if (!shadow)
    return shadow.takeError();
  forms.assign(matmuls.size(), 1);
  auto quantized = (*program)->run(
      inputs, forms,
      [&](const SwitchObservation &what, ArrayRef<int64_t>,
          ArrayRef<float> values) { listener.hearQuantized(what, values); });
  if (!quantized)
    return quantized.takeError();
  listener.finish();
  return findings;
}
