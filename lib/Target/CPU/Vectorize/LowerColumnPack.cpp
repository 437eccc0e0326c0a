//===- LowerColumnPack.cpp - transposing packs in registers ---------------===//

#include "LowerColumnPack.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

/// Columns that are interleaved at once: whole panels are made of them.
static int64_t getBlock(int64_t nr) { return nr % 16 == 0 ? 16 : 8; }

bool quantmlir::isColumnPanelPack(linalg::PackOp op) {
  if (op.getSourceType().getRank() != 2 || !op.getInnerTiles().empty() ||
      op.getOuterDimsPerm() != ArrayRef<int64_t>{1, 0} ||
      op.getInnerDimsPos() != ArrayRef<int64_t>{1, 0})
    return false;
  ArrayRef<int64_t> tiles = op.getStaticInnerTiles();
  return tiles[0] % 8 == 0 && (tiles[1] == 2 || tiles[1] == 4);
}

namespace {

/// The loops work on [N/NR][K/KR][NR * KR], so that a block is one vector.
class ColumnPacker {
public:
  ColumnPacker(RewriterBase &b, linalg::PackOp op)
      : b(b), op(op), loc(op.getLoc()), nr(op.getStaticInnerTiles()[0]),
        kr(op.getStaticInnerTiles()[1]), width(getBlock(nr)) {}

  Value pack() {
    SmallVector<OpFoldResult> sizes =
        tensor::getMixedSizes(b, loc, op.getDest());
    SmallVector<OpFoldResult> flat = {sizes[0], sizes[1],
                                      b.getIndexAttr(nr * kr)};
    Value dest = tensor::EmptyOp::create(b, loc, flat,
                                         op.getSourceType().getElementType());
    if (Value padding = op.getPaddingValue())
      dest = linalg::FillOp::create(b, loc, padding, dest).getResult(0);
    Value k = tensor::DimOp::create(b, loc, op.getSource(), 0);
    Value n = tensor::DimOp::create(b, loc, op.getSource(), 1);
    Value zero = index(0);
    Value steps = arith::DivUIOp::create(b, loc, k, index(kr));
    Value wholeK = arith::MulIOp::create(b, loc, steps, index(kr));
    Value blocks = arith::DivUIOp::create(b, loc, n, index(width));
    Value wholeN = arith::MulIOp::create(b, loc, blocks, index(width));
    dest = loop(zero, steps, dest, [&](Value step, Value dest) {
      return loop(zero, blocks, dest, [&](Value block, Value dest) {
        return copyBlock(step, block, dest);
      });
    });
    if (!divides(1, width))
      dest = copyElements(zero, wholeK, wholeN, n, dest);
    if (!divides(0, kr))
      dest = copyElements(wholeK, k, zero, n, dest);
    SmallVector<ReassociationIndices> groups = {{0}, {1}, {2, 3}};
    return tensor::ExpandShapeOp::create(b, loc, op.getDestType(), dest, groups,
                                         sizes);
  }

private:
  using Body = function_ref<Value(Value, Value)>;

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  bool divides(int64_t dim, int64_t size) {
    return !op.getSourceType().isDynamicDim(dim) &&
           op.getSourceType().getDimSize(dim) % size == 0;
  }

  /// for i in [from, to): dest = body(i, dest).
  Value loop(Value from, Value to, Value dest, Body body) {
    auto loop = scf::ForOp::create(b, loc, from, to, index(1), dest);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value next = body(loop.getInductionVar(), loop.getRegionIterArg(0));
    scf::YieldOp::create(b, loc, next);
    return loop.getResult(0);
  }

  /// KR rows of one block: of four, rows 0 and 2 and rows 1 and 3 are
  /// interleaved, then both, which gives 0 1 2 3 0 1 2 3 ...
  Value copyBlock(Value step, Value block, Value dest) {
    auto type = VectorType::get({width}, op.getSourceType().getElementType());
    Value row = arith::MulIOp::create(b, loc, step, index(kr));
    Value column = arith::MulIOp::create(b, loc, block, index(width));
    SmallVector<Value> rows;
    for (int64_t i = 0; i < kr; ++i) {
      Value at = arith::AddIOp::create(b, loc, row, index(i));
      rows.push_back(vector::TransferReadOp::create(
          b, loc, type, op.getSource(), ValueRange{at, column},
          /*padding=*/std::nullopt, ArrayRef<bool>{true}));
    }
    while (rows.size() > 1) {
      size_t half = rows.size() / 2;
      for (size_t i = 0; i < half; ++i)
        rows[i] = vector::InterleaveOp::create(b, loc, rows[i], rows[i + half]);
      rows.resize(half);
    }
    Value panel = arith::DivUIOp::create(b, loc, column, index(nr));
    Value lane = arith::RemUIOp::create(b, loc, column, index(nr));
    Value offset = arith::MulIOp::create(b, loc, lane, index(kr));
    return vector::TransferWriteOp::create(b, loc, rows[0], dest,
                                           ValueRange{panel, step, offset},
                                           ArrayRef<bool>{true})
        .getResult();
  }

  /// Rows [rowFrom, rowTo) of columns [columnFrom, columnTo), one by one.
  Value copyElements(Value rowFrom, Value rowTo, Value columnFrom,
                     Value columnTo, Value dest) {
    return loop(rowFrom, rowTo, dest, [&](Value row, Value dest) {
      Value step = arith::DivUIOp::create(b, loc, row, index(kr));
      Value rest = arith::RemUIOp::create(b, loc, row, index(kr));
      return loop(columnFrom, columnTo, dest, [&](Value column, Value dest) {
        Value x = tensor::ExtractOp::create(b, loc, op.getSource(),
                                            ValueRange{row, column});
        Value panel = arith::DivUIOp::create(b, loc, column, index(nr));
        Value lane = arith::RemUIOp::create(b, loc, column, index(nr));
        Value offset = arith::MulIOp::create(b, loc, lane, index(kr));
        offset = arith::AddIOp::create(b, loc, offset, rest);
        return tensor::InsertOp::create(b, loc, x, dest,
                                        ValueRange{panel, step, offset})
            .getResult();
      });
    });
  }

  RewriterBase &b;
  linalg::PackOp op;
  Location loc;
  int64_t nr, kr, width;
};

} // namespace

void quantmlir::lowerColumnPanelPack(RewriterBase &b, linalg::PackOp op) {
  b.setInsertionPoint(op);
  b.replaceOp(op, ColumnPacker(b, op).pack());
}
