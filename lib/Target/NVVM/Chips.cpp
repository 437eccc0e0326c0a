//===- Chips.cpp - one row for each chip ----------------------------------===//
//
// Sizes are those of NVIDIA's tuning guides and, for L2 and the number of
// multiprocessors, of the chip's best-known product. s4 mma.sync exists from
// sm_75 on but is emulated from sm_90 on.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/NVVM/Chips.h"

#include "llvm/ADT/STLExtras.h"

using namespace quantmlir::nvvm;

static constexpr llvm::StringLiteral kAmpere =
    "cp.async,dp4a,mma.m16n8k32.s8,mma.m16n8k64.s4";
static constexpr llvm::StringLiteral kHopper = "cp.async,dp4a,mma.m16n8k32.s8";
/// Of this chip alone: sm_100's tensor cores are used by other instructions.
static constexpr llvm::StringLiteral kHopperA =
    "cp.async,dp4a,mma.m16n8k32.s8,wgmma";

static constexpr Chip kChips[] = {
    {"sm_61", "dp4a", "+ptx60", 48, 2 * 1024, 20, 96, 0},
    {"sm_75", "dp4a,mma.m8n8k16.s8", "+ptx65", 64, 4 * 1024, 40, 64, 0},
    {"sm_80", kAmpere, "+ptx70", 163, 40 * 1024, 108, 164, 1},
    {"sm_86", kAmpere, "+ptx71", 99, 6 * 1024, 84, 100, 1},
    {"sm_89", kAmpere, "+ptx78", 99, 48 * 1024, 58, 100, 1},
    {"sm_90", kHopper, "+ptx78", 227, 50 * 1024, 132, 228, 1},
    {"sm_90a", kHopperA, "+ptx80", 227, 50 * 1024, 132, 228, 1},
    {"sm_100", kHopper, "+ptx86", 227, 126 * 1024, 148, 228, 1},
};

llvm::ArrayRef<Chip> quantmlir::nvvm::getChips() { return kChips; }

const Chip *quantmlir::nvvm::findChip(llvm::StringRef name) {
  const Chip *found =
      llvm::find_if(kChips, [&](const Chip &row) { return row.name == name; });
  return found == std::end(kChips) ? nullptr : found;
}
