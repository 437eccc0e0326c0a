//===- AttentionSteps.h - what attention's reference shares -----*- C++ -*-===//
//
// Each line of an op's definition is one tensor, each element of which is
// computed by itself.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_LIB_CONVERSION_QUANTTOLINALG_ATTENTIONSTEPS_H
#define QUANT_LIB_CONVERSION_QUANTTOLINALG_ATTENTIONSTEPS_H

#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/PatternMatch.h"

namespace quantmlir {

/// The past or the new tokens, and what is computed of them: [H, G, S, tokens].
struct AttentionSegment {
  bool areNew;
  mlir::Value size;
  mlir::Value scores, powers, weights;
};

/// Of attention of rows [H, G, S] over two segments of tokens.
class AttentionSteps {
public:
  using Indices = llvm::ArrayRef<mlir::Value>;
  /// Combines what is carried with what token `t` gives.
  using Step =
      llvm::function_ref<mlir::Value(mlir::Value t, mlir::Value carried)>;

  AttentionSteps(mlir::PatternRewriter &b, mlir::Location loc)
      : b(b), loc(loc) {}

  mlir::Value index(int64_t v);
  mlir::Value extract(mlir::Value tensor, llvm::ArrayRef<mlir::Value> at);
  /// A tensor of what `element` gives at its indices.
  mlir::Value fill(llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::Type type,
                   llvm::function_ref<mlir::Value(Indices)> element);
  /// A tensor [H, G, S, last], and one [H, G, S].
  mlir::Value build(mlir::Value last, mlir::Type type,
                    llvm::function_ref<mlir::Value(Indices)> element);
  mlir::Value buildRows(mlir::Type type,
                        llvm::function_ref<mlir::Value(Indices)> element);
  /// `step` for each of [begin, end) in order.
  mlir::Value loop(mlir::Value begin, mlir::Value end, int64_t by,
                   mlir::Value init, Step step);
  /// Whether new token `row[2]` sees token `t` of `segment`.
  mlir::Value sees(const AttentionSegment &segment, Indices row, mlir::Value t);
  /// `score`, or -inf where it is not seen; `at`: [h, g, s, t].
  mlir::Value hide(const AttentionSegment &segment, Indices at,
                   mlir::Value score);

  /// [H, G, S] of the scores of both segments; then the powers of each.
  mlir::Value emitLargest();
  mlir::Value emitPowers(const AttentionSegment &segment, mlir::Value largest);
  /// [H, G, S]: the powers' sum, in `lanes` lanes.
  mlir::Value emitTotal(int64_t lanes);

  mlir::PatternRewriter &b;
  mlir::Location loc;
  /// Of [H, G, S].
  llvm::SmallVector<mlir::OpFoldResult> rows;
  llvm::SmallVector<AttentionSegment, 2> segments;
};

} // namespace quantmlir

#endif // QUANT_LIB_CONVERSION_QUANTTOLINALG_ATTENTIONSTEPS_H
