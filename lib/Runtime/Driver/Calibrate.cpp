//===- Calibrate.cpp - run the float program and watch --------------------===//

#include "quant/Runtime/Driver/Calibrate.h"

#include "quant/Calibration/ActivationObserver.h"
#include "quant/Import/MatmulNames.h"
#include "quant/Instrument/InstrumentMatmuls.h"
#include "quant/Runtime/Execution/Program.h"
#include "quant/Runtime/Execution/Progress.h"
#include "quant/Runtime/Execution/Reported.h"
#include "quant/Runtime/Host/FileSet.h"
#include "quant/Runtime/Host/Npy.h"

#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

using namespace mlir;
using namespace quantmlir;

namespace {

/// One calibration from the program to the files.
class Calibrator {
public:
  Calibrator(const Signature &signature, InputSet &inputs,
             const RunOptions &options)
      : signature(signature), inputs(inputs), options(options) {}

  llvm::Error prepare(OwningOpRef<ModuleOp> module);
  llvm::Error run();
  llvm::Expected<Statistics> write();

private:
  llvm::Error explain(const ObservationPoint &point, const Twine &problem,
                      int64_t input);

  const Signature &signature;
  InputSet &inputs;
  const RunOptions &options;
  Statistics statistics;
  std::vector<ObservationPoint> points;
  std::vector<ActivationObserver> observers;
  /// Of the same points, one for each rotation.
  std::vector<std::vector<ActivationObserver>> rotated;
  std::unique_ptr<JitRunner> runner;
};

} // namespace

/// Instruments and compiles.
llvm::Error Calibrator::prepare(OwningOpRef<ModuleOp> module) {
  ProgressStage progress("preparing the float program", options.progress);
  if (failed(bringToMatmuls(*module)))
    return reported();
  nameMatmuls(*module);
  if (failed(makeFloatTwin(*module)))
    return reported();
  statistics.model = getModelHash(*module);
  for (const NamedMatmul &matmul : collectNamedMatmuls(*module)) {
    MatmulStatistics entry;
    entry.shape = matmul.getShape();
    entry.location = matmul.getLocation();
    statistics.matmuls.push_back(std::move(entry));
  }
  if (statistics.matmuls.empty())
    return llvm::createStringError(
        options.model + ": '" + signature.name +
        "' has no float matmul, so there is nothing to calibrate");
  points = instrumentMatmuls(*module, Observed::Inputs);
  for (const ObservationPoint &point : points) {
    std::vector<int64_t> dims(point.contractedDims.begin(),
                              point.contractedDims.end());
    observers.emplace_back(dims, options.secondMoments);
    rotated.emplace_back();
    for (const Rotation &rotation : options.rotations)
      rotated.back().emplace_back(dims, /*secondMoments=*/false, rotation);
  }
  if (failed(lowerFloatTwinToLLVM(*module)))
    return reported();
  auto created =
      JitRunner::create(std::move(module), signature, options.optLevel);
  if (!created)
    return created.takeError();
  runner = std::move(*created);
  return llvm::Error::success();
}

llvm::Error Calibrator::explain(const ObservationPoint &point,
                                const Twine &problem, int64_t input) {
  return llvm::createStringError("calibration input " + Twine(input) +
                                 ": the activations of matmul '" +
                                 point.matmuls.front() + "' " + problem);
}

llvm::Error Calibrator::run() {
  ProgressStage progress("calibrating over " + std::to_string(inputs.size()) +
                             " inputs",
                         options.progress);
  for (int64_t i = 0, e = inputs.size(); i < e; ++i) {
    auto input = inputs.get(i);
    if (!input)
      return input.takeError();
    auto result = runner->run(*input, [&](int64_t id, ArrayRef<int64_t> shape,
                                          ArrayRef<float> values) {
      observers[id].observe(shape, values);
      for (ActivationObserver &observer : rotated[id])
        observer.observe(shape, values);
    });
    if (!result)
      return result.takeError();
    for (auto [point, observer] : llvm::zip_equal(points, observers)) {
      observer.endInput();
      if (int64_t bad = observer.getNumNonFinite())
        return explain(point,
                       "hold " + Twine(bad) +
                           " values that are NaN or "
                           "infinite",
                       i);
      if (observer.hasVaryingK())
        return explain(point, "have another size of K than before", i);
    }
    for (std::vector<ActivationObserver> &all : rotated)
      for (ActivationObserver &observer : all)
        observer.endInput();
    progress.update(i + 1, e);
  }
  return llvm::Error::success();
}

llvm::Expected<Statistics> Calibrator::write() {
  statistics.numInputs = inputs.size();
  FileSet files;
  SmallString<128> folder = StringRef(options.statsOutput);
  llvm::sys::path::replace_extension(folder, "second-moments");
  for (auto [i, point] : llvm::enumerate(points)) {
    std::string sidecar;
    if (options.secondMoments) {
      std::vector<float> matrix = observers[i].takeSecondMoment();
      auto k = static_cast<int64_t>(std::sqrt(matrix.size()));
      auto tensor = HostTensor::create({HostType::F32, {k, k}});
      if (!tensor)
        return tensor.takeError();
      std::memcpy(tensor->getData(), matrix.data(),
                  matrix.size() * sizeof(float));
      sidecar = (folder + "/" + Twine(i) + ".npy").str();
      if (llvm::Error error = files.add(
              sidecar, [&](llvm::raw_ostream &os) { printNpy(*tensor, os); }))
        return std::move(error);
    }
    for (MatmulStatistics &matmul : statistics.matmuls)
      if (llvm::is_contained(point.matmuls, matmul.shape.name)) {
        observers[i].finish(matmul);
        for (auto [rotation, observer] :
             llvm::zip_equal(options.rotations, rotated[i])) {
          MatmulStatistics own;
          observer.finish(own);
          own.rotation = rotation.getName();
          matmul.rotated.push_back(std::move(own));
        }
        matmul.secondMoment = sidecar;
      }
  }
  if (llvm::Error error =
          files.add(options.statsOutput, [&](llvm::raw_ostream &os) {
            printStatistics(options.statsOutput, statistics, os);
          }))
    return std::move(error);
  if (llvm::Error error = files.keep())
    return std::move(error);
  return std::move(statistics);
}

llvm::Expected<Statistics> quantmlir::calibrate(OwningOpRef<ModuleOp> module,
                                                const Signature &signature,
                                                InputSet &inputs,
                                                const RunOptions &options) {
  Calibrator calibrator(signature, inputs, options);
  if (llvm::Error error = calibrator.prepare(std::move(module)))
    return std::move(error);
  if (llvm::Error error = calibrator.run())
    return std::move(error);
  return calibrator.write();
}
