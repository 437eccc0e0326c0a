//===- ScaledLoops.cpp - loops around the grouped kernel ------------------===//
//
// Rows of activations that fit in a part of L2 make a block. Inside a block the
// loop over panels of columns is the outer one, so that a panel of the weight,
// which comes from memory once a block, serves all its rows; tiles of rows are
// the inner one. A static number of rows is divided into tiles of nearly equal
// height, so that no row is computed for nothing; a dynamic one into the
// highest tiles, then tiles of four rows and of one: with a single row this is
// a matrix-vector product at the memory's pace.
//
// Where activations are floats, the highest tiles, if they are more than one,
// share panels that are widened once for all rows of a block; where the kernel
// multiplies pairs of bf16, the few rows of tiles of one panel are split in two
// parts once for all panels.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/CPU/Kernel/ScaledLoops.h"

#include "quant/Target/CPU/Kernel/FloatElements.h"
#include "quant/Target/CPU/Kernel/ScaledKernel.h"
#include "quant/Target/CPU/Kernel/SplitFloats.h"
#include "quant/Target/CPU/Kernel/WeightOnlyTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

/// Bytes of activations that stay in L2 beside a panel of the weight.
static constexpr int64_t kBlockBytes = 512 * 1024;
/// Rows for which panels are widened at least, where there are as many: floats
/// are read at a few bytes a cycle, which L3 gives as well.
static constexpr int64_t kWidenedRows = 128;

namespace {

/// Rows [begin, end) in tiles of `height`, which divides their number.
struct RowRange {
  Value begin, end;
  int64_t height;
  /// Its tiles read panels that are floats already.
  bool isWidened = false;
  /// They read rows that are split in parts already; there are a few only.
  bool isSplit = false;
};

class ScaledLoopEmitter {
public:
  ScaledLoopEmitter(OpBuilder &b, qtarget::PackedMatmulOp op,
                    qtarget::MatmulKernelInterface vectors)
      : b(b), op(op), loc(op.getLoc()), kernel(op, vectors, b),
        maxHeight(kernel.maxTile.rows) {}

  void emit() {
    auto lhs = cast<MemRefType>(op.getLhs().getType());
    int64_t rowBytes =
        lhs.getDimSize(1) * lhs.getElementType().getIntOrFloatBitWidth() / 8;
    int64_t blockRows = kBlockBytes / rowBytes;
    if (op.hasFloatLhs())
      blockRows = std::max(blockRows, kWidenedRows);
    blockRows = std::max<int64_t>(1, blockRows / maxHeight) * maxHeight;
    SmallVector<RowRange> ranges = divideRows(lhs.getDimSize(0));
    markWidened(ranges, lhs.getDimSize(0));
    markSplit(ranges, lhs.getDimSize(0));
    bool fits = !lhs.isDynamicDim(0) && lhs.getDimSize(0) <= blockRows;
    if (fits)
      return forPanels(ranges);
    // The highest tiles in blocks, and the few other rows apart.
    RowRange high = ranges.front();
    Value step = index(blockRows / maxHeight * high.height);
    scf::ForOp::create(
        b, loc, high.begin, high.end, step, ValueRange{},
        [&](OpBuilder &nested, Location, Value begin, ValueRange) {
          OpBuilder::InsertionGuard guard(b);
          b.setInsertionPointToEnd(nested.getInsertionBlock());
          Value end = arith::MinUIOp::create(
              b, loc, arith::AddIOp::create(b, loc, begin, step), high.end);
          RowRange block = high;
          block.begin = begin;
          block.end = end;
          forPanels(block);
          scf::YieldOp::create(b, loc);
        });
    if (ranges.size() > 1)
      forRemainingRows(ArrayRef(ranges).drop_front());
  }

private:
  /// The highest tiles, if more than one of them may be, read widened panels.
  void markWidened(MutableArrayRef<RowRange> ranges, int64_t rows) {
    bool isDynamic = ShapedType::isDynamic(rows);
    if (!op.hasFloatLhs() || (!isDynamic && rows <= maxHeight))
      return;
    int64_t panels = kernel.getTilePanels(ranges.front().height);
    for (RowRange &range : ranges.take_front(isDynamic ? 1 : ranges.size()))
      range.isWidened = kernel.getTilePanels(range.height) == panels;
  }

  /// Few rows, which are all there are or those that the highest tiles leave.
  void markSplit(MutableArrayRef<RowRange> ranges, int64_t rows) {
    if (!op.hasFloatLhs() || !FloatElements::havePairs(kernel))
      return;
    bool areFew = ShapedType::isDynamic(rows) || rows <= ScaledKernel::kFewRows;
    RowRange &last = ranges.back();
    last.isSplit = areFew && last.height <= ScaledKernel::kFewRows;
  }

  /// The rows of `range` in parts; null where its tiles do not read them.
  Value splitRows(const RowRange &range) {
    if (!range.isSplit)
      return {};
    Value rows = arith::SubIOp::create(b, loc, range.end, range.begin);
    return emitSplitRows(b, loc, kernel, range.begin, rows);
  }

  static bool hasWidened(ArrayRef<RowRange> ranges) {
    return llvm::any_of(ranges,
                        [](const RowRange &range) { return range.isWidened; });
  }

  Value index(int64_t v) { return arith::ConstantIndexOp::create(b, loc, v); }

  SmallVector<RowRange> divideRows(int64_t m) {
    if (ShapedType::isDynamic(m))
      return divideDynamicRows();
    int64_t tiles = std::max<int64_t>(1, llvm::divideCeil(m, maxHeight));
    int64_t high = llvm::divideCeil(std::max<int64_t>(m, 1), tiles);
    int64_t low = high - 1;
    int64_t highTiles = m - low * tiles, split = highTiles * high;
    SmallVector<RowRange> ranges = {{index(0), index(split), high}};
    if (split < m)
      ranges.push_back({index(split), index(m), low});
    return ranges;
  }

  SmallVector<RowRange> divideDynamicRows() {
    Value m = memref::DimOp::create(b, loc, op.getLhs(), 0);
    SmallVector<RowRange> ranges;
    Value begin = index(0);
    for (int64_t height : {maxHeight, int64_t(4), int64_t(1)}) {
      Value rest = arith::SubIOp::create(b, loc, m, begin);
      Value over = arith::RemUIOp::create(b, loc, rest, index(height));
      Value end = arith::SubIOp::create(b, loc, m, over);
      ranges.push_back({begin, end, height});
      begin = end;
    }
    return ranges;
  }

  /// Panels of columns (outer) by tiles of rows (inner). Where some tiles take
  /// several panels, all get that many at a time, and what is left one by one.
  void forPanels(ArrayRef<RowRange> ranges) {
    int64_t together = 1;
    for (const RowRange &range : ranges)
      together = std::max(together, kernel.getTilePanels(range.height));
    Value panels = memref::DimOp::create(b, loc, op.getRhs(), 0);
    Value over = arith::RemUIOp::create(b, loc, panels, index(together));
    Value whole = arith::SubIOp::create(b, loc, panels, over);
    if (hasWidened(ranges)) {
      constexpr int64_t line = 64;
      widened = memref::AllocOp::create(
          b, loc, getWidenedType(kernel, together), b.getI64IntegerAttr(line));
    }
    split = splitRows(ranges.back());
    forPanels(ranges, index(0), whole, together);
    if (together > 1)
      forPanels(ranges, whole, panels, 1);
    if (hasWidened(ranges))
      memref::DeallocOp::create(b, loc, widened);
    if (split)
      memref::DeallocOp::create(b, loc, split);
  }

  void forPanels(ArrayRef<RowRange> ranges, Value begin, Value end,
                 int64_t together) {
    scf::ForOp::create(
        b, loc, begin, end, index(together), ValueRange{},
        [&](OpBuilder &nested, Location, Value panel, ValueRange) {
          OpBuilder::InsertionGuard guard(b);
          b.setInsertionPointToEnd(nested.getInsertionBlock());
          if (hasWidened(ranges))
            emitWidenedPanels(b, loc, kernel, panel, together, widened);
          for (const RowRange &range : ranges)
            forTiles(range, panel, together);
          scf::YieldOp::create(b, loc);
        });
  }

  void forTiles(const RowRange &range, Value firstPanel, int64_t together) {
    int64_t atOnce = std::min(together, kernel.getTilePanels(range.height));
    for (int64_t p = 0; p < together; p += atOnce) {
      Value panel = arith::AddIOp::create(b, loc, firstPanel, index(p));
      scf::ForOp::create(
          b, loc, range.begin, range.end, index(range.height), ValueRange{},
          [&](OpBuilder &nested, Location, Value row, ValueRange) {
            PreparedFloats prepared;
            if (range.isWidened)
              prepared.widened = widened;
            if (range.isSplit) {
              prepared.split = split;
              prepared.splitRow =
                  arith::SubIOp::create(nested, loc, row, range.begin);
            }
            emitScaledTile(nested, loc, kernel, panel, row,
                           {range.height, atOnce}, prepared);
            scf::YieldOp::create(nested, loc);
          });
    }
  }

  /// The weight is not read once more for no rows.
  void forRemainingRows(ArrayRef<RowRange> ranges) {
    Value any = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                      ranges.front().begin, ranges.back().end);
    scf::IfOp::create(b, loc, any, [&](OpBuilder &nested, Location) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToEnd(nested.getInsertionBlock());
      forPanels(ranges);
      scf::YieldOp::create(b, loc);
    });
  }

  OpBuilder &b;
  qtarget::PackedMatmulOp op;
  Location loc;
  ScaledKernel kernel;
  int64_t maxHeight;
  /// The present panels as floats, and the present few rows in parts, where
  /// some ranges read them.
  Value widened, split;
};

} // namespace

/// Asks LLVM for a stack on which it can align what it spills. The f32 sums of
/// a tile wait there while the integer ones have the registers, and a vector
/// across two lines of cache costs twice.
static void alignStack(qtarget::PackedMatmulOp op) {
  constexpr StringLiteral name = "passthrough";
  auto function = op->getParentOfType<FunctionOpInterface>();
  if (!function)
    return;
  SmallVector<Attribute> attributes;
  if (auto present = function->getAttrOfType<ArrayAttr>(name))
    attributes.assign(present.begin(), present.end());
  auto realign = StringAttr::get(op.getContext(), "stackrealign");
  if (llvm::is_contained(attributes, realign))
    return;
  attributes.push_back(realign);
  function->setAttr(name, ArrayAttr::get(op.getContext(), attributes));
}

void quantmlir::emitScaledLoops(OpBuilder &b, qtarget::PackedMatmulOp op,
                                qtarget::MatmulKernelInterface vectors) {
  alignStack(op);
  ScaledLoopEmitter(b, op, vectors).emit();
}

/// Whether elements that follow each other in the last dimension follow each
/// other in memory.
static bool hasContiguousRows(Value v) {
  auto type = cast<MemRefType>(v.getType());
  return type.getRank() == 0 || type.areTrailingDimsContiguous(1);
}

LogicalResult quantmlir::verifyScaledBuffers(qtarget::PackedMatmulOp op) {
  if (!isa<MemRefType>(op.getInit().getType()))
    return op.emitError("expected memrefs, found tensors; bufferize first");
  for (Value operand : op->getOperands())
    if (!hasContiguousRows(operand))
      return op.emitError("expected rows without gaps, found ")
             << operand.getType();
  return success();
}
