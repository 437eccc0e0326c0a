//===- Int4.cpp - oracle of int4 storage ----------------------------------===//

#include "quant/Reference/Reference.h"

#include <cassert>

using namespace quantmlir;

void reference::packInt4(llvm::ArrayRef<int8_t> values, int64_t rowLength,
                         llvm::MutableArrayRef<int8_t> out) {
  int64_t rowBytes = (rowLength + 1) / 2;
  int64_t numRows = rowLength == 0 ? 0 : values.size() / rowLength;
  assert(static_cast<int64_t>(out.size()) == numRows * rowBytes);
  for (int64_t row = 0; row < numRows; ++row)
    for (int64_t i = 0; i < rowBytes; ++i) {
      const int8_t *element = values.data() + row * rowLength + 2 * i;
      int low = element[0] & 0xF;
      int high = 2 * i + 1 < rowLength ? element[1] & 0xF : 0;
      out[row * rowBytes + i] = static_cast<int8_t>(high << 4 | low);
    }
}

void reference::unpackInt4(llvm::ArrayRef<int8_t> packed, int64_t rowLength,
                           llvm::MutableArrayRef<int8_t> out) {
  int64_t rowBytes = (rowLength + 1) / 2;
  int64_t numRows = rowLength == 0 ? 0 : out.size() / rowLength;
  assert(static_cast<int64_t>(packed.size()) == numRows * rowBytes);
  for (int64_t row = 0; row < numRows; ++row)
    for (int64_t i = 0; i < rowLength; ++i) {
      int byte = packed[row * rowBytes + i / 2];
      int nibble = (i % 2 ? byte >> 4 : byte) & 0xF;
      out[row * rowLength + i] =
          static_cast<int8_t>(nibble >= 8 ? nibble - 16 : nibble);
    }
}
