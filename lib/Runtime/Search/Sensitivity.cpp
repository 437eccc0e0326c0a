//===- Sensitivity.cpp - which matmul may be quantized --------------------===//

#include "quant/Runtime/Search/Sensitivity.h"

#include "quant/Runtime/Search/MatmulStudy.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace mlir;
using namespace quantmlir;
namespace json = llvm::json;

//===----------------------------------------------------------------------===//
// Measuring a choice
//===----------------------------------------------------------------------===//

llvm::Expected<FormMeter>
FormMeter::create(std::unique_ptr<SwitchedProgram> program, InputSet &inputs) {
  FormMeter meter;
  meter.program = std::move(program);
  std::vector<unsigned> forms(meter.getMatmuls().size(), 0);
  for (int64_t i = 0, e = inputs.size(); i < e; ++i) {
    auto input = inputs.get(i);
    if (!input)
      return input.takeError();
    auto run = meter.program->run(*input, forms);
    if (!run)
      return run.takeError();
    meter.inputs.push_back(std::move(*input));
    meter.expected.push_back(std::move(run->results));
  }
  bool hasFloat =
      llvm::any_of(meter.expected.front(), [](const HostTensor &result) {
        return isFloat(result.getElementType());
      });
  if (!hasFloat)
    return llvm::createStringError(
        "expected a program with a float result, whose error can be measured");
  return meter;
}

llvm::Expected<Metrics> FormMeter::measure(ArrayRef<unsigned> forms) {
  std::vector<ErrorSums> sums(expected.front().size());
  for (auto [input, wanted] : llvm::zip_equal(inputs, expected)) {
    auto run = program->run(input, forms);
    if (!run)
      return run.takeError();
    for (auto [i, x] : llvm::enumerate(wanted)) {
      const HostTensor &y = run->results[i];
      if (!isFloat(x.getElementType()) || x.getShape() != y.getShape())
        continue;
      for (int64_t j = 0, e = x.getNumElements(); j < e; ++j)
        sums[i].add(x.getAsDouble(j), y.getAsDouble(j));
    }
  }
  std::optional<Metrics> worst;
  for (auto [i, result] : llvm::enumerate(expected.front())) {
    Metrics metrics = sums[i].getMetrics();
    // Written so that NaN is the worst.
    if (isFloat(result.getElementType()) &&
        (!worst || !(metrics.sqnrDb >= worst->sqnrDb)))
      worst = metrics;
  }
  return *worst;
}

//===----------------------------------------------------------------------===//
// One matmul at a time
//===----------------------------------------------------------------------===//

llvm::Expected<SensitivityReport>
quantmlir::measureSensitivity(OwningOpRef<ModuleOp> module,
                              const Signature &signature, InputSet &inputs,
                              const RunOptions &options) {
  std::optional<ProgressStage> progress;
  progress.emplace("preparing the switched program", options.progress);
  if (llvm::Error error = prepareFloat(*module))
    return std::move(error);
  auto program = SwitchedProgram::create(std::move(module), signature,
                                         *options.quantize, options);
  if (!program)
    return program.takeError();
  progress.emplace("quantizing one matmul at a time", options.progress);
  auto meter = FormMeter::create(std::move(*program), inputs);
  if (!meter)
    return meter.takeError();

  SensitivityReport report;
  report.numInputs = inputs.size();
  llvm::append_range(report.matmuls, meter->getMatmuls());
  std::vector<unsigned> forms(report.matmuls.size(), 0), all = forms;
  for (auto [i, matmul] : llvm::enumerate(report.matmuls)) {
    progress->update(i + 1, report.matmuls.size());
    if (!matmul.forms[1].isQuantized)
      continue;
    all[i] = forms[i] = 1;
    auto metrics = meter->measure(forms);
    if (!metrics)
      return metrics.takeError();
    forms[i] = 0;
    report.ranking.push_back({i, *metrics});
  }
  llvm::stable_sort(report.ranking, [](const auto &a, const auto &b) {
    return a.metrics.sqnrDb < b.metrics.sqnrDb;
  });
  auto metrics = meter->measure(all);
  if (!metrics)
    return metrics.takeError();
  report.all = *metrics;
  return report;
}

void quantmlir::printSensitivity(const SensitivityReport &report,
                                 llvm::raw_ostream &os) {
  size_t nameWidth = 6;
  for (const SwitchedMatmul &matmul : report.matmuls)
    nameWidth = std::max(nameWidth, matmul.shape.name.size());
  os << "error of the results over " << report.numInputs
     << (report.numInputs == 1 ? " input" : " inputs")
     << " with one matmul quantized, the worst first\n"
     << llvm::left_justify("matmul", nameWidth)
     << llvm::format("  %9s %9s %10s %12s  %s\n", "SQNR dB", "cosine",
                     "max error", "weight bytes", "scheme");
  for (const MatmulSensitivity &entry : report.ranking) {
    const SwitchedMatmul &matmul = report.matmuls[entry.matmul];
    os << llvm::left_justify(matmul.shape.name, nameWidth)
       << llvm::format("  %9.2f %9.6f %10.3g %12lld  ", entry.metrics.sqnrDb,
                       entry.metrics.cosine, entry.metrics.maxAbsError,
                       static_cast<long long>(matmul.forms[1].weightBytes))
       << matmul.forms[1].scheme << "\n";
  }
  os << llvm::left_justify("all", nameWidth)
     << llvm::format("  %9.2f %9.6f %10.3g\n", report.all.sqnrDb,
                     report.all.cosine, report.all.maxAbsError);
  if (size_t left = report.matmuls.size() - report.ranking.size())
    os << left << " matmuls stay in float\n";
}

static json::Value toJson(double value) {
  return std::isfinite(value) ? json::Value(value) : json::Value(nullptr);
}

static json::Object toJson(const Metrics &metrics) {
  return json::Object{{"sqnr_db", toJson(metrics.sqnrDb)},
                      {"cosine", toJson(metrics.cosine)},
                      {"max_abs_error", toJson(metrics.maxAbsError)}};
}

void quantmlir::printSensitivityJson(const SensitivityReport &report,
                                     const RunOptions &options,
                                     llvm::raw_ostream &os) {
  json::Array ranking;
  for (const MatmulSensitivity &entry : report.ranking) {
    const SwitchedMatmul &matmul = report.matmuls[entry.matmul];
    json::Object object = toJson(entry.metrics);
    object["name"] = matmul.shape.name;
    object["location"] = matmul.location;
    object["scheme"] = matmul.forms[1].scheme;
    object["weight_bytes"] = matmul.forms[1].weightBytes;
    ranking.push_back(std::move(object));
  }
  json::Object root{{"model", options.model},
                    {"quantize", options.quantize->text},
                    {"inputs", report.numInputs},
                    {"all", toJson(report.all)},
                    {"matmuls", std::move(ranking)}};
  os << llvm::formatv("{0:2}\n", json::Value(std::move(root)));
}
