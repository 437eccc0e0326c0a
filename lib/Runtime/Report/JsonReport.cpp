//===- JsonReport.cpp - what a run found out, for programs ----------------===//
//
// JSON has no infinity and no NaN: they are null here.
//
//===----------------------------------------------------------------------===//

#include "quant/Runtime/Host/FileSet.h"
#include "quant/Runtime/Report/Report.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace mlir;
using namespace quantmlir;
namespace json = llvm::json;

static json::Value toJson(double value) {
  return std::isfinite(value) ? json::Value(value) : json::Value(nullptr);
}

template <typename T>
static json::Value toJson(const std::optional<T> &value) {
  return value ? json::Value(*value) : json::Value(nullptr);
}

static json::Value toJson(const Timing &timing, std::optional<int64_t> macs) {
  return json::Object{{"repeats", static_cast<int64_t>(timing.repeats)},
                      {"median_ms", toJson(timing.median)},
                      {"min_ms", toJson(timing.least)},
                      {"macs", toJson(macs)},
                      {"gmac_per_s", toJson(timing.gmacPerSecond)}};
}

static json::Value toJson(const Metrics &metrics) {
  return json::Object{{"sqnr_db", toJson(metrics.sqnrDb)},
                      {"cosine", toJson(metrics.cosine)},
                      {"max_abs_error", toJson(metrics.maxAbsError)},
                      {"bit_identical", metrics.bitIdentical}};
}

/// Element type and shape, and the values, in C order, of small results.
static json::Value toJson(const HostTensor &tensor) {
  constexpr int64_t kMaxValues = 64;
  json::Object object{{"type", tensor.getType().str()},
                      {"dtype", getName(tensor.getElementType())},
                      {"shape", json::Array(tensor.getShape())}};
  if (tensor.getNumElements() > kMaxValues)
    return object;
  json::Array values;
  for (int64_t i = 0, e = tensor.getNumElements(); i < e; ++i) {
    if (isFloat(tensor.getElementType()))
      values.push_back(toJson(tensor.getAsDouble(i)));
    else
      values.push_back(tensor.getAsInt(i));
  }
  object["values"] = std::move(values);
  return object;
}

static json::Value toJson(const std::optional<Metrics> &metrics) {
  return metrics ? toJson(*metrics) : json::Value(nullptr);
}

static json::Value toJson(const MatmulFindings &matmul) {
  json::Object object{{"name", matmul.shape.name},
                      {"location", matmul.location},
                      {"m", toJson(matmul.shape.m)},
                      {"k", toJson(matmul.shape.k)},
                      {"n", toJson(matmul.shape.n)},
                      {"quantized", matmul.isQuantized},
                      {"scheme", matmul.scheme},
                      {"local", toJson(matmul.local)},
                      {"cumulative", toJson(matmul.cumulative)},
                      {"weight_error", toJson(matmul.weightError)},
                      {"clipped_activations", matmul.clippedActivations},
                      {"clipped_weights", matmul.clippedWeights},
                      {"weight_bytes_before", matmul.weightBytesBefore},
                      {"weight_bytes_after", matmul.weightBytesAfter},
                      {"activation_min", matmul.activationMin},
                      {"activation_max", matmul.activationMax}};
  if (matmul.grid)
    object["activation_grid"] =
        json::Object{{"scale", matmul.grid->scale},
                     {"zero_point", matmul.grid->zeroPoint},
                     {"min", matmul.grid->min},
                     {"max", matmul.grid->max}};
  return object;
}

static json::Value toJson(const ProductSummary &products) {
  json::Array reasons;
  for (const ProductSummary::Line &line : products.lines)
    reasons.push_back(json::Object{{"outcome", line.outcome},
                                   {"reason", line.reason},
                                   {"as_asked", line.asAsked},
                                   {"count", line.count},
                                   {"locations", json::Array(line.locations)}});
  return json::Object{{"all", products.numInteger + products.numLeft},
                      {"integer", products.numInteger},
                      {"left", products.numLeft},
                      {"reasons", std::move(reasons)}};
}

static json::Value toJson(const Profile &profile) {
  json::Array kinds, ops;
  for (const ProfileLine &kind : profile.getKinds())
    kinds.push_back(json::Object{
        {"kind", kind.kind}, {"ms", kind.milliseconds}, {"calls", kind.calls}});
  for (const ProfileLine &op : profile.ops)
    ops.push_back(json::Object{{"kind", op.kind},
                               {"name", op.name},
                               {"types", op.types},
                               {"location", op.location},
                               {"ms", op.milliseconds},
                               {"calls", op.calls}});
  return json::Object{{"ms", profile.milliseconds},
                      {"kinds", std::move(kinds)},
                      {"ops", std::move(ops)}};
}

static json::Object toJson(const RunReport &report, const RunOptions &options) {
  json::Object root{{"model", report.model},
                    {"entry", report.entry},
                    {"target", report.target},
                    {"quantize", nullptr}};
  if (options.quantize)
    root["quantize"] = options.quantize->text;
  if (options.target == RunTarget::X86)
    root["cpu"] = options.cpu;
  json::Array results;
  for (const HostTensor &result : report.results)
    results.push_back(toJson(result));
  root["results"] = std::move(results);

  const ProductSummary &products = report.products;
  root["products"] = toJson(products);
  json::Array skipped;
  for (const ProductSummary::Line &line : products.lines)
    if (line.outcome == "float" && options.quantize)
      skipped.push_back(
          json::Object{{"reason", line.reason}, {"count", line.count}});
  root["matmuls"] = json::Object{
      {"integer", products.numInteger},
      {"with_weight", products.numInteger + products.numFloatWithWeight},
      {"float", products.numFloatWithWeight + products.numFloatActivations},
      {"convolutions", products.numConvolutions},
      {"skipped", std::move(skipped)}};
  if (!report.matmuls.empty()) {
    json::Array each;
    for (const MatmulFindings &matmul : report.matmuls)
      each.push_back(toJson(matmul));
    (*root["matmuls"].getAsObject())["each"] = std::move(each);
  }
  if (report.timing)
    root["timing"] = toJson(*report.timing, report.facts.macs);
  if (report.profile)
    root["profile"] = toJson(*report.profile);
  if (report.peak)
    root["peak"] =
        json::Object{{"instruction", report.peak->instruction},
                     {"gmac_per_s", toJson(report.peak->gmacPerSecond)},
                     {"ratio", toJson(report.getPeakRatio())}};
  if (!report.reference)
    return root;

  const ReferenceReport &reference = *report.reference;
  json::Object compared{{"reference", reference.name}};
  if (!reference.note.empty())
    compared["note"] = reference.note;
  json::Array metrics;
  for (const Metrics &metric : reference.metrics)
    metrics.push_back(toJson(metric));
  compared["results"] = std::move(metrics);
  if (reference.timing)
    compared["timing"] = toJson(*reference.timing, reference.facts.macs);
  root["compare"] = std::move(compared);
  if (reference.name == "float")
    root["bytes"] =
        json::Object{{"constants_before", reference.facts.constantBytes},
                     {"constants_after", report.facts.constantBytes},
                     {"weights_before", reference.facts.matmulWeightBytes},
                     {"weights_after", report.facts.matmulWeightBytes}};
  return root;
}

llvm::Error quantmlir::writeJsonReport(const RunReport &report,
                                       const RunOptions &options) {
  auto print = [&](llvm::raw_ostream &os) {
    os << llvm::formatv("{0:2}\n", json::Value(toJson(report, options)));
  };
  if (options.report == "-") {
    print(llvm::outs());
    return llvm::Error::success();
  }
  FileSet files;
  if (llvm::Error error = files.add(options.report, print, /*folder=*/false))
    return error;
  return files.keep();
}
