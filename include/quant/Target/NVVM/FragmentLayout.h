//===- FragmentLayout.h - who holds what in a warp --------------*- C++ -*-===//
//
// The layouts of mma.sync as data: for each operand of each kernel of
// NVVMKernels.cpp, which (row, column) is held by element `i` of register `r`
// of lane `l`. From the PTX ISA, "Matrix Fragments for mma.m16n8k32" and its
// neighbours; with g = lane / 4 and j = lane % 4, E elements of `bits` in a
// 32-bit register:
//
//   A [M, K]: row g + 8 (r % 2),  k = E j + i + 4 E (r / 2)   (M = 16)
//             row g,              k = E j + i                  (M = 8)
//   B [K, N]: column g,           k = E j + i + 4 E r
//   C [M, N]: row g + 8 (r / 2),  column 2 j + r % 2
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_TARGET_NVVM_FRAGMENTLAYOUT_H
#define QUANT_TARGET_NVVM_FRAGMENTLAYOUT_H

#include "quant/Target/GPU/Warp.h"
#include "quant/Target/IR/KernelRow.h"

namespace quantmlir::nvvm {

using device::kLanes;

enum class Operand { A, B, C };

/// A place in an operand: for A (m, k), for B (k, n), for C (m, n).
struct Place {
  int64_t row, col;
};

/// One operand's fragment of one instruction.
class FragmentLayout {
public:
  FragmentLayout(const qtarget::KernelRow &row, Operand operand)
      : row(row), operand(operand) {}

  /// 32-bit registers a lane holds, and elements in one of them.
  int64_t getNumRegisters() const;
  int64_t getElementsPerRegister() const;
  /// The place of element `element` of `reg` of `lane`.
  Place getPlace(int64_t lane, int64_t reg, int64_t element) const;

private:
  const qtarget::KernelRow &row;
  Operand operand;
};

/// Where a lane's register `reg` of step `step` (of kr / k steps) of an A or B
/// fragment is within the 64 bytes of its row: a register is a chunk of 16
/// bytes, of which ldmatrix gives each of four lanes four.
///   offset = 16 (registers along K * step + register along K) + 4 j
int64_t getByteInRow(const qtarget::KernelRow &row, int64_t lane, int64_t step,
                     int64_t registerAlongK);

/// Registers of A (or B) that follow each other along K in one instruction.
int64_t getRegistersAlongK(const qtarget::KernelRow &row);

} // namespace quantmlir::nvvm

#endif // QUANT_TARGET_NVVM_FRAGMENTLAYOUT_H
