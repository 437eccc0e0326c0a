//===- ArmKernels.cpp - the kernels of AArch64 ----------------------------===//
//
// Arm Architecture Reference Manual for A-profile, C7.2: SDOT, USDOT, SMMLA,
// USMMLA (vector), SMULL, SADALP. The layouts are those of KleidiAI's
// micro-kernels: four (dot products) or eight (matrix multiplications) elements
// along K of one column follow each other.
//
//===----------------------------------------------------------------------===//

#include "quant/Target/Arm/ArmKernels.h"

#include "quant/Target/CPU/Kernel/EmitKernel.h"
#include "quant/Target/CPU/Schedule/RegisterTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace quantmlir;
using namespace quantmlir::qtarget;
using quantmlir::arm::ArmKernel;

#include "quant/Target/Arm/ArmKernelEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "quant/Target/Arm/ArmKernels.cpp.inc"

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

static constexpr llvm::StringLiteral kArmArch = "aarch64";

/// Bytes by bytes into four i32 lanes, `k` elements along K a step.
static constexpr KernelRow bytes(llvm::StringLiteral name, int64_t m, int64_t k,
                                 bool lhsUnsigned, llvm::StringLiteral features,
                                 llvm::StringLiteral llvmIntrinsic) {
  KernelRow row = {name,
                   kArmArch,
                   m,
                   4,
                   k,
                   {8, lhsUnsigned, 8, k},
                   {8, false, 8, k},
                   32,
                   features,
                   128,
                   llvmIntrinsic};
  row.vectorRegisters = 32;
  return row;
}

/// smull makes i16 of eight products, sadalp adds neighbours to i32 lanes.
static constexpr KernelRow widening() {
  KernelRow row =
      bytes("smull_128", 1, 2, false, "neon", "llvm.aarch64.neon.smull.v8i16");
  row.instructions = 2;
  return row;
}

/// A dot product of four bytes, also of groups: a weight of nibbles is stored
/// as 0 to 15, which both signs hold.
static constexpr KernelRow dot(llvm::StringLiteral name, bool isWeightUnsigned,
                               llvm::StringLiteral features,
                               llvm::StringLiteral llvmIntrinsic) {
  KernelRow row = bytes(name, 1, 4, isWeightUnsigned, features, llvmIntrinsic);
  row.grouped.panelColumns = 4;
  row.grouped.isWeightUnsigned = isWeightUnsigned;
  row.grouped.isInt4Unsigned = true;
  row.grouped.looksUpCodes = true;
  row.grouped.leastBits = 2;
  row.grouped.readsNarrowScales = true;
  return row;
}

/// Two rows by two columns of eight bytes; two instructions make four columns.
static constexpr KernelRow matrix(llvm::StringLiteral name, bool lhsUnsigned,
                                  llvm::StringLiteral llvmIntrinsic) {
  KernelRow row = bytes(name, 2, 8, lhsUnsigned, "i8mm", llvmIntrinsic);
  return row;
}

/// Floats by a weight that is widened to floats.
static constexpr KernelRow floats() {
  KernelRow row = bytes("fmla_128", 1, 4, true, "neon", "llvm.fma");
  row.k = 1;
  row.lhs = {32, false, 32, 1, /*isFloat=*/true};
  row.grouped = {4,
                 /*isWeightUnsigned=*/true,
                 /*isInt4Unsigned=*/true,
                 /*takesZeroPoints=*/false,
                 /*looksUpCodes=*/true,
                 /*leastBits=*/2};
  row.grouped.readsNarrowScales = true;
  return row;
}

static constexpr KernelRow kArmRows[] = {
    widening(),
    dot("sdot_128", false, "dotprod", "llvm.aarch64.neon.sdot.v4i32.v16i8"),
    dot("usdot_128", true, "i8mm", "llvm.aarch64.neon.usdot.v4i32.v16i8"),
    matrix("smmla_128", false, "llvm.aarch64.neon.smmla.v4i32.v16i8"),
    matrix("usmmla_128", true, "llvm.aarch64.neon.usmmla.v4i32.v16i8"),
    floats(),
};

const KernelRow &arm::getRow(ArmKernel kernel) {
  return kArmRows[static_cast<unsigned>(kernel)];
}

SmallVector<StringRef> arm::getRelevantFeatures() {
  SmallVector<StringRef> names;
  for (const KernelRow &row : kArmRows)
    row.addFeatures(names);
  llvm::sort(names);
  names.erase(llvm::unique(names), names.end());
  return names;
}

//===----------------------------------------------------------------------===//
// The interface
//===----------------------------------------------------------------------===//

const KernelRow &ArmKernelAttr::getRow() const {
  return arm::getRow(getValue());
}

RegisterTile ArmKernelAttr::chooseTile(int64_t m, int64_t n,
                                       bool nibbles) const {
  return chooseRegisterTile(getRow(), m, n, nibbles);
}

/// Of 32 registers, eight accumulate integers and eight floats, so that nothing
/// waits on the stack; two hold weights and one activations.
RegisterTile ArmKernelAttr::chooseGroupedTile(int64_t group,
                                              TargetAttr target) const {
  return {4, 2};
}

ScheduleAttr ArmKernelAttr::chooseSchedule(RegisterTile tile, TargetAttr target,
                                           int64_t m, int64_t k) const {
  return quantmlir::chooseSchedule(getContext(), getRow(), tile, target, m, k);
}

/// smmla has its two rows of two columns as one register.
SmallVector<int64_t> ArmKernelAttr::getAccumulatorOrder() const {
  return getRow().m == 2 ? SmallVector<int64_t>{0, 1, 4, 5, 2, 3, 6, 7}
                         : SmallVector<int64_t>();
}

static Value callIntrinsic(OpBuilder &b, Location loc, Type type,
                           StringRef name, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(b, loc, type, b.getStringAttr(name),
                                       operands)
      .getResults();
}

/// Part `i` of two of a vector.
static Value getHalf(OpBuilder &b, Location loc, Value vector, int64_t i) {
  int64_t size = cast<VectorType>(vector.getType()).getNumElements() / 2;
  return vector::ExtractStridedSliceOp::create(
      b, loc, vector, ArrayRef<int64_t>{i * size}, ArrayRef<int64_t>{size},
      ArrayRef<int64_t>{1});
}

/// Two columns after two.
static Value multiplyMatrices(OpBuilder &b, Location loc, StringRef name,
                              Value acc, Value lhs, Value rhs) {
  SmallVector<Value> halves;
  for (int64_t i : {0, 1}) {
    Value half = getHalf(b, loc, acc, i);
    halves.push_back(
        callIntrinsic(b, loc, half.getType(), name,
                      ValueRange{half, lhs, getHalf(b, loc, rhs, i)}));
  }
  auto all = llvm::to_vector(llvm::seq<int64_t>(0, 8));
  return vector::ShuffleOp::create(b, loc, halves[0], halves[1], all);
}

Value ArmKernelAttr::multiplyAccumulate(OpBuilder &b, Location loc, Value acc,
                                        Value lhs, Value rhs) const {
  StringRef name = getRow().llvmIntrinsic;
  switch (getValue()) {
  case ArmKernel::SMULL_128: {
    Value products = callIntrinsic(b, loc, VectorType::get({8}, b.getI16Type()),
                                   name, ValueRange{lhs, rhs});
    Value pairs =
        callIntrinsic(b, loc, acc.getType(),
                      "llvm.aarch64.neon.saddlp.v4i32.v8i16", products);
    return arith::AddIOp::create(b, loc, acc, pairs);
  }
  case ArmKernel::SDOT_128:
  case ArmKernel::USDOT_128:
    return callIntrinsic(b, loc, acc.getType(), name,
                         ValueRange{acc, lhs, rhs});
  case ArmKernel::SMMLA_128:
  case ArmKernel::USMMLA_128:
    return multiplyMatrices(b, loc, name, acc, lhs, rhs);
  case ArmKernel::FMLA_128:
    return math::FmaOp::create(b, loc, lhs, rhs, acc);
  }
  llvm_unreachable("every kernel has a multiply-accumulate");
}

/// By TBL of one register.
SmallVector<Value> ArmKernelAttr::lookUpNibbles(OpBuilder &b, Location loc,
                                                ArrayRef<int8_t> table,
                                                Value bytes, TargetAttr) const {
  auto type = cast<VectorType>(bytes.getType());
  auto splat = [&](int8_t value) -> Value {
    return arith::ConstantOp::create(b, loc,
                                     DenseElementsAttr::get(type, value));
  };
  Value entries =
      arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, table));
  Value low = arith::AndIOp::create(b, loc, bytes, splat(15));
  Value high = arith::ShRUIOp::create(b, loc, bytes, splat(4));
  SmallVector<Value> parts;
  for (Value indices : {low, high})
    parts.push_back(callIntrinsic(b, loc, type, "llvm.aarch64.neon.tbl1.v16i8",
                                  ValueRange{entries, indices}));
  return parts;
}

LogicalResult ArmKernelAttr::emit(RewriterBase &b, Operation *op,
                                  KernelFunctions &functions) const {
  return emitVectorKernel(b, op);
}

//===----------------------------------------------------------------------===//
// Choice
//===----------------------------------------------------------------------===//

namespace {

class ArmKernels : public TargetKernels {
public:
  StringRef getArch() const override { return kArmArch; }
  VectorFile getVectors(TargetAttr) const override { return {128, 32}; }
  MatmulKernelInterface choose(const MatmulFacts &matmul, TargetAttr target,
                               std::string &why) const override;
  MatmulKernelInterface find(MLIRContext *context,
                             StringRef name) const override {
    std::optional<ArmKernel> kernel = arm::symbolizeArmKernel(name);
    return kernel ? ArmKernelAttr::get(context, *kernel)
                  : MatmulKernelInterface();
  }
};

} // namespace

/// Best first. One row alone leaves half of a matrix multiplication idle; an
/// unsigned left operand needs no shift where there is an instruction for it.
static SmallVector<ArmKernel> getCandidates(const MatmulFacts &matmul) {
  if (matmul.isLhsFloat)
    return {ArmKernel::FMLA_128};
  // Signed entries of a code book need no correction.
  if (matmul.group != 0 && matmul.hasCodebook)
    return {ArmKernel::SDOT_128, ArmKernel::USDOT_128, ArmKernel::SMULL_128};
  if (matmul.group != 0)
    return {ArmKernel::USDOT_128, ArmKernel::SDOT_128, ArmKernel::SMULL_128};
  SmallVector<ArmKernel> candidates;
  if (matmul.rows != 1)
    candidates = {matmul.isLhsUnsigned && !matmul.isRhsUnsigned
                      ? ArmKernel::USMMLA_128
                      : ArmKernel::SMMLA_128};
  candidates.append({ArmKernel::SDOT_128, ArmKernel::SMULL_128});
  return candidates;
}

MatmulKernelInterface ArmKernels::choose(const MatmulFacts &matmul,
                                         TargetAttr target,
                                         std::string &why) const {
  why = ("no integer dot product instruction on " + target.getCpu().getValue())
            .str();
  for (ArmKernel candidate : getCandidates(matmul)) {
    if (!arm::getRow(candidate).isLegalOn(target))
      continue;
    auto kernel = ArmKernelAttr::get(target.getContext(), candidate);
    why = kernel.whyNot(matmul, target);
    return why.empty() ? kernel : MatmulKernelInterface();
  }
  return {};
}

void quantmlir::registerArmKernels(DialectRegistry &registry) {
  // TableGen's dispatch of one dialect's attributes: the dialect has its own.
  (void)&generatedAttributeParser;
  (void)&generatedAttributePrinter;
  verifyRows<ArmKernel>(kArmRows, arm::getMaxEnumValForArmKernel());
  addTarget<ArmKernelAttr, ArmKernels>(registry);
}
