//===- FloatAttentionTile.h - some rows of float attention ------*- C++ -*-===//
//
// A tile is some new tokens in some heads of queries that share a head of keys
// and values: what is loaded of these is multiplied by each of its rows. All
// rows see what the first token does; what later ones see beside it is theirs
// alone.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_TARGET_CPU_VECTORIZE_ATTENTION_FLOATATTENTIONTILE_H
#define QUANT_LIB_TARGET_CPU_VECTORIZE_ATTENTION_FLOATATTENTIONTILE_H

#include "../LaneBuilder.h"

#include "quant/Dialect/Quant/IR/FloatAttention.h"
#include "quant/Target/IR/QTarget.h"

namespace quantmlir {

/// What all tiles of an op have in common.
struct FloatAttentionKernel {
  mutable FloatAttentionOp op;
  int64_t d;
  /// Of vectors of tokens, and of a head's elements.
  int64_t lanes, valueLanes;
  /// Registers that sums may take, and rows of a tile.
  int64_t accumulators, maxRows;
  /// Tokens of the past, and the column where scores of new ones begin.
  mlir::Value past, newBegin;

  FloatAttentionKernel(FloatAttentionOp op, qtarget::TargetAttr target);

  /// Vectors of tokens, and of elements, that `rows` rows take at once.
  int64_t getKeyVectors(int64_t rows) const;
  int64_t getValueVectors(int64_t rows) const;
};

/// One tile.
struct FloatAttentionTile : LaneBuilder {
  const FloatAttentionKernel &kernel;
  /// [rows, tokens in vectors] f32: scores, then what values are weighted by;
  /// [rows] f32: the largest score, and the weights' sum.
  mlir::Value scores, largest, total;
  /// Head of keys and values, the first of queries, the first new token.
  mlir::Value head, group, token;
  int64_t groups, tokens;

  /// Scores of all tokens that it sees, and the largest of each row.
  void emitScores() const;
  /// Their powers, and the sums of these.
  void emitWeights() const;
  /// What the op gives.
  void emitSums() const;

  int64_t getRows() const { return groups * tokens; }
  /// Tokens after the first one that row `r` is.
  int64_t getLater(int64_t r) const { return r / groups; }
  mlir::Value tokenOf(int64_t r) const { return plus(token, getLater(r)); }
  mlir::Value groupOf(int64_t r) const { return plus(group, r % groups); }
  /// Tokens of the past, or new ones, that all rows see.
  mlir::Value countSeen(bool areNew) const {
    return areNew ? plus(token, 1) : kernel.past;
  }
  /// The column of the scores of those.
  mlir::Value getFirstColumn(bool areNew) const {
    return areNew ? kernel.newBegin : index(0);
  }
};

} // namespace quantmlir

#endif // QUANT_LIB_TARGET_CPU_VECTORIZE_ATTENTION_FLOATATTENTIONTILE_H
