//===- statistics-driver.cpp - what readers make of a statistics file -----===//
//
//   statistics-driver FILE
//
// Prints, for each matmul, the range and the parameters that every observer
// chooses, and the trace of the second moments where there are any.
//
//===----------------------------------------------------------------------===//

#include "quant/Calibration/Observers.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace quantmlir;

static void print(const MatmulStatistics &matmul, llvm::StringRef name,
                  RangeObserver observer) {
  for (unsigned bits : {8u, 4u})
    for (bool symmetric : {true, false}) {
      RangeOptions options;
      options.observer = observer;
      options.bits = bits;
      options.symmetric = symmetric;
      options.percentile = 99;
      ObservedRange range = chooseRange(matmul, options);
      int64_t low = symmetric ? -(1 << (bits - 1)) : 0;
      int64_t high = low + (1 << bits) - 1;
      StaticQParams params = chooseStaticQParams(range, low, high, symmetric);
      llvm::outs() << matmul.shape.name << " " << name << " " << bits << " "
                   << (symmetric ? "symmetric" : "asymmetric")
                   << llvm::format(" %.9g %.9g %.9g %d\n", range.min, range.max,
                                   params.scale, params.zeroPoint);
    }
}

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  auto statistics = readStatistics(argv[1]);
  if (!statistics) {
    llvm::errs() << "error: " << llvm::toString(statistics.takeError()) << "\n";
    return 1;
  }
  for (const MatmulStatistics &matmul : statistics->matmuls) {
    print(matmul, "minmax", RangeObserver::MinMax);
    print(matmul, "moving", RangeObserver::MovingAverage);
    print(matmul, "percentile", RangeObserver::Percentile);
    print(matmul, "mse", RangeObserver::Mse);
    print(matmul, "kl", RangeObserver::KL);
    if (matmul.secondMoment.empty())
      continue;
    auto moment = readSecondMoment(matmul);
    if (!moment) {
      llvm::errs() << "error: " << llvm::toString(moment.takeError()) << "\n";
      return 1;
    }
    double trace = 0;
    for (int64_t i = 0, k = *matmul.shape.k; i < k; ++i)
      trace += (*moment)[i * k + i];
    llvm::outs() << matmul.shape.name << llvm::format(" trace %.6g\n", trace);
  }
  if (llvm::Error error = statistics->verifyModel(argv[1], "0123456789abcdef"))
    llvm::errs() << llvm::toString(std::move(error)) << "\n";
  return 0;
}
