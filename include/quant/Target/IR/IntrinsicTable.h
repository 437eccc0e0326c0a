//===- IntrinsicTable.h - one row for each instruction ----------*- C++ -*-===//
//
// What passes may ask about a multiply-accumulate instruction. A row is data:
// shape, operand types, operand layouts, the features that a machine must have
// and the name under which LLVM knows the instruction. No pass switches on the
// machine; it asks `chooseIntrinsic` for a row and follows it. Adding an
// instruction is adding a `#qtarget.intrinsic` case, a row here, and, when it
// is of a new family, an emitter for the family.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_TARGET_IR_INTRINSICTABLE_H
#define QUANT_TARGET_IR_INTRINSICTABLE_H

#include "quant/Target/IR/QTarget.h"

namespace quantmlir::qtarget {

/// Instructions of one family are emitted by the same function.
enum class IntrinsicFamily {
  /// acc[n] += sum over K of broadcast lhs[k] * rhs[n, k], lhs u8, rhs s8.
  DotU8S8,
  /// The same on i16 pairs, with the accumulation as an addition of its own;
  /// rhs is stored as s8 and sign-extended when it is loaded.
  MaddI16,
  /// Tile registers: acc[m, n] += sum over K of lhs[m, k] * rhs[n, k], each
  /// operand signed or unsigned as its format says.
  TileDot,
  /// dp4a of PTX: one thread, acc += sum over 4 of lhs[k] * rhs[k].
  Dp4a,
  /// mma.sync of PTX: a warp's fragments, see Target/NVVM/FragmentLayout.h.
  MmaSync,
};

/// An operand as the instruction reads it.
struct OperandFormat {
  unsigned bits;
  bool isUnsigned;
  /// Bits of one element in memory; fewer than `bits` means sign extension.
  unsigned storedBits;
  /// Packed layout in index notation.
  llvm::StringLiteral layout;
  /// KR of the layout: elements along K that follow each other for one row.
  int64_t kTile;
};

struct IntrinsicRow {
  IntrinsicKind kind;
  llvm::StringLiteral name;
  IntrinsicFamily family;
  /// One instruction multiplies [m, k] by [k, n].
  int64_t m, n, k;
  OperandFormat lhs, rhs;
  unsigned accBits;
  /// Alternatives separated by `|`, each a conjunction separated by `+`, of
  /// LLVM feature names.
  llvm::StringLiteral features;
  unsigned vectorBits;
  llvm::StringLiteral llvmIntrinsic;
  /// K is padded to a multiple of this.
  int64_t kPadding() const { return std::max(k, lhs.kTile); }
  /// Whether the instruction is one of a GPU.
  bool isNVVM() const {
    return family == IntrinsicFamily::Dp4a ||
           family == IntrinsicFamily::MmaSync;
  }
  /// Whether the left operand is packed in tiles; else rows are read as they
  /// are.
  bool packsLhs() const {
    return isNVVM() || family == IntrinsicFamily::TileDot;
  }
  /// Whether `target` has one of the alternatives of `features`.
  bool isLegalOn(TargetAttr target) const;
};

/// All rows, best first.
llvm::ArrayRef<IntrinsicRow> getIntrinsicTable();

/// The row of `kind`.
const IntrinsicRow &getIntrinsicRow(IntrinsicKind kind);

/// The best row that `target` offers for vectors, or null.
const IntrinsicRow *chooseIntrinsic(TargetAttr target);

/// The row of tile registers for operands of these signs, or null where
/// `target` has no tiles.
const IntrinsicRow *chooseTileIntrinsic(TargetAttr target, bool lhsUnsigned,
                                        bool rhsUnsigned);

/// Every feature name that a row asks for, and those that other decisions
/// (register count, sign extension) ask for; sorted, without duplicates.
llvm::SmallVector<llvm::StringRef> getRelevantFeatures();

/// Vector registers that a program may use at the width of `row`.
int64_t getNumVectorRegisters(const IntrinsicRow &row, TargetAttr target);

} // namespace quantmlir::qtarget

#endif // QUANT_TARGET_IR_INTRINSICTABLE_H
