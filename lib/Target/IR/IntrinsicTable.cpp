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
          {8, true, 8, kLhsLayout},
          {8, false, 8, kRhsLayout},
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
          {16, false, 16, kLhsLayout},
          {16, false, 8, kRhsLayout},
          32,
          features,
          vectorBits,
          llvmIntrinsic};
}

// Best first. A machine with VNNI at 128 bits has it at 256 as well; the
// 128-bit row is there for tests and for machines whose wide vectors are
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
    maddI16(IntrinsicKind::VPMADDWD_128, "vpmaddwd_128", 128, "",
            "llvm.x86.sse2.pmadd.wd"),
};

/// Names that no row asks for, but that say what a machine is: AMX and the
/// signed dot product, the 4.1 level of SSE (sign extension while loading).
constexpr llvm::StringLiteral kFurtherFeatures[] = {
    "amx-int8", "amx-tile", "avx2", "avxvnniint8", "sse4.1"};

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
    if (row.isLegalOn(target))
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
