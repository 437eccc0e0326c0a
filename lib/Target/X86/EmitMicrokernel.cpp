//===- EmitMicrokernel.cpp - the loop over K ------------------------------===//
//
// One step multiplies KR columns of MR rows by KR columns of NR rows of the
// right operand: each vector of the right operand is loaded once and used by
// all rows; each row's KR elements are broadcast as one 32-bit lane.
//
//===----------------------------------------------------------------------===//

#include "EmitMicrokernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

static Value mergeInnerDims(OpBuilder &b, Location loc, Value packed) {
  SmallVector<ReassociationIndices> groups = {{0}, {1}, {2, 3}};
  return memref::CollapseShapeOp::create(b, loc, packed, groups);
}

PackedKernel::PackedKernel(PackedMatmulOp op, OpBuilder &b)
    : op(op), row(qtarget::getIntrinsicRow(op.getIntrinsic())),
      mr(cast<MemRefType>(op.getLhs().getType()).getDimSize(2)),
      nr(cast<MemRefType>(op.getRhs().getType()).getDimSize(2)),
      lhs(mergeInnerDims(b, op.getLoc(), op.getLhs())),
      rhs(mergeInnerDims(b, op.getLoc(), op.getRhs())) {}

VectorType PackedKernel::accType() const {
  return VectorType::get({row.n}, IntegerType::get(op.getContext(), 32));
}

/// KR elements of one row of the left operand in every 32-bit lane.
static Value broadcastLhs(OpBuilder &b, Location loc,
                          const PackedKernel &kernel, Value mPanel, Value step,
                          int64_t rowInTile) {
  const qtarget::IntrinsicRow &row = kernel.row;
  Type element = b.getIntegerType(row.lhs.storedBits);
  Value offset = arith::ConstantIndexOp::create(b, loc, rowInTile * row.k);
  Value group =
      vector::LoadOp::create(b, loc, VectorType::get({row.k}, element),
                             kernel.lhs, ValueRange{mPanel, step, offset});
  Value lane = vector::BitCastOp::create(
      b, loc, VectorType::get({1}, b.getI32Type()), group);
  Value scalar = vector::ExtractOp::create(b, loc, lane, ArrayRef<int64_t>{0});
  Value lanes = vector::BroadcastOp::create(b, loc, kernel.accType(), scalar);
  return vector::BitCastOp::create(
      b, loc, VectorType::get({row.n * row.k}, element), lanes);
}

/// Vector `j` of the right operand's panel at one step over K.
static Value loadRhs(OpBuilder &b, Location loc, const PackedKernel &kernel,
                     Value nPanel, Value step, int64_t j) {
  const qtarget::IntrinsicRow &row = kernel.row;
  int64_t length = row.n * row.k;
  Value offset = arith::ConstantIndexOp::create(b, loc, j * length);
  Value stored = vector::LoadOp::create(
      b, loc, VectorType::get({length}, b.getIntegerType(row.rhs.storedBits)),
      kernel.rhs, ValueRange{nPanel, step, offset});
  if (row.rhs.storedBits == row.rhs.bits)
    return stored;
  return arith::ExtSIOp::create(
      b, loc, VectorType::get({length}, b.getIntegerType(row.rhs.bits)),
      stored);
}

/// Asks for the right operand's lines that are needed some steps later: a panel
/// is larger than L1, and what the hardware fetches from L2 comes late. Past
/// the panel's end these are lines of the next one, or of nothing: prefetches
/// do not fault.
static void prefetchRhs(OpBuilder &b, Location loc, const PackedKernel &kernel,
                        Value nPanel, Value step) {
  constexpr int64_t lineBytes = 64, aheadBytes = 3072;
  int64_t stepBytes = kernel.nr * kernel.row.k * kernel.row.rhs.storedBits / 8;
  int64_t distance = llvm::divideCeil(aheadBytes, stepBytes);
  Value ahead = arith::AddIOp::create(
      b, loc, step, arith::ConstantIndexOp::create(b, loc, distance));
  for (int64_t byte = 0; byte < stepBytes; byte += lineBytes) {
    Value offset = arith::ConstantIndexOp::create(
        b, loc, byte * 8 / kernel.row.rhs.storedBits);
    memref::PrefetchOp::create(b, loc, kernel.rhs,
                               ValueRange{nPanel, ahead, offset},
                               /*isWrite=*/false, /*localityHint=*/3,
                               /*isDataCache=*/true);
  }
}

/// acc + dot(lhs, rhs) lane by lane, with the row's instruction.
static Value emitDot(OpBuilder &b, Location loc,
                     const qtarget::IntrinsicRow &row, Value acc, Value lhs,
                     Value rhs) {
  StringAttr name = b.getStringAttr(row.llvmIntrinsic);
  switch (row.family) {
  case qtarget::IntrinsicFamily::DotU8S8:
    return LLVM::CallIntrinsicOp::create(b, loc, acc.getType(), name,
                                         ValueRange{acc, lhs, rhs})
        .getResults();
  case qtarget::IntrinsicFamily::MaddI16: {
    Value product = LLVM::CallIntrinsicOp::create(b, loc, acc.getType(), name,
                                                  ValueRange{lhs, rhs})
                        .getResults();
    return arith::AddIOp::create(b, loc, acc, product);
  }
  case qtarget::IntrinsicFamily::TileDot:
    llvm_unreachable("tiles are emitted by AMXKernels");
  case qtarget::IntrinsicFamily::Dp4a:
  case qtarget::IntrinsicFamily::MmaSync:
    break;
  }
  llvm_unreachable("every family has an emitter");
}

/// The accumulators' start: the column bias, or 0.
static SmallVector<Value> initialAccumulators(OpBuilder &b, Location loc,
                                              const PackedKernel &kernel,
                                              Value nPanel) {
  SmallVector<Value> rowStart;
  for (int64_t j = 0; j < kernel.vectorsPerRow(); ++j) {
    if (!kernel.op.getColBias()) {
      rowStart.push_back(
          arith::ConstantOp::create(b, loc, b.getZeroAttr(kernel.accType())));
      continue;
    }
    Value offset = arith::ConstantIndexOp::create(b, loc, j * kernel.row.n);
    rowStart.push_back(vector::LoadOp::create(b, loc, kernel.accType(),
                                              kernel.op.getColBias(),
                                              ValueRange{nPanel, offset}));
  }
  SmallVector<Value> accs;
  for (int64_t r = 0; r < kernel.mr; ++r)
    llvm::append_range(accs, rowStart);
  return accs;
}

SmallVector<Value> quantmlir::emitMicrokernel(OpBuilder &b, Location loc,
                                              const PackedKernel &kernel,
                                              Value mPanel, Value nPanel) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value steps = memref::DimOp::create(b, loc, kernel.rhs, 1);
  SmallVector<Value> start = initialAccumulators(b, loc, kernel, nPanel);
  auto loop = scf::ForOp::create(
      b, loc, zero, steps, one, start,
      [&](OpBuilder &b, Location loc, Value step, ValueRange accs) {
        int64_t vectors = kernel.vectorsPerRow();
        SmallVector<Value> panel, next(accs);
        prefetchRhs(b, loc, kernel, nPanel, step);
        for (int64_t j = 0; j < vectors; ++j)
          panel.push_back(loadRhs(b, loc, kernel, nPanel, step, j));
        for (int64_t r = 0; r < kernel.mr; ++r) {
          Value lhs = broadcastLhs(b, loc, kernel, mPanel, step, r);
          for (int64_t j = 0; j < vectors; ++j) {
            Value &acc = next[r * vectors + j];
            acc = emitDot(b, loc, kernel.row, acc, lhs, panel[j]);
          }
        }
        scf::YieldOp::create(b, loc, next);
      });
  return SmallVector<Value>(loop.getResults());
}
