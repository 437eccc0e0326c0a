//===- ActivationObserver.cpp - statistics of one tensor ------------------===//

#include "quant/Calibration/ActivationObserver.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>

using namespace quantmlir;

/// Weight of the newest input in the moving average.
static constexpr double kNewest = 0.1;

//===----------------------------------------------------------------------===//
// Second moments
//===----------------------------------------------------------------------===//

/// Rows wait until there are enough of them for a product to be efficient.
struct ActivationObserver::SecondMoment {
  static constexpr int64_t kRows = 256;
  using Matrix =
      Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  int64_t k = 0, numRows = 0;
  std::vector<float> waiting;
  Matrix sum;

  void add(llvm::ArrayRef<float> rows) {
    while (!rows.empty()) {
      size_t taken = std::min(rows.size(), kRows * k - waiting.size());
      llvm::append_range(waiting, rows.take_front(taken));
      rows = rows.drop_front(taken);
      if (static_cast<int64_t>(waiting.size()) == kRows * k)
        flush();
    }
  }

  void flush() {
    if (sum.size() == 0)
      sum = Matrix::Zero(k, k);
    int64_t count = waiting.size() / k;
    Eigen::Map<const Matrix> x(waiting.data(), count, k);
    sum.selfadjointView<Eigen::Lower>().rankUpdate(x.transpose());
    numRows += count;
    waiting.clear();
  }
};

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// Copies dimension by dimension, in the order of `dims`.
static void copyOrdered(llvm::ArrayRef<int64_t> dims,
                        llvm::ArrayRef<int64_t> shape,
                        llvm::ArrayRef<int64_t> strides, const float *from,
                        float *&to) {
  if (dims.empty()) {
    *to++ = *from;
    return;
  }
  for (int64_t i = 0; i < shape[dims.front()]; ++i)
    copyOrdered(dims.drop_front(), shape, strides,
                from + i * strides[dims.front()], to);
}

llvm::ArrayRef<float> ActivationObserver::getRows(llvm::ArrayRef<int64_t> shape,
                                                  llvm::ArrayRef<float> values,
                                                  int64_t k) {
  llvm::SmallVector<int64_t> order, strides(shape.size(), 1);
  for (int64_t dim = 0, e = shape.size(); dim < e; ++dim)
    if (!llvm::is_contained(contractedDims, dim))
      order.push_back(dim);
  llvm::append_range(order, contractedDims);
  if (llvm::is_sorted(order))
    return values;
  for (int64_t dim = static_cast<int64_t>(shape.size()) - 2; dim >= 0; --dim)
    strides[dim] = strides[dim + 1] * shape[dim + 1];
  rows.resize(values.size());
  float *to = rows.data();
  copyOrdered(order, shape, strides, values.data(), to);
  return rows;
}

//===----------------------------------------------------------------------===//
// The observer
//===----------------------------------------------------------------------===//

ActivationObserver::ActivationObserver(std::vector<int64_t> contractedDims,
                                       bool secondMoments,
                                       const Rotation &rotation)
    : contractedDims(std::move(contractedDims)), rotation(rotation) {
  if (secondMoments)
    secondMoment = std::make_unique<SecondMoment>();
}
ActivationObserver::~ActivationObserver() = default;
ActivationObserver::ActivationObserver(ActivationObserver &&) = default;

void ActivationObserver::observe(llvm::ArrayRef<int64_t> shape,
                                 llvm::ArrayRef<float> values) {
  int64_t k = 1;
  for (int64_t dim : contractedDims)
    k *= shape[dim];
  if (values.empty())
    return;
  auto isFinite = [](float x) { return std::isfinite(x); };
  int64_t bad = values.size() - llvm::count_if(values, isFinite);
  numNonFinite += bad;
  if (bad)
    return;
  llvm::ArrayRef<float> matrix = getRows(shape, values, k);
  if (rotation) {
    if (matrix.data() != rows.data())
      rows.assign(matrix.begin(), matrix.end());
    for (size_t begin = 0; begin < rows.size(); begin += k)
      reference::rotateRow(llvm::MutableArrayRef<float>(rows).slice(begin, k),
                           rotation);
    matrix = rows;
  }
  std::vector<float> &channels = sums.channelAbsMax;
  if (channels.empty())
    channels.assign(k, 0);
  varyingK |= static_cast<int64_t>(channels.size()) != k;
  if (varyingK)
    return;

  float least = matrix.front(), most = matrix.front();
  for (llvm::ArrayRef<float> rest = matrix; !rest.empty();
       rest = rest.drop_front(k)) {
    for (int64_t i = 0; i < k; ++i) {
      float x = rest[i];
      channels[i] = std::max(channels[i], std::fabs(x));
      least = std::min(least, x);
      most = std::max(most, x);
    }
  }
  inputMin = sawTensor ? std::min<double>(inputMin, least) : least;
  inputMax = sawTensor ? std::max<double>(inputMax, most) : most;
  sawTensor = true;
  sums.numRows += matrix.size() / k;
  sums.histogram.add(matrix, std::max(std::fabs(least), std::fabs(most)));
  if (secondMoment) {
    secondMoment->k = k;
    secondMoment->add(matrix);
  }
}

void ActivationObserver::endInput() {
  if (!sawTensor)
    return;
  sawTensor = false;
  if (sums.numInputs++ == 0) {
    sums.min = sums.movingMin = inputMin;
    sums.max = sums.movingMax = inputMax;
    return;
  }
  sums.min = std::min(sums.min, inputMin);
  sums.max = std::max(sums.max, inputMax);
  sums.movingMin += kNewest * (inputMin - sums.movingMin);
  sums.movingMax += kNewest * (inputMax - sums.movingMax);
}

void ActivationObserver::finish(MatmulStatistics &statistics) {
  MatmulShape shape = std::move(statistics.shape);
  std::string location = std::move(statistics.location);
  statistics = sums;
  statistics.shape = std::move(shape);
  statistics.location = std::move(location);
}

std::vector<float> ActivationObserver::takeSecondMoment() {
  if (!secondMoment || varyingK || secondMoment->k == 0)
    return {};
  if (!secondMoment->waiting.empty())
    secondMoment->flush();
  int64_t k = secondMoment->k;
  SecondMoment::Matrix full = secondMoment->sum.selfadjointView<Eigen::Lower>();
  full /= static_cast<float>(secondMoment->numRows);
  secondMoment.reset();
  return std::vector<float>(full.data(), full.data() + k * k);
}
