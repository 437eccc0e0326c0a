//===- EmitStored.h - stored integers and their parameters ------*- C++ -*-===//
//
// Makes the tensors of a `StoredElement` and of a `QuantizedElement`: integers
// of 4 or 8 bits, scales > 0 in f32, zero points in i32 within the range of the
// integers.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_IMPORT_QDQ_EMITSTORED_H
#define QUANT_IMPORT_QDQ_EMITSTORED_H

#include "quant/Import/QDQ/StoredElement.h"

#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/IR/Builders.h"

namespace quantmlir {

/// `scale[axes] * (ints - zeroPoint[axes])`.
struct StoredTensor {
  mlir::Value ints;
  bool isUnsigned = false;
  /// Null where there are none.
  mlir::Value scale, zeroPoint;
  /// Dimensions of `ints` that the parameters have, in order.
  llvm::SmallVector<int64_t> axes;
  /// The coordinates of the root that `ints` varies along or that have size 1;
  /// along the others all of it is repeated.
  llvm::SmallVector<int64_t> dims;
  /// Where one dimension has parameters for each group of elements: it is split
  /// into groups and what is in them, and `groups` merges them. The last group
  /// may be padded past `mergedSize`.
  llvm::SmallVector<mlir::ReassociationIndices> groups;
  int64_t splitDim = -1, mergedSize = 0;
  /// Where the members of groups do not follow each other, the dimension of the
  /// merged tensor in which they were brought together, and which element of
  /// the root stands at each place of it.
  int64_t orderedDim = -1;
  llvm::SmallVector<int64_t> order;
};

/// A place in the IR where the root of `elements` is computed, with its sizes.
struct ElementSite {
  mlir::OpBuilder &builder;
  mlir::Location loc;
  Elements &elements;
  llvm::SmallVector<mlir::OpFoldResult> sizes;
  /// Gets a text that says why nothing is made, where there is one to say.
  std::string *reason = nullptr;
  /// The root itself, where it is in the IR.
  mlir::Value root;
  /// The coordinates that a product with the root sums over, where they are
  /// known: parameters along those are of groups, not of channels.
  llvm::SmallBitVector summed = {};
  /// Constants are wanted over all of the root, where they are the same along
  /// a coordinate, too.
  bool isWhole = false;
};

/// The tensors of `stored`; nothing where its parameters are not those of a
/// quantization, or are computed in a way that no op has.
std::optional<StoredTensor> emitStored(const ElementSite &site,
                                       const StoredElement &stored);

/// A `quant.quantize` that gives `element`, of which `quantized` was read, over
/// the whole root; null where no such op is.
mlir::Value emitQuantized(const ElementSite &site, const Element *element,
                          const QuantizedElement &quantized);

/// Parameters over the coordinates `dims`.
struct ElementParameters {
  mlir::Value scale, zeroPoint;
  llvm::SmallVector<int64_t> dims;
};

/// `factor` as a scale; nothing where it is a constant that is not finite and
/// positive.
std::optional<ElementParameters> emitScale(const ElementSite &site,
                                           const Element *factor);

} // namespace quantmlir

#endif // QUANT_IMPORT_QDQ_EMITSTORED_H
