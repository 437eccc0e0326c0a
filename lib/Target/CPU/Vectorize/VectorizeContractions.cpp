//===- VectorizeContractions.cpp - float contractions in registers --------===//
//
// Matmuls that stay in float (attention's products, layers that a recipe leaves
// alone, the program before quantization) would be loops over scalars. Where
// the columns of the right operand and of the result are neighbours in memory,
// a tile of the result stays in registers: rows by two vectors, which start
// from the old values and take one product after the other, in the order of the
// scalar loop and rounded like it.
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
  /// All rows, for `lanes` columns from the present one on.
  void forRows(int64_t lanes, Value mask);
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

void ContractionEmitter::forRows(int64_t lanes, Value mask) {
  if (!c.rows)
    return emitTile(1, lanes, mask);
  Value size = sizes[*c.rows], begin = index(0);
  for (int64_t rows : {tile.rows, int64_t(1)}) {
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

void ContractionEmitter::emit() {
  for (OpOperand &operand : c.op->getOpOperands())
    for (auto [i, expr] : llvm::enumerate(c.getMap(&operand).getResults())) {
      Value &size = sizes[cast<AffineDimExpr>(expr).getPosition()];
      if (!size)
        size = memref::DimOp::create(b, loc, operand.get(), i);
    }
  int64_t known = c.op.getStaticLoopRanges()[c.columns];
  bool isDynamic = ShapedType::isDynamic(known);
  int64_t left = isDynamic ? 0 : known % tile.lanes;
  forEach(c.outer, [&] {
    Value size = sizes[c.columns];
    Value over = arith::RemUIOp::create(b, loc, size, index(tile.lanes));
    Value whole = arith::SubIOp::create(b, loc, size, over);
    scf::ForOp columns = loop(index(0), whole, tile.lanes, [&](Value column) {
      at[c.columns] = column;
      forRows(tile.lanes, Value());
    });
    SmallVector<int64_t> inner = c.op.getStaticLoopRanges();
    inner[c.columns] = tile.lanes;
    for (unsigned loop : c.outer)
      inner[loop] = 1;
    markIndependent(columns, countWork(inner));
    at[c.columns] = whole;
    if (left)
      return forRows(left, Value());
    if (!isDynamic)
      return;
    auto type = VectorType::get({tile.lanes}, b.getI1Type());
    Value mask = vector::CreateMaskOp::create(b, loc, type, over);
    Value some =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, over, index(0));
    auto branch = scf::IfOp::create(b, loc, some, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    forRows(tile.lanes, mask);
  });
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
