//===- ChosenWeight.h - a weight that is one of several ---------*- C++ -*-===//
//
// Mixtures of experts: a constant holds a weight for each expert, `[E, K, N]`,
// and the run's data say which one a product takes. The constant is what gets
// quantized; what the run chooses is a part of its integers.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_IMPORT_CONTRACTION_CHOSENWEIGHT_H
#define QUANT_IMPORT_CONTRACTION_CHOSENWEIGHT_H

#include "quant/Import/Contraction/ContractionMatcher.h"

#include "mlir/IR/Builders.h"

#include <optional>

namespace quantmlir {

/// Stands in `LoopTensor::loops` for the dimension of which the run chooses one
/// index.
constexpr int64_t kChosenDim = -2;

/// One of the weights that a constant holds.
struct ChosenWeight {
  /// The constant; one of its dimensions is kChosenDim.
  LoopTensor all;
  mlir::Value index;
};

/// Reads `weight` as a slice of a constant that is whole but for one dimension,
/// of which it has one index of the run time.
std::optional<ChosenWeight> matchChosenWeight(const LoopTensor &weight);

/// The part of `all` at `index` of its first dimension; null where `all` is.
mlir::Value emitChosen(mlir::OpBuilder &builder, mlir::Location loc,
                       mlir::Value all, mlir::Value index);

/// A slice of `source`, of `shape`, with steps of 1; 4-bit integers that are
/// unpacked are sliced while they are packed, if their rows are whole.
mlir::Value emitSlice(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value source, llvm::ArrayRef<int64_t> shape,
                      llvm::ArrayRef<mlir::OpFoldResult> offsets,
                      llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// Products of a batch of weights that each were looked up in a constant become
/// loops over the batch.
void loopOverChoices(mlir::Operation *root);

/// What looks up all elements of one weight of several by an index that is the
/// same for all of them (`torch.index_select`, `w[i]`) is a slice.
void sliceLookups(mlir::Operation *root);

} // namespace quantmlir

#endif // QUANT_IMPORT_CONTRACTION_CHOSENWEIGHT_H
