//===- ScaledWeight.h - a grouped weight as the kernel reads it -*- C++ -*-===//

#ifndef QUANT_LIB_PACKING_SCALEDWEIGHT_H
#define QUANT_LIB_PACKING_SCALEDWEIGHT_H

#include "mlir/IR/PatternMatch.h"
#include "quant/Dialect/Quant/Utils/Constants.h"
#include "quant/Target/IR/KernelRow.h"
#include "quant/Target/IR/PackedMatmul.h"

#include "llvm/Support/MathExtras.h"

#include <string>

namespace quantmlir {

/// How the K of an op is divided for the kernel.
struct GroupLayout {
  /// Elements of a group in the program, and in the packed weight. Where the
  /// activations have scales for shorter blocks, groups are as short: each has
  /// the parameters of the longer one that it is a part of.
  int64_t groupSize, paddedGroup;
  /// Elements that share parameters in the program.
  int64_t sharedSize;
  int64_t groups, k;
  /// Columns, and lanes of a panel.
  int64_t n, lanes;
  /// Of an element in the packed weight: those in the program, or more where
  /// the kernel does not unpack so few, and why.
  unsigned bits;
  std::string widened;
  /// Weights that the constant holds, one after the other, and which of them
  /// the run chooses: null where it is the only one.
  int64_t count = 1;
  mlir::Value index;

  /// Elements of a column in one step, and in one byte of it.
  int64_t stepSize() const { return 32 / bits; }
  int64_t perByte() const { return 8 / bits; }
  int64_t steps() const { return paddedGroup / stepSize(); }
  int64_t panels() const { return (n + lanes - 1) / lanes; }
  int64_t allColumns() const { return count * n; }
  int64_t allPanels() const { return count * panels(); }
  int64_t paddedK() const { return groups * paddedGroup; }
  /// Group `g` in the program's parameters, and how many a column has there.
  int64_t shared(int64_t g) const { return g * groupSize / sharedSize; }
  int64_t numShared() const { return (k + sharedSize - 1) / sharedSize; }
  /// Elements of group `g` in the program.
  int64_t length(int64_t g) const {
    return std::min(groupSize, k - g * groupSize);
  }
};

/// The constant weight of an op: its elements, shifted to have the sign that
/// the instruction reads. Where the run chooses it from several, it is all of
/// them below each other: their panels are packed as one constant, and those of
/// the choice are a slice.
///
/// Where groups have one of two zero points that mirror each other (full-range
/// scales: 0 and -1), those with the smaller one are mirrored, q to -1 - q or,
/// unsigned, to the largest one less q, and their scales negated. Their sums
/// change the sign and nothing else, so results keep every bit, and one zero
/// point for all groups needs no correction for each.
class ScaledWeight {
public:
  /// Empty, with a reason, where the weight is not a constant of this form.
  static std::optional<ScaledWeight>
  get(ScaledMatmulOp op, const qtarget::KernelRow &row, std::string &reason);

  const GroupLayout &layout() const { return group; }
  /// The constant parameters of all weights; null where `parameter` is none.
  mlir::Value getAll(mlir::Value parameter) const;
  /// What was added to each element, or entry of the code book: 0, or 2, 8 or
  /// 128 of either sign.
  int32_t shift() const { return added; }

  /// The zero points, shifted like the elements: one for all groups, or one for
  /// each.
  llvm::ArrayRef<int32_t> zeroPoints() const { return zeros; }
  bool hasZeroPoint() const { return zeros.size() > 1 || zeros.front() != 0; }
  /// One for each group, [N, K/G] of all weights; likewise the sums.
  std::vector<int32_t> zeroPointsOfGroups() const;
  /// Constant parameters of the groups, [N, K/G] of all weights.
  llvm::SmallVector<float> getFloats(mlir::Value parameter) const;
  /// `scales` of the groups, [N, K/G], as the stored elements want them.
  llvm::SmallVector<float> orient(llvm::SmallVector<float> scales) const;

  /// Entries of the code book as the instruction reads them, `shift` added;
  /// empty without one, and where elements are looked up here: kernels that do
  /// not look up have entries as bytes.
  llvm::ArrayRef<int32_t> codebook() const {
    return isDecoded() ? llvm::ArrayRef<int32_t>()
                       : llvm::ArrayRef<int32_t>(codes);
  }

  /// [N/NR][K/G][G/KB][NR][4].
  mlir::Value pack(mlir::OpBuilder &b, mlir::Location loc) const;
  /// Has single elements of the constant weight of `op` read from `panels`, its
  /// packed form, where nothing else needs the constant (a tied embedding):
  /// two of them would be kept otherwise.
  void readPacked(mlir::RewriterBase &b, ScaledMatmulOp op,
                  mlir::Value panels) const;
  /// The sum of each group of each column, [N, K/G].
  std::vector<int32_t> sumGroups() const;
  /// The sum of its elements less its zero point.
  std::vector<int32_t> sumDifferences() const;

private:
  void setZeroPoints(ScaledMatmulOp op);

  /// The number that the instruction reads.
  int32_t number(int64_t n, int64_t k) const {
    int32_t bits = at(n, k), sign = 1 << (group.bits - 1);
    if (!codebook().empty())
      return codes[bits];
    return isUnsigned ? bits : (bits ^ sign) - sign;
  }
  /// Its bits as they are stored.
  int32_t at(int64_t n, int64_t k) const {
    int64_t place = k & ((1 << logPerByte) - 1);
    uint8_t byte = bytes[n * rowBytes() + (k >> logPerByte)];
    byte >>= place * storedBits;
    byte ^= flip;
    if (!mirrored.empty() && mirrored[n * group.groups + k / group.groupSize])
      byte = ~byte;
    byte &= llvm::maskTrailingOnes<uint8_t>(storedBits);
    if (isDecoded())
      return codes[byte] & 255;
    if (isUnsigned || storedBits == group.bits)
      return byte;
    return llvm::SignExtend32(byte, storedBits) &
           llvm::maskTrailingOnes<uint32_t>(group.bits);
  }
  int64_t rowBytes() const {
    return (group.k + (1 << logPerByte) - 1) >> logPerByte;
  }
  bool isDecoded() const { return !codes.empty() && group.bits == 8; }

  GroupLayout group;
  llvm::ArrayRef<uint8_t> bytes;
  std::vector<uint8_t> owned;
  /// Each of `bytes` holds 2 to this many elements.
  unsigned logPerByte = 0;
  /// Of an element in `bytes`.
  unsigned storedBits = 8;
  /// The sign bit, flipped to add `added`.
  uint8_t flip = 0;
  int32_t added = 0;
  /// As the instruction reads it.
  bool isUnsigned = false;
  std::vector<int32_t> zeros;
  std::vector<int32_t> codes;
  /// For each group; empty if none is.
  std::vector<bool> mirrored;
};

/// Values for each group of each column, [N, K/G], to [N/NR][K/G][NR], in a
/// float type that has them, with zeros in columns past N. Values are those of
/// all weights, and the result those of the chosen one.
mlir::Value packGroupFloats(mlir::OpBuilder &b, mlir::Location loc,
                            const GroupLayout &layout, mlir::Type element,
                            llvm::ArrayRef<float> values);
mlir::Value packGroupInts(mlir::OpBuilder &b, mlir::Location loc,
                          const GroupLayout &layout,
                          llvm::ArrayRef<int32_t> values);
/// Several of them to [R][N/NR][K/G][NR].
mlir::Value stackGroupInts(mlir::OpBuilder &b, mlir::Location loc,
                           const GroupLayout &layout,
                           llvm::ArrayRef<std::vector<int32_t>> values);

} // namespace quantmlir

#endif // QUANT_LIB_PACKING_SCALEDWEIGHT_H
