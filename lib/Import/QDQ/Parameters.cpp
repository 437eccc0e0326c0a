//===- Parameters.cpp - scales and zero points that are constants ---------===//

#include "Parameters.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace quantmlir;

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

static void refine(int64_t &step, int64_t other) {
  step = std::gcd(step, other);
}

void quantmlir::refineSteps(SmallVectorImpl<int64_t> &steps,
                            ArrayRef<int64_t> other) {
  for (auto [step, finer] : llvm::zip_equal(steps, other))
    refine(step, finer);
}

static void addSteps(AffineExpr expr, SmallVectorImpl<int64_t> &steps) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    refine(steps[dim.getPosition()], 1);
    return;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return;
  auto dim = dyn_cast<AffineDimExpr>(binary.getLHS());
  auto divisor = dyn_cast<AffineConstantExpr>(binary.getRHS());
  if (expr.getKind() == AffineExprKind::FloorDiv && dim && divisor) {
    refine(steps[dim.getPosition()], divisor.getValue());
    return;
  }
  addSteps(binary.getLHS(), steps);
  addSteps(binary.getRHS(), steps);
}

static void addSteps(Elements &elements, const Element *element,
                     SmallVectorImpl<int64_t> &steps,
                     llvm::DenseSet<const Element *> &seen) {
  element = elements.resolve(element);
  if (!seen.insert(element).second)
    return;
  SmallVector<int64_t> own(steps.size(), 0);
  for (AffineExpr index : element->indices)
    addSteps(index, own);
  // One number for every element of the root is one number.
  bool isWhole = llvm::all_of_zip(
      own, elements.getShape(),
      [](int64_t step, int64_t size) { return step == 1 || size == 1; });
  if (!isWhole || !elements.getNumber(element))
    refineSteps(steps, own);
  for (const Element *operand : element->operands)
    addSteps(elements, operand, steps, seen);
}

SmallVector<int64_t> quantmlir::getSteps(Elements &elements,
                                         const Element *element) {
  SmallVector<int64_t> steps(elements.getShape().size(), 0);
  llvm::DenseSet<const Element *> seen;
  addSteps(elements, element, steps, seen);
  // One step over all of a dimension is none.
  for (auto [step, size] : llvm::zip_equal(steps, elements.getShape()))
    if (!ShapedType::isDynamic(size) && step >= size && size != 0)
      step = 0;
  return steps;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

SmallVector<int64_t> ConstantParameters::getStrides() const {
  SmallVector<int64_t> strides(grid.sizes.size(), 0);
  int64_t stride = 1;
  for (int64_t dim = grid.sizes.size() - 1; dim >= 0; --dim) {
    strides[dim] = steps[dim] ? stride : 0;
    stride *= grid.sizes[dim];
  }
  return strides;
}

/// The points of parameters in `steps` over a root of `shape`.
static ElementGrid makeGrid(ArrayRef<int64_t> shape, ArrayRef<int64_t> steps) {
  ElementGrid grid;
  for (auto [size, step] : llvm::zip_equal(shape, steps)) {
    grid.sizes.push_back(step ? llvm::divideCeil(size, step) : 1);
    grid.steps.push_back(std::max<int64_t>(step, 1));
  }
  return grid;
}

/// Whether the sizes along which parameters vary are known: a constant has a
/// size of its own, but which one is not known here.
static bool isStaticAlong(ArrayRef<int64_t> shape, ArrayRef<int64_t> steps) {
  return llvm::all_of(llvm::zip_equal(shape, steps), [](auto pair) {
    auto [size, step] = pair;
    return step == 0 || !ShapedType::isDynamic(size);
  });
}

/// More parameters than this are no parameters.
static constexpr int64_t kMaxParameters = int64_t(1) << 28;

ConstantParameters ConstantParameters::refine(ArrayRef<int64_t> finer,
                                              ArrayRef<int64_t> shape) const {
  ConstantParameters result;
  result.steps.assign(finer.begin(), finer.end());
  result.orderedDim = orderedDim;
  result.order = order;
  result.grid = makeGrid(shape, finer);
  SmallVector<int64_t> strides = getStrides();
  for (int64_t i = 0, e = result.grid.size(); i < e; ++i) {
    int64_t rest = i, from = 0;
    for (int64_t dim = finer.size() - 1; dim >= 0; --dim) {
      int64_t at = rest % result.grid.sizes[dim] * result.grid.steps[dim];
      rest /= result.grid.sizes[dim];
      from += at / grid.steps[dim] * strides[dim];
    }
    result.scales.push_back(scales[from]);
    result.zeros.push_back(zeros[from]);
  }
  return result;
}

/// `values` of a zero behind a scale: what was multiplied is divided again.
static bool addZero(const ElementZero &zero, ArrayRef<double> values,
                    ArrayRef<std::vector<double>> products,
                    std::vector<int64_t> &zeros) {
  for (auto [i, sum] : llvm::enumerate(zeros)) {
    double value = values[i];
    if (zero.numFactors != 0 && value != 0)
      value /= products[zero.numFactors - 1][i];
    double whole = std::nearbyint(value);
    double tolerance =
        zero.numFactors == 0 ? 0 : std::max(1.0, std::fabs(whole)) * 0x1p-21;
    if (!(std::fabs(whole) <= 0x1p31) || std::fabs(value - whole) > tolerance)
      return false;
    sum += zero.isNegated ? -static_cast<int64_t>(whole)
                          : static_cast<int64_t>(whole);
  }
  return true;
}

bool quantmlir::hasWholeValues(Elements &elements, const Element *element) {
  SmallVector<int64_t> steps = getSteps(elements, element);
  if (!isStaticAlong(elements.getShape(), steps))
    return false;
  ElementGrid grid = makeGrid(elements.getShape(), steps);
  return grid.size() <= kMaxParameters &&
         llvm::all_of(evaluateAll(elements, element, grid), [](double value) {
           return value == std::nearbyint(value) && value >= INT32_MIN &&
                  value <= INT32_MAX;
         });
}

std::optional<ConstantParameters>
quantmlir::evaluateParameters(Elements &elements, const StoredElement &stored) {
  ConstantParameters parameters;
  parameters.steps.assign(elements.getShape().size(), 0);
  auto isConstant = [&](const Element *element) {
    refineSteps(parameters.steps, getSteps(elements, element));
    return isConstantElement(elements, element);
  };
  for (const ElementFactor &factor : stored.factors)
    if (!isConstant(factor.value))
      return std::nullopt;
  SmallVector<int64_t> scaleSteps = parameters.steps;
  for (const ElementZero &zero : stored.zeros)
    if (!isConstant(zero.value))
      return std::nullopt;
  if (!isStaticAlong(elements.getShape(), parameters.steps))
    return std::nullopt;
  parameters.grid = makeGrid(elements.getShape(), parameters.steps);
  if (parameters.grid.size() > kMaxParameters)
    return std::nullopt;

  // The product as the program rounds it, and exactly, for zeros behind it.
  int64_t size = parameters.grid.size();
  parameters.scales.assign(size, stored.isNegated ? -1.0f : 1.0f);
  std::vector<std::vector<double>> products;
  std::vector<double> product(size, 1.0);
  for (const ElementFactor &factor : stored.factors) {
    std::vector<double> values =
        evaluateAll(elements, factor.value, parameters.grid);
    for (int64_t i = 0; i < size; ++i) {
      auto value = static_cast<float>(values[i]);
      float &scale = parameters.scales[i];
      scale = factor.isDivisor ? scale / value : scale * value;
      product[i] =
          factor.isDivisor ? product[i] / values[i] : product[i] * values[i];
    }
    products.push_back(product);
  }
  if (!llvm::all_of(parameters.scales,
                    [](float scale) { return std::isfinite(scale); }))
    return std::nullopt;
  parameters.zeros.assign(size, 0);
  for (const ElementZero &zero : stored.zeros)
    if (!addZero(zero, evaluateAll(elements, zero.value, parameters.grid),
                 products, parameters.zeros))
      return std::nullopt;
  // Zero points that all are 0 have no rank to keep.
  if (!parameters.hasZeros() && scaleSteps != parameters.steps) {
    StoredElement plain = stored;
    plain.zeros.clear();
    return evaluateParameters(elements, plain);
  }
  return parameters;
}
