//===- HostCalls.cpp - operands to the GPU and back -----------------------===//

#include "quant/Target/GPU/HostCalls.h"
#include "quant/Target/GPU/DeviceBuffers.h"
#include "quant/Target/GPU/KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/FunctionCallUtils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace quantmlir::device;

/// Whether `value` is a constant of the program, or another shape of one.
static bool isConstantMemory(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (isa<memref::GetGlobalOp>(op))
      return true;
    if (!isa<memref::CastOp, memref::CollapseShapeOp, memref::ExpandShapeOp>(
            op))
      return false;
    value = op->getOperand(0);
  }
  return false;
}

Value HostCalls::call(StringRef name, ValueRange arguments, bool hasResult) {
  // An LLVM function, not a func.func: those get C wrappers of another name.
  Type i64 = b.getI64Type();
  Type result = hasResult ? i64 : LLVM::LLVMVoidType::get(b.getContext());
  FailureOr<LLVM::LLVMFuncOp> callee = LLVM::lookupOrCreateFn(
      b, module, name, SmallVector<Type>(arguments.getTypes()), result);
  assert(succeeded(callee) && "another function has a name of the runtime");
  auto op = LLVM::CallOp::create(b, loc, *callee, arguments);
  return hasResult ? op.getResult() : Value();
}

Value HostCalls::i64(int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
}

Value HostCalls::sizeInBytes(MemRefType type, ValueRange dynamicSizes) {
  int64_t known = type.getElementTypeBitWidth() / 8;
  for (int64_t extent : type.getShape())
    if (!ShapedType::isDynamic(extent))
      known *= extent;
  Value size = i64(known);
  for (Value extent : dynamicSizes)
    size = arith::MulIOp::create(
        b, loc, size,
        arith::IndexCastOp::create(b, loc, b.getI64Type(), extent));
  return size;
}

Value HostCalls::sizeInBytes(Value value) {
  MemRefType type = memrefType(value);
  SmallVector<Value> dynamicSizes;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim))
      dynamicSizes.push_back(memref::DimOp::create(b, loc, value, dim));
  return sizeInBytes(type, dynamicSizes);
}

Value HostCalls::allocate(memref::AllocOp alloc) {
  return call("quantGpuAllocate",
              {sizeInBytes(alloc.getType(), alloc.getDynamicSizes())},
              /*hasResult=*/true);
}

void HostCalls::free(Value address) {
  call("quantGpuFree", {address}, /*hasResult=*/false);
}

Value HostCalls::hostAddress(Value value) {
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, value);
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, value);
  Value bytes = arith::ConstantIndexOp::create(
      b, loc, memrefType(value).getElementTypeBitWidth() / 8);
  Value offset = arith::MulIOp::create(b, loc, metadata.getOffset(), bytes);
  Value address = arith::AddIOp::create(b, loc, base, offset);
  return arith::IndexCastOp::create(b, loc, b.getI64Type(), address);
}

static Value allocateContiguous(OpBuilder &b, Location loc, Value value) {
  MemRefType type = memrefType(value);
  SmallVector<Value> sizes;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim))
      sizes.push_back(memref::DimOp::create(b, loc, value, dim));
  return memref::AllocOp::create(
      b, loc, MemRefType::get(type.getShape(), type.getElementType()), sizes);
}

Value HostCalls::contiguous(Value value) {
  if (memrefType(value).areTrailingDimsContiguous(memrefType(value).getRank()))
    return value;
  Value copy = allocateContiguous(b, loc, value);
  memref::CopyOp::create(b, loc, value, copy);
  apart.push_back(copy);
  return copy;
}

Value HostCalls::getResident(Value value) const {
  return resident ? resident->lookup(value) : Value();
}

Value HostCalls::toDevice(Value value) {
  if (!value)
    return i64(0);
  if (Value address = getResident(value))
    return address;
  if (isConstantMemory(value))
    return call("quantGpuConstant", {hostAddress(value), sizeInBytes(value)},
                /*hasResult=*/true);
  Value source = contiguous(value);
  taken.push_back(call("quantGpuUpload",
                       {hostAddress(source), sizeInBytes(source)},
                       /*hasResult=*/true));
  return taken.back();
}

Value HostCalls::allocateLike(Value value) {
  if (Value address = getResident(value))
    return address;
  taken.push_back(
      call("quantGpuAllocate", {sizeInBytes(value)}, /*hasResult=*/true));
  return taken.back();
}

void HostCalls::fromDevice(Value address, Value value) {
  if (getResident(value))
    return;
  bool direct =
      memrefType(value).areTrailingDimsContiguous(memrefType(value).getRank());
  Value target = direct ? value : allocateContiguous(b, loc, value);
  call("quantGpuDownload", {address, hostAddress(target), sizeInBytes(target)},
       /*hasResult=*/false);
  if (direct)
    return;
  memref::CopyOp::create(b, loc, target, value);
  apart.push_back(target);
}

Value HostCalls::workspace(int64_t bytes) {
  return call("quantGpuWorkspace", {i64(bytes)}, /*hasResult=*/true);
}

void HostCalls::release() {
  for (Value address : taken)
    free(address);
  for (Value copy : apart)
    memref::DeallocOp::create(b, loc, copy);
  taken.clear();
  apart.clear();
}
