//===- FloatElements.h - a weight's elements as floats ----------*- C++ -*-===//
//
// The weight lies as for integer activations: a 32-bit lane is one column's
// next 8 (16, 4) elements of 4 (2, 8) bits. An element becomes a float without
// a conversion: a float of 2^(23 - p) whose mantissa gets the bits from p on is
// 2^(23 - p) + q, exactly, and subtracting 2^(23 - p) + z leaves q - z,
// exactly. That is an `and` with an `or` (one instruction with AVX-512), on any
// port, and a subtraction, on ports that multiply-adds leave free; only
// elements that do not fit in the mantissa's 23 bits are shifted first, half of
// them at once.
//
// Where an instruction looks up floats by four bits of a lane (vpermps of 512
// bits), nibbles with one zero point for all are looked up in 16 differences,
// after a shift; elements of 2 bits, too, whose neighbours' bits do not count.
// Elsewhere nibbles of a code book are looked up as bytes first, and are
// widened from two vectors as bytes are.
//
// Where one looks up bf16 by five bits of a half lane (vpermw), a look-up gives
// the elements of both halves, which is what a dot product of pairs reads. With
// zero points of groups, q - z is subtracted in integers, -16 to 15, and looked
// up as a float.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_TARGET_CPU_KERNEL_FLOATELEMENTS_H
#define QUANT_TARGET_CPU_KERNEL_FLOATELEMENTS_H

#include "quant/Target/CPU/Kernel/ScaledKernel.h"

namespace quantmlir {

/// q - z of a weight's elements, in registers.
class FloatElements {
public:
  /// What is subtracted from a panel's elements: by their first bit, and of
  /// pairs as vectors of i16, if anything is.
  struct Bases {
    llvm::SmallDenseMap<int64_t, mlir::Value> byBit;
    mlir::Value ofPairs;
  };
  /// The lanes with each element of a step, and them shifted by 16 bits.
  struct Lanes {
    llvm::SmallVector<mlir::Value> parts, shifted;
  };

  FloatElements(mlir::Location loc, const ScaledKernel &kernel);

  /// Emits what is the same in all groups, if anything is; before all others.
  void prepare(mlir::OpBuilder &b);
  /// Of `group`, for `panel`.
  Bases basesOf(mlir::OpBuilder &b, mlir::Value panel, mlir::Value group) const;

  /// Elements of a column in one step over K.
  int64_t perStep() const { return 4 * kernel.perByte; }
  /// `stored`: the bytes of one step of a panel.
  Lanes read(mlir::OpBuilder &b, mlir::Value stored) const;
  /// Element `e` of a step, in the order of the layout, as f32 lanes.
  mlir::Value get(mlir::OpBuilder &b, const Lanes &lanes, int64_t e,
                  const Bases &bases) const;

  /// Whether the kernel multiplies pairs, all elements of this weight are bf16
  /// that it looks up, and K is so large that sums may lose more than split
  /// activations do.
  static bool havePairs(const ScaledKernel &kernel);
  /// The same as `prepare` for `getPair`.
  void preparePairs(mlir::OpBuilder &b);
  int64_t pairsPerStep() const { return perStep() / 2; }
  /// Which elements of a step pair `p` is: of the low half of a lane, and of
  /// the high one.
  std::pair<int64_t, int64_t> elementsOf(int64_t p) const;
  /// Pair `p` of a step, as bf16: for each lane its two elements.
  mlir::Value getPair(mlir::OpBuilder &b, mlir::Value stored, int64_t p,
                      const Bases &bases) const;

private:
  /// Where an element is in a lane: from bit `bit` on, after a shift by
  /// `shift`.
  struct Place {
    int64_t shift, bit;
  };

  bool isWidenedInPlace() const;
  int64_t getFirstBit(int64_t e) const;
  Place getPlace(int64_t e) const;
  Bases makeBases(mlir::OpBuilder &b, mlir::Value zeroPoint) const;
  Bases makePairBases(mlir::OpBuilder &b, mlir::Value zeroPoint) const;
  mlir::Value makeTable(mlir::OpBuilder &b, mlir::Value zeroPoint) const;
  mlir::Value loadZeroPoint(mlir::OpBuilder &b) const;
  mlir::Value widen(mlir::OpBuilder &b, mlir::Value lane, mlir::Value shifted,
                    Place place, const Bases &bases) const;
  mlir::Value splat(mlir::OpBuilder &b, float value) const;
  mlir::Value splat(mlir::OpBuilder &b, int32_t value) const;

  mlir::Location loc;
  const ScaledKernel &kernel;
  mlir::DenseI32ArrayAttr codebook;
  /// Of an element where it is widened.
  int64_t bits;
  mlir::VectorType floats, words;
  bool hasGroupZeros;
  /// Differences by four bits, and the same as bf16 by five; null where they
  /// are computed.
  mlir::Value table, pairTable;
  /// Where no group has its own.
  Bases ofAll;
};

} // namespace quantmlir

#endif // QUANT_TARGET_CPU_KERNEL_FLOATELEMENTS_H
