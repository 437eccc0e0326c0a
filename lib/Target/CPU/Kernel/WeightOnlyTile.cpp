//===- WeightOnlyTile.cpp - floats by a weight of integers ----------------===//
//
// The weight lies as for integer activations: a 32-bit lane is one column's
// next 8 (16, 4) elements of 4 (2, 8) bits. An element becomes a float without
// a conversion: a float of 2^(23 - p) whose mantissa gets the bits from p on is
// 2^(23 - p) + q, exactly, and subtracting 2^(23 - p) + z leaves q - z,
// exactly. That is an `and` with an `or` (one instruction with AVX-512), on any
// port, and a subtraction, on ports that multiply-adds leave free; only
// elements that do not fit in the mantissa's 23 bits are shifted first, half of
// them at once. All rows of a tile use what is widened. Where there are many
// tiles of rows, the panels are widened once for all of these, into memory that
// stays in L2, as [k, panel, column] with k in the order of the layout.
//
// Where an instruction looks up floats by four bits of a lane (vpermps of 512
// bits), nibbles with one zero point for all are looked up in 16 differences,
// after a shift; elements of 2 bits, too, whose neighbours' bits do not count.
// Elsewhere nibbles of a code book are looked up as bytes first, and are
// widened from two vectors as bytes are.
//
// Sums: a tile of few rows has up to 8 accumulators for each vector of columns,
// so that multiply-adds need not wait for each other; element i (in the order
// of the layout) of a group is summed in accumulator i modulo their number, and
// these are added pairwise at the group's end. Others have one accumulator.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/CPU/Kernel/WeightOnlyTile.h"

#include "quant/Target/CPU/Kernel/ScaledEmit.h"
#include "quant/Target/CPU/Kernel/StorePrefetch.h"
#include "quant/Target/CPU/Kernel/UnpackNibbles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

/// Bytes of the weight that are asked for ahead of their use.
static constexpr int64_t kWeightPrefetchBytes = 8192;
/// Independent multiply-adds that keep the ports busy.
static constexpr int64_t kWantedSums = 8;
/// Multiply-adds of a loop body up to which a group is unrolled.
static constexpr int64_t kMostMultiplies = 128;
/// Bits of a float's mantissa that are stored.
static constexpr int64_t kMantissaBits = 23;

namespace {

/// Where an element is in a lane: from bit `bit` on, after a shift by `shift`.
struct Place {
  int64_t shift, bit;
};

class WeightOnlyEmitter {
public:
  WeightOnlyEmitter(OpBuilder &b, Location loc, const ScaledKernel &kernel,
                    Value panel, Value firstRow, ScaledTile tile,
                    Value widened = {})
      : loc(loc), widened(widened), kernel(kernel), op(kernel.op), tile(tile),
        vectors(tile.rows * tile.panels),
        codebook(op.getLayout().getCodebook()),
        bits(codebook ? 8 : 8 / kernel.perByte),
        floats(kernel.typed(b.getF32Type())),
        words(kernel.typed(b.getI32Type())) {
    for (int64_t r = 0; r < tile.rows; ++r)
      rows.push_back(arith::AddIOp::create(b, loc, firstRow, index(b, r)));
    for (int64_t p = 0; p < tile.panels; ++p)
      panels.push_back(arith::AddIOp::create(b, loc, panel, index(b, p)));
  }

  void emit(OpBuilder &b) {
    Value column =
        arith::MulIOp::create(b, loc, panels[0], index(b, kernel.lanes));
    prefetchStores(b, loc, op.getInit(),
                   {rows[0], column, tile.rows, tile.panels * kernel.lanes},
                   index(b, 0), /*iterations=*/1);
    if (!widened)
      prepare(b);
    SmallVector<Value> start(vectors, splat(b, 0.0f));
    auto loop = scf::ForOp::create(
        b, loc, index(b, 0), index(b, kernel.groups), index(b, 1), start,
        [&](OpBuilder &b, Location, Value group, ValueRange sums) {
          SmallVector<Bases> bases;
          if (!widened)
            bases = basesOf(b, group);
          scf::YieldOp::create(b, loc, emitGroup(b, group, bases, sums));
        });
    for (int64_t v = 0; v < vectors; ++v)
      storeScaledResult(b, loc, kernel, loop.getResult(v), rowOf(v),
                        panelOf(v));
  }

  /// Writes q - z of all panels to `memory`.
  void emitWidened(OpBuilder &b, Value memory) {
    prepare(b);
    scf::ForOp::create(
        b, loc, index(b, 0), index(b, kernel.groups), index(b, 1), ValueRange{},
        [&](OpBuilder &b, Location, Value group, ValueRange) {
          SmallVector<Bases> bases = basesOf(b, group);
          scf::ForOp::create(
              b, loc, index(b, 0), index(b, kernel.steps), index(b, 1),
              ValueRange{},
              [&](OpBuilder &b, Location, Value step, ValueRange) {
                storeWidened(b, group, step, bases, memory);
                scf::YieldOp::create(b, loc);
              });
          scf::YieldOp::create(b, loc);
        });
  }

private:
  /// What is subtracted from elements, by their first bit.
  using Bases = llvm::SmallDenseMap<int64_t, Value>;

  Value rowOf(int64_t v) { return rows[v / tile.panels]; }
  Value panelOf(int64_t v) { return panels[v % tile.panels]; }
  Value index(OpBuilder &b, int64_t v) {
    return arith::ConstantIndexOp::create(b, loc, v);
  }
  Value splat(OpBuilder &b, float value) {
    return arith::ConstantOp::create(b, loc,
                                     DenseElementsAttr::get(floats, value));
  }
  Value splat(OpBuilder &b, int32_t value) {
    return arith::ConstantOp::create(b, loc,
                                     DenseElementsAttr::get(words, value));
  }

  //===--------------------------------------------------------------------===//
  // Elements
  //===--------------------------------------------------------------------===//

  int64_t elementsPerStep() { return 4 * kernel.perByte; }

  /// The layout's element `e` of a step: of those in a byte the low ones come
  /// first.
  int64_t getFirstBit(int64_t e) {
    constexpr int64_t bytes = 4, byte = 8;
    return e % bytes * byte +
           (isWidenedInPlace() ? e / bytes * (byte / kernel.perByte) : 0);
  }
  /// Else from the vectors of bytes of readLanes.
  bool isWidenedInPlace() { return kernel.perByte > 1 && (table || bits < 8); }
  Place getPlace(int64_t e) {
    int64_t at = getFirstBit(e);
    // Half of a lane, but for the bits that the mantissa has room for.
    constexpr int64_t shift = 16;
    return at + bits <= kMantissaBits ? Place{0, at} : Place{shift, at - shift};
  }

  static float getPower(int64_t bit) {
    return static_cast<float>(int64_t(1) << (kMantissaBits - bit));
  }

  /// 2^(23 - p) + z for every p that elements have; `zeroPoint`: z as floats,
  /// or null.
  Bases makeBases(OpBuilder &b, Value zeroPoint) {
    Bases bases;
    for (int64_t e = 0; e < elementsPerStep(); ++e) {
      int64_t bit = getPlace(e).bit;
      Value &base = bases[bit];
      if (base)
        continue;
      base = splat(b, getPower(bit));
      if (zeroPoint)
        base = arith::AddFOp::create(b, loc, base, zeroPoint);
    }
    return bases;
  }

  Value broadcastZeroPoint(OpBuilder &b, Value zeroPoint) {
    Value z = memref::LoadOp::create(b, loc, zeroPoint, ValueRange{});
    z = arith::SIToFPOp::create(b, loc, b.getF32Type(), z);
    return vector::BroadcastOp::create(b, loc, floats, z);
  }

  Value loadZeroPoints(OpBuilder &b, Value panel, Value group) {
    Value z = vector::LoadOp::create(b, loc, words, op.getRhsZeroPoint(),
                                     ValueRange{panel, group, index(b, 0)});
    return arith::SIToFPOp::create(b, loc, floats, z);
  }

  /// What is the same in all groups, if it is.
  void prepare(OpBuilder &b) {
    Value zeroPoint = op.getRhsZeroPoint();
    hasGroupZeros =
        zeroPoint && cast<MemRefType>(zeroPoint.getType()).getRank() != 0;
    if (!hasGroupZeros)
      prepare(b, zeroPoint ? broadcastZeroPoint(b, zeroPoint) : Value(), ofAll);
  }

  /// Of each panel.
  SmallVector<Bases> basesOf(OpBuilder &b, Value group) {
    SmallVector<Bases> bases(tile.panels, ofAll);
    if (hasGroupZeros)
      for (int64_t p = 0; p < tile.panels; ++p)
        bases[p] = makeBases(b, loadZeroPoints(b, panels[p], group));
    return bases;
  }

  /// The table, or bases.
  void prepare(OpBuilder &b, Value zeroPoint, Bases &bases) {
    constexpr int64_t entries = 16;
    if (kernel.perByte > 1 && kernel.lanes == entries) {
      SmallVector<float> numbers;
      for (int64_t i = 0; i < entries; ++i)
        numbers.push_back(static_cast<float>(
            codebook ? codebook[i] : i & ((int64_t(1) << bits) - 1)));
      table = arith::ConstantOp::create(
          b, loc, DenseElementsAttr::get(floats, ArrayRef<float>(numbers)));
      if (zeroPoint)
        table = arith::SubFOp::create(b, loc, table, zeroPoint);
      if (kernel.vectors.lookUp(b, loc, table, splat(b, 0)))
        return;
      table = {};
    }
    bases = makeBases(b, zeroPoint);
  }

  /// q - z of element `e`, looked up.
  Value lookUp(OpBuilder &b, Value lane, int64_t e) {
    if (int64_t first = getFirstBit(e))
      lane = arith::ShRUIOp::create(b, loc, lane,
                                    splat(b, static_cast<int32_t>(first)));
    return kernel.vectors.lookUp(b, loc, table, lane);
  }

  /// q - z of the element at `place`, of a lane's bits and them shifted.
  Value widen(OpBuilder &b, Value lane, Value shifted, Place place,
              const Bases &bases) {
    int32_t mask = ((1 << bits) - 1) << place.bit;
    float power = getPower(place.bit);
    Value q = arith::AndIOp::create(b, loc, place.shift ? shifted : lane,
                                    splat(b, mask));
    q = arith::OrIOp::create(b, loc, q,
                             splat(b, llvm::bit_cast<int32_t>(power)));
    q = vector::BitCastOp::create(b, loc, floats, q);
    return arith::SubFOp::create(b, loc, q, bases.lookup(place.bit));
  }

  //===--------------------------------------------------------------------===//
  // Sums
  //===--------------------------------------------------------------------===//

  /// Accumulators of one vector of the tile: a power of two.
  int64_t countSums() {
    int64_t most = std::min(kWantedSums, kernel.steps * elementsPerStep());
    int64_t sums = 1;
    while (2 * sums <= most && 2 * sums * vectors <= kWantedSums)
      sums *= 2;
    return sums;
  }

  /// Steps in the body of the loop over K; they are whole rounds of the sums.
  int64_t unrolledSteps() {
    int64_t most = kMostMultiplies / (elementsPerStep() * vectors);
    int64_t round = std::max<int64_t>(1, countSums() / elementsPerStep());
    for (int64_t steps = std::min(most, kernel.steps); steps > round; --steps)
      if (kernel.steps % steps == 0 && steps % round == 0)
        return steps;
    return kernel.steps % round == 0 ? round : 1;
  }

  SmallVector<Value> emitGroup(OpBuilder &b, Value group, ArrayRef<Bases> bases,
                               ValueRange sums) {
    SmallVector<Value> accs = sumGroup(b, group, bases);
    SmallVector<GroupColumns> columns;
    for (Value panel : panels)
      columns.push_back(loadGroupColumns(b, loc, kernel, panel, group));
    SmallVector<Value> next;
    int64_t count = countSums();
    for (int64_t v = 0; v < vectors; ++v) {
      SmallVector<Value> parts(ArrayRef(accs).slice(v * count, count));
      for (; parts.size() > 1; parts.resize(parts.size() / 2))
        for (size_t i = 0, half = parts.size() / 2; i < half; ++i)
          parts[i] = arith::AddFOp::create(b, loc, parts[i], parts[i + half]);
      next.push_back(endGroup(b, loc, kernel, parts[0], sums[v], rowOf(v),
                              group, columns[v % tile.panels]));
    }
    return next;
  }

  SmallVector<Value> sumGroup(OpBuilder &b, Value group,
                              ArrayRef<Bases> bases) {
    SmallVector<Value> accs(vectors * countSums(), splat(b, 0.0f));
    return sumSteps(b, loc, kernel, unrolledSteps(), std::move(accs),
                    [&](OpBuilder &b, Value step, int64_t number,
                        SmallVectorImpl<Value> &sums) {
                      emitStep(b, group, step, number, bases, sums);
                    });
  }

  /// The lanes with element `e` of a step, and them shifted.
  struct Lanes {
    SmallVector<Value> parts, shifted;

    Value at(int64_t e) const { return parts[e / 4 % parts.size()]; }
    Value shiftedAt(int64_t e) const { return shifted[e / 4 % parts.size()]; }
  };

  Lanes readLanes(OpBuilder &b, Value panel, Value group, Value step) {
    prefetch(b, panel, group, step);
    Value stored = loadStored(b, panel, group, step);
    SmallVector<Value> parts = {stored};
    if (codebook && !table)
      parts = unpackNibbles(b, loc, kernel, stored);
    Lanes lanes;
    for (Value part : parts) {
      lanes.parts.push_back(vector::BitCastOp::create(b, loc, words, part));
      lanes.shifted.push_back(
          arith::ShRUIOp::create(b, loc, lanes.parts.back(), splat(b, 16)));
    }
    return lanes;
  }

  SmallVector<Lanes> readPanels(OpBuilder &b, Value group, Value step) {
    SmallVector<Lanes> lanes;
    for (Value panel : panels)
      lanes.push_back(readLanes(b, panel, group, step));
    return lanes;
  }

  /// q - z of element `e` of a step.
  Value getElement(OpBuilder &b, const Lanes &lanes, int64_t e,
                   const Bases &bases) {
    return table
               ? lookUp(b, lanes.at(e), e)
               : widen(b, lanes.at(e), lanes.shiftedAt(e), getPlace(e), bases);
  }

  /// The number of a step's first element, in the order of the layout.
  Value firstElement(OpBuilder &b, Value group, Value step) {
    Value all = arith::AddIOp::create(
        b, loc, arith::MulIOp::create(b, loc, group, index(b, kernel.steps)),
        step);
    return arith::MulIOp::create(b, loc, all, index(b, elementsPerStep()));
  }

  void storeWidened(OpBuilder &b, Value group, Value step,
                    ArrayRef<Bases> bases, Value memory) {
    SmallVector<Lanes> lanes = readPanels(b, group, step);
    Value base = firstElement(b, group, step);
    for (int64_t p = 0; p < tile.panels; ++p)
      for (int64_t e = 0; e < elementsPerStep(); ++e) {
        Value k = arith::AddIOp::create(b, loc, base, index(b, e));
        vector::StoreOp::create(b, loc, getElement(b, lanes[p], e, bases[p]),
                                memory,
                                ValueRange{k, index(b, p), index(b, 0)});
      }
  }

  Value loadWidened(OpBuilder &b, int64_t panel, Value k) {
    return vector::LoadOp::create(b, loc, floats, widened,
                                  ValueRange{k, index(b, panel), index(b, 0)});
  }

  /// One vector of the weight in each panel, for all rows.
  void emitStep(OpBuilder &b, Value group, Value step, int64_t number,
                ArrayRef<Bases> bases, SmallVectorImpl<Value> &accs) {
    SmallVector<Lanes> lanes;
    if (!widened)
      lanes = readPanels(b, group, step);
    Value base = firstElement(b, group, step);
    int64_t count = countSums();
    for (int64_t e = 0; e < elementsPerStep(); ++e) {
      int64_t sum = (number * elementsPerStep() + e) % count;
      Value k = arith::AddIOp::create(b, loc, base, index(b, e));
      SmallVector<Value> w;
      for (int64_t p = 0; p < tile.panels; ++p)
        w.push_back(widened ? loadWidened(b, p, k)
                            : getElement(b, lanes[p], e, bases[p]));
      for (int64_t r = 0; r < tile.rows; ++r) {
        Value x = broadcastFloat(b, rows[r], k);
        for (int64_t p = 0; p < tile.panels; ++p) {
          Value &acc = accs[(r * tile.panels + p) * count + sum];
          acc = kernel.vectors.multiplyAccumulate(b, loc, acc, x, w[p]);
        }
      }
    }
  }

  Value broadcastFloat(OpBuilder &b, Value row, Value k) {
    Value x = memref::LoadOp::create(b, loc, op.getLhs(), ValueRange{row, k});
    return vector::BroadcastOp::create(b, loc, floats, x);
  }

  Value loadStored(OpBuilder &b, Value panel, Value group, Value step) {
    auto bytes = VectorType::get({kernel.lanes * 4}, b.getI8Type());
    return vector::LoadOp::create(b, loc, bytes, kernel.rhs,
                                  ValueRange{panel, group, step, index(b, 0)});
  }

  /// Past the end these are lines of the next panel, or of nothing: prefetches
  /// do not fault.
  void prefetch(OpBuilder &b, Value panel, Value group, Value step) {
    int64_t distance = kWeightPrefetchBytes / (kernel.lanes * 4);
    Value ahead = arith::AddIOp::create(b, loc, step, index(b, distance));
    memref::PrefetchOp::create(b, loc, kernel.rhs,
                               ValueRange{panel, group, ahead, index(b, 0)},
                               /*isWrite=*/false, /*localityHint=*/3,
                               /*isDataCache=*/true);
  }

  Location loc;
  /// q - z of the panels, if they are there.
  Value widened;
  const ScaledKernel &kernel;
  qtarget::PackedMatmulOp op;
  ScaledTile tile;
  int64_t vectors;
  DenseI32ArrayAttr codebook;
  /// Of an element where it is widened.
  int64_t bits;
  VectorType floats, words;
  SmallVector<Value> rows, panels;
  /// Differences by four bits; null where they are computed.
  Value table;
  bool hasGroupZeros = false;
  /// Where it has none.
  Bases ofAll;
};

} // namespace

void quantmlir::emitWeightOnlyTile(OpBuilder &b, Location loc,
                                   const ScaledKernel &kernel, Value panel,
                                   Value firstRow, ScaledTile tile,
                                   Value widened) {
  WeightOnlyEmitter(b, loc, kernel, panel, firstRow, tile, widened).emit(b);
}

MemRefType quantmlir::getWidenedType(const ScaledKernel &kernel,
                                     int64_t panels) {
  qtarget::PackedMatmulOp op = kernel.op;
  int64_t k = kernel.groups * kernel.steps * op.getStepSize();
  return MemRefType::get({k, panels, kernel.lanes},
                         Float32Type::get(op.getContext()));
}

void quantmlir::emitWidenedPanels(OpBuilder &b, Location loc,
                                  const ScaledKernel &kernel, Value panel,
                                  int64_t panels, Value memory) {
  WeightOnlyEmitter(b, loc, kernel, panel, /*firstRow=*/{}, {0, panels})
      .emitWidened(b, memory);
}
