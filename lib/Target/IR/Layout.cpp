//===- Layout.cpp - how the operands of a packed matmul lie ---------------===//

#include "quant/Target/IR/QTarget.h"

#include "quant/Dialect/Quant/Utils/Codebook.h"

#include "llvm/Support/ScopedPrinter.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::qtarget;

llvm::raw_ostream &quantmlir::qtarget::operator<<(llvm::raw_ostream &os,
                                                  const OperandTiles &tiles) {
  os << (tiles.isFloat ? 'f' : tiles.isUnsigned ? 'u' : 's') << tiles.bits;
  if (tiles.isTiled())
    os << ' ' << tiles.rows << 'x' << tiles.k;
  return os;
}

FailureOr<OperandTiles> FieldParser<OperandTiles>::parse(AsmParser &parser) {
  OperandTiles tiles;
  StringRef element;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&element))
    return failure();
  StringRef bits = element;
  tiles.isUnsigned = bits.consume_front("u");
  tiles.isFloat = bits.consume_front("f");
  if ((!tiles.isUnsigned && !tiles.isFloat && !bits.consume_front("s")) ||
      bits.getAsInteger(10, tiles.bits))
    return parser.emitError(loc)
           << "expected the sign and the bits of an element, as in `s8`, found "
           << '`' << element << '`';
  SmallVector<int64_t> sizes;
  loc = parser.getCurrentLocation();
  if (parser.parseDimensionList(sizes, /*allowDynamic=*/false,
                                /*withTrailingX=*/false))
    return failure();
  if (sizes.empty())
    return tiles;
  if (sizes.size() != 2 || sizes[0] <= 0 || sizes[1] <= 0)
    return parser.emitError(loc)
           << "expected a tile of rows by elements along K, as in `16x4`";
  tiles.rows = sizes[0];
  tiles.k = sizes[1];
  return tiles;
}

/// The code book of `rhs`.
static LogicalResult
verifyCodebook(function_ref<InFlightDiagnostic()> emitError, OperandTiles rhs,
               int64_t group, ArrayRef<int32_t> codes) {
  if (rhs.bits != 4 || !rhs.isUnsigned || group == 0)
    return emitError() << "expected a codebook with groups of u4 elements, "
                          "found rhs = "
                       << llvm::to_string(rhs) << ", group = " << group;
  auto areWithin = [&](int32_t min, int32_t max) {
    return llvm::all_of(codes, [&](int32_t c) { return min <= c && c <= max; });
  };
  if (codes.size() != kNumCodes || !(areWithin(-128, 127) || areWithin(0, 255)))
    return emitError() << "expected a codebook of " << kNumCodes
                       << " integers, all from -128 to 127 or all from 0 to "
                          "255, found ["
                       << codes << "]";
  return success();
}

LogicalResult LayoutAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 OperandTiles lhs, OperandTiles rhs,
                                 int64_t group, DenseI32ArrayAttr codebook) {
  for (auto [name, tiles] : {std::make_pair(StringRef("lhs"), lhs),
                             std::make_pair(StringRef("rhs"), rhs)}) {
    if (tiles.isFloat) {
      if (tiles.bits != 32 || tiles.isTiled() || group == 0 || name != "lhs")
        return emitError()
               << "expected floats as lhs = f32 without tiles, and a group, "
                  "found "
               << name << " = " << llvm::to_string(tiles)
               << ", group = " << group;
      continue;
    }
    constexpr unsigned widths[] = {4, 8, 16};
    bool isRhs = name == "rhs";
    if (!llvm::is_contained(widths, tiles.bits) && !(isRhs && tiles.bits == 2))
      return emitError() << "expected elements of " << (isRhs ? "2, " : "")
                         << "4, 8 or 16 bits, found " << name << " = "
                         << llvm::to_string(tiles);
  }
  if (!rhs.isTiled())
    return emitError() << "expected the tile of the right operand, found rhs = "
                       << llvm::to_string(rhs);
  if (rhs.bits == 4 && rhs.k % 2 != 0)
    return emitError() << "expected an even number of 4-bit elements along K, "
                          "found rhs = "
                       << llvm::to_string(rhs);
  if (rhs.bits == 2 && (rhs.k % 4 != 0 || group == 0))
    return emitError() << "expected a multiple of four 2-bit elements along K, "
                          "and groups, found rhs = "
                       << llvm::to_string(rhs) << ", group = " << group;
  if (group < 0 || group % rhs.k != 0)
    return emitError() << "expected a group of a multiple of " << rhs.k
                       << " elements, as rhs = " << llvm::to_string(rhs)
                       << " has, found group = " << group;
  if (codebook)
    return verifyCodebook(emitError, rhs, group, codebook.asArrayRef());
  return success();
}
