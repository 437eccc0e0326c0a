//===- AttentionTile.h - some rows of attention over integers ---*- C++ -*-===//
//
// A tile is one new token in up to four heads of queries that share a head of
// keys and values: all of its rows see the same tokens, and what is loaded of
// these is multiplied by each.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_TARGET_CPU_VECTORIZE_ATTENTION_ATTENTIONTILE_H
#define QUANT_LIB_TARGET_CPU_VECTORIZE_ATTENTION_ATTENTIONTILE_H

#include "../LaneBuilder.h"
#include "ByteDots.h"

#include "quant/Dialect/Quant/IR/CachedAttention.h"

namespace quantmlir {

/// Of maxima, which are one instruction then; scores and weights are no NaN.
inline constexpr auto kNoNaN =
    mlir::arith::FastMathFlags::nnan | mlir::arith::FastMathFlags::nsz;

/// Memory that the tiles of a head use one after the other, for `rows` rows.
struct AttentionScratch {
  /// [rows, tokens in blocks of both kinds] f32: scores.
  mlir::Value scores;
  /// [rows, a block] i8: quantized weights; [rows] f32: what they stand for.
  mlir::Value weights, weightScale;
  /// [rows, D] f32 in the order in which accumulators have them.
  mlir::Value sums;
  /// [rows] f32, and [rows, lanes] f32: the largest score, the powers' sum.
  mlir::Value largest, total;
  /// [rows, 2, D / 2] i8: even and odd elements of queries; only of 4 bits.
  mlir::Value halves;
};

/// What all tiles of an op have in common.
struct AttentionKernel {
  mutable CachedAttentionOp op;
  /// Of queries and keys, of weights and values.
  ByteDots keys, values;
  int64_t d;
  bool isInt4;
  /// Tokens of the past, and where scores of new ones begin.
  mlir::Value past, newBegin;

  static constexpr int64_t kMaxRows = 4;

  AttentionKernel(CachedAttentionOp op, qtarget::TargetAttr target);

  /// Vectors of keys that are multiplied at once by `rows` rows.
  int64_t getKeyVectors(int64_t rows) const;
  /// Rows by which a vector of values is multiplied at once.
  int64_t getValueRows(int64_t rows) const;
  /// Products of a byte of values: with one element, or two of four bits.
  int64_t getNibbles() const { return isInt4 ? 2 : 1; }
};

/// One tile.
struct AttentionTile : LaneBuilder {
  const AttentionKernel &kernel;
  const AttentionScratch &scratch;
  /// Head of keys and values, the first of queries, the new token.
  mlir::Value head, group, token;
  int64_t rows;

  /// Scores of all tokens that it sees, and the largest of each row.
  void emitScores();
  /// Weights, sums, and the powers' total.
  void emitSums();
  /// What the op gives.
  void emitResult();

  // What the parts share.
  /// Four bytes at `at` in each lane of a vector of bytes of `dots`.
  mlir::Value fourBytes(const ByteDots &dots, mlir::Value bytes,
                        mlir::ValueRange at) const;
  /// Tokens of the past, and new ones, that the tile sees.
  mlir::Value countSeen(bool areNew) const;
  /// The column of its scores where those begin.
  mlir::Value getFirstColumn(bool areNew) const;
};

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_CPU_VECTORIZE_ATTENTION_ATTENTIONTILE_H
