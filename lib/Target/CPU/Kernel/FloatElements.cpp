//===- FloatElements.cpp - a weight's elements as floats ------------------===//

#include "quant/Target/CPU/Kernel/FloatElements.h"

#include "quant/Target/CPU/Kernel/UnpackNibbles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

/// Bits of a float's mantissa that are stored.
static constexpr int64_t kMantissaBits = 23;
/// Of a lane.
static constexpr int64_t kHalfBits = 16;
/// Of a table.
static constexpr int64_t kEntries = 16;
/// K from which on pairs are multiplied: what a split activation may lack,
/// 2^-17 of it, is then at most half of what the sum of K products in f32 may
/// lack in any order, K 2^-24 of their magnitudes.
static constexpr int64_t kFewestPaired = 256;

static bool hasZerosOfGroups(qtarget::PackedMatmulOp op) {
  Value zeroPoint = op.getRhsZeroPoint();
  return zeroPoint && cast<MemRefType>(zeroPoint.getType()).getRank() != 0;
}

FloatElements::FloatElements(Location loc, const ScaledKernel &kernel)
    : loc(loc), kernel(kernel), codebook(kernel.op.getLayout().getCodebook()),
      bits(codebook ? 8 : 8 / kernel.perByte),
      floats(kernel.typed(Float32Type::get(loc.getContext()))),
      words(kernel.typed(IntegerType::get(loc.getContext(), 32))),
      hasGroupZeros(hasZerosOfGroups(kernel.op)) {}

Value FloatElements::splat(OpBuilder &b, float value) const {
  return arith::ConstantOp::create(b, loc,
                                   DenseElementsAttr::get(floats, value));
}

Value FloatElements::splat(OpBuilder &b, int32_t value) const {
  return arith::ConstantOp::create(b, loc,
                                   DenseElementsAttr::get(words, value));
}

//===----------------------------------------------------------------------===//
// What is the same for many elements
//===----------------------------------------------------------------------===//

/// The one zero point as floats, or null.
Value FloatElements::loadZeroPoint(OpBuilder &b) const {
  Value zeroPoint = kernel.op.getRhsZeroPoint();
  if (!zeroPoint)
    return {};
  Value z = memref::LoadOp::create(b, loc, zeroPoint, ValueRange{});
  z = arith::SIToFPOp::create(b, loc, b.getF32Type(), z);
  return vector::BroadcastOp::create(b, loc, floats, z);
}

/// Element - `zeroPoint` by four bits, of which an element has the low ones.
Value FloatElements::makeTable(OpBuilder &b, Value zeroPoint) const {
  SmallVector<float> numbers;
  for (int64_t i = 0; i < kEntries; ++i)
    numbers.push_back(static_cast<float>(
        codebook ? codebook[i] : i & ((int64_t(1) << bits) - 1)));
  Value made = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(floats, ArrayRef<float>(numbers)));
  return zeroPoint ? arith::SubFOp::create(b, loc, made, zeroPoint) : made;
}

static float getPower(int64_t bit) {
  return static_cast<float>(int64_t(1) << (kMantissaBits - bit));
}

/// 2^(23 - p) + z for every p that elements have; `zeroPoint`: z as floats,
/// or null.
FloatElements::Bases FloatElements::makeBases(OpBuilder &b,
                                              Value zeroPoint) const {
  Bases bases;
  for (int64_t e = 0; e < perStep(); ++e) {
    int64_t bit = getPlace(e).bit;
    Value &base = bases.byBit[bit];
    if (base)
      continue;
    base = splat(b, getPower(bit));
    if (zeroPoint)
      base = arith::AddFOp::create(b, loc, base, zeroPoint);
  }
  return bases;
}

/// `zeroPoint`, of i32, in both halves of its lanes.
FloatElements::Bases FloatElements::makePairBases(OpBuilder &b,
                                                  Value zeroPoint) const {
  Value high = arith::ShLIOp::create(b, loc, zeroPoint,
                                     splat(b, static_cast<int32_t>(kHalfBits)));
  Bases bases;
  bases.ofPairs = vector::BitCastOp::create(
      b, loc, VectorType::get({2 * kernel.lanes}, b.getI16Type()),
      arith::OrIOp::create(b, loc, zeroPoint, high));
  return bases;
}

void FloatElements::prepare(OpBuilder &b) {
  if (hasGroupZeros)
    return;
  Value zeroPoint = loadZeroPoint(b);
  if (kernel.perByte > 1 && kernel.lanes == kEntries) {
    Value made = makeTable(b, zeroPoint);
    if (kernel.vectors.lookUp(b, loc, made, splat(b, 0))) {
      table = made;
      return;
    }
  }
  ofAll = makeBases(b, zeroPoint);
}

FloatElements::Bases FloatElements::basesOf(OpBuilder &b, Value panel,
                                            Value group) const {
  if (!hasGroupZeros)
    return ofAll;
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value z = vector::LoadOp::create(b, loc, words, kernel.op.getRhsZeroPoint(),
                                   ValueRange{panel, group, zero});
  return pairTable ? makePairBases(b, z)
                   : makeBases(b, arith::SIToFPOp::create(b, loc, floats, z));
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// Else from the vectors of bytes of `read`.
bool FloatElements::isWidenedInPlace() const {
  return kernel.perByte > 1 && (table || bits < 8);
}

/// The layout's element `e` of a step: of those in a byte the low ones come
/// first.
int64_t FloatElements::getFirstBit(int64_t e) const {
  constexpr int64_t bytes = 4, byte = 8;
  return e % bytes * byte +
         (isWidenedInPlace() ? e / bytes * (byte / kernel.perByte) : 0);
}

FloatElements::Place FloatElements::getPlace(int64_t e) const {
  int64_t at = getFirstBit(e);
  // Half of a lane, but for the bits that the mantissa has room for.
  return at + bits <= kMantissaBits ? Place{0, at}
                                    : Place{kHalfBits, at - kHalfBits};
}

FloatElements::Lanes FloatElements::read(OpBuilder &b, Value stored) const {
  SmallVector<Value> parts = {stored};
  if (codebook && !table)
    parts = unpackNibbles(b, loc, kernel, stored);
  Lanes lanes;
  for (Value part : parts) {
    lanes.parts.push_back(vector::BitCastOp::create(b, loc, words, part));
    lanes.shifted.push_back(arith::ShRUIOp::create(
        b, loc, lanes.parts.back(), splat(b, static_cast<int32_t>(kHalfBits))));
  }
  return lanes;
}

/// q - z of the element at `place`, of a lane's bits and them shifted.
Value FloatElements::widen(OpBuilder &b, Value lane, Value shifted, Place place,
                           const Bases &bases) const {
  int32_t mask = ((1 << bits) - 1) << place.bit;
  float power = getPower(place.bit);
  Value q = arith::AndIOp::create(b, loc, place.shift ? shifted : lane,
                                  splat(b, mask));
  q = arith::OrIOp::create(b, loc, q, splat(b, llvm::bit_cast<int32_t>(power)));
  q = vector::BitCastOp::create(b, loc, floats, q);
  return arith::SubFOp::create(b, loc, q, bases.byBit.lookup(place.bit));
}

Value FloatElements::get(OpBuilder &b, const Lanes &lanes, int64_t e,
                         const Bases &bases) const {
  constexpr int64_t bytes = 4;
  int64_t part = e / bytes % lanes.parts.size();
  Value lane = lanes.parts[part];
  if (!table)
    return widen(b, lane, lanes.shifted[part], getPlace(e), bases);
  if (int64_t first = getFirstBit(e))
    lane = arith::ShRUIOp::create(b, loc, lane,
                                  splat(b, static_cast<int32_t>(first)));
  return kernel.vectors.lookUp(b, loc, table, lane);
}

//===----------------------------------------------------------------------===//
// Pairs
//===----------------------------------------------------------------------===//

/// The least that K may be: of several groups the last one may be shorter, of
/// one group its last step.
static int64_t getLeastK(const ScaledKernel &kernel) {
  int64_t step = kernel.op.getStepSize();
  int64_t last = kernel.groups > 1 ? kernel.steps * step : step;
  return kernel.countElements() - last + 1;
}

bool FloatElements::havePairs(const ScaledKernel &kernel) {
  // Entries of a code book less zero points of groups have more than five bits.
  bool isLookedUp =
      !kernel.op.getLayout().getCodebook() || !hasZerosOfGroups(kernel.op);
  return kernel.row.multipliesPairs && kernel.perByte > 1 && isLookedUp &&
         kernel.lanes == kEntries && getLeastK(kernel) >= kFewestPaired;
}

/// Differences by five bits: -16 to 15.
static Value makeDifferences(OpBuilder &b, Location loc) {
  SmallVector<APFloat> numbers;
  for (int64_t i = 0; i < 2 * kEntries; ++i) {
    numbers.emplace_back(APFloat::BFloat());
    numbers.back().convertFromAPInt(
        APInt(64, i < kEntries ? i : i - 2 * kEntries, /*isSigned=*/true),
        /*IsSigned=*/true, APFloat::rmNearestTiesToEven);
  }
  auto type = VectorType::get({2 * kEntries}, b.getBF16Type());
  return arith::ConstantOp::create(b, loc,
                                   DenseElementsAttr::get(type, numbers));
}

/// Differences of bytes have at most 8 significant bits: they are bf16, whose
/// bits are the upper half of a float's.
void FloatElements::preparePairs(OpBuilder &b) {
  if (hasGroupZeros) {
    pairTable = makeDifferences(b, loc);
    return;
  }
  Value made = makeTable(b, loadZeroPoint(b));
  made = vector::BitCastOp::create(b, loc, words, made);
  made = arith::ShRUIOp::create(b, loc, made,
                                splat(b, static_cast<int32_t>(kHalfBits)));
  made = arith::TruncIOp::create(b, loc, kernel.typed(b.getI16Type()), made);
  // Twice, as the fifth bit of an index is a neighbour's.
  auto twice = llvm::map_to_vector(llvm::seq<int64_t>(0, 2 * kEntries),
                                   [](int64_t i) { return i % kEntries; });
  pairTable = vector::BitCastOp::create(
      b, loc, VectorType::get({2 * kernel.lanes}, b.getBF16Type()),
      vector::ShuffleOp::create(b, loc, made, made, twice));
}

std::pair<int64_t, int64_t> FloatElements::elementsOf(int64_t p) const {
  constexpr int64_t bytes = 4, bytesOfHalf = bytes / 2;
  int64_t low = p / kernel.perByte + p % kernel.perByte * bytes;
  return {low, low + bytesOfHalf};
}

Value FloatElements::getPair(OpBuilder &b, Value stored, int64_t p,
                             const Bases &bases) const {
  auto halves = VectorType::get({2 * kernel.lanes}, b.getI16Type());
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(halves, static_cast<int16_t>(value)));
  };
  int64_t elementBits = 8 / kernel.perByte;
  Value indices = vector::BitCastOp::create(b, loc, halves, stored);
  if (p != 0)
    indices =
        arith::ShRUIOp::create(b, loc, indices, constant(p * elementBits));
  if (bases.ofPairs) {
    indices = arith::AndIOp::create(b, loc, indices,
                                    constant((1 << elementBits) - 1));
    indices = arith::SubIOp::create(b, loc, indices, bases.ofPairs);
  }
  return kernel.vectors.lookUp(b, loc, pairTable, indices);
}
