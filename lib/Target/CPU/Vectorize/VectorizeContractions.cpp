//===- VectorizeContractions.cpp - float contractions in registers --------===//
//
// Matmuls that stay in float (attention's products, layers that a recipe leaves
// alone, the program before quantization) would be loops over scalars. Where
// the columns of the right operand and of the result are neighbours in memory,
// a tile of the result stays in registers: rows by two vectors, which start
// from the old values and take one product after the other, in the order of the
// scalar loop and rounded like it.
//
// Where rows are fewer than a tile has (attention of one token: as many as
// heads share keys), tiles are lower and as much wider, so that sums need not
// wait for each other and the right operand is read once, in longer pieces.
// Where the run knows the number of rows, it decides.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/CPU/Parallel/IndependentLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "quant/Target/CPU/Passes.h"
#include "quant/Target/IR/MatmulKernelInterface.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTVECTORIZECONTRACTIONSPASS
#include "quant/Target/CPU/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

namespace {

/// Rows and columns of the result that stay in registers.
struct FloatTile {
  int64_t rows, lanes;
};

/// A contraction of f32 that fits.
struct Contraction {
  mutable linalg::LinalgOp op;
  OpOperand *lhs, *rhs, *init;
  /// Loops: the columns, the rows that share the right operand (if there is
  /// such a loop), other parallel ones, reductions.
  unsigned columns;
  std::optional<unsigned> rows;
  SmallVector<unsigned> outer, reductions;

  AffineMap getMap(OpOperand *operand) const {
    return op.getMatchingIndexingMap(operand);
  }
};

} // namespace

//===----------------------------------------------------------------------===//
// What fits
//===----------------------------------------------------------------------===//

/// Whether the body is `yield(acc + lhs * rhs)`.
static bool isMultiplyAdd(linalg::LinalgOp op) {
  Block *body = op.getBlock();
  if (body->getOperations().size() != 3)
    return false;
  auto sum =
      body->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  Value acc = body->getArgument(2);
  if (!sum || (sum.getLhs() != acc) == (sum.getRhs() != acc))
    return false;
  Value other = sum.getLhs() == acc ? sum.getRhs() : sum.getLhs();
  auto product = other.getDefiningOp<arith::MulFOp>();
  if (!product)
    return false;
  Value a = body->getArgument(0), b = body->getArgument(1);
  return (product.getLhs() == a && product.getRhs() == b) ||
         (product.getLhs() == b && product.getRhs() == a);
}

/// Whether the last dimension is indexed by `loop` alone, and contiguous.
static bool hasNeighbours(const Contraction &c, OpOperand *operand,
                          unsigned loop) {
  AffineMap map = c.getMap(operand);
  auto last = dyn_cast<AffineDimExpr>(map.getResults().back());
  return last && last.getPosition() == loop &&
         cast<MemRefType>(operand->get().getType())
             .areTrailingDimsContiguous(1);
}

static std::optional<Contraction> matchVectorized(linalg::LinalgOp op) {
  if (op->getNumOperands() != 3 || op.getNumDpsInits() != 1 ||
      !op.hasPureBufferSemantics() || !isMultiplyAdd(op))
    return std::nullopt;
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (!type || !type.getElementType().isF32() || type.getRank() == 0 ||
        !map.isProjectedPermutation())
      return std::nullopt;
  }
  Contraction c{op, op.getDpsInputOperand(0), op.getDpsInputOperand(1),
                op.getDpsInitOperand(0)};
  auto last = cast<AffineDimExpr>(c.getMap(c.init).getResults().back());
  c.columns = last.getPosition();
  if (c.getMap(c.lhs).isFunctionOfDim(c.columns))
    std::swap(c.lhs, c.rhs);
  if (c.getMap(c.lhs).isFunctionOfDim(c.columns) ||
      !hasNeighbours(c, c.rhs, c.columns) ||
      !hasNeighbours(c, c.init, c.columns))
    return std::nullopt;
  for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (kind == utils::IteratorType::reduction)
      c.reductions.push_back(loop);
    else if (loop != c.columns)
      c.outer.push_back(loop);
  }
  // The innermost loop over rows that need the same columns.
  for (unsigned loop : llvm::reverse(c.outer))
    if (!c.rows && c.getMap(c.lhs).isFunctionOfDim(loop) &&
        !c.getMap(c.rhs).isFunctionOfDim(loop))
      c.rows = loop;
  if (c.rows)
    llvm::erase(c.outer, *c.rows);
  if (c.reductions.empty())
    return std::nullopt;
  return c;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

namespace {

/// Emits the loops around and in the tiles of one op.
class ContractionEmitter {
public:
  ContractionEmitter(OpBuilder &b, const Contraction &c, FloatTile tile)
      : b(b), loc(c.op.getLoc()), c(c), tile(tile), at(c.op.getNumLoops()),
        sizes(c.op.getNumLoops()) {}

  void emit();

private:
  Value index(int64_t v) { return arith::ConstantIndexOp::create(b, loc, v); }
  scf::ForOp loop(Value begin, Value end, int64_t step,
                  llvm::function_ref<void(Value)> body);
  /// Loops over `loops`, then `body`.
  void forEach(ArrayRef<unsigned> loops, llvm::function_ref<void()> body);
  /// All rows, for `lanes` columns from the present one on, in tiles of
  /// `heights`.
  void forRows(ArrayRef<int64_t> heights, int64_t lanes, Value mask);
  /// All columns, in tiles of `widths`, each a part of the one before; the last
  /// takes the rest.
  void forColumns(ArrayRef<int64_t> widths, ArrayRef<int64_t> heights);
  void forRest(ArrayRef<int64_t> heights, int64_t lanes, Value begin);
  void emitTiles();
  void emitTile(int64_t rows, int64_t lanes, Value mask);
  SmallVector<Value> indices(OpOperand *operand, int64_t row = 0);
  SmallVector<Value> reduce(ArrayRef<unsigned> loops, ValueRange accs,
                            int64_t lanes, Value mask);
  SmallVector<Value> multiplyAdd(ValueRange accs, int64_t lanes, Value mask);
  Value load(OpOperand *operand, int64_t row, int64_t lanes, Value mask);

  OpBuilder &b;
  Location loc;
  const Contraction &c;
  FloatTile tile;
  /// The present position and the size of each loop.
  SmallVector<Value> at, sizes;
};

} // namespace

/// A multiply-add takes a fraction of the time of an element that is loaded,
/// computed and stored.
static int64_t countWork(ArrayRef<int64_t> sizes) {
  constexpr int64_t multiplyAdds = 8;
  return std::max<int64_t>(1, countInner(sizes, 0) / multiplyAdds);
}

scf::ForOp ContractionEmitter::loop(Value begin, Value end, int64_t step,
                                    llvm::function_ref<void(Value)> body) {
  auto loop = scf::ForOp::create(b, loc, begin, end, index(step));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
  return loop;
}

void ContractionEmitter::forEach(ArrayRef<unsigned> loops,
                                 llvm::function_ref<void()> body) {
  if (loops.empty())
    return body();
  scf::ForOp outer = loop(index(0), sizes[loops.front()], 1, [&](Value i) {
    at[loops.front()] = i;
    forEach(loops.drop_front(), body);
  });
  SmallVector<int64_t> inner = c.op.getStaticLoopRanges();
  inner[loops.front()] = 1;
  markIndependent(outer, countWork(inner));
}

SmallVector<Value> ContractionEmitter::indices(OpOperand *operand,
                                               int64_t row) {
  SmallVector<Value> result;
  for (AffineExpr expr : c.getMap(operand).getResults()) {
    unsigned dim = cast<AffineDimExpr>(expr).getPosition();
    Value i = at[dim];
    if (row && dim == c.rows)
      i = arith::AddIOp::create(b, loc, i, index(row));
    result.push_back(i);
  }
  return result;
}

Value ContractionEmitter::load(OpOperand *operand, int64_t row, int64_t lanes,
                               Value mask) {
  auto type = VectorType::get({lanes}, b.getF32Type());
  SmallVector<Value> position = indices(operand, row);
  if (!mask)
    return vector::LoadOp::create(b, loc, type, operand->get(), position);
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  return vector::MaskedLoadOp::create(b, loc, type, operand->get(), position,
                                      mask, zero);
}

SmallVector<Value> ContractionEmitter::multiplyAdd(ValueRange accs,
                                                   int64_t lanes, Value mask) {
  Value columns = load(c.rhs, 0, lanes, mask);
  SmallVector<Value> next;
  for (auto [row, acc] : llvm::enumerate(accs)) {
    Value scalar =
        memref::LoadOp::create(b, loc, c.lhs->get(), indices(c.lhs, row));
    Value factor =
        vector::BroadcastOp::create(b, loc, columns.getType(), scalar);
    Value product = arith::MulFOp::create(b, loc, factor, columns);
    next.push_back(arith::AddFOp::create(b, loc, acc, product));
  }
  return next;
}

SmallVector<Value> ContractionEmitter::reduce(ArrayRef<unsigned> loops,
                                              ValueRange accs, int64_t lanes,
                                              Value mask) {
  if (loops.empty())
    return multiplyAdd(accs, lanes, mask);
  auto loop = scf::ForOp::create(b, loc, index(0), sizes[loops.front()],
                                 index(1), accs);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  at[loops.front()] = loop.getInductionVar();
  scf::YieldOp::create(
      b, loc,
      reduce(loops.drop_front(), loop.getRegionIterArgs(), lanes, mask));
  return SmallVector<Value>(loop.getResults());
}

void ContractionEmitter::emitTile(int64_t rows, int64_t lanes, Value mask) {
  SmallVector<Value> accs;
  for (int64_t row = 0; row < rows; ++row)
    accs.push_back(load(c.init, row, lanes, mask));
  accs = reduce(c.reductions, accs, lanes, mask);
  for (auto [row, acc] : llvm::enumerate(accs)) {
    SmallVector<Value> position = indices(c.init, row);
    if (mask)
      vector::MaskedStoreOp::create(b, loc, c.init->get(), position, mask, acc);
    else
      vector::StoreOp::create(b, loc, acc, c.init->get(), position);
  }
}

void ContractionEmitter::forRows(ArrayRef<int64_t> heights, int64_t lanes,
                                 Value mask) {
  if (!c.rows)
    return emitTile(1, lanes, mask);
  Value size = sizes[*c.rows], begin = index(0);
  for (int64_t rows : heights) {
    Value count = arith::SubIOp::create(b, loc, size, begin);
    Value over = arith::RemUIOp::create(b, loc, count, index(rows));
    Value end = arith::SubIOp::create(b, loc, size, over);
    loop(begin, end, rows, [&](Value row) {
      at[*c.rows] = row;
      emitTile(rows, lanes, mask);
    });
    begin = end;
  }
}

/// What `lanes` do not divide: of a static number of columns as a shorter
/// vector, else by a mask.
void ContractionEmitter::forRest(ArrayRef<int64_t> heights, int64_t lanes,
                                 Value begin) {
  at[c.columns] = begin;
  int64_t known = c.op.getStaticLoopRanges()[c.columns];
  if (!ShapedType::isDynamic(known)) {
    if (int64_t left = known % lanes)
      forRows(heights, left, Value());
    return;
  }
  Value over = arith::SubIOp::create(b, loc, sizes[c.columns], begin);
  auto type = VectorType::get({lanes}, b.getI1Type());
  Value mask = vector::CreateMaskOp::create(b, loc, type, over);
  Value some =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, over, index(0));
  auto branch = scf::IfOp::create(b, loc, some, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  forRows(heights, lanes, mask);
}

void ContractionEmitter::forColumns(ArrayRef<int64_t> widths,
                                    ArrayRef<int64_t> heights) {
  Value begin = index(0), size = sizes[c.columns];
  for (int64_t lanes : widths) {
    Value over = arith::RemUIOp::create(b, loc, size, index(lanes));
    Value whole = arith::SubIOp::create(b, loc, size, over);
    scf::ForOp columns = loop(begin, whole, lanes, [&](Value column) {
      at[c.columns] = column;
      forRows(heights, lanes, Value());
    });
    SmallVector<int64_t> inner = c.op.getStaticLoopRanges();
    inner[c.columns] = lanes;
    for (unsigned loop : c.outer)
      inner[loop] = 1;
    markIndependent(columns, countWork(inner));
    begin = whole;
  }
  forRest(heights, widths.back(), begin);
}

/// High tiles, or low and wide ones of as many registers.
void ContractionEmitter::emitTiles() {
  auto many = [&] { forColumns(tile.lanes, {tile.rows, 1}); };
  auto few = [&] {
    constexpr int64_t fewRows = 2;
    SmallVector<int64_t> widths;
    for (int64_t times = tile.rows / fewRows; times > 0; times /= 2)
      widths.push_back(times * tile.lanes);
    forColumns(widths, {fewRows, 1});
  };
  int64_t rows = c.rows ? c.op.getStaticLoopRanges()[*c.rows] : 1;
  if (!ShapedType::isDynamic(rows))
    return rows < tile.rows ? few() : many();
  Value isMany = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge,
                                       sizes[*c.rows], index(tile.rows));
  auto branch = scf::IfOp::create(b, loc, isMany, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  many();
  b.setInsertionPointToStart(branch.elseBlock());
  few();
}

void ContractionEmitter::emit() {
  for (OpOperand &operand : c.op->getOpOperands())
    for (auto [i, expr] : llvm::enumerate(c.getMap(&operand).getResults())) {
      Value &size = sizes[cast<AffineDimExpr>(expr).getPosition()];
      if (!size)
        size = memref::DimOp::create(b, loc, operand.get(), i);
    }
  forEach(c.outer, [&] { emitTiles(); });
}

/// Two vectors of columns; of 32 registers, 8 x 2 are for sums, of 16, 4 x 2.
static FloatTile chooseTile(ModuleOp module) {
  qtarget::VectorFile file =
      qtarget::getVectors(qtarget::TargetAttr::lookup(module));
  constexpr int64_t many = 32;
  int64_t lanes = 2 * file.bits / 32;
  return {file.registers >= many ? 8 : 4, lanes};
}

namespace {

struct QuantVectorizeContractionsPass
    : quantmlir::impl::QuantVectorizeContractionsPassBase<
          QuantVectorizeContractionsPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<Contraction> found;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (std::optional<Contraction> contraction = matchVectorized(op))
        found.push_back(std::move(*contraction));
    });
    FloatTile tile = chooseTile(getOperation());
    IRRewriter rewriter(&getContext());
    for (const Contraction &contraction : found) {
      rewriter.setInsertionPoint(contraction.op);
      ContractionEmitter(rewriter, contraction, tile).emit();
      rewriter.eraseOp(contraction.op);
      ++numVectorized;
    }
  }
};

} // namespace
