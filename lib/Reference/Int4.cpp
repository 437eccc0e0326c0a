//===- Int4.cpp - oracle of int4 and int2 storage -------------------------===//

#include "quant/Reference/Reference.h"

#include <cassert>

using namespace quantmlir;

static constexpr int64_t kByte = 8;

void reference::packElements(unsigned bits, llvm::ArrayRef<int8_t> values,
                             int64_t rowLength,
                             llvm::MutableArrayRef<int8_t> out) {
  int64_t perByte = kByte / bits, mask = (1 << bits) - 1;
  int64_t rowBytes = (rowLength + perByte - 1) / perByte;
  int64_t numRows = rowLength == 0 ? 0 : values.size() / rowLength;
  assert(static_cast<int64_t>(out.size()) == numRows * rowBytes);
  for (int64_t row = 0; row < numRows; ++row)
    for (int64_t i = 0; i < rowBytes; ++i) {
      int64_t byte = 0;
      for (int64_t j = 0; j < perByte && i * perByte + j < rowLength; ++j)
        byte |= (values[row * rowLength + i * perByte + j] & mask)
                << (j * bits);
      out[row * rowBytes + i] = static_cast<int8_t>(byte);
    }
}

void reference::unpackElements(unsigned bits, llvm::ArrayRef<int8_t> packed,
                               int64_t rowLength,
                               llvm::MutableArrayRef<int8_t> out) {
  int64_t perByte = kByte / bits, mask = (1 << bits) - 1;
  int64_t sign = 1 << (bits - 1);
  int64_t rowBytes = (rowLength + perByte - 1) / perByte;
  int64_t numRows = rowLength == 0 ? 0 : out.size() / rowLength;
  assert(static_cast<int64_t>(packed.size()) == numRows * rowBytes);
  for (int64_t row = 0; row < numRows; ++row)
    for (int64_t i = 0; i < rowLength; ++i) {
      int64_t byte = packed[row * rowBytes + i / perByte];
      int64_t stored = (byte >> (i % perByte * bits)) & mask;
      out[row * rowLength + i] = static_cast<int8_t>((stored ^ sign) - sign);
    }
}
