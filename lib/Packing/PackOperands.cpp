//===- PackOperands.cpp - operands in an instruction's layout -------------===//

#include "PackOperands.h"

#include "ChosenConstant.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "quant/Dialect/Quant/IR/QuantOps.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Dialect/Quant/Utils/GenericBuilder.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace quantmlir;

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

/// Calls `put(matrix, row, k, element)` for each element of constant 8-bit
/// matrices, `count` of `type`, in the order of the source, which is read once
/// from front to back.
template <typename Put>
static void forEachElement(const IntConstant &values, int64_t count,
                           RankedTensorType type, int64_t kDim, Put put) {
  ArrayRef<int8_t> bytes = values.getBytes();
  int64_t outer = type.getDimSize(0), inner = type.getDimSize(1);
  for (int64_t which = 0; which < count; ++which)
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i) {
        int64_t at = (which * outer + o) * inner + i;
        auto element =
            static_cast<int8_t>(bytes.empty() ? values[at] : bytes[at]);
        kDim == 1 ? put(which, o, i, element) : put(which, i, o, element);
      }
}

/// Packs a constant 8-bit matrix at compile time, or all of those that the run
/// chooses from. With `nibbles` two elements of 4 bits, KR apart along K, share
/// a byte.
static Value packConstant(OpBuilder &b, Location loc, Value value, int64_t kDim,
                          int64_t rowTile, int64_t kTile, int64_t kMultiple,
                          bool nibbles) {
  RankedTensorType type = tensorType(value);
  std::optional<ChosenConstant> chosen = ChosenConstant::get(value);
  if (!chosen || !type.getElementType().isInteger(8))
    return {};
  std::optional<IntConstant> values = IntConstant::get(chosen->all);
  int64_t rows = type.getDimSize(1 - kDim), k = type.getDimSize(kDim);
  int64_t panels = llvm::divideCeil(rows, rowTile);
  int64_t stepSize = nibbles ? 2 * kTile : kTile;
  int64_t steps = llvm::alignTo(k, kMultiple) / stepSize;
  auto packed = RankedTensorType::get(
      {chosen->count * panels, steps, rowTile, kTile}, b.getI8Type());
  auto attr =
      makeTensorAttr(packed, "quant_packed", [&](MutableArrayRef<char> out) {
        std::fill(out.begin(), out.end(), 0);
        auto put = [&](int64_t which, int64_t r, int64_t i, int8_t element) {
          int64_t panel = which * panels + r / rowTile;
          int64_t tile = panel * steps + i / stepSize;
          char &byte = out[(tile * rowTile + r % rowTile) * kTile + i % kTile];
          if (!nibbles)
            byte = static_cast<char>(element);
          else
            byte |= (element & 15) << (i % stepSize < kTile ? 0 : 4);
        };
        forEachElement(*values, chosen->count, type, kDim, put);
      });
  return chosen->choose(b, loc,
                        arith::ConstantOp::create(b, loc, packed, attr));
}

/// `linalg.pack` with zero padding where a size does not divide.
static Value packAtRunTime(OpBuilder &b, Location loc, Value value,
                           ArrayRef<int64_t> innerDims,
                           ArrayRef<int64_t> tileSizes,
                           ArrayRef<int64_t> outerPerm) {
  RankedTensorType type = tensorType(value);
  SmallVector<OpFoldResult> tiles;
  bool divides = true;
  for (auto [dim, tile] : llvm::zip_equal(innerDims, tileSizes)) {
    tiles.push_back(b.getIndexAttr(tile));
    divides &= !type.isDynamicDim(dim) && type.getDimSize(dim) % tile == 0;
  }
  Value dest = linalg::PackOp::createDestinationTensor(b, loc, value, tiles,
                                                       innerDims, outerPerm);
  std::optional<Value> padding;
  if (!divides)
    padding =
        arith::ConstantOp::create(b, loc, b.getZeroAttr(type.getElementType()));
  return linalg::PackOp::create(b, loc, value, dest, innerDims, tiles, padding,
                                outerPerm)
      .getResult();
}

/// `value` with zeros up to a multiple of `multiple` along `dim`.
static Value padDim(OpBuilder &b, Location loc, Value value, int64_t dim,
                    int64_t multiple) {
  RankedTensorType type = tensorType(value);
  SmallVector<int64_t> shape(type.getShape());
  SmallVector<OpFoldResult> low(type.getRank(), b.getIndexAttr(0)), high(low);
  if (type.isDynamicDim(dim)) {
    AffineExpr size;
    bindSymbols(b.getContext(), size);
    Value current = tensor::DimOp::create(b, loc, value, dim);
    high[dim] = affine::makeComposedFoldedAffineApply(
        b, loc, size.ceilDiv(multiple) * multiple - size, {current});
  } else {
    if (shape[dim] % multiple == 0)
      return value;
    shape[dim] = llvm::alignTo(shape[dim], multiple);
    high[dim] = b.getIndexAttr(shape[dim] - type.getDimSize(dim));
  }
  Value zero =
      arith::ConstantOp::create(b, loc, b.getZeroAttr(type.getElementType()));
  return tensor::PadOp::create(b, loc, type.clone(shape), value, low, high,
                               zero);
}

Value quantmlir::packOperand(OpBuilder &b, Location loc, Value value,
                             int64_t kDim, int64_t rowTile, int64_t kTile,
                             int64_t kMultiple) {
  if (Value packed =
          packConstant(b, loc, value, kDim, rowTile, kTile, kMultiple,
                       /*nibbles=*/false))
    return packed;
  if (kMultiple != kTile)
    value = padDim(b, loc, value, kDim, kMultiple);
  if (kDim == 1)
    return packAtRunTime(b, loc, value, {0, 1}, {rowTile, kTile}, {});
  return packAtRunTime(b, loc, value, {1, 0}, {rowTile, kTile}, {1, 0});
}

Value quantmlir::packNibbles(OpBuilder &b, Location loc, Value value,
                             int64_t kDim, int64_t nr, int64_t kTile) {
  return packConstant(b, loc, value, kDim, nr, kTile, 2 * kTile,
                      /*nibbles=*/true);
}

/// Pads a constant vector to whole panels; `read` gives the stored element i.
template <typename T, typename MakeAttr>
static Value padConstant(OpBuilder &b, Location loc, ArrayRef<T> values,
                         Type element, int64_t nr, MakeAttr makeAttr) {
  int64_t panels = llvm::divideCeil(values.size(), nr);
  auto type = RankedTensorType::get({panels, nr}, element);
  SmallVector<T> padded(values);
  padded.resize(panels * nr, T(0));
  return arith::ConstantOp::create(b, loc, type, makeAttr(type, padded));
}

Value quantmlir::packColumns(OpBuilder &b, Location loc, Value value,
                             int64_t nr) {
  if (!value || tensorType(value).getRank() == 0)
    return value;
  Type element = tensorType(value).getElementType();
  if (auto floats = getConstantFloats(value))
    return padConstant<float>(b, loc, *floats, element, nr,
                              [](RankedTensorType type, ArrayRef<float> v) {
                                return makeFloatTensorAttr(type, v);
                              });
  if (auto ints = getConstantInts(value)) {
    if (element.isInteger(8)) {
      SmallVector<int8_t> bytes(ints->begin(), ints->end());
      return padConstant<int8_t>(b, loc, bytes, element, nr,
                                 [](RankedTensorType type, ArrayRef<int8_t> v) {
                                   return makeIntTensorAttr(type, v,
                                                            "quant_const");
                                 });
    }
    SmallVector<int32_t> narrow(ints->begin(), ints->end());
    return padConstant<int32_t>(b, loc, narrow, element, nr,
                                [](RankedTensorType type, ArrayRef<int32_t> v) {
                                  return makeI32TensorAttr(type, v);
                                });
  }
  return packAtRunTime(b, loc, value, {0}, {nr}, {});
}

/// Stacks tensors of one type along a new first dimension.
static Value stack(OpBuilder &b, Location loc, ArrayRef<Value> parts) {
  RankedTensorType part = tensorType(parts.front());
  SmallVector<int64_t> shape = {static_cast<int64_t>(parts.size())};
  llvm::append_range(shape, part.getShape());
  SmallVector<OpFoldResult> sizes = {b.getIndexAttr(1)};
  llvm::append_range(sizes, tensor::getMixedSizes(b, loc, parts.front()));
  SmallVector<OpFoldResult> whole(sizes);
  whole[0] = b.getIndexAttr(parts.size());
  Value result = tensor::EmptyOp::create(b, loc, whole, part.getElementType());
  SmallVector<OpFoldResult> strides(shape.size(), b.getIndexAttr(1));
  for (auto [i, value] : llvm::enumerate(parts)) {
    SmallVector<OpFoldResult> offsets(shape.size(), b.getIndexAttr(0));
    offsets[0] = b.getIndexAttr(i);
    result = tensor::InsertSliceOp::create(b, loc, value, result, offsets,
                                           sizes, strides);
  }
  return result;
}

Value quantmlir::stackRows(OpBuilder &b, Location loc,
                           ArrayRef<Value> vectors) {
  return stack(b, loc, vectors);
}

Value quantmlir::stackColumns(OpBuilder &b, Location loc,
                              ArrayRef<Value> vectors, int64_t nr) {
  SmallVector<Value> packed;
  for (Value vector : vectors)
    packed.push_back(packColumns(b, loc, vector, nr));
  return stack(b, loc, packed);
}

//===----------------------------------------------------------------------===//
// Element types
//===----------------------------------------------------------------------===//

/// A constant i4 or i8 matrix converted to i8 in C++, `moved` added, modulo
/// 256; likewise all of those that the run chooses from.
static Value convertConstant(OpBuilder &b, Location loc, Value value,
                             bool isUnsigned, int32_t moved) {
  Value source = value;
  // int4 weights are constants behind their unpacking.
  RankedTensorType type = tensorType(value);
  auto unpack = value.getDefiningOp<UnpackInt4Op>();
  if (unpack)
    source = unpack.getInput();
  std::optional<ChosenConstant> chosen = ChosenConstant::get(source);
  // A constant may be unpacked to a dynamic size.
  if (!chosen || !type.hasStaticShape())
    return {};
  std::optional<IntConstant> bytes = IntConstant::get(chosen->all);
  SmallVector<int64_t> shape(type.getShape());
  if (chosen->index)
    shape.insert(shape.begin(), chosen->count);
  auto result = RankedTensorType::get(shape, b.getI8Type());
  int64_t columns = type.getRank() ? type.getShape().back() : 1;
  int64_t packedColumns = llvm::divideCeil(columns, 2);
  bool narrow = type.getElementType().isInteger(4);
  auto attr =
      makeTensorAttr(result, "quant_i8", [&](MutableArrayRef<char> out) {
        for (int64_t i = 0, e = result.getNumElements(); i < e; ++i) {
          int64_t q;
          if (unpack) {
            int64_t row = i / columns, col = i % columns;
            q = (*bytes)[row * packedColumns + col / 2] >> (col % 2 * 4);
          } else {
            q = (*bytes)[i];
          }
          if (narrow)
            q = isUnsigned ? (q & 15) : llvm::SignExtend64<4>(q & 15);
          out[i] = static_cast<char>(q + moved);
        }
      });
  return chosen->choose(b, loc, arith::ConstantOp::create(b, loc, result, attr),
                        /*isOwnDim=*/true);
}

/// An elementwise conversion at run time.
static Value convertElements(OpBuilder &b, Location loc, Value value,
                             Type element, BodyBuilder body) {
  RankedTensorType type = tensorType(value);
  Value init = emptyLike(b, loc, type.clone(element), value);
  return elementwise(b, loc, {{value, allDims(type.getRank())}}, init, body)
      .getResult(0);
}

Value quantmlir::convertOperand(OpBuilder &b, Location loc, Value value,
                                bool isUnsigned, unsigned bits,
                                bool wantUnsigned, int32_t &zeroPointShift) {
  zeroPointShift = 0;
  bool narrow = tensorType(value).getElementType().isInteger(4);
  // Unsigned nibbles (0..15) and bytes that already fit need no flip.
  bool flip = bits == 8 && isUnsigned != wantUnsigned &&
              !(narrow && isUnsigned && !wantUnsigned);
  if (flip)
    zeroPointShift = wantUnsigned ? 128 : -128;
  if (bits == 8 && !narrow && !flip)
    return value;
  if (bits == 8) {
    int32_t moved = narrow && isUnsigned && !wantUnsigned ? -8 : zeroPointShift;
    if (Value folded = convertConstant(b, loc, value, isUnsigned, moved)) {
      zeroPointShift = moved;
      return folded;
    }
  }
  Type element = b.getIntegerType(bits);
  return convertElements(
      b, loc, value, element,
      [&](OpBuilder &b, Location loc, ValueRange args) -> SmallVector<Value> {
        Value x = args[0];
        if (x.getType() != element) {
          if (isUnsigned)
            x = arith::ExtUIOp::create(b, loc, element, x);
          else
            x = arith::ExtSIOp::create(b, loc, element, x);
        }
        if (flip)
          x = arith::XOrIOp::create(b, loc, x, constantInt(b, loc, -128, 8));
        return {x};
      });
}
