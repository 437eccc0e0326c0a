//===- ScaledEmit.cpp - what grouped kernels have in common ---------------===//
//
// The f32 steps of qtarget.packed_matmul, in its order, so that every
// kernel gives the same bits.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/CPU/Kernel/ScaledEmit.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace quantmlir;

static Value index(OpBuilder &b, Location loc, int64_t v) {
  return arith::ConstantIndexOp::create(b, loc, v);
}

static Value broadcast(OpBuilder &b, Location loc, const ScaledKernel &kernel,
                       Value scalar) {
  return vector::BroadcastOp::create(b, loc, kernel.typed(scalar.getType()),
                                     scalar);
}

/// One value for each column of a panel.
static Value loadColumns(OpBuilder &b, Location loc, const ScaledKernel &kernel,
                         Value packed, ArrayRef<Value> leading) {
  auto type = cast<MemRefType>(packed.getType());
  SmallVector<Value> at(leading);
  at.push_back(index(b, loc, 0));
  return vector::LoadOp::create(b, loc, kernel.typed(type.getElementType()),
                                packed, at);
}

static int64_t countFactors(const ScaledKernel &kernel) {
  Value factors = kernel.op.getRowFactors();
  return factors ? cast<MemRefType>(factors.getType()).getDimSize(0) : 0;
}

GroupColumns quantmlir::loadGroupColumns(OpBuilder &b, Location loc,
                                         const ScaledKernel &kernel,
                                         Value panel, Value group) {
  GroupColumns columns;
  columns.scale =
      loadColumns(b, loc, kernel, kernel.op.getRhsScale(), {panel, group});
  VectorType f32 = kernel.typed(b.getF32Type());
  if (columns.scale.getType() != f32)
    columns.scale = arith::ExtFOp::create(b, loc, f32, columns.scale);
  if (Value offset = kernel.op.getRhsOffset())
    columns.offset = loadColumns(b, loc, kernel, offset, {panel, group});
  for (int64_t i = 0, e = countFactors(kernel); i < e; ++i)
    columns.factors.push_back(loadColumns(b, loc, kernel,
                                          kernel.op.getColFactors(),
                                          {index(b, loc, i), panel, group}));
  return columns;
}

/// `sum` and x by `scale`, which `ofRow` scales first, if it is there.
static Value emitFma(OpBuilder &b, Location loc, Value x, Value scale,
                     Value ofRow, Value sum) {
  if (x.getType() != scale.getType())
    x = arith::SIToFPOp::create(b, loc, scale.getType(), x);
  if (ofRow)
    scale = arith::MulFOp::create(b, loc, ofRow, scale);
  return math::FmaOp::create(b, loc, x, scale, sum);
}

/// Element [row, group] of `numbers` in all lanes, if there are any.
static Value broadcastOf(OpBuilder &b, Location loc, const ScaledKernel &kernel,
                         Value numbers, Value row, Value group) {
  if (!numbers)
    return {};
  Value x = memref::LoadOp::create(b, loc, numbers, ValueRange{row, group});
  return broadcast(b, loc, kernel, x);
}

Value quantmlir::broadcastLhsScale(OpBuilder &b, Location loc,
                                   const ScaledKernel &kernel, Value row,
                                   Value group) {
  return broadcastOf(b, loc, kernel, kernel.op.getLhsScale(), row, group);
}

Value quantmlir::endGroup(OpBuilder &b, Location loc,
                          const ScaledKernel &kernel, Value acc, Value sum,
                          Value row, Value group, const GroupColumns &columns) {
  qtarget::PackedMatmulOp op = kernel.op;
  for (auto [i, column] : llvm::enumerate(columns.factors)) {
    Value x = memref::LoadOp::create(b, loc, op.getRowFactors(),
                                     ValueRange{index(b, loc, i), row, group});
    Value product =
        arith::MulIOp::create(b, loc, broadcast(b, loc, kernel, x), column);
    acc = arith::AddIOp::create(b, loc, acc, product);
  }
  Value ofRow = broadcastLhsScale(b, loc, kernel, row, group);
  sum = emitFma(b, loc, acc, columns.scale, ofRow, sum);
  if (!columns.offset)
    return sum;
  Value x = broadcastOf(b, loc, kernel, op.getRowSums(), row, group);
  return emitFma(b, loc, x, columns.offset, ofRow, sum);
}

Value quantmlir::broadcastRowBias(OpBuilder &b, Location loc,
                                  const ScaledKernel &kernel, Value row,
                                  Value group) {
  return broadcastOf(b, loc, kernel, kernel.op.getRowBias(), row, group);
}

Value quantmlir::broadcastActivations(OpBuilder &b, Location loc,
                                      const ScaledKernel &kernel, Value row,
                                      Value k) {
  Type i8 = b.getI8Type();
  Value bytes = vector::LoadOp::create(b, loc, VectorType::get({4}, i8),
                                       kernel.op.getLhs(), ValueRange{row, k});
  Value word = vector::BitCastOp::create(
      b, loc, VectorType::get({1}, b.getI32Type()), bytes);
  Value scalar = vector::ExtractOp::create(b, loc, word, ArrayRef<int64_t>{0});
  return vector::BitCastOp::create(b, loc,
                                   VectorType::get({kernel.lanes * 4}, i8),
                                   broadcast(b, loc, kernel, scalar));
}

Value quantmlir::emitScaledDot(OpBuilder &b, Location loc,
                               const ScaledKernel &kernel, Value acc,
                               Value weight, Value activations) {
  return kernel.vectors.multiplyAccumulate(b, loc, acc, weight, activations);
}

/// t * row_scale + bias, rounded after each, then the result's type.
static Value emitResult(OpBuilder &b, Location loc, const ScaledKernel &kernel,
                        Value t, Value row, Value panel) {
  qtarget::PackedMatmulOp op = kernel.op;
  if (Value scale = op.getRowScale()) {
    SmallVector<Value> at;
    if (cast<MemRefType>(scale.getType()).getRank() == 1)
      at.push_back(row);
    Value s = memref::LoadOp::create(b, loc, scale, at);
    t = arith::MulFOp::create(b, loc, t, broadcast(b, loc, kernel, s));
  }
  if (Value bias = op.getBias())
    t = arith::AddFOp::create(b, loc, t,
                              loadColumns(b, loc, kernel, bias, {panel}));
  Type element = cast<MemRefType>(op.getInit().getType()).getElementType();
  if (element.isF32())
    return t;
  return arith::TruncFOp::create(b, loc, kernel.typed(element), t);
}

void quantmlir::storeScaledResult(OpBuilder &b, Location loc,
                                  const ScaledKernel &kernel, Value sum,
                                  Value row, Value panel) {
  Value y = emitResult(b, loc, kernel, sum, row, panel);
  Value init = kernel.op.getInit();
  Value column =
      arith::MulIOp::create(b, loc, panel, index(b, loc, kernel.lanes));
  int64_t n = cast<MemRefType>(init.getType()).getDimSize(1);
  if (!ShapedType::isDynamic(n) && n % kernel.lanes == 0) {
    vector::StoreOp::create(b, loc, y, init, ValueRange{row, column});
    return;
  }
  Value size = memref::DimOp::create(b, loc, init, 1);
  Value left = arith::SubIOp::create(b, loc, size, column);
  Value mask =
      vector::CreateMaskOp::create(b, loc, kernel.typed(b.getI1Type()), left);
  vector::MaskedStoreOp::create(b, loc, init, ValueRange{row, column}, mask, y);
}

SmallVector<Value> quantmlir::sumSteps(OpBuilder &b, Location loc,
                                       const ScaledKernel &kernel,
                                       int64_t unroll, SmallVector<Value> sums,
                                       EmitStep emitStep) {
  if (unroll == kernel.steps) {
    for (int64_t s = 0; s < unroll; ++s)
      emitStep(b, index(b, loc, s), s, sums);
    return sums;
  }
  auto loop = scf::ForOp::create(
      b, loc, index(b, loc, 0), index(b, loc, kernel.steps),
      index(b, loc, unroll), sums,
      [&](OpBuilder &b, Location, Value first, ValueRange carried) {
        SmallVector<Value> next(carried);
        for (int64_t s = 0; s < unroll; ++s)
          emitStep(b, arith::AddIOp::create(b, loc, first, index(b, loc, s)), s,
                   next);
        scf::YieldOp::create(b, loc, next);
      });
  return SmallVector<Value>(loop.getResults());
}
