//===- KernelEpilogue.cpp - corrections and rescale in registers ----------===//

#include "quant/Target/GPU/KernelEpilogue.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "quant/Dialect/Quant/Utils/RescaleFormula.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::device;

/// Number of terms of the rank-R correction.
static int64_t getRank(qtarget::PackedMatmulOp op) {
  return op.getRowFactors() ? memrefType(op.getRowFactors()).getDimSize(0) : 0;
}

KernelEpilogue::KernelEpilogue(KernelBuilder &k, gpu::GPUFuncOp func,
                               const Problem &problem)
    : k(k), func(func), problem(problem) {}

KernelEpilogue::RowTerms KernelEpilogue::loadRow(Value m) {
  RowTerms terms;
  Value rowScale = problem.op.getRowScale();
  if (rowScale) {
    Value pointer = k.globalPointer(func.getArgument(kRowScale));
    if (memrefType(rowScale).getRank() == 1)
      pointer = k.offset(pointer, m, sizeof(float));
    terms.scale = k.load(pointer, k.b.getF32Type(), sizeof(float));
  }
  for (int64_t r = 0, rank = getRank(problem.op); r < rank; ++r) {
    // [R, M]: rows follow each other by M.
    Value pointer = k.globalPointer(func.getArgument(kRowFactors));
    Value index = k.add(k.mul(func.getArgument(kM), r), m);
    terms.factors.push_back(k.load(k.offset(pointer, index, sizeof(int32_t)),
                                   k.i32(), sizeof(int32_t)));
  }
  return terms;
}

/// Elements `n`... of a vector over columns, `count` of them; one number is
/// the same for all.
Value KernelEpilogue::columnVector(unsigned argument, Value operand, Value n,
                                   int64_t count) {
  Type element = memrefType(operand).getElementType();
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  Value pointer = k.globalPointer(func.getArgument(argument));
  Type type = count == 1 ? element : k.vec(count, element);
  if (memrefType(operand).getRank() == 0) {
    Value scalar = k.load(pointer, element, bytes);
    if (count == 1)
      return scalar;
    return vector::BroadcastOp::create(k.b, k.loc, type, scalar);
  }
  return k.load(k.offset(pointer, n, bytes), type, count * bytes);
}

KernelEpilogue::ColumnTerms KernelEpilogue::loadColumns(Value n,
                                                        int64_t count) {
  qtarget::PackedMatmulOp op = problem.op;
  ColumnTerms terms;
  if (op.getColBias())
    terms.bias = columnVector(kColBias, op.getColBias(), n, count);
  if (op.getChannelScale())
    terms.scale = columnVector(kChannelScale, op.getChannelScale(), n, count);
  if (op.getBias())
    terms.floatBias = columnVector(kBias, op.getBias(), n, count);
  if (op.getMultiplier()) {
    terms.multiplier = columnVector(kMultiplier, op.getMultiplier(), n, count);
    terms.shift = columnVector(kShift, op.getShift(), n, count);
  }
  int64_t columns = problem.panels * Problem::panelColumns;
  for (int64_t r = 0, rank = getRank(op); r < rank; ++r)
    terms.factors.push_back(columnVector(kColFactors, op.getColFactors(),
                                         k.add(n, r * columns), count));
  return terms;
}

int64_t KernelEpilogue::columnsAhead(int64_t count) {
  constexpr int64_t registers = 16;
  qtarget::PackedMatmulOp op = problem.op;
  int64_t terms = getRank(op);
  for (Value operand : {op.getColBias(), op.getChannelScale(), op.getBias(),
                        op.getMultiplier(), op.getShift()})
    terms += operand ? 1 : 0;
  return std::max<int64_t>(registers / (count * std::max<int64_t>(terms, 1)),
                           1);
}

Value KernelEpilogue::loadResidual(Value m, Value n, int64_t count) {
  if (!problem.op.getResidual())
    return {};
  Type f32 = k.b.getF32Type();
  Value row = k.offset(k.globalPointer(func.getArgument(kResidual)), m,
                       problem.n * sizeof(float));
  auto loadFrom = [&](Value column, Type type, int64_t elements) {
    column = k.min(column, k.constant(problem.n - elements));
    return k.load(k.offset(row, column, sizeof(float)), type,
                  elements * sizeof(float));
  };
  if (count == 1)
    return loadFrom(n, f32, 1);
  // Rows are not padded: neighbours are aligned where N is a multiple of them.
  if (problem.n % count == 0)
    return loadFrom(n, k.vec(count, f32), count);
  SmallVector<Value> elements;
  for (int64_t i = 0; i < count; ++i)
    elements.push_back(loadFrom(k.add(n, i), f32, 1));
  return vector::FromElementsOp::create(k.b, k.loc, k.vec(count, f32),
                                        elements);
}

Value KernelEpilogue::apply(Value acc, const RowTerms &row,
                            const ColumnTerms &columns, Value residual) {
  qtarget::PackedMatmulOp op = problem.op;
  auto broadcast = [&](Value scalar) -> Value {
    auto vector = dyn_cast<VectorType>(acc.getType());
    if (!vector || !scalar)
      return scalar;
    return vector::BroadcastOp::create(k.b, k.loc,
                                       vector.clone(scalar.getType()), scalar);
  };
  if (columns.bias)
    acc = k.add(acc, columns.bias);
  for (auto [factor, column] : llvm::zip_equal(row.factors, columns.factors))
    acc = k.add(acc, k.mul(broadcast(factor), column));
  Type element = memrefType(op.getInit()).getElementType();
  RescaleTerms terms;
  terms.rowScale = broadcast(row.scale);
  terms.channelScale = columns.scale;
  terms.bias = columns.floatBias;
  terms.residual = residual;
  terms.multiplier = columns.multiplier;
  terms.shift = columns.shift;
  terms.doubleRound = op.getRounding() == RoundingMode::DOUBLE_ROUND;
  terms.clampMin = op.getClampMin();
  terms.clampMax = op.getClampMax();
  terms.zeroPoint = static_cast<int32_t>(op.getZeroPoint().value_or(0));
  terms.range = op.getRange().value_or(ArrayRef<int64_t>());
  return emitRescale(k.b, k.loc, acc, terms, element);
}

void KernelEpilogue::store(Value m, Value n, Value values) {
  storeColumns(k, k.globalPointer(func.getArgument(kResult)), problem.n, m, n,
               values);
}

void device::storeColumns(KernelBuilder &k, Value pointer, int64_t columns,
                          Value m, Value n, Value values) {
  int64_t bytes = getElementTypeOrSelf(values).getIntOrFloatBitWidth() / 8;
  auto vector = dyn_cast<VectorType>(values.getType());
  int64_t count = vector ? vector.getNumElements() : 1;
  pointer = k.offset(k.offset(pointer, m, columns * bytes), n, bytes);
  Value end = k.constant(columns);
  if (columns % count == 0) {
    k.ifThen(k.less(n, end), [&] { k.store(pointer, values, count * bytes); });
    return;
  }
  for (int64_t i = 0; i < count; ++i)
    k.ifThen(k.less(k.add(n, i), end), [&] {
      k.store(k.offset(pointer, k.constant(i), bytes), k.extract(values, i),
              bytes);
    });
}
