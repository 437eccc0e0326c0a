//===- GatherFunctions.cpp - functions that call MPI_Allgather ------------===//

#include "GatherFunctions.h"

#include "MPICall.h"

using namespace mlir;
using namespace quantmlir;

func::FuncOp GatherFunctions::get(Type part, Type whole) {
  func::FuncOp &function = made[{part, whole}];
  if (!function)
    function = make(part, whole);
  return function;
}

func::FuncOp GatherFunctions::make(Type part, Type whole) {
  OpBuilder b(module.getContext());
  b.setInsertionPointToEnd(module.getBody());
  Location loc = module.getLoc();
  auto function = func::FuncOp::create(b, loc, "quant_all_gather",
                                       b.getFunctionType({part, whole}, {}));
  function.setPrivate();
  SymbolTable(module).insert(function);
  Block *body = function.addEntryBlock();
  b.setInsertionPointToStart(body);
  MPICall mpi(b, loc, module);
  Value count = mpi.countBytes(body->getArgument(0));
  Value byte = mpi.getByte();
  mpi.call("MPI_Allgather",
           {mpi.getPointer(body->getArgument(0)), count, byte,
            mpi.getPointer(body->getArgument(1)), count, byte, mpi.getWorld()});
  func::ReturnOp::create(b, loc);
  return function;
}
