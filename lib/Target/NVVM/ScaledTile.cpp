//===- ScaledTile.cpp - a warp's tile of a grouped matmul -----------------===//

#include "ScaledTile.h"

#include "quant/Target/GPU/StageRing.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::nvvm;

Value nvvm::swizzleRow(KernelBuilder &k, Value row, Value byte) {
  Value upper = k.rem(k.div(row, 2), 2);
  return k.differ(byte, k.mul(upper, ScaledShape::unitElements));
}

Value nvvm::swizzleWeight(KernelBuilder &k, const ScaledShape &shape,
                          Value number) {
  if (shape.isInt4())
    return number;
  // Of the unit's 16 chunks, two for each step: steps 2 j + r, from 8 r on,
  // whose first four follow the others where r is 1.
  Value inUnit = k.rem(number, 16), step = k.div(inUnit, 2);
  Value r = k.rem(step, 2);
  Value at = k.add(k.mul(k.div(step, 2), 2), k.rem(number, 2));
  at = k.add(k.differ(at, k.mul(r, 4)), k.mul(r, 8));
  return k.add(at, k.mul(k.div(number, 16), 16));
}

int64_t ScaledTile::numbersBytes(int64_t number) const {
  int64_t ofColumn = ScaledShape::unitsPerBlock * shape.unitBytes() +
                     number * shape.groupsPerBlock() * ScaledShape::numberBytes;
  return weightBytes() + schedule.blockN * ofColumn;
}

/// Of row `eighth` * 8 + g: the lane's 8 bytes of the unit.
ScaledTile::Registers ScaledTile::loadRow(Value stage, int64_t eighth,
                                          int64_t unit) {
  // The rows of eights and of warps begin with one that is not exchanged.
  Value byte = k.add(k.mul(part, 8), unit * ScaledShape::unitElements);
  Value first = k.add(k.mul(k.add(warpRow, group), Problem::blockBytes),
                      swizzleRow(k, group, byte));
  Value pointer = k.offset(k.offset(stage, first, 1),
                           k.constant(eighth * 8 * Problem::blockBytes), 1);
  Value pair = k.load(pointer, k.vec(2, k.i32()), 8);
  return {k.extract(pair, 0), k.extract(pair, 1)};
}

/// Of column `panel` * 8 + g: the lane's 8 elements of the unit.
ScaledTile::Registers ScaledTile::loadColumn(Value stage, int64_t panel,
                                             int64_t unit) {
  constexpr int64_t highNibbles = static_cast<int32_t>(0xf0f0f0f0);
  int64_t panelUnit = shape.unitBytes() * Problem::panelColumns;
  Value columns = k.offset(stage,
                           k.add(k.mul(k.div(warpColumn, Problem::panelColumns),
                                       ScaledShape::unitsPerBlock * panelUnit),
                                 weightBytes()),
                           1);
  int64_t first = (panel * ScaledShape::unitsPerBlock + unit) * panelUnit;
  auto load = [&](Value byte) {
    Value pointer = k.offset(k.offset(columns, byte, 1), k.constant(first), 1);
    return k.load(pointer, k.i32(), 4);
  };
  if (shape.isInt4()) {
    Value word =
        load(k.add(k.mul(part, ScaledShape::stepBytes), k.mul(group, 4)));
    return {k.both(k.shiftLeft(word, 4), k.constant(highNibbles)),
            k.both(word, k.constant(highNibbles))};
  }
  // See swizzleWeight.
  Registers registers;
  Value chunk = k.add(k.mul(part, 2), k.div(group, 4));
  for (int64_t r = 0; r < 2; ++r) {
    Value at = k.add(k.differ(chunk, k.constant(4 * r)), 8 * r);
    registers.push_back(load(
        k.add(k.mul(at, StageRing::chunkBytes), k.mul(k.rem(group, 4), 4))));
  }
  return registers;
}

SmallVector<Value> ScaledTile::startSums(Value start) {
  SmallVector<Value> sums(numSums(), start);
  if (shape.hasGroupZeroPoint)
    sums.append(numRowSums(), k.constant(0));
  return sums;
}

Value ScaledTile::negativeRowSum(ValueRange sums, int64_t i) {
  return sums[numSums() + i / (perTile() * tilesN()) * perTile() +
              i % perTile()];
}

SmallVector<Value> ScaledTile::multiplyUnit(Value stage, int64_t unit,
                                            ValueRange sums) {
  SmallVector<Registers> lhs, rhs;
  for (int64_t i = 0; i < schedule.warpM() / 8; ++i)
    lhs.push_back(loadRow(stage, i, unit));
  for (int64_t i = 0; i < tilesN(); ++i)
    rhs.push_back(loadColumn(stage, i, unit));
  SmallVector<Value> next(sums.take_front(numSums()));
  SmallVector<Value> ofRows(sums.drop_front(numSums()));
  // Four bytes of -16 or -1.
  constexpr int64_t ofInt4 = static_cast<int32_t>(0xf0f0f0f0), ofInt8 = -1;
  Registers minusOnes(2, k.constant(shape.isInt4() ? ofInt4 : ofInt8));
  for (int64_t step = 0; step < ScaledShape::unitElements / row.k; ++step) {
    next = multiplyStep(lhs, rhs, step, next);
    if (shape.hasGroupZeroPoint)
      ofRows = multiplyStep(lhs, minusOnes, step, ofRows);
  }
  next.append(ofRows);
  return next;
}

SmallVector<Value> ScaledTile::multiply(Value stage, ValueRange sums) {
  SmallVector<Value> next(sums);
  for (int64_t unit = 0; unit < ScaledShape::unitsPerBlock; ++unit)
    next = multiplyUnit(stage, unit, next);
  return next;
}

SmallVector<Value> ScaledTile::loadNumbers(Value stage, int64_t number,
                                           int64_t group, Type element) {
  constexpr int64_t bytes = ScaledShape::numberBytes;
  constexpr int64_t groupBytes = Problem::panelColumns * bytes;
  int64_t panelBytes = shape.groupsPerBlock() * groupBytes;
  Value first =
      k.add(k.mul(k.div(warpColumn, Problem::panelColumns), panelBytes),
            k.mul(part, 2 * bytes));
  Value pointer = k.offset(stage, k.add(first, numbersBytes(number)), 1);
  SmallVector<Value> numbers;
  for (int64_t i = 0; i < tilesN(); ++i) {
    Value place =
        k.offset(pointer, k.constant(i * panelBytes + group * groupBytes), 1);
    numbers.push_back(k.load(place, k.vec(2, element), 2 * bytes));
  }
  return numbers;
}
