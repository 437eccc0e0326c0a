//===- CutToRank.cpp - the program of one rank ----------------------------===//

#include "quant/Shard/Passes.h"

#include "ConstantParts.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/DLTI/DLTI.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Shard/IR/ShardDialect.h"
#include "mlir/Dialect/Shard/IR/ShardOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

#include "quant/Dialect/Quant/Utils/ConstantData.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"

namespace quantmlir {
#define GEN_PASS_DEF_QUANTCUTTORANKPASS
#include "quant/Shard/Passes.h.inc"
} // namespace quantmlir

using namespace mlir;
using namespace quantmlir;

int64_t ShardFacts::getBytesSent() const {
  // Each step of a ring sends one part of `ranks`: the first ranks - 1 of them
  // combine, as many more bring the result to all. A gather has the latter
  // only.
  int64_t bytes = 2 * (sumBytes + maximaBytes) + gatherBytes;
  return bytes * (ranks - 1) / ranks;
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// A small resource as the attribute that folders read.
static void makeInline(arith::ConstantOp op) {
  auto resource = dyn_cast<DenseResourceElementsAttr>(op.getValue());
  auto type = dyn_cast<RankedTensorType>(op.getType());
  if (!resource || !type ||
      countBytes(type).value_or(INT64_MAX) > kMaxInlineConstantBytes)
    return;
  ArrayRef<char> bytes = getStoredBytes(resource);
  if (bytes.empty())
    return;
  op.setValueAttr(
      makeTensorAttr(type, "quant_const", [&](MutableArrayRef<char> to) {
        llvm::copy(bytes, to.begin());
        if (type.getElementType().isInteger(4))
          for (char &nibble : to)
            nibble &= 0xF;
      }));
}

//===----------------------------------------------------------------------===//
// Collectives
//===----------------------------------------------------------------------===//

namespace {
/// A part of a tensor along one dimension.
struct Part {
  SmallVector<OpFoldResult> offsets, sizes, strides;

  Part(OpBuilder &b, RankedTensorType type, int64_t axis, int64_t offset)
      : offsets(type.getRank(), b.getIndexAttr(0)),
        sizes(getAsIndexOpFoldResult(b.getContext(), type.getShape())),
        strides(type.getRank(), b.getIndexAttr(1)) {
    offsets[axis] = b.getIndexAttr(offset);
  }
};
} // namespace

namespace {
struct QuantCutToRankPass final
    : quantmlir::impl::QuantCutToRankPassBase<QuantCutToRankPass> {
  using Base::Base;

  QuantCutToRankPass(const QuantCutToRankPassOptions &options,
                     ShardFacts *facts)
      : Base(options), facts(facts) {}

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<shard::GridOp> grids(module.getOps<shard::GridOp>());
    if (grids.empty())
      return;
    if (failed(verifyGrids(grids)) || failed(nameLibrary(module)))
      return signalPassFailure();
    ranks = grids.front().getShape().front();
    if (facts) {
      *facts = ShardFacts();
      facts->ranks = ranks;
    }
    // Constants are counted before any is cut.
    int64_t all = countConstants(module);
    module.walk([&](Operation *op) { visit(op); });
    module.walk([](arith::ConstantOp op) { makeInline(op); });
    if (facts) {
      facts->allWeightBytes = all;
      facts->weightBytes = countConstants(module);
    }
  }

private:
  LogicalResult verifyGrids(MutableArrayRef<shard::GridOp> grids) {
    shard::GridOp grid = grids.front();
    if (grids.size() != 1 || grid.getShape().size() != 1 ||
        ShapedType::isDynamicShape(grid.getShape()))
      return grids.back().emitOpError(
          "expected one grid, of one static dimension");
    int64_t size = grid.getShape().front();
    if (rank < 0 || rank >= size)
      return grid.emitOpError("has ")
             << size << " ranks, and there is no rank " << int64_t(rank);
    return success();
  }

  /// Tells upstream's lowering which library it calls.
  LogicalResult nameLibrary(ModuleOp module) {
    if (mpi != "OpenMPI" && mpi != "MPICH")
      return emitError(module.getLoc())
             << "mpi: expected OpenMPI or MPICH, found '" << mpi << "'";
    MLIRContext *context = module.getContext();
    auto key = StringAttr::get(context, "MPI:Implementation");
    SmallVector<DataLayoutEntryInterface> entries;
    if (auto map = module->getAttrOfType<MapAttr>(DLTIDialect::kMapAttrName))
      for (DataLayoutEntryInterface entry : map.getEntries())
        if (entry.getKey() != DataLayoutEntryKey(key))
          entries.push_back(entry);
    entries.push_back(
        DataLayoutEntryAttr::get(key, StringAttr::get(context, mpi)));
    module->setAttr(DLTIDialect::kMapAttrName, MapAttr::get(context, entries));
    return success();
  }

  /// Bytes of constants that are tensors and are used.
  static int64_t countConstants(ModuleOp module) {
    int64_t bytes = 0;
    module.walk([&](arith::ConstantOp op) {
      auto elements = dyn_cast<ElementsAttr>(op.getValue());
      if (elements && !op->use_empty() && !isa<SplatElementsAttr>(elements))
        bytes += getStoredBytes(elements).size();
    });
    return bytes;
  }

  void visit(Operation *op) {
    OpBuilder builder(op);
    if (auto exchange = dyn_cast<shard::AllToAllOp>(op))
      return this->exchange(exchange, builder);
    if (auto slice = dyn_cast<shard::AllSliceOp>(op))
      return cut(slice, builder);
    if (auto gather = dyn_cast<shard::AllGatherOp>(op))
      return count(gather);
    if (auto reduce = dyn_cast<shard::AllReduceOp>(op))
      return count(reduce);
    if (isa<shard::ProcessMultiIndexOp, shard::ProcessLinearIndexOp>(op))
      return replace(op, rank, builder);
    if (isa<shard::GridShapeOp>(op))
      return replace(op, ranks, builder);
  }

  static void replace(Operation *op, int64_t number, OpBuilder &b) {
    Value constant = arith::ConstantIndexOp::create(b, op->getLoc(), number);
    op->getResult(0).replaceAllUsesWith(constant);
    op->erase();
  }

  void cut(shard::AllSliceOp op, OpBuilder &b) {
    auto type = cast<RankedTensorType>(op.getType());
    int64_t axis = op.getSliceAxis().getSExtValue();
    int64_t offset = rank * type.getDimSize(axis);
    Operation *source = op.getInput().getDefiningOp();
    Value part;
    ElementsAttr attr;
    if (matchPattern(op.getInput(), m_Constant(&attr)))
      attr = cutConstant(attr, type, axis, offset);
    if (attr) {
      part = arith::ConstantOp::create(b, op.getLoc(), attr);
      ++numParts;
    } else if (isa_and_present<tensor::EmptyOp>(source)) {
      part = tensor::EmptyOp::create(b, op.getLoc(), type.getShape(),
                                     type.getElementType());
    } else {
      Part of(b, type, axis, offset);
      part = tensor::ExtractSliceOp::create(b, op.getLoc(), type, op.getInput(),
                                            of.offsets, of.sizes, of.strides);
    }
    op.getResult().replaceAllUsesWith(part);
    op.erase();
    if (source && isOpTriviallyDead(source))
      source->erase();
  }

  /// Parts along one dimension become parts along another: of all of it.
  void exchange(shard::AllToAllOp op, OpBuilder &b) {
    auto part = cast<RankedTensorType>(op.getInput().getType());
    int64_t axis = op.getConcatAxis().getSExtValue();
    SmallVector<int64_t> shape(part.getShape());
    shape[axis] *= ranks;
    auto all = shard::AllGatherOp::create(
        b, op.getLoc(), part.clone(shape), op.getGridAttr(),
        op.getGridAxesAttr(), op.getInput(), b.getIndexAttr(axis));
    auto own = shard::AllSliceOp::create(
        b, op.getLoc(), op.getType(), all.getResult(), op.getGrid(),
        op.getGridAxes(), op.getSplitAxis().getSExtValue());
    op.getResult().replaceAllUsesWith(own.getResult());
    count(all);
    cut(own, b);
    op.erase();
  }

  void count(shard::AllGatherOp op) {
    ++numGathers;
    if (!facts)
      return;
    ++facts->numGathers;
    facts->gatherBytes +=
        countBytes(cast<ShapedType>(op.getType())).value_or(0);
  }

  void count(shard::AllReduceOp op) {
    if (!facts)
      return;
    auto type = cast<ShapedType>(op.getType());
    int64_t bytes = countBytes(type).value_or(0);
    if (op.getReduction() == shard::ReductionKind::Sum) {
      ++facts->numSums;
      facts->sumBytes += bytes;
    } else if (op.getReduction() == shard::ReductionKind::Max) {
      ++facts->numMaxima;
      facts->maximaBytes += bytes;
    }
  }

  int64_t ranks = 1;
  ShardFacts *facts = nullptr;
};
} // namespace

std::unique_ptr<Pass>
quantmlir::createQuantCutToRankPass(const QuantCutToRankPassOptions &options,
                                    ShardFacts *facts) {
  return std::make_unique<QuantCutToRankPass>(options, facts);
}
