//===- GatherFunctions.cpp - functions that call MPI_Allgather ------------===//

#include "GatherFunctions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/DLTI/DLTI.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/DataLayoutInterfaces.h"

using namespace mlir;
using namespace quantmlir;

/// What the module says of MPI, as upstream's lowering of the dialect mpi reads
/// it; null if nothing.
static Attribute getImplementation(ModuleOp module) {
  auto map = module->getAttrOfType<MapAttr>(DLTIDialect::kMapAttrName);
  auto key = StringAttr::get(module.getContext(), "MPI:Implementation");
  if (map)
    for (DataLayoutEntryInterface entry : map.getEntries())
      if (entry.getKey() == DataLayoutEntryKey(key))
        return entry.getValue();
  return {};
}

static bool usesOpenMPI(ModuleOp module) {
  auto name = dyn_cast_or_null<StringAttr>(getImplementation(module));
  return name && name == "OpenMPI";
}

LogicalResult GatherFunctions::verifyImplementation(Operation *op) {
  Attribute found = getImplementation(module);
  auto name = dyn_cast_or_null<StringAttr>(found);
  if (name && (name == "OpenMPI" || name == "MPICH"))
    return success();
  constexpr StringLiteral expected = "expected dlti.map of the module with "
                                     "MPI:Implementation OpenMPI or MPICH";
  if (found)
    return op->emitOpError(expected) << ", found " << found;
  op->emitWarning(expected) << ", found none: MPICH's is taken";
  return success();
}

namespace {
/// Writes calls of MPI.
class MPICall {
public:
  MPICall(OpBuilder &b, Location loc, ModuleOp module)
      : b(b), loc(loc), module(module), isOpenMPI(usesOpenMPI(module)) {}

  /// Datatype and communicator, as MPICH's mpi.h and as Open MPI have them.
  Value getByte() {
    return getHandle("ompi_mpi_byte", "ompi_predefined_datatype_t", 0x4c00010d);
  }
  Value getWorld() {
    return getHandle("ompi_mpi_comm_world", "ompi_communicator_t", 0x44000000);
  }

  void call(StringRef name, ValueRange arguments) {
    auto function = module.lookupSymbol<LLVM::LLVMFuncOp>(name);
    if (!function) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(module.getBody());
      function = LLVM::LLVMFuncOp::create(
          b, loc, name,
          LLVM::LLVMFunctionType::get(b.getI32Type(),
                                      llvm::to_vector(arguments.getTypes())));
    }
    LLVM::CallOp::create(b, loc, function, arguments);
  }

  Value getPointer(Value buffer) {
    Value address =
        memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
    Value number = arith::IndexCastOp::create(b, loc, b.getI64Type(), address);
    return LLVM::IntToPtrOp::create(
        b, loc, LLVM::LLVMPointerType::get(b.getContext()), number);
  }

  /// Bytes of `buffer`, of which every element has whole ones.
  Value countBytes(Value buffer) {
    auto type = cast<MemRefType>(buffer.getType());
    Value count = arith::ConstantIndexOp::create(
        b, loc, llvm::divideCeil(type.getElementTypeBitWidth(), 8));
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      Value size =
          type.isDynamicDim(dim)
              ? Value(memref::DimOp::create(b, loc, buffer, dim))
              : arith::ConstantIndexOp::create(b, loc, type.getDimSize(dim));
      count = arith::MulIOp::create(b, loc, count, size);
    }
    return arith::IndexCastOp::create(b, loc, b.getI32Type(), count);
  }

private:
  Value getHandle(StringRef name, StringRef type, int64_t number) {
    if (!isOpenMPI)
      return LLVM::ConstantOp::create(
          b, loc, b.getI32IntegerAttr(static_cast<int32_t>(number)));
    auto global = module.lookupSymbol<LLVM::GlobalOp>(name);
    if (!global) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(module.getBody());
      global = LLVM::GlobalOp::create(
          b, loc, LLVM::LLVMStructType::getOpaque(type, b.getContext()),
          /*isConstant=*/false, LLVM::Linkage::External, name,
          /*value=*/Attribute(), /*alignment=*/0, /*addrSpace=*/0);
    }
    return LLVM::AddressOfOp::create(b, loc, global);
  }

  OpBuilder &b;
  Location loc;
  ModuleOp module;
  bool isOpenMPI;
};
} // namespace

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
