//===- CollectiveFunctions.cpp - functions that call MPI ------------------===//

#include "CollectiveFunctions.h"

#include "MPICall.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace quantmlir;

func::FuncOp CollectiveFunctions::make(StringRef name, TypeRange inputs,
                                       TypeRange results) {
  b.setInsertionPointToEnd(module.getBody());
  auto function =
      func::FuncOp::create(b, loc, name, b.getFunctionType(inputs, results));
  function.setPrivate();
  SymbolTable(module).insert(function);
  b.setInsertionPointToStart(function.addEntryBlock());
  return function;
}

func::FuncOp CollectiveFunctions::getGather(Type part, Type whole) {
  func::FuncOp &function = made[{part, whole}];
  if (function)
    return function;
  function = make("quant_all_gather", {part, whole}, {});
  MPICall mpi(b, loc, module);
  Value from = function.getArgument(0), to = function.getArgument(1);
  Value count = mpi.countBytes(from, /*first=*/0);
  Value byte = mpi.getByte();
  Value source = mpi.getPointer(from);
  Value target = mpi.getPointer(to);
  Value world = mpi.getWorld();
  mpi.call("MPI_Allgather", {source, count, byte, target, count, byte, world});
  func::ReturnOp::create(b, loc);
  return function;
}

void CollectiveFunctions::layOut(ArrayRef<Value> rows, Value bytes,
                                 Value rank) {
  auto index = [&](int64_t number) -> Value {
    return arith::ConstantIndexOp::create(b, loc, number);
  };
  auto type = cast<MemRefType>(rows.front().getType());
  Value begin = index(0), end = index(type.getDimSize(0)), step = index(1);
  Value zero = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
  Value one = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(1));
  auto loop = scf::ForOp::create(b, loc, begin, end, step);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value at = loop.getInductionVar();
  Value other = arith::IndexCastOp::create(b, loc, b.getI32Type(), at);
  Value isOwn =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, other, rank);
  Value isBehind =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ugt, other, rank);
  Value dropped = arith::SelectOp::create(b, loc, isBehind, one, zero);
  Value place = arith::SubIOp::create(b, loc, other, dropped);
  Value count = arith::SelectOp::create(b, loc, isOwn, zero, bytes);
  Value source = arith::MulIOp::create(b, loc, other, bytes);
  Value target = arith::MulIOp::create(b, loc, place, bytes);
  Value values[] = {count, source, target};
  for (auto [row, value] : llvm::zip_equal(rows, values))
    memref::StoreOp::create(b, loc, value, row, at);
}

func::FuncOp CollectiveFunctions::getExchange(MemRefType parts,
                                              MemRefType others) {
  func::FuncOp &function = made[{parts, others}];
  if (function)
    return function;
  function = make("quant_exchange", {parts, others}, {b.getIndexType()});
  MPICall mpi(b, loc, module);
  Value from = function.getArgument(0), to = function.getArgument(1);
  Value world = mpi.getWorld();
  Value room =
      memref::AllocaOp::create(b, loc, MemRefType::get({1}, b.getI32Type()));
  Value roomPointer = mpi.getPointer(room);
  mpi.call("MPI_Comm_rank", {world, roomPointer});
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value rank = memref::LoadOp::create(b, loc, room, zero);
  Value bytes = mpi.countBytes(from, /*first=*/1);
  auto numbers = MemRefType::get({parts.getDimSize(0)}, b.getI32Type());
  Value rows[3], pointers[3];
  for (auto [row, pointer] : llvm::zip(rows, pointers)) {
    row = memref::AllocOp::create(b, loc, numbers);
    pointer = mpi.getPointer(row);
  }
  layOut(rows, bytes, rank);
  Value byte = mpi.getByte();
  Value source = mpi.getPointer(from);
  Value target = mpi.getPointer(to);
  mpi.call("MPI_Alltoallv", {source, pointers[0], pointers[1], byte, target,
                             pointers[0], pointers[2], byte, world});
  Value number = arith::IndexCastOp::create(b, loc, b.getIndexType(), rank);
  func::ReturnOp::create(b, loc, number);
  return function;
}
