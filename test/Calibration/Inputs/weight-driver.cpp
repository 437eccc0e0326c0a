//===- weight-driver.cpp - call the weight quantizer from tests -----------===//
//
// weight-driver WEIGHT N K OUT [KEY=VALUE...]
//
// Reads N * K raw floats from the file WEIGHT and writes OUT.ints (bytes),
// OUT.scales (floats) and OUT.zps (i32). Keys: bits, granularity (tensor,
// channel, group), group, symmetric, unsigned, scale (absmax, mse,
// full-range, full-range-mse, absmean), format (mxfp4, nvfp4, mxint8, iq4_nl,
// nf4, ternary: which also sets bits, granularity and group, unless they follow
// it), rounding (nearest, error-compensated), order, damping, moments (a file
// of K * K floats), repeat (print the throughput over so many runs).
//
//===----------------------------------------------------------------------===//

#include "quant/Calibration/WeightQuantizer.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>
#include <cstring>

using namespace llvm;
using namespace quantmlir;

static std::vector<float> readFloats(StringRef path) {
  auto file = MemoryBuffer::getFile(path, /*IsText=*/false,
                                    /*RequiresNullTerminator=*/false);
  if (!file) {
    errs() << path << ": " << file.getError().message() << "\n";
    exit(1);
  }
  std::vector<float> values((*file)->getBufferSize() / sizeof(float));
  std::memcpy(values.data(), (*file)->getBufferStart(),
              values.size() * sizeof(float));
  return values;
}

template <typename T>
static void write(const Twine &path, const std::vector<T> &values) {
  std::error_code error;
  raw_fd_ostream out(path.str(), error);
  out.write(reinterpret_cast<const char *>(values.data()),
            values.size() * sizeof(T));
}

namespace {
struct Request {
  WeightScheme scheme;
  std::vector<float> moments;
  unsigned repeat = 0;

  bool set(StringRef key, StringRef value);
};
} // namespace

bool Request::set(StringRef key, StringRef value) {
  int64_t number = 0;
  bool isNumber = !value.getAsInteger(10, number);
  if (key == "bits")
    scheme.bits = number;
  else if (key == "group")
    scheme.groupSize = number;
  else if (key == "symmetric")
    scheme.symmetric = number;
  else if (key == "unsigned")
    scheme.isUnsigned = number;
  else if (key == "order")
    scheme.activationOrder = number;
  else if (key == "repeat")
    repeat = number;
  else if (key == "format") {
    scheme.format = StringSwitch<WeightFormat>(value)
                        .Case("mxfp4", WeightFormat::MXFP4)
                        .Case("nvfp4", WeightFormat::NVFP4)
                        .Case("mxint8", WeightFormat::MXINT8)
                        .Case("iq4_nl", WeightFormat::IQ4_NL)
                        .Case("nf4", WeightFormat::NF4)
                        .Case("ternary", WeightFormat::Ternary)
                        .Default(WeightFormat::Int);
    scheme.adoptFormat();
  } else if (key == "granularity")
    scheme.granularity = StringSwitch<WeightScheme::Granularity>(value)
                             .Case("tensor", WeightScheme::Granularity::Tensor)
                             .Case("group", WeightScheme::Granularity::Group)
                             .Default(WeightScheme::Granularity::Channel);
  else if (key == "scale")
    scheme.scaleSearch =
        StringSwitch<WeightScheme::ScaleSearch>(value)
            .Case("mse", WeightScheme::ScaleSearch::MSE)
            .Case("full-range", WeightScheme::ScaleSearch::FullRange)
            .Case("full-range-mse", WeightScheme::ScaleSearch::FullRangeMSE)
            .Case("absmean", WeightScheme::ScaleSearch::AbsMean)
            .Default(WeightScheme::ScaleSearch::AbsMax);
  else if (key == "rounding")
    scheme.rounding = value == "error-compensated"
                          ? WeightScheme::Rounding::ErrorCompensated
                          : WeightScheme::Rounding::Nearest;
  else if (key == "damping")
    return !value.getAsDouble(scheme.damping);
  else if (key == "moments")
    moments = readFloats(value);
  else
    return false;
  return isNumber || key == "granularity" || key == "scale" ||
         key == "format" || key == "rounding" || key == "moments";
}

int main(int argc, char **argv) {
  ArrayRef<char *> args(argv + 1, argv + argc);
  int64_t n = 0, k = 0;
  if (args.size() < 4 || StringRef(args[1]).getAsInteger(10, n) ||
      StringRef(args[2]).getAsInteger(10, k))
    return 1;
  std::vector<float> weight = readFloats(args[0]);
  Request request;
  for (StringRef arg : args.drop_front(4)) {
    auto [key, value] = arg.split('=');
    if (!request.set(key, value)) {
      errs() << "unknown: " << arg << "\n";
      return 1;
    }
  }
  auto begin = std::chrono::steady_clock::now();
  for (unsigned i = 0; i < request.repeat; ++i)
    cantFail(quantizeWeight(weight, n, k, request.scheme, request.moments)
                 .takeError());
  std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - begin;
  if (request.repeat)
    outs() << static_cast<int64_t>(request.repeat * weight.size() *
                                   sizeof(float) / seconds.count() / 1e6)
           << " MB/s\n";
  auto result = quantizeWeight(weight, n, k, request.scheme, request.moments);
  if (!result) {
    errs() << "error: " << toString(result.takeError()) << "\n";
    return 1;
  }
  write(args[3] + Twine(".ints"), result->ints);
  write(args[3] + Twine(".scales"), result->scales);
  write(args[3] + Twine(".zps"), result->zeroPoints);
  return 0;
}
