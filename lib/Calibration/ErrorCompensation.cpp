//===- ErrorCompensation.cpp - rounding that makes errors good ------------===//
//
// With H the second moments of the inputs, the error of column j is divided by
// U[j, j] and U[j, j+1:] times that is taken from the columns after it, where
// U is upper triangular and U^T U = H^-1. The inverse is never formed: with J
// the reversal of the order and L L^T = J H J, U is the inverse of J L J.
// Columns are worked on in blocks; what a block owes to the columns behind it
// is one matrix product.
//
// Where a scheme seeks the scale of the least error, and groups are short, that
// error is what is left when the group is compensated within itself, not what
// rounding each value on its own would leave: errors of opposite sign make each
// other good, and a scale that seems coarse may be the better one.
//
//===----------------------------------------------------------------------===//

#include "ErrorCompensation.h"

#include "WeightGrid.h"

#include "llvm/Support/MathExtras.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace llvm;
using namespace quantmlir;

namespace {

using RowMajor =
    Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Columns of a block, where groups do not ask for more.
constexpr int64_t kBlock = 128;
/// Rows whose scales are sought at once.
constexpr int64_t kLanes = WeightGrid::kLanes;

class Compensator {
public:
  Compensator(ArrayRef<float> weight, int64_t n, int64_t k,
              const WeightScheme &scheme, ArrayRef<float> moments,
              MutableArrayRef<int8_t> ints)
      : weight(weight), n(n), k(k), scheme(scheme), moments(moments),
        ints(ints), grid(scheme, weight),
        groupSize(std::min(scheme.getGroupSize(k), k)) {}

  Error run(QuantizedWeight &result);

private:
  void orderColumns();
  Error factorize();
  void chooseAllParams();
  void chooseParams(int64_t group);
  void searchParams(int64_t group);
  void getErrors(int64_t begin, int64_t end, int64_t row,
                 ArrayRef<reference::QParams> lanes, float *errors) const;
  void roundColumn(int64_t j, RowMajor &errors, int64_t row);

  bool isPerTensor() const {
    return scheme.granularity == WeightScheme::Granularity::Tensor;
  }
  /// Parameters are chosen on the way, from compensated values.
  bool choosesOnTheWay() const {
    return scheme.granularity == WeightScheme::Granularity::Group &&
           groupSize < k && !scheme.activationOrder;
  }
  int64_t getNumGroups() const {
    return isPerTensor() ? 1 : (k + groupSize - 1) / groupSize;
  }
  reference::QParams &getParams(int64_t row, int64_t group) {
    return params[isPerTensor() ? 0 : row * getNumGroups() + group];
  }

  ArrayRef<float> weight;
  int64_t n, k;
  const WeightScheme &scheme;
  ArrayRef<float> moments;
  MutableArrayRef<int8_t> ints;
  WeightGrid grid;
  int64_t groupSize;

  /// order[j]: the weight's column that is rounded as the j-th.
  std::vector<int64_t> order;
  /// Diagonal of the second moments, in the weight's order.
  std::vector<float> importance;
  /// U above, in the order of rounding.
  RowMajor factor;
  /// The weight's columns as rows, compensated so far, in the same order; rows
  /// are a multiple of kLanes, those past n are 0.
  RowMajor columns;
  std::vector<reference::QParams> params;
};

} // namespace

void Compensator::orderColumns() {
  order.resize(k);
  std::iota(order.begin(), order.end(), 0);
  for (int64_t j = 0; j < k; ++j)
    importance.push_back(moments[j * k + j]);
  if (scheme.activationOrder)
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return importance[a] > importance[b];
    });
}

/// Computes `factor`; raises the damping while H is not positive definite.
Error Compensator::factorize() {
  double mean = 0;
  for (float m : moments)
    if (!std::isfinite(m))
      return createStringError("the second moments hold NaN or infinity");
  for (float d : importance)
    mean += static_cast<double>(d) / k;
  // Inputs that are always 0 leave H without any scale.
  if (!(mean > 0))
    mean = 1;
  for (double damping = std::max(scheme.damping, 1e-8); damping <= 1;
       damping *= 10) {
    Eigen::MatrixXd reversed(k, k);
    for (int64_t i = 0; i < k; ++i)
      for (int64_t j = 0; j < k; ++j)
        reversed(k - 1 - i, k - 1 - j) = moments[order[i] * k + order[j]];
    reversed.diagonal().array() += damping * mean;
    Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>> cholesky(reversed);
    if (cholesky.info() != Eigen::Success)
      continue;
    Eigen::MatrixXd inverse = Eigen::MatrixXd::Identity(k, k);
    cholesky.matrixL().solveInPlace(inverse);
    factor = inverse.reverse().cast<float>();
    return Error::success();
  }
  return createStringError(
      "the second moments are not positive definite, even when damped");
}

/// Parameters of a group (a row each) from `columns` as they are now.
void Compensator::chooseParams(int64_t group) {
  if (grid.seeksLeastError() && groupSize <= kBlock)
    return searchParams(group);
  int64_t begin = group * groupSize, end = std::min(begin + groupSize, k);
  std::vector<float> run(end - begin);
  auto weights = ArrayRef<float>(importance).slice(begin, end - begin);
  for (int64_t row = 0; row < n; ++row) {
    for (int64_t j = begin; j < end; ++j)
      run[j - begin] = columns(j, row);
    getParams(row, group) = grid.chooseQParams(run, weights);
  }
}

/// Of columns [begin, end), rounded under `lanes`, a row each from `row` on:
/// the squared errors that no column of them makes good.
void Compensator::getErrors(int64_t begin, int64_t end, int64_t row,
                            ArrayRef<reference::QParams> lanes,
                            float *errors) const {
  float scale[kLanes], zeroPoint[kLanes], total[kLanes] = {};
  for (int64_t i = 0; i < kLanes; ++i) {
    scale[i] = lanes[i].scale;
    zeroPoint[i] = static_cast<float>(lanes[i].zeroPoint);
  }
  float values[kBlock][kLanes];
  for (int64_t j = begin; j < end; ++j)
    std::copy_n(&columns(j, row), kLanes, values[j - begin]);
  for (int64_t j = begin; j < end; ++j) {
    const float *x = values[j - begin];
    float rounded[kLanes], error[kLanes];
    grid.round(x, scale, zeroPoint, rounded);
    float divisor = factor(j, j);
    for (int64_t i = 0; i < kLanes; ++i) {
      error[i] = (x[i] - rounded[i]) / divisor;
      total[i] += error[i] * error[i];
    }
    for (int64_t next = j + 1; next < end; ++next) {
      float owed = factor(j, next);
      for (int64_t i = 0; i < kLanes; ++i)
        values[next - begin][i] -= owed * error[i];
    }
  }
  std::copy_n(total, kLanes, errors);
}

/// The same by the error that is left once the group is compensated.
void Compensator::searchParams(int64_t group) {
  int64_t begin = group * groupSize, end = std::min(begin + groupSize, k);
  std::vector<float> run(end - begin);
  for (int64_t row = 0; row < n; row += kLanes) {
    SmallVector<reference::QParams> candidates[kLanes];
    size_t most = 1;
    for (int64_t i = 0; i < kLanes; ++i) {
      for (int64_t j = begin; j < end; ++j)
        run[j - begin] = columns(j, row + i);
      candidates[i] = grid.getCandidates(run);
      most = std::max(most, candidates[i].size());
    }
    float least[kLanes], errors[kLanes];
    reference::QParams best[kLanes], tried[kLanes];
    for (size_t which = 0; which < most; ++which) {
      for (int64_t i = 0; i < kLanes; ++i)
        tried[i] = candidates[i][which < candidates[i].size() ? which : 0];
      getErrors(begin, end, row, tried, errors);
      for (int64_t i = 0; i < kLanes; ++i) {
        if (which && !(errors[i] < least[i]))
          continue;
        least[i] = errors[i];
        best[i] = tried[i];
      }
    }
    for (int64_t i = 0, e = std::min(kLanes, n - row); i < e; ++i)
      getParams(row + i, group) = best[i];
  }
}

void Compensator::chooseAllParams() {
  if (isPerTensor()) {
    params.assign(1, grid.chooseQParams(weight, importance));
    return;
  }
  params.resize(n * getNumGroups());
  if (choosesOnTheWay())
    return;
  for (int64_t row = 0; row < n; ++row)
    for (int64_t g = 0, e = getNumGroups(); g < e; ++g) {
      int64_t begin = g * groupSize, size = std::min(groupSize, k - begin);
      getParams(row, g) =
          grid.chooseQParams(weight.slice(row * k + begin, size),
                             ArrayRef<float>(importance).slice(begin, size));
    }
}

/// Rounds the j-th column; its divided error becomes a row of `errors`.
void Compensator::roundColumn(int64_t j, RowMajor &errors, int64_t row) {
  int64_t column = order[j];
  float divisor = factor(j, j);
  for (int64_t i = 0; i < n; ++i) {
    const reference::QParams &p = getParams(i, column / groupSize);
    float x = columns(j, i);
    int8_t stored = grid.quantize(x, p);
    ints[i * k + column] = stored;
    float error = x - grid.dequantize(stored, p);
    errors(row, i) = error / divisor;
  }
}

Error Compensator::run(QuantizedWeight &result) {
  orderColumns();
  if (Error error = factorize())
    return error;
  columns = RowMajor::Zero(k, llvm::alignTo(n, kLanes));
  for (int64_t j = 0; j < k; ++j)
    for (int64_t i = 0; i < n; ++i)
      columns(j, i) = weight[i * k + order[j]];
  chooseAllParams();
  // Blocks end where groups do: a group's parameters see all errors before it.
  int64_t block = kBlock;
  if (choosesOnTheWay())
    block = std::max<int64_t>(1, kBlock / groupSize) * groupSize;
  for (int64_t begin = 0; begin < k; begin += block) {
    int64_t end = std::min(begin + block, k);
    RowMajor errors = RowMajor::Zero(end - begin, columns.cols());
    for (int64_t j = begin; j < end; ++j) {
      if (choosesOnTheWay() && j % groupSize == 0)
        chooseParams(j / groupSize);
      roundColumn(j, errors, j - begin);
      for (int64_t next = j + 1; next < end; ++next)
        columns.row(next) -= factor(j, next) * errors.row(j - begin);
    }
    columns.bottomRows(k - end).noalias() -=
        factor.block(begin, end, end - begin, k - end).transpose() * errors;
  }
  for (const reference::QParams &p : params) {
    result.scales.push_back(p.scale);
    if (scheme.hasZeroPoints())
      result.zeroPoints.push_back(static_cast<int32_t>(p.zeroPoint));
  }
  return Error::success();
}

Error quantmlir::quantizeCompensated(ArrayRef<float> weight, int64_t n,
                                     int64_t k, const WeightScheme &scheme,
                                     ArrayRef<float> secondMoments,
                                     QuantizedWeight &result,
                                     MutableArrayRef<int8_t> ints) {
  return Compensator(weight, n, k, scheme, secondMoments, ints).run(result);
}
