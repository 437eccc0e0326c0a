// Prints the layouts of every mma.sync row, one element a line.
#include "quant/Target/NVVM/FragmentLayout.h"
#include "quant/Target/NVVM/NVVMKernels.h"

#include "llvm/Support/raw_ostream.h"

using namespace quantmlir;
using namespace quantmlir::nvvm;

static void printOperand(const qtarget::KernelRow &row, Operand operand,
                         const char *name) {
  FragmentLayout layout(row, operand);
  for (int64_t lane = 0; lane < kLanes; ++lane)
    for (int64_t reg = 0; reg < layout.getNumRegisters(); ++reg)
      for (int64_t i = 0; i < layout.getElementsPerRegister(); ++i) {
        Place place = layout.getPlace(lane, reg, i);
        llvm::outs() << name << " " << row.name << " " << lane << " " << reg
                     << " " << i << " " << place.row << " " << place.col
                     << "\n";
      }
}

int main() {
  for (NVVMKernel kernel :
       {NVVMKernel::MMA_M16N8K32_S8, NVVMKernel::MMA_M8N8K16_S8,
        NVVMKernel::MMA_M16N8K64_S4}) {
    const qtarget::KernelRow &row = getRow(kernel);
    llvm::outs() << "row " << row.name << " " << row.m << " " << row.n << " "
                 << row.k << " " << row.lhs.bits << " " << row.lhs.kTile
                 << "\n";
    printOperand(row, Operand::A, "A");
    printOperand(row, Operand::B, "B");
    printOperand(row, Operand::C, "C");
    for (int64_t lane = 0; lane < kLanes; ++lane)
      for (int64_t step = 0; step < row.lhs.kTile / row.k; ++step)
        for (int64_t reg = 0; reg < getRegistersAlongK(row); ++reg)
          llvm::outs() << "byte " << row.name << " " << lane << " " << step
                       << " " << reg << " "
                       << getByteInRow(row, lane, step, reg) << "\n";
  }
}
