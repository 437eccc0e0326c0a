//===- MPICall.cpp - calls of MPI that upstream has no op for -------------===//

#include "MPICall.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/DLTI/DLTI.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/DataLayoutInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

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

LogicalResult quantmlir::verifyMPI(ModuleOp module, Operation *op) {
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

/// A declaration is of the library, whoever wrote it.
static bool isOwnName(Operation &op) {
  auto symbol = dyn_cast<SymbolOpInterface>(op);
  auto function = dyn_cast<FunctionOpInterface>(op);
  auto global = dyn_cast<LLVM::GlobalOp>(op);
  bool isDeclared = (function && function.isExternal()) ||
                    (global && !global.getValueOrNull() &&
                     global.getInitializerRegion().empty());
  if (!symbol || isDeclared)
    return false;
  StringRef name = symbol.getName();
  return name.starts_with("MPI_") || name.starts_with("PMPI_") ||
         name.starts_with("ompi_");
}

namespace {
/// A function that lowering calls. Its parameters: a pointer, an int, or a
/// handle, which is a pointer of Open MPI's and an int of MPICH's.
struct LibraryFunction {
  StringLiteral name;
  StringLiteral parameters;
};
} // namespace

static constexpr LibraryFunction kCalledFunctions[] = {
    {"MPI_Allgather", "pihpihh"},
    {"MPI_Allreduce", "ppihhh"},
    {"MPI_Alltoallv", "ppphppphh"},
    {"MPI_Comm_rank", "hp"},
    {"MPI_Comm_size", "hp"},
    {"MPI_Finalize", ""},
    {"MPI_Init", "pp"},
    {"MPI_Recv", "pihiihp"},
    {"MPI_Send", "pihiih"}};

static LLVM::LLVMFunctionType getType(const LibraryFunction &called,
                                      ModuleOp module) {
  MLIRContext *ctx = module.getContext();
  Type number = IntegerType::get(ctx, 32);
  Type pointer = LLVM::LLVMPointerType::get(ctx);
  Type handle = usesOpenMPI(module) ? pointer : number;
  SmallVector<Type> parameters;
  for (char kind : called.parameters)
    parameters.push_back(kind == 'p' ? pointer : kind == 'i' ? number : handle);
  return LLVM::LLVMFunctionType::get(number, parameters);
}

/// What lowering calls and the program has declared is called as declared.
static LogicalResult verifyDeclaration(Operation &op, ModuleOp module) {
  auto symbol = dyn_cast<SymbolOpInterface>(op);
  const auto *called =
      symbol ? llvm::find_if(kCalledFunctions,
                             [&](const LibraryFunction &function) {
                               return function.name == symbol.getName();
                             })
             : std::end(kCalledFunctions);
  if (called == std::end(kCalledFunctions))
    return success();
  LLVM::LLVMFunctionType expected = getType(*called, module);
  auto function = dyn_cast<LLVM::LLVMFuncOp>(op);
  if (function && function.getFunctionType() == expected)
    return success();
  InFlightDiagnostic error = op.emitError("expected llvm.func @")
                             << called->name << " of the MPI library's type "
                             << expected << ", found ";
  if (function)
    return error << function.getFunctionType();
  return error << op.getName();
}

LogicalResult quantmlir::verifyMPINames(ModuleOp module) {
  for (Operation &op : *module.getBody()) {
    if (isOwnName(op))
      return op.emitError("expected no symbol MPI_*, PMPI_* or ompi_* in a "
                          "program that calls MPI, whose library has those; "
                          "found @")
             << cast<SymbolOpInterface>(op).getName();
    if (failed(verifyDeclaration(op, module)))
      return failure();
  }
  return success();
}

MPICall::MPICall(OpBuilder &b, Location loc, ModuleOp module)
    : b(b), loc(loc), module(module), isOpenMPI(usesOpenMPI(module)) {}

Value MPICall::getByte() {
  return getHandle("ompi_mpi_byte", "ompi_predefined_datatype_t", 0x4c00010d);
}

Value MPICall::getWorld() {
  return getHandle("ompi_mpi_comm_world", "ompi_communicator_t", 0x44000000);
}

void MPICall::call(StringRef name, ValueRange arguments) {
  auto function = module.lookupSymbol<LLVM::LLVMFuncOp>(name);
  if (!function) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    auto type = LLVM::LLVMFunctionType::get(
        b.getI32Type(), llvm::to_vector(arguments.getTypes()));
    function = LLVM::LLVMFuncOp::create(b, loc, name, type);
  }
  LLVM::CallOp::create(b, loc, function, arguments);
}

Value MPICall::getPointer(Value buffer) {
  Value address =
      memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
  Value number = arith::IndexCastOp::create(b, loc, b.getI64Type(), address);
  return LLVM::IntToPtrOp::create(
      b, loc, LLVM::LLVMPointerType::get(b.getContext()), number);
}

Value MPICall::countBytes(Value buffer, int64_t first) {
  auto type = cast<MemRefType>(buffer.getType());
  Value count = arith::ConstantIndexOp::create(
      b, loc, llvm::divideCeil(type.getElementTypeBitWidth(), 8));
  for (int64_t dim = first; dim < type.getRank(); ++dim) {
    Value size =
        type.isDynamicDim(dim)
            ? Value(memref::DimOp::create(b, loc, buffer, dim))
            : arith::ConstantIndexOp::create(b, loc, type.getDimSize(dim));
    count = arith::MulIOp::create(b, loc, count, size);
  }
  return arith::IndexCastOp::create(b, loc, b.getI32Type(), count);
}

Value MPICall::getHandle(StringRef name, StringRef type, int64_t number) {
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
