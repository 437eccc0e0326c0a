//===- WgmmaTile.cpp - four warps' tile, by wgmma -------------------------===//
//
// PTX ISA, "Asynchronous Warpgroup Level Matrix Multiply-Accumulate
// Operation". mma.sync reaches two thirds of a Hopper chip's integer peak.
//
//===----------------------------------------------------------------------===//

#include "WgmmaTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::nvvm;

static constexpr int64_t kWarpgroupThreads = 128, kWarpgroupRows = 64;
/// Elements (and bytes) of K that one instruction multiplies.
static constexpr int64_t kDepth = 32;

WgmmaTile::WgmmaTile(KernelBuilder &k, const qtarget::KernelRow &row,
                     const Schedule &schedule, Value thread)
    : MmaTile(k, row, schedule, thread),
      warpgroup(k.shuffleFirst(k.div(thread, kWarpgroupThreads))) {}

/// Of a K-major tile in the 64-byte swizzle: addresses and strides in units of
/// 16 bytes; the stride between groups of eight rows; the mode. The other
/// stride has no meaning here.
Value WgmmaTile::describe(Value tile) {
  constexpr uint64_t unit = 16, strideAt = 32, modeAt = 62, mode64Bytes = 2;
  constexpr uint64_t groupBytes = 8 * Problem::blockBytes;
  constexpr uint64_t fixed = groupBytes / unit << strideAt | mode64Bytes
                                                                 << modeAt;
  // Shared memory has fewer bytes than fit into the field.
  Value address = LLVM::PtrToIntOp::create(k.b, k.loc, k.i32(), tile);
  address = k.shiftRightUnsigned(address, llvm::Log2_64(unit));
  Type i64 = k.b.getI64Type();
  Value mode = arith::ConstantOp::create(
      k.b, k.loc, k.b.getI64IntegerAttr(static_cast<int64_t>(fixed)));
  return arith::OrIOp::create(
      k.b, k.loc, arith::ExtUIOp::create(k.b, k.loc, i64, address), mode);
}

SmallVector<Value> WgmmaTile::multiply(Value stage, ValueRange sums) {
  // As a number that all lanes have, which instructions want.
  Value lhs = k.offset(stage, warpgroup, kWarpgroupRows * Problem::blockBytes);
  Value rhs = k.offset(stage, k.constant(schedule.lhsStageBytes()), 1);
  MLIRContext *context = k.b.getContext();
  SmallVector<Type> parts(sums.size(), k.i32());
  auto type = LLVM::LLVMStructType::getLiteral(context, parts);
  Value packed = LLVM::PoisonOp::create(k.b, k.loc, type);
  for (auto [i, sum] : llvm::enumerate(sums))
    packed = LLVM::InsertValueOp::create(k.b, k.loc, packed, sum, i);

  NVVM::WgmmaFenceAlignedOp::create(k.b, k.loc);
  auto shape =
      NVVM::MMAShapeAttr::get(context, kWarpgroupRows, schedule.blockN, kDepth);
  auto s8 = NVVM::WGMMATypesAttr::get(context, NVVM::WGMMATypes::s8);
  auto s32 = NVVM::WGMMATypesAttr::get(context, NVVM::WGMMATypes::s32);
  auto one = NVVM::WGMMAScaleInAttr::get(context, NVVM::WGMMAScaleIn::one);
  auto add = NVVM::WGMMAScaleOutAttr::get(context, NVVM::WGMMAScaleOut::one);
  auto row = NVVM::MMALayoutAttr::get(context, NVVM::MMALayout::row);
  auto col = NVVM::MMALayoutAttr::get(context, NVVM::MMALayout::col);
  auto wrapped =
      NVVM::MMAIntOverflowAttr::get(context, NVVM::MMAIntOverflow::wrapped);
  int64_t steps = Problem::blockBytes / kDepth * schedule.blocksTogether;
  for (int64_t step = 0; step < steps; ++step) {
    int64_t byte = step * kDepth;
    Value at =
        k.constant(byte / Problem::blockBytes * schedule.blockStageBytes() +
                   byte % Problem::blockBytes);
    packed = NVVM::WgmmaMmaAsyncOp::create(
        k.b, k.loc, type, packed, describe(k.offset(lhs, at, 1)),
        describe(k.offset(rhs, at, 1)), shape, s8, s8, s32, add, one, one, row,
        col, wrapped);
  }
  NVVM::WgmmaGroupSyncAlignedOp::create(k.b, k.loc);
  SmallVector<Value> result;
  for (int64_t i = 0, e = sums.size(); i < e; ++i)
    result.push_back(LLVM::ExtractValueOp::create(k.b, k.loc, packed, i));
  return result;
}

void WgmmaTile::leaveOneStage() {
  NVVM::WgmmaWaitGroupSyncOp::create(k.b, k.loc, 1);
}

/// As an instruction that changes the sums: what uses them must not move before
/// it.
SmallVector<Value> WgmmaTile::finish(ValueRange sums) {
  int64_t count = sums.size();
  SmallVector<std::string> constraints(count, "=r");
  for (int64_t i = 0; i < count; ++i)
    constraints.push_back(std::to_string(i));
  SmallVector<Type> parts(count, k.i32());
  auto type = LLVM::LLVMStructType::getLiteral(k.b.getContext(), parts);
  Value waited =
      LLVM::InlineAsmOp::create(
          k.b, k.loc, type, sums, "wgmma.wait_group.sync.aligned 0;",
          llvm::join(constraints, ","), /*has_side_effects=*/true,
          /*is_align_stack=*/false, LLVM::tailcallkind::TailCallKind::None,
          /*asm_dialect=*/LLVM::AsmDialectAttr(),
          /*operand_attrs=*/ArrayAttr())
          .getRes();
  SmallVector<Value> result;
  for (int64_t i = 0; i < count; ++i)
    result.push_back(LLVM::ExtractValueOp::create(k.b, k.loc, waited, i));
  return result;
}
