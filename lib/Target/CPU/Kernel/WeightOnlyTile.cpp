//===- WeightOnlyTile.cpp - floats by a weight of integers ----------------===//
//
// The weight's elements become floats in registers (FloatElements.h); all rows
// of a tile use them. Where there are many tiles of rows, the panels are
// widened once for all of these, into memory that stays in L2, as
// [k, panel, column] with k in the order of the layout.
//
// A tile of few rows whose instruction adds two products of bf16 to a lane
// reads its activations split in two (SplitFloats.h): with one look-up for two
// elements and two instructions for their four products it takes 1.25 cycles
// for 16 weights on Zen 4, where f32 takes 1.7.
//
// Sums: a tile of few rows has several accumulators for each vector of columns,
// so that multiply-adds need not wait for each other; product i (in the order
// of the layout) of a group is summed in accumulator i modulo their number, and
// these are added pairwise at the group's end. Others have one accumulator.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/CPU/Kernel/WeightOnlyTile.h"

#include "quant/Target/CPU/Kernel/FloatElements.h"
#include "quant/Target/CPU/Kernel/ScaledEmit.h"
#include "quant/Target/CPU/Kernel/SplitFloats.h"
#include "quant/Target/CPU/Kernel/StorePrefetch.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

/// Bytes of the weight that are asked for ahead of their use.
static constexpr int64_t kWeightPrefetchBytes = 8192;
/// Independent multiply-adds that keep the ports busy, and how many are enough
/// for one row, each of whose multiply-adds waits for an element, too.
static constexpr int64_t kWantedSums = 8, kWantedSumsOfRow = 4;
/// Multiply-adds of a loop body up to which a group is unrolled.
static constexpr int64_t kMostMultiplies = 128;

namespace {

class WeightOnlyEmitter {
public:
  WeightOnlyEmitter(OpBuilder &b, Location loc, const ScaledKernel &kernel,
                    Value panel, Value firstRow, ScaledTile tile,
                    PreparedFloats prepared = {})
      : loc(loc), prepared(prepared), kernel(kernel), op(kernel.op), tile(tile),
        vectors(tile.rows * tile.panels), elements(loc, kernel),
        floats(kernel.typed(b.getF32Type())) {
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
    if (prepared.split)
      elements.preparePairs(b);
    else if (!prepared.widened)
      elements.prepare(b);
    SmallVector<Value> start(vectors, zeros(b));
    auto loop = scf::ForOp::create(
        b, loc, index(b, 0), index(b, kernel.groups), index(b, 1), start,
        [&](OpBuilder &b, Location, Value group, ValueRange sums) {
          SmallVector<Bases> bases;
          if (!prepared.widened)
            bases = basesOf(b, group);
          scf::YieldOp::create(b, loc, emitGroup(b, group, bases, sums));
        });
    for (int64_t v = 0; v < vectors; ++v)
      storeScaledResult(b, loc, kernel, loop.getResult(v), rowOf(v),
                        panelOf(v));
  }

  /// Writes q - z of all panels to `memory`.
  void emitWidened(OpBuilder &b, Value memory) {
    elements.prepare(b);
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
  using Bases = FloatElements::Bases;

  Value rowOf(int64_t v) { return rows[v / tile.panels]; }
  Value panelOf(int64_t v) { return panels[v % tile.panels]; }
  Value index(OpBuilder &b, int64_t v) {
    return arith::ConstantIndexOp::create(b, loc, v);
  }
  Value zeros(OpBuilder &b) {
    return arith::ConstantOp::create(b, loc, b.getZeroAttr(floats));
  }

  /// Of each panel.
  SmallVector<Bases> basesOf(OpBuilder &b, Value group) {
    return llvm::map_to_vector(
        panels, [&](Value panel) { return elements.basesOf(b, panel, group); });
  }

  //===--------------------------------------------------------------------===//
  // Sums
  //===--------------------------------------------------------------------===//

  /// Accumulators of one vector of the tile: a power of two.
  int64_t countSums() {
    int64_t wanted = vectors == 1 ? kWantedSumsOfRow : kWantedSums;
    int64_t most = std::min(wanted, kernel.steps * elements.perStep());
    int64_t sums = 1;
    while (2 * sums <= most && 2 * sums * vectors <= wanted)
      sums *= 2;
    return sums;
  }

  /// Steps in the body of the loop over K; they are whole rounds of the sums.
  int64_t unrolledSteps() {
    int64_t most = kMostMultiplies / (elements.perStep() * vectors);
    int64_t round = std::max<int64_t>(1, countSums() / elements.perStep());
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
    SmallVector<Value> accs(vectors * countSums(), zeros(b));
    return sumSteps(b, loc, kernel, unrolledSteps(), std::move(accs),
                    [&](OpBuilder &b, Value step, int64_t number,
                        SmallVectorImpl<Value> &sums) {
                      if (prepared.split)
                        emitPairs(b, group, step, number, bases, sums);
                      else
                        emitStep(b, group, step, number, bases, sums);
                    });
  }

  SmallVector<FloatElements::Lanes> readPanels(OpBuilder &b, Value group,
                                               Value step) {
    return llvm::map_to_vector(panels, [&](Value panel) {
      return elements.read(b, loadStored(b, panel, group, step));
    });
  }

  /// The number of a step's first element, in the order of the layout.
  Value firstElement(OpBuilder &b, Value group, Value step) {
    Value all = arith::AddIOp::create(
        b, loc, arith::MulIOp::create(b, loc, group, index(b, kernel.steps)),
        step);
    return arith::MulIOp::create(b, loc, all, index(b, elements.perStep()));
  }

  void storeWidened(OpBuilder &b, Value group, Value step,
                    ArrayRef<Bases> bases, Value memory) {
    SmallVector<FloatElements::Lanes> lanes = readPanels(b, group, step);
    Value base = firstElement(b, group, step);
    for (int64_t p = 0; p < tile.panels; ++p)
      for (int64_t e = 0; e < elements.perStep(); ++e) {
        Value k = arith::AddIOp::create(b, loc, base, index(b, e));
        vector::StoreOp::create(b, loc, elements.get(b, lanes[p], e, bases[p]),
                                memory,
                                ValueRange{k, index(b, p), index(b, 0)});
      }
  }

  Value loadWidened(OpBuilder &b, int64_t panel, Value k) {
    return vector::LoadOp::create(b, loc, floats, prepared.widened,
                                  ValueRange{k, index(b, panel), index(b, 0)});
  }

  /// One vector of the weight in each panel, for all rows.
  void emitStep(OpBuilder &b, Value group, Value step, int64_t number,
                ArrayRef<Bases> bases, SmallVectorImpl<Value> &accs) {
    SmallVector<FloatElements::Lanes> lanes;
    if (!prepared.widened)
      lanes = readPanels(b, group, step);
    Value base = firstElement(b, group, step);
    int64_t count = countSums();
    for (int64_t e = 0; e < elements.perStep(); ++e) {
      int64_t sum = (number * elements.perStep() + e) % count;
      Value k = arith::AddIOp::create(b, loc, base, index(b, e));
      SmallVector<Value> w;
      for (int64_t p = 0; p < tile.panels; ++p)
        w.push_back(prepared.widened ? loadWidened(b, p, k)
                                     : elements.get(b, lanes[p], e, bases[p]));
      for (int64_t r = 0; r < tile.rows; ++r) {
        Value x = broadcastFloat(b, rows[r], k);
        for (int64_t p = 0; p < tile.panels; ++p) {
          Value &acc = accs[(r * tile.panels + p) * count + sum];
          acc = kernel.vectors.multiplyAccumulate(b, loc, acc, x, w[p]);
        }
      }
    }
  }

  /// The same by pairs of elements, which are looked up at once; the products
  /// of a pair and the larger parts of activations come first.
  void emitPairs(OpBuilder &b, Value group, Value step, int64_t number,
                 ArrayRef<Bases> bases, SmallVectorImpl<Value> &accs) {
    Value base = arith::DivUIOp::create(b, loc, firstElement(b, group, step),
                                        index(b, 2));
    SmallVector<Value> stored = llvm::map_to_vector(
        panels, [&](Value panel) { return loadStored(b, panel, group, step); });
    int64_t count = countSums(), product = number * elements.perStep();
    for (int64_t pair = 0; pair < elements.pairsPerStep(); ++pair) {
      Value at = arith::AddIOp::create(b, loc, base, index(b, pair));
      SmallVector<Value> w;
      for (int64_t p = 0; p < tile.panels; ++p)
        w.push_back(elements.getPair(b, stored[p], pair, bases[p]));
      for (int64_t part = 0; part < kSplitParts; ++part, ++product)
        for (int64_t r = 0; r < tile.rows; ++r) {
          Value row =
              arith::AddIOp::create(b, loc, prepared.splitRow, index(b, r));
          Value x =
              broadcastSplit(b, loc, kernel, prepared.split, row, part, at);
          for (int64_t p = 0; p < tile.panels; ++p) {
            int64_t v = r * tile.panels + p;
            Value &acc = accs[v * count + product % count];
            acc = kernel.vectors.multiplyAccumulate(b, loc, acc, w[p], x);
          }
        }
    }
  }

  Value broadcastFloat(OpBuilder &b, Value row, Value k) {
    Value x = memref::LoadOp::create(b, loc, op.getLhs(), ValueRange{row, k});
    return vector::BroadcastOp::create(b, loc, floats, x);
  }

  Value loadStored(OpBuilder &b, Value panel, Value group, Value step) {
    prefetch(b, panel, group, step);
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
  PreparedFloats prepared;
  const ScaledKernel &kernel;
  qtarget::PackedMatmulOp op;
  ScaledTile tile;
  int64_t vectors;
  FloatElements elements;
  VectorType floats;
  SmallVector<Value> rows, panels;
};

} // namespace

void quantmlir::emitWeightOnlyTile(OpBuilder &b, Location loc,
                                   const ScaledKernel &kernel, Value panel,
                                   Value firstRow, ScaledTile tile,
                                   PreparedFloats prepared) {
  WeightOnlyEmitter(b, loc, kernel, panel, firstRow, tile, prepared).emit(b);
}

MemRefType quantmlir::getWidenedType(const ScaledKernel &kernel,
                                     int64_t panels) {
  return MemRefType::get({kernel.countElements(), panels, kernel.lanes},
                         Float32Type::get(kernel.op.getContext()));
}

void quantmlir::emitWidenedPanels(OpBuilder &b, Location loc,
                                  const ScaledKernel &kernel, Value panel,
                                  int64_t panels, Value memory) {
  WeightOnlyEmitter(b, loc, kernel, panel, /*firstRow=*/{}, {0, panels})
      .emitWidened(b, memory);
}
