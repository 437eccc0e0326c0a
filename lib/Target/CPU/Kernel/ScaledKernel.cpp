//===- ScaledKernel.cpp - the grouped matmul's kernel ---------------------===//
//
// A tile is up to 12 rows x 2 panels of 16 columns (4 x 2 of 8 in 256 bits).
// Each of its vectors has two accumulators: the i32 sum of the current group,
// in a register while the group lasts, and the f32 sum over groups, which takes
// the former by one fused multiply-add at the end of a group. A load of the
// weight holds 64 bytes: for int4 that is 128 elements, which an `and`, a shift
// and another `and` spread to two operands of the dot product (for int2 256,
// and four operands); all rows use them. In a code book each of the two is
// looked up instead. The activations' four bytes are broadcast from memory, for
// both panels.
//
// With few rows a chain of dependent dot products (5 cycles each) would be the
// limit: then a group's steps go to several integer accumulators, added at its
// end. Integer sums wrap, so that their order does not matter. With one or two
// rows elements of 2 bits are multiplied where they lie in the byte, each of
// its four places with an accumulator, which is shifted once, at the group's
// end.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/CPU/Kernel/ScaledKernel.h"

#include "quant/Target/CPU/Kernel/ScaledEmit.h"
#include "quant/Target/CPU/Kernel/StorePrefetch.h"
#include "quant/Target/CPU/Kernel/UnpackNibbles.h"
#include "quant/Target/CPU/Kernel/WeightOnlyTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

/// Bytes of the weight that are asked for ahead of their use.
static constexpr int64_t kPrefetchBytes = 8192;
/// Independent dot products that keep both ports busy, and how many are enough
/// for elements of 2 bits in groups of few steps: unpacking them leaves time
/// for the groups after this one, and each chain costs an addition.
static constexpr int64_t kWantedChains = 8, kWantedInt2Chains = 2;
static constexpr int64_t kFewSteps = 8;
/// Elements of a group whose sums times 4^3 are sure to fit in i32.
static constexpr int64_t kMaxGroupInPlaces = 1 << 17;
/// Dot products of a loop body up to which a group is unrolled.
static constexpr int64_t kMaxUnrolledDots = 200;

ScaledKernel::ScaledKernel(qtarget::PackedMatmulOp op,
                           qtarget::MatmulKernelInterface vectors, OpBuilder &b)
    : op(op), vectors(vectors), row(vectors.getRow()), lanes(op.getNR()),
      groups(op.getNumGroups()), steps(op.getStepsPerGroup()),
      isInt4(op.getRhsBits() == 4), perByte(8 / op.getRhsBits()) {
  qtarget::RegisterTile tile = vectors.chooseGroupedTile(
      steps * op.getStepSize(), qtarget::TargetAttr::lookup(op));
  maxTile = {tile.mr, tile.nr};
  SmallVector<ReassociationIndices> merge = {{0}, {1}, {2}, {3, 4}};
  rhs = memref::CollapseShapeOp::create(b, op.getLoc(), op.getRhs(), merge);
}

int64_t ScaledKernel::countElements() const {
  return groups * steps * op.getStepSize();
}

int64_t ScaledKernel::getTilePanels(int64_t rows) const {
  return rows <= kFewRows ? 1 : maxTile.panels;
}

namespace {

/// Emission of one tile. Its vectors are counted row by row.
class TileEmitter {
public:
  TileEmitter(const ScaledKernel &kernel, Location loc, Value panel,
              Value firstRow, ScaledTile tile)
      : kernel(kernel), op(kernel.op), loc(loc), firstPanel(panel),
        firstRow(firstRow), tile(tile), vectors(tile.rows * tile.panels) {}

  void emit(OpBuilder &b) {
    for (int64_t r = 0; r < tile.rows; ++r)
      rows.push_back(arith::AddIOp::create(b, loc, firstRow, index(b, r)));
    for (int64_t p = 0; p < tile.panels; ++p)
      panels.push_back(arith::AddIOp::create(b, loc, firstPanel, index(b, p)));
    Value column =
        arith::MulIOp::create(b, loc, firstPanel, index(b, kernel.lanes));
    prefetchStores(b, loc, op.getInit(),
                   {firstRow, column, tile.rows, tile.panels * kernel.lanes},
                   index(b, 0), /*iterations=*/1);
    Value zero = arith::ConstantOp::create(
        b, loc, b.getZeroAttr(kernel.typed(b.getF32Type())));
    SmallVector<Value> start(vectors, zero);
    auto loop = scf::ForOp::create(
        b, loc, index(b, 0), index(b, kernel.groups), index(b, 1), start,
        [&](OpBuilder &b, Location, Value group, ValueRange sums) {
          scf::YieldOp::create(b, loc, emitGroup(b, group, sums));
        });
    for (int64_t v = 0; v < vectors; ++v)
      storeScaledResult(b, loc, kernel, loop.getResult(v), rowOf(v),
                        panelOf(v));
  }

private:
  Value rowOf(int64_t v) { return rows[v / tile.panels]; }
  Value panelOf(int64_t v) { return panels[v % tile.panels]; }

  Value index(OpBuilder &b, int64_t v) {
    return arith::ConstantIndexOp::create(b, loc, v);
  }
  VectorType bytesType(OpBuilder &b) {
    return VectorType::get({kernel.lanes * 4}, b.getI8Type());
  }
  Value constantVector(OpBuilder &b, VectorType type, int64_t value) {
    Attribute element = b.getIntegerAttr(type.getElementType(), value);
    return arith::ConstantOp::create(b, loc,
                                     DenseElementsAttr::get(type, {element}));
  }

  /// Steps over K whose dot products have accumulators of their own, and how
  /// many accumulators one vector of the tile has.
  int64_t chainedSteps() {
    int64_t wanted =
        std::max<int64_t>(1, wantedChains() / (vectors * dotsPerStep()));
    while (kernel.steps % wanted != 0)
      --wanted;
    return wanted;
  }
  /// Steps in the body of the loop over K, a multiple of the chained ones.
  int64_t unrolledSteps() {
    int64_t chained = chainedSteps();
    int64_t most = kMaxUnrolledDots / (dotsPerStep() * vectors);
    for (int64_t steps = std::min(most, kernel.steps); steps > chained; --steps)
      if (steps % chained == 0 && kernel.steps % steps == 0)
        return steps;
    return chained;
  }
  int64_t dotsPerStep() { return kernel.perByte; }
  int64_t wantedChains() {
    return kernel.perByte > 2 && kernel.steps < kFewSteps ? kWantedInt2Chains
                                                          : kWantedChains;
  }
  /// Whether elements of 2 bits are multiplied in their places: as bytes up to
  /// 0xc0, by accumulators of which there is room for four a vector.
  bool keepsPlaces() {
    const qtarget::KernelRow &row = kernel.row;
    return kernel.perByte == 4 && row.grouped.isWeightUnsigned &&
           vectors * 16 <= row.vectorRegisters &&
           kernel.steps * dotsPerStep() * 4 <= kMaxGroupInPlaces;
  }
  int64_t chainsPerVector() {
    if (keepsPlaces())
      return kernel.steps < kFewSteps ? dotsPerStep() : 2 * dotsPerStep();
    if (vectors * dotsPerStep() <= wantedChains())
      return chainedSteps() * dotsPerStep();
    // The parts of a step take turns.
    return std::clamp<int64_t>(wantedChains() / vectors, 1, dotsPerStep());
  }

  SmallVector<Value> emitGroup(OpBuilder &b, Value group, ValueRange sums) {
    SmallVector<Value> accs = sumGroup(b, group);
    SmallVector<GroupColumns> columns;
    for (Value panel : panels)
      columns.push_back(loadGroupColumns(b, loc, kernel, panel, group));
    SmallVector<Value> next;
    int64_t chains = chainsPerVector();
    for (int64_t v = 0; v < vectors; ++v) {
      Value acc = addChains(b, ArrayRef(accs).slice(v * chains, chains));
      next.push_back(endGroup(b, loc, kernel, acc, sums[v], rowOf(v), group,
                              columns[v % tile.panels]));
    }
    return next;
  }

  /// The sum of one vector's accumulators, those of a place (of every fourth
  /// chain) shifted: they are multiples of 4^place.
  Value addChains(OpBuilder &b, ArrayRef<Value> chains) {
    int64_t places = keepsPlaces() ? dotsPerStep() : 1;
    Value sum;
    for (int64_t place = 0; place < places; ++place) {
      Value part = chains[place];
      for (size_t c = place + places; c < chains.size(); c += places)
        part = arith::AddIOp::create(b, loc, part, chains[c]);
      if (place > 0)
        part = arith::ShRSIOp::create(
            b, loc, part,
            constantVector(b, cast<VectorType>(part.getType()), 2 * place));
      sum = sum ? arith::AddIOp::create(b, loc, sum, part) : part;
    }
    return sum;
  }

  /// The integer accumulators of one group, chain by chain for each vector.
  SmallVector<Value> sumGroup(OpBuilder &b, Value group) {
    int64_t chains = chainsPerVector();
    SmallVector<Value> accs;
    Value zero = constantVector(b, kernel.typed(b.getI32Type()), 0);
    for (int64_t v = 0; v < vectors; ++v) {
      accs.push_back(zero);
      if (Value bias = broadcastRowBias(b, loc, kernel, rowOf(v), group))
        accs.back() = bias;
      accs.append(chains - 1, zero);
    }
    return sumSteps(b, loc, kernel, unrolledSteps(), std::move(accs),
                    [&](OpBuilder &b, Value step, int64_t number,
                        SmallVectorImpl<Value> &sums) {
                      emitStep(b, group, step, number, sums);
                    });
  }

  /// One vector of the weight in each panel, for all rows.
  void emitStep(OpBuilder &b, Value group, Value step, int64_t number,
                SmallVectorImpl<Value> &accs) {
    SmallVector<SmallVector<Value>> weights;
    for (Value panel : panels) {
      prefetch(b, panel, group, step);
      weights.push_back(loadWeights(b, panel, group, step));
    }
    int64_t chains = chainsPerVector();
    // Element k of the activations where this step starts.
    int64_t stepSize = 4 * dotsPerStep();
    Value groupBase =
        arith::MulIOp::create(b, loc, group, index(b, kernel.steps * stepSize));
    Value stepBase = arith::MulIOp::create(b, loc, step, index(b, stepSize));
    Value base = arith::AddIOp::create(b, loc, groupBase, stepBase);
    for (int64_t part = 0; part < dotsPerStep(); ++part) {
      int64_t chain = (number * dotsPerStep() + part) % chains;
      Value k = arith::AddIOp::create(b, loc, base, index(b, part * 4));
      for (int64_t r = 0; r < tile.rows; ++r) {
        Value x = broadcastActivations(b, loc, kernel, rows[r], k);
        for (int64_t p = 0; p < tile.panels; ++p) {
          Value &acc = accs[(r * tile.panels + p) * chains + chain];
          acc = emitScaledDot(b, loc, kernel, acc, weights[p][part], x);
        }
      }
    }
  }

  /// The weight's bytes: those of a step, or its two halves, or four quarters.
  SmallVector<Value> loadWeights(OpBuilder &b, Value panel, Value group,
                                 Value step) {
    Value stored =
        vector::LoadOp::create(b, loc, bytesType(b), kernel.rhs,
                               ValueRange{panel, group, step, index(b, 0)});
    if (keepsPlaces())
      return maskPairs(b, loc, stored);
    return unpackElements(b, loc, kernel, stored);
  }

  /// Past the end these are lines of the next panel, or of nothing: prefetches
  /// do not fault.
  void prefetch(OpBuilder &b, Value panel, Value group, Value step) {
    int64_t distance = kPrefetchBytes / (kernel.lanes * 4);
    Value ahead = arith::AddIOp::create(b, loc, step, index(b, distance));
    memref::PrefetchOp::create(b, loc, kernel.rhs,
                               ValueRange{panel, group, ahead, index(b, 0)},
                               /*isWrite=*/false, /*localityHint=*/3,
                               /*isDataCache=*/true);
  }

  const ScaledKernel &kernel;
  qtarget::PackedMatmulOp op;
  Location loc;
  Value firstPanel, firstRow;
  ScaledTile tile;
  int64_t vectors;
  SmallVector<Value> rows, panels;
};

} // namespace

void quantmlir::emitScaledTile(OpBuilder &b, Location loc,
                               const ScaledKernel &kernel, Value panel,
                               Value firstRow, ScaledTile tile,
                               PreparedFloats prepared) {
  if (kernel.op.hasFloatLhs())
    return emitWeightOnlyTile(b, loc, kernel, panel, firstRow, tile, prepared);
  TileEmitter(kernel, loc, panel, firstRow, tile).emit(b);
}
