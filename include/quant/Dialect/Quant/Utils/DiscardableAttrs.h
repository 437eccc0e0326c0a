//===- DiscardableAttrs.h - what ops carry for later passes -----*- C++ -*-===//
//
// The discardable attributes of this project, all of them, in upstream's
// namespace `quant`, whose dialect has no hook that would verify another's.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_DIALECT_QUANT_UTILS_DISCARDABLEATTRS_H
#define QUANT_DIALECT_QUANT_UTILS_DISCARDABLEATTRS_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/StringRef.h"

namespace quantmlir {

/// The name of a product, by which statistics, recipes and reports know it
/// (Import/MatmulNames.h). A string.
inline constexpr llvm::StringLiteral kMatmulNameAttr = "quant.name";

/// `<function>#<ordinal>` of a product that has another name: recipes may use
/// both. A string.
inline constexpr llvm::StringLiteral kMatmulOrdinalAttr = "quant.ordinal";

/// The op that a contraction was in the program as it was written, where that
/// is another one. A string.
inline constexpr llvm::StringLiteral kMatmulKindAttr = "quant.kind";

/// The options of one product, which come before a recipe's. A string.
inline constexpr llvm::StringLiteral kSchemeAttr = "quant.scheme";

/// Why a product stays as it was. A string.
inline constexpr llvm::StringLiteral kLeftAttr = "quant.left";

/// The same where the user said so: a recipe, `exclude`, no scheme at all.
inline constexpr llvm::StringLiteral kLeftAsAskedAttr = "quant.left_as_asked";

/// On a product with a weight in integers: why its activations are not
/// quantized by the scheme that was asked for. A string.
inline constexpr llvm::StringLiteral kSchemeDroppedAttr =
    "quant.scheme_dropped";

/// On a product in integers: which part of the scheme that was asked for it is
/// without, and why. A string.
inline constexpr llvm::StringLiteral kSchemePartlyAttr = "quant.scheme_partly";

/// On the module: why how many products take the portable lowering, which is
/// correct and slow; a dictionary from reasons to numbers.
inline constexpr llvm::StringLiteral kPortableAttr = "quant.portable";

/// On an scf.for whose iterations do not depend on each other: about how many
/// elements one of them computes. An integer.
inline constexpr llvm::StringLiteral kIndependentAttr = "quant.independent";

/// On a kernel for a GPU: how it is launched. An array of i64.
inline constexpr llvm::StringLiteral kLaunchAttr = "quant.launch";

/// On the module: the rank that the program is for, which it asks MPI about
/// when it is called. An integer.
inline constexpr llvm::StringLiteral kRankAttr = "quant.rank";

/// Attributes of `op` in the namespace `quant` are those above, and have values
/// of their kind; else there is a diagnostic at `op`.
llvm::LogicalResult verifyDiscardableAttrs(mlir::Operation *op);

} // namespace quantmlir

#endif // QUANT_DIALECT_QUANT_UTILS_DISCARDABLEATTRS_H
