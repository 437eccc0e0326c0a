//===- IntrinsicTable.cpp - one row for each instruction ------------------===//

#include "quant/Target/IR/IntrinsicTable.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"

using namespace mlir;
using namespace quantmlir::qtarget;

namespace {

constexpr llvm::StringLiteral kLhsLayout = "[M/MR][K/KR][MR][KR]";
constexpr llvm::StringLiteral kRhsLayout = "[N/NR][K/KR][NR][KR]";

/// vpdpbusd: four u8 * s8 products added to each i32 lane; wraps.
constexpr IntrinsicRow dotU8S8(IntrinsicKind kind, llvm::StringLiteral name,
                               unsigned vectorBits,
                               llvm::StringLiteral features,
                               llvm::StringLiteral llvmIntrinsic) {
  return {kind,
          name,
          IntrinsicFamily::DotU8S8,
          1,
          vectorBits / 32,
          4,
          {8, true, 8, kLhsLayout, 4},
          {8, false, 8, kRhsLayout, 4},
          32,
          features,
          vectorBits,
          llvmIntrinsic};
}

/// vpmaddwd: two i16 * i16 products added to one i32 (exact for operands that
/// are extended 8-bit integers).
constexpr IntrinsicRow maddI16(IntrinsicKind kind, llvm::StringLiteral name,
                               unsigned vectorBits,
                               llvm::StringLiteral features,
                               llvm::StringLiteral llvmIntrinsic) {
  return {kind,
          name,
          IntrinsicFamily::MaddI16,
          1,
          vectorBits / 32,
          2,
          {16, false, 16, kLhsLayout, 2},
          {16, false, 8, kRhsLayout, 2},
          32,
          features,
          vectorBits,
          llvmIntrinsic};
}

/// AMX: a tile register holds 16 rows of 64 bytes. A row of the left operand's
/// tile is 64 consecutive k; a row of the right one's is 4 consecutive k of 16
/// columns, so that its layout is that of the vector instructions (KR = 4).
constexpr IntrinsicRow tileDot(IntrinsicKind kind, llvm::StringLiteral name,
                               bool lhsUnsigned, bool rhsUnsigned,
                               llvm::StringLiteral llvmIntrinsic) {
  return {kind,
          name,
          IntrinsicFamily::TileDot,
          16,
          16,
          64,
          {8, lhsUnsigned, 8, kLhsLayout, 64},
          {8, rhsUnsigned, 8, kRhsLayout, 4},
          32,
          "amx-int8+amx-tile",
          512,
          llvmIntrinsic};
}

/// KR of the GPU rows is 64 bytes: four lanes of a warp read 16 bytes each of
/// one row, whichever the instruction is, so that one packed weight serves all.
constexpr unsigned kWarpKBits = 8 * 64;
constexpr llvm::StringLiteral kWarpLhsLayout = "[M][K/KR][KR]";
constexpr llvm::StringLiteral kWarpRhsLayout = "[N/8][K/KR][8][KR]";

/// dp4a and mma.sync: signed operands of `bits`, i32 accumulators that wrap.
constexpr IntrinsicRow nvvm(IntrinsicKind kind, llvm::StringLiteral name,
                            IntrinsicFamily family, int64_t m, int64_t n,
                            int64_t k, unsigned bits,
                            llvm::StringLiteral features,
                            llvm::StringLiteral llvmIntrinsic) {
  return {kind,
          name,
          family,
          m,
          n,
          k,
          {bits, false, bits, kWarpLhsLayout, kWarpKBits / bits},
          {bits, false, bits, kWarpRhsLayout, kWarpKBits / bits},
          32,
          features,
          32,
          llvmIntrinsic};
}

// Best vectors first. A machine with VNNI at 128 bits has it at 256 as well;
// the 128-bit row is there for tests and for machines whose wide vectors are
// switched off.
constexpr IntrinsicRow kTable[] = {
    dotU8S8(IntrinsicKind::VPDPBUSD_512, "vpdpbusd_512", 512,
            "avx512vnni+avx512f", "llvm.x86.avx512.vpdpbusd.512"),
    dotU8S8(IntrinsicKind::VPDPBUSD_256, "vpdpbusd_256", 256,
            "avxvnni|avx512vnni+avx512vl", "llvm.x86.avx512.vpdpbusd.256"),
    maddI16(IntrinsicKind::VPMADDWD_512, "vpmaddwd_512", 512, "avx512bw",
            "llvm.x86.avx512.pmaddw.d.512"),
    maddI16(IntrinsicKind::VPMADDWD_256, "vpmaddwd_256", 256, "avx2",
            "llvm.x86.avx2.pmadd.wd"),
    dotU8S8(IntrinsicKind::VPDPBUSD_128, "vpdpbusd_128", 128,
            "avxvnni|avx512vnni+avx512vl", "llvm.x86.avx512.vpdpbusd.128"),
    nvvm(IntrinsicKind::MMA_M16N8K32_S8, "mma_m16n8k32_s8",
         IntrinsicFamily::MmaSync, 16, 8, 32, 8, "mma.m16n8k32.s8",
         "llvm.nvvm.mma.m16n8k32.row.col.s8"),
    nvvm(IntrinsicKind::MMA_M8N8K16_S8, "mma_m8n8k16_s8",
         IntrinsicFamily::MmaSync, 8, 8, 16, 8, "mma.m8n8k16.s8",
         "llvm.nvvm.mma.m8n8k16.row.col.s8"),
    nvvm(IntrinsicKind::MMA_M16N8K64_S4, "mma_m16n8k64_s4",
         IntrinsicFamily::MmaSync, 16, 8, 64, 4, "mma.m16n8k64.s4",
         "llvm.nvvm.mma.m16n8k64.row.col.s4"),
    nvvm(IntrinsicKind::DP4A, "dp4a", IntrinsicFamily::Dp4a, 1, 1, 4, 8, "dp4a",
         "llvm.nvvm.idp4a.s.s"),
    maddI16(IntrinsicKind::VPMADDWD_128, "vpmaddwd_128", 128, "",
            "llvm.x86.sse2.pmadd.wd"),
    tileDot(IntrinsicKind::AMX_TDPBSSD, "amx_tdpbssd", false, false,
            "llvm.x86.tdpbssd.internal"),
    tileDot(IntrinsicKind::AMX_TDPBSUD, "amx_tdpbsud", false, true,
            "llvm.x86.tdpbsud.internal"),
    tileDot(IntrinsicKind::AMX_TDPBUSD, "amx_tdpbusd", true, false,
            "llvm.x86.tdpbusd.internal"),
    tileDot(IntrinsicKind::AMX_TDPBUUD, "amx_tdpbuud", true, true,
            "llvm.x86.tdpbuud.internal"),
};

/// Names that no row asks for, but that say what a machine is: the signed dot
/// product, fused multiply-adds of floats, the 4.1 level of SSE (sign extension
/// while loading), AMD's cores (which nobody else's SSE4a is).
constexpr llvm::StringLiteral kFurtherFeatures[] = {"avx2", "avxvnniint8",
                                                    "fma", "sse4.1", "sse4a"};

} // namespace

bool IntrinsicRow::isLegalOn(TargetAttr target) const {
  SmallVector<StringRef> alternatives;
  features.split(alternatives, '|');
  return llvm::any_of(alternatives, [&](StringRef alternative) {
    SmallVector<StringRef> names;
    alternative.split(names, '+', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
    return llvm::all_of(
        names, [&](StringRef name) { return target.hasFeature(name); });
  });
}

ArrayRef<IntrinsicRow> quantmlir::qtarget::getIntrinsicTable() {
  return kTable;
}

const IntrinsicRow &quantmlir::qtarget::getIntrinsicRow(IntrinsicKind kind) {
  for (const IntrinsicRow &row : kTable)
    if (row.kind == kind)
      return row;
  llvm_unreachable("every kind has a row");
}

const IntrinsicRow *quantmlir::qtarget::chooseIntrinsic(TargetAttr target) {
  for (const IntrinsicRow &row : kTable)
    if (row.family != IntrinsicFamily::TileDot && row.isLegalOn(target))
      return &row;
  return nullptr;
}

const IntrinsicRow *quantmlir::qtarget::chooseTileIntrinsic(TargetAttr target,
                                                            bool lhsUnsigned,
                                                            bool rhsUnsigned) {
  for (const IntrinsicRow &row : kTable)
    if (row.family == IntrinsicFamily::TileDot && row.isLegalOn(target) &&
        row.lhs.isUnsigned == lhsUnsigned && row.rhs.isUnsigned == rhsUnsigned)
      return &row;
  return nullptr;
}

SmallVector<StringRef> quantmlir::qtarget::getRelevantFeatures() {
  SmallVector<StringRef> names;
  for (const IntrinsicRow &row : kTable) {
    SmallVector<StringRef> alternatives;
    row.features.split(alternatives, '|');
    for (StringRef alternative : alternatives)
      alternative.split(names, '+', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  }
  names.append(std::begin(kFurtherFeatures), std::end(kFurtherFeatures));
  llvm::sort(names);
  names.erase(llvm::unique(names), names.end());
  return names;
}

int64_t quantmlir::qtarget::getNumVectorRegisters(const IntrinsicRow &row,
                                                  TargetAttr target) {
  bool hasUpperRegisters =
      row.vectorBits == 512 || target.hasFeature("avx512vl");
  return hasUpperRegisters ? 32 : 16;
}
