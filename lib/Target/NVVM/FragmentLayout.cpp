//===- FragmentLayout.cpp - who holds what in a warp ----------------------===//

#include "quant/Target/NVVM/FragmentLayout.h"

using namespace quantmlir;
using namespace quantmlir::nvvm;
using quantmlir::qtarget::KernelRow;

int64_t nvvm::getRegistersAlongK(const KernelRow &row) {
  // Four lanes hold a row's K, in registers of 32 bits.
  return row.k * row.lhs.bits / (4 * 32);
}

int64_t FragmentLayout::getElementsPerRegister() const {
  return operand == Operand::C ? 1 : 32 / row.lhs.bits;
}

int64_t FragmentLayout::getNumRegisters() const {
  switch (operand) {
  case Operand::A:
    return row.m / 8 * getRegistersAlongK(row);
  case Operand::B:
    return row.n / 8 * getRegistersAlongK(row);
  case Operand::C:
    return row.m * row.n / kLanes;
  }
  return 0;
}

Place FragmentLayout::getPlace(int64_t lane, int64_t reg,
                               int64_t element) const {
  int64_t g = lane / 4, j = lane % 4, perRegister = getElementsPerRegister();
  int64_t rowBlocks = row.m / 8;
  switch (operand) {
  case Operand::A:
    return {g + 8 * (reg % rowBlocks),
            perRegister * j + element + 4 * perRegister * (reg / rowBlocks)};
  case Operand::B:
    return {perRegister * j + element + 4 * perRegister * reg, g};
  case Operand::C:
    return {g + 8 * (reg / 2), 2 * j + reg % 2};
  }
  return {0, 0};
}

int64_t nvvm::getByteInRow(const KernelRow &row, int64_t lane, int64_t step,
                           int64_t registerAlongK) {
  return 16 * (getRegistersAlongK(row) * step + registerAlongK) +
         4 * (lane % 4);
}
