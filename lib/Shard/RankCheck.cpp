//===- RankCheck.cpp - whether the right ranks run together ---------------===//

#include "RankCheck.h"

#include "MPICall.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MPI/IR/MPI.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Shard/IR/ShardOps.h"

#include "quant/Dialect/Quant/Utils/DiscardableAttrs.h"

#include <limits>

using namespace mlir;
using namespace quantmlir;

namespace {
/// Writes the function that asks.
class RankCheck {
public:
  RankCheck(ModuleOp module, int64_t rank, int64_t ranks)
      : module(module), rank(rank), ranks(ranks), b(module.getContext()),
        loc(module.getLoc()) {}

  /// () -> i1: whether all ranks are those that they are for.
  func::FuncOp make();

private:
  Value constant(int64_t number) {
    return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(number));
  }
  /// What `function` of MPI says of the world, less `expected`: not 0 if it is
  /// another number.
  Value ask(MPICall &mpi, Value room, StringRef function, int64_t expected);

  ModuleOp module;
  int64_t rank, ranks;
  OpBuilder b;
  Location loc;
};
} // namespace

Value RankCheck::ask(MPICall &mpi, Value room, StringRef function,
                     int64_t expected) {
  Value world = mpi.getWorld();
  Value pointer = mpi.getPointer(room);
  mpi.call(function, {world, pointer});
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value found = memref::LoadOp::create(b, loc, room, zero);
  Value number = constant(expected);
  return arith::XOrIOp::create(b, loc, found, number);
}

func::FuncOp RankCheck::make() {
  b.setInsertionPointToEnd(module.getBody());
  auto function = func::FuncOp::create(b, loc, "quant_check_rank",
                                       b.getFunctionType({}, {b.getI1Type()}));
  function.setPrivate();
  SymbolTable(module).insert(function);
  b.setInsertionPointToStart(function.addEntryBlock());
  MPICall mpi(b, loc, module);
  auto type = MemRefType::get({1}, b.getI32Type());
  Value room = memref::AllocaOp::create(b, loc, type);
  Value otherRank = ask(mpi, room, "MPI_Comm_rank", rank);
  Value otherCount = ask(mpi, room, "MPI_Comm_size", ranks);
  Value other = arith::OrIOp::create(b, loc, otherRank, otherCount);
  Value index = arith::ConstantIndexOp::create(b, loc, 0);
  memref::StoreOp::create(b, loc, other, room, index);
  Value world =
      mpi::CommWorldOp::create(b, loc, mpi::CommType::get(b.getContext()));
  mpi::AllReduceOp::create(b, loc, TypeRange(), room, room,
                           mpi::MPI_ReductionOpEnum::MPI_BOR, world);
  Value all = memref::LoadOp::create(b, loc, room, index);
  Value zero = constant(0);
  Value isRight =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, all, zero);
  func::ReturnOp::create(b, loc, isRight);
  return function;
}

LogicalResult quantmlir::addRankCheck(ModuleOp module) {
  Attribute attr = module->removeAttr(kRankAttr);
  if (!attr)
    return success();
  auto number = dyn_cast<IntegerAttr>(attr);
  auto grids = module.getOps<shard::GridOp>();
  if (!number || !llvm::hasSingleElement(grids) ||
      (*grids.begin()).getShape().size() != 1)
    return module.emitError("expected an integer as quant.rank, and a grid of "
                            "one dimension, found ")
           << attr << " and " << llvm::range_size(grids) << " grids";
  int64_t ranks = (*grids.begin()).getShape().front();
  std::optional<int64_t> rank = number.getValue().trySExtValue();
  if (ShapedType::isDynamic(ranks) || !rank || *rank < 0 || *rank >= ranks)
    return module.emitError("expected a rank of the grid as quant.rank, found ")
           << attr;
  // MPI counts in i32.
  if (ranks > std::numeric_limits<int32_t>::max())
    return (*grids.begin()).emitOpError("expected at most ")
           << std::numeric_limits<int32_t>::max()
           << " ranks, as MPI counts them, found " << ranks;
  SmallVector<func::FuncOp> entries;
  for (auto function : module.getOps<func::FuncOp>())
    if (function.isPublic() && !function.isExternal())
      entries.push_back(function);
  func::FuncOp check = RankCheck(module, *rank, ranks).make();
  for (func::FuncOp entry : entries) {
    OpBuilder b = OpBuilder::atBlockBegin(&entry.front());
    auto isRight = func::CallOp::create(b, entry.getLoc(), check, ValueRange());
    cf::AssertOp::create(
        b, entry.getLoc(), isRight.getResult(0),
        b.getStringAttr("expected to run as rank " + Twine(*rank) + " of " +
                        Twine(ranks) +
                        " of MPI, found another number or count, on this rank "
                        "or another"));
  }
  return success();
}
