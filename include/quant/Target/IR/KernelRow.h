//===- KernelRow.h - one row for each kernel --------------------*- C++ -*-===//
//
// What packing, verifiers and cost models may ask about a kernel, as data:
// shape, operand types and layouts, what a machine must have. A target's folder
// has its rows in a table; nobody else knows one of them.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_TARGET_IR_KERNELROW_H
#define QUANT_TARGET_IR_KERNELROW_H

#include "quant/Target/IR/QTarget.h"

#include "llvm/Support/ErrorHandling.h"

#include <algorithm>

namespace quantmlir::qtarget {

/// An operand as the kernel reads it.
struct OperandFormat {
  unsigned bits;
  bool isUnsigned;
  /// Bits of one element in memory; fewer than `bits` means sign extension.
  unsigned storedBits;
  /// Elements along K of a tile (LayoutAttr), which follow each other for one
  /// row.
  int64_t kTile;
  /// Of the left one: f32. The kernel then has groups only.
  bool isFloat = false;
};

/// How a kernel computes products whose K is in groups.
struct GroupedFormat {
  /// NR of the packed weight; 0 where the kernel has no groups.
  int64_t panelColumns = 0;
  /// Whether a weight of bytes, and one of fewer bits, is stored unsigned.
  bool isWeightUnsigned = false, isInt4Unsigned = false;
  /// Whether the kernel sums the activations of a group itself, and is given
  /// zero points; else it is given corrections of rows and columns.
  bool takesZeroPoints = false;
  /// Whether the four bits of an element may number the entry of a code book.
  /// Entries have the sign that bytes of the weight are stored with.
  bool looksUpCodes = false;
  /// The fewest bits of an element that the kernel unpacks; those of fewer are
  /// stored in as many.
  unsigned leastBits = 4;
  /// Whether scales of groups may be bf16, widened as they are loaded; and what
  /// a machine must have for f16 (as KernelRow::features).
  bool readsNarrowScales = false;
  llvm::StringLiteral f16Features = "";
  /// Whether the packed weight lies where loops of the host read it too.
  bool isOnHost = true;

  bool storesUnsigned(unsigned bits) const {
    return bits < 8 ? isInt4Unsigned : isWeightUnsigned;
  }
};

/// MR x NR accumulators of one inner loop, in elements of the result.
struct RegisterTile {
  int64_t mr;
  int64_t nr;
};

struct KernelRow {
  llvm::StringLiteral name;
  /// LLVM's name of the architecture that has it (llvm::Triple).
  llvm::StringLiteral arch;
  /// One instruction multiplies [m, k] by [k, n].
  int64_t m, n, k;
  OperandFormat lhs, rhs;
  unsigned accBits;
  /// Alternatives separated by `|`, each a conjunction separated by `+`, of
  /// LLVM feature names.
  llvm::StringLiteral features;
  unsigned vectorBits;
  llvm::StringLiteral llvmIntrinsic;
  /// Whether the left operand is packed in tiles; else rows are read as they
  /// are.
  bool packsLhs = false;
  /// Whether tiles are those of registers with a shape: at most m rows on the
  /// left, n columns on the right.
  bool hasFixedTiles = false;
  /// Vector registers that a kernel may use.
  int64_t vectorRegisters = 16;
  /// Instructions of one multiply-accumulate.
  int64_t instructions = 1;
  /// How many times faster than the target's vectors.
  int64_t speed = 1;
  /// Of a kernel of floats: whether `multiplyAccumulate` and `lookUp` take
  /// vectors of bf16, too, of which two are multiplied for each lane.
  bool multipliesPairs = false;
  GroupedFormat grouped = {};

  /// K is padded to a multiple of this.
  int64_t kPadding() const { return std::max(k, lhs.kTile); }
  /// How operands lie that are packed in tiles of `tile`, with `rhsBits` an
  /// element of the weight and, where it is not 0, groups of `group` elements,
  /// which are entries of `codebook` if that is not null.
  LayoutAttr getLayout(mlir::MLIRContext *context, RegisterTile tile,
                       unsigned rhsBits, int64_t group,
                       mlir::DenseI32ArrayAttr codebook = {}) const;
  /// Whether `target` has one of the alternatives of `features`, and is of the
  /// architecture.
  bool isLegalOn(TargetAttr target) const;
  /// The type in which scales of groups are stored for `target`: the narrowest
  /// that has all of `scales` as they are.
  mlir::Type chooseScaleType(TargetAttr target,
                             llvm::ArrayRef<float> scales) const;
  /// Adds the names that `features` has.
  void addFeatures(llvm::SmallVectorImpl<llvm::StringRef> &names) const;
};

/// Ends the process, which cannot compute anything right, unless `rows` are
/// those of the cases of `Enum` up to `last`, in their order: it finds a row.
template <typename Enum>
void verifyRows(llvm::ArrayRef<KernelRow> rows, unsigned last) {
  for (unsigned i = 0; i < std::max<size_t>(rows.size(), last + 1); ++i) {
    llvm::StringRef expected =
        i <= last ? stringifyEnum(static_cast<Enum>(i)) : "nothing";
    llvm::StringRef found = i < rows.size() ? rows[i].name : "nothing";
    if (expected != found)
      llvm::report_fatal_error("table of kernels: expected " + expected +
                               " in row " + llvm::Twine(i) + ", found " +
                               found);
  }
}

/// The vector registers of a machine.
struct VectorFile {
  unsigned bits = 256;
  int64_t registers = 16;
};

/// A matmul as far as choosing a kernel for it goes.
struct MatmulFacts {
  /// Rows of the result when it is one matrix, ShapedType::kDynamic if only the
  /// run knows them.
  int64_t rows;
  bool isLhsUnsigned = false, isRhsUnsigned = false;
  /// Elements of a group along K, padded, and how many groups there are; 0 for
  /// a matmul without them.
  int64_t group = 0, groups = 0;
  /// Bits of the weight's elements.
  unsigned rhsBits = 8;
  /// Whether the weight has an offset, and the largest product of two elements,
  /// of a matmul with groups.
  bool hasOffset = false;
  /// Whether groups of the activations have scales, too.
  bool hasLhsScales = false;
  int64_t largestProduct = 0;
  /// Whether activations are floats.
  bool isLhsFloat = false;
  /// Whether elements of the weight are entries of a code book.
  bool hasCodebook = false;
};

/// The greatest magnitude of a product of activations of 8 bits and a weight of
/// `bits`, as a kernel sums it that takes zero points: nibbles are 16 times
/// themselves, and what has a zero point may be as far from it as its whole
/// range is wide.
int64_t getLargestProduct(int64_t bits, bool lhsZeroPoint, bool rhsZeroPoint);

} // namespace quantmlir::qtarget

#endif // QUANT_TARGET_IR_KERNELROW_H
