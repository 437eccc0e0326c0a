//===- X86Kernels.cpp - the kernels of x86 --------------------------------===//
//
// Adding an instruction is adding a case to X86Kernels.td, a row here and,
// where a multiply-accumulate is no single instruction, how it is emitted.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/X86/X86Kernels.h"

#include "quant/Target/CPU/Kernel/EmitKernel.h"
#include "quant/Target/CPU/Schedule/RegisterTile.h"
#include "quant/Target/X86/AMX/AMXKernel.h"
#include "quant/Target/X86/AMX/AMXTile.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::qtarget;
using quantmlir::x86::X86Kernel;

#include "quant/Target/X86/X86KernelEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "quant/Target/X86/X86Kernels.cpp.inc"

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

static constexpr llvm::StringLiteral kArch = "x86_64";

/// Groups whose weight is of unsigned bytes, in panels of `columns`.
static constexpr GroupedFormat unsignedGroups(int64_t columns) {
  return {columns,
          /*isWeightUnsigned=*/true,
          /*isInt4Unsigned=*/true,
          /*takesZeroPoints=*/false,
          /*looksUpCodes=*/true,
          /*leastBits=*/2,
          /*readsNarrowScales=*/true,
          /*f16Features=*/"avx512f|f16c"};
}

/// `k` products of the operands' elements, added to each i32 lane.
static constexpr KernelRow
laneDot(llvm::StringLiteral name, int64_t k, const OperandFormat &lhs,
        const OperandFormat &rhs, unsigned vectorBits,
        llvm::StringLiteral features, llvm::StringLiteral llvmIntrinsic) {
  KernelRow row = {name, kArch,    1,          vectorBits / 32, k, lhs, rhs,
                   32,   features, vectorBits, llvmIntrinsic};
  row.vectorRegisters = vectorBits == 512 ? 32 : 16;
  return row;
}

/// vpdpbusd: four u8 * s8 products added to each i32 lane; wraps.
static constexpr KernelRow dotU8S8(llvm::StringLiteral name,
                                   unsigned vectorBits,
                                   llvm::StringLiteral features,
                                   llvm::StringLiteral llvmIntrinsic) {
  KernelRow row = laneDot(name, 4, {8, true, 8, 4}, {8, false, 8, 4},
                          vectorBits, features, llvmIntrinsic);
  row.grouped = unsignedGroups(vectorBits / 32);
  return row;
}

/// vpdpbssd and vpdpbsud: the same with a signed left operand, which vpdpbusd
/// needs shifted by 128 and corrected. Groups take vpdpbusd, whose unsigned
/// operand is their weight.
static constexpr KernelRow dotS8(llvm::StringLiteral name, unsigned vectorBits,
                                 bool rhsUnsigned, llvm::StringLiteral features,
                                 llvm::StringLiteral llvmIntrinsic) {
  KernelRow row = dotU8S8(name, vectorBits, features, llvmIntrinsic);
  row.lhs.isUnsigned = false;
  row.rhs.isUnsigned = rhsUnsigned;
  row.grouped = {};
  return row;
}

/// vpmaddwd: two i16 * i16 products added to one i32 (exact for operands that
/// are extended 8-bit integers), and the addition to the accumulator.
static constexpr KernelRow maddI16(llvm::StringLiteral name,
                                   unsigned vectorBits,
                                   llvm::StringLiteral features,
                                   llvm::StringLiteral llvmIntrinsic) {
  KernelRow row = laneDot(name, 2, {16, false, 16, 2}, {16, false, 8, 2},
                          vectorBits, features, llvmIntrinsic);
  row.instructions = 2;
  return row;
}

/// AMX: a tile register holds 16 rows of 64 bytes. A row of the left operand's
/// tile is 64 consecutive k; a row of the right one's is 4 consecutive k of 16
/// columns, so that its layout is that of the vector instructions (KR = 4).
static constexpr KernelRow tileDot(llvm::StringLiteral name, bool lhsUnsigned,
                                   bool rhsUnsigned,
                                   llvm::StringLiteral llvmIntrinsic) {
  KernelRow row = {name,
                   kArch,
                   16,
                   16,
                   64,
                   {8, lhsUnsigned, 8, 64},
                   {8, rhsUnsigned, 8, 4},
                   32,
                   "amx-int8+amx-tile",
                   512,
                   llvmIntrinsic};
  row.packsLhs = row.hasFixedTiles = true;
  row.speed = 4;
  // Groups have their weight unsigned and their activations signed, as those
  // of vectors have.
  if (!lhsUnsigned && rhsUnsigned)
    row.grouped = unsignedGroups(16);
  return row;
}

/// vfmadd: floats by a weight that is widened to floats.
static constexpr KernelRow floats(llvm::StringLiteral name, unsigned vectorBits,
                                  llvm::StringLiteral features) {
  KernelRow row = {name,
                   kArch,
                   1,
                   vectorBits / 32,
                   1,
                   {32, false, 32, 1, /*isFloat=*/true},
                   {32, false, 8, 4},
                   32,
                   features,
                   vectorBits,
                   "llvm.fma"};
  row.vectorRegisters = vectorBits == 512 ? 32 : 16;
  row.grouped = unsignedGroups(vectorBits / 32);
  return row;
}

/// vdpbf16ps: the same, and two products of bf16 added to each f32 lane.
static constexpr KernelRow floatPairs(llvm::StringLiteral name,
                                      unsigned vectorBits,
                                      llvm::StringLiteral features,
                                      llvm::StringLiteral llvmIntrinsic) {
  KernelRow row = floats(name, vectorBits, features);
  row.llvmIntrinsic = llvmIntrinsic;
  row.multipliesPairs = true;
  return row;
}

static constexpr KernelRow kRows[] = {
    dotU8S8("vpdpbusd_512", 512, "avx512vnni+avx512f",
            "llvm.x86.avx512.vpdpbusd.512"),
    dotU8S8("vpdpbusd_256", 256, "avxvnni|avx512vnni+avx512vl",
            "llvm.x86.avx512.vpdpbusd.256"),
    dotU8S8("vpdpbusd_128", 128, "avxvnni|avx512vnni+avx512vl",
            "llvm.x86.avx512.vpdpbusd.128"),
    maddI16("vpmaddwd_512", 512, "avx512bw", "llvm.x86.avx512.pmaddw.d.512"),
    maddI16("vpmaddwd_256", 256, "avx2", "llvm.x86.avx2.pmadd.wd"),
    maddI16("vpmaddwd_128", 128, "", "llvm.x86.sse2.pmadd.wd"),
    tileDot("amx_tdpbssd", false, false, "llvm.x86.tdpbssd.internal"),
    tileDot("amx_tdpbsud", false, true, "llvm.x86.tdpbsud.internal"),
    tileDot("amx_tdpbusd", true, false, "llvm.x86.tdpbusd.internal"),
    tileDot("amx_tdpbuud", true, true, "llvm.x86.tdpbuud.internal"),
    dotS8("vpdpbssd_512", 512, false, "avx10.2", "llvm.x86.avx10.vpdpbssd.512"),
    dotS8("vpdpbsud_512", 512, true, "avx10.2", "llvm.x86.avx10.vpdpbsud.512"),
    dotS8("vpdpbssd_256", 256, false, "avxvnniint8",
          "llvm.x86.avx2.vpdpbssd.256"),
    dotS8("vpdpbsud_256", 256, true, "avxvnniint8",
          "llvm.x86.avx2.vpdpbsud.256"),
    floats("vfmadd_512", 512, "avx512f"),
    floats("vfmadd_256", 256, "avx2+fma"),
    floatPairs("vdpbf16ps_512", 512, "avx512bf16+avx512bw",
               "llvm.x86.avx512bf16.dpbf16ps.512"),
};

/// Vectors, best first. A machine with VNNI at 128 bits has it at 256 as well;
/// the 128-bit row is there for tests and for machines whose wide vectors are
/// switched off.
static constexpr X86Kernel kVectors[] = {
    X86Kernel::VPDPBUSD_512, X86Kernel::VPDPBUSD_256, X86Kernel::VPMADDWD_512,
    X86Kernel::VPMADDWD_256, X86Kernel::VPDPBUSD_128, X86Kernel::VPMADDWD_128};
/// Those of a signed left operand.
static constexpr X86Kernel kSignedVectors[] = {
    X86Kernel::VPDPBSSD_512, X86Kernel::VPDPBSUD_512, X86Kernel::VPDPBSSD_256,
    X86Kernel::VPDPBSUD_256};
static constexpr X86Kernel kFloats[] = {
    X86Kernel::VDPBF16PS_512, X86Kernel::VFMADD_512, X86Kernel::VFMADD_256};
static constexpr X86Kernel kTiles[] = {
    X86Kernel::AMX_TDPBSSD, X86Kernel::AMX_TDPBSUD, X86Kernel::AMX_TDPBUSD,
    X86Kernel::AMX_TDPBUUD};

/// Names that no row asks for, but that say what a machine is: fused
/// multiply-adds of floats, the 4.1 level of SSE (sign extension while
/// loading), AMD's cores (which nobody else's SSE4a is), permutations of bytes,
/// conversions of f16.
static constexpr llvm::StringLiteral kFurtherFeatures[] = {
    "avx512vbmi", "f16c", "fma", "sse4.1", "sse4a"};

ArrayRef<KernelRow> x86::getRows() { return kRows; }

const KernelRow &x86::getRow(X86Kernel kernel) {
  return kRows[static_cast<unsigned>(kernel)];
}

SmallVector<StringRef> x86::getRelevantFeatures() {
  SmallVector<StringRef> names;
  for (const KernelRow &row : kRows)
    row.addFeatures(names);
  names.append(std::begin(kFurtherFeatures), std::end(kFurtherFeatures));
  llvm::sort(names);
  names.erase(llvm::unique(names), names.end());
  return names;
}

//===----------------------------------------------------------------------===//
// The interface
//===----------------------------------------------------------------------===//

static bool isTile(X86Kernel kernel) {
  return llvm::is_contained(kTiles, kernel);
}

const KernelRow &X86KernelAttr::getRow() const {
  return x86::getRow(getValue());
}

RegisterTile X86KernelAttr::chooseTile(int64_t m, int64_t n,
                                       bool nibbles) const {
  return isTile(getValue()) ? chooseAMXTile(getRow(), m)
                            : chooseRegisterTile(getRow(), m, n, nibbles);
}

/// Of 32 (16) registers, 24 (8) accumulate, four hold unpacked weights, one the
/// activations and one the mask; the f32 sums wait on the stack. That many rows
/// share what unpacking costs the ports of the dot products. AMD's cores (the
/// only ones with SSE4a) unpack on other ports, and store one vector of 512
/// bits a cycle: there the sums stay in registers where groups are short, and
/// most of them where they are longer (measured on Zen 5, docs/x86.md).
RegisterTile X86KernelAttr::chooseGroupedTile(int64_t group,
                                              TargetAttr target) const {
  constexpr int64_t shortGroup = 32;
  if (getRow().vectorBits != 512)
    return {4, 2};
  // Floats are widened once for all tiles of many rows, which have no more to
  // share than loads: there, too, sums stay in registers.
  if (target && target.hasFeature("sse4a"))
    return {group <= shortGroup || getRow().lhs.isFloat ? 6 : 8, 2};
  return {12, 2};
}

ScheduleAttr X86KernelAttr::chooseSchedule(RegisterTile tile, TargetAttr target,
                                           int64_t m, int64_t k) const {
  return isTile(getValue()) ? ScheduleAttr()
                            : quantmlir::chooseSchedule(getContext(), getRow(),
                                                        tile, target, m, k);
}

Value X86KernelAttr::multiplyAccumulate(OpBuilder &b, Location loc, Value acc,
                                        Value lhs, Value rhs) const {
  if (isTile(getValue()))
    return {};
  if (getRow().lhs.isFloat && getElementTypeOrSelf(lhs).isF32())
    return math::FmaOp::create(b, loc, lhs, rhs, acc);
  StringAttr name = b.getStringAttr(getRow().llvmIntrinsic);
  if (getRow().instructions == 1)
    return LLVM::CallIntrinsicOp::create(b, loc, acc.getType(), name,
                                         ValueRange{acc, lhs, rhs})
        .getResults();
  Value product = LLVM::CallIntrinsicOp::create(b, loc, acc.getType(), name,
                                                ValueRange{lhs, rhs})
                      .getResults();
  return arith::AddIOp::create(b, loc, acc, product);
}

LogicalResult X86KernelAttr::emit(RewriterBase &b, Operation *op,
                                  KernelFunctions &functions) const {
  return isTile(getValue()) ? emitAMXKernel(b, op, functions)
                            : emitVectorKernel(b, op);
}

//===----------------------------------------------------------------------===//
// Choice
//===----------------------------------------------------------------------===//

namespace {

class X86Kernels : public TargetKernels {
public:
  StringRef getArch() const override { return kArch; }
  VectorFile getVectors(TargetAttr target) const override {
    return target.hasFeature("avx512f") ? VectorFile{512, 32}
                                        : VectorFile{256, 16};
  }
  MatmulKernelInterface choose(const MatmulFacts &matmul, TargetAttr target,
                               std::string &why) const override;
  MatmulKernelInterface find(MLIRContext *context,
                             StringRef name) const override {
    std::optional<X86Kernel> kernel = x86::symbolizeX86Kernel(name);
    return kernel ? X86KernelAttr::get(context, *kernel)
                  : MatmulKernelInterface();
  }
};

} // namespace

static MatmulKernelInterface chooseFloats(const MatmulFacts &matmul,
                                          TargetAttr target, std::string &why) {
  for (X86Kernel kernel : kFloats)
    if (x86::getRow(kernel).isLegalOn(target))
      return X86KernelAttr::get(target.getContext(), kernel);
  why = ("its activations are float, and there is no fused multiply-add on " +
         target.getCpu().getValue())
            .str();
  return {};
}

/// The vectors for the signs of `matmul`, where `vectors` are not.
static X86Kernel chooseSigned(const MatmulFacts &matmul, TargetAttr target,
                              X86Kernel vectors) {
  if (matmul.group != 0 || matmul.isLhsUnsigned)
    return vectors;
  for (X86Kernel kernel : kSignedVectors) {
    const KernelRow &row = x86::getRow(kernel);
    if (row.isLegalOn(target) && row.rhs.isUnsigned == matmul.isRhsUnsigned &&
        row.vectorBits == x86::getRow(vectors).vectorBits)
      return kernel;
  }
  return vectors;
}

MatmulKernelInterface X86Kernels::choose(const MatmulFacts &matmul,
                                         TargetAttr target,
                                         std::string &why) const {
  if (matmul.isLhsFloat)
    return chooseFloats(matmul, target, why);
  const X86Kernel *vectors = llvm::find_if(kVectors, [&](X86Kernel kernel) {
    return x86::getRow(kernel).isLegalOn(target);
  });
  if (vectors == std::end(kVectors)) {
    why =
        ("no integer dot product instruction on " + target.getCpu().getValue())
            .str();
    return {};
  }
  auto kernel = X86KernelAttr::get(target.getContext(), *vectors);
  why = kernel.whyNot(matmul, target);
  if (!why.empty())
    return {};
  for (X86Kernel tiles : kTiles)
    if (x86::getRow(tiles).isLegalOn(target) &&
        suitsTiles(x86::getRow(tiles), matmul, x86::getRow(*vectors)))
      return X86KernelAttr::get(target.getContext(), tiles);
  return X86KernelAttr::get(target.getContext(),
                            chooseSigned(matmul, target, *vectors));
}

void quantmlir::registerX86Kernels(DialectRegistry &registry) {
  // TableGen's dispatch of one dialect's attributes: the dialect has its own.
  (void)&generatedAttributeParser;
  (void)&generatedAttributePrinter;
  verifyRows<X86Kernel>(kRows, x86::getMaxEnumValForX86Kernel());
  addTarget<X86KernelAttr, X86Kernels>(registry);
  // What kernels of tile registers are emitted as.
  registry.insert<amx::AMXDialect>();
  registry.addExtension(+[](MLIRContext *context, QTargetDialect *) {
    context->getOrLoadDialect<amx::AMXDialect>();
  });
}
