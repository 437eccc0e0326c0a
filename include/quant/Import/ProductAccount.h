//===- ProductAccount.h - what became of every product ----------*- C++ -*-===//
//
// At the end of the quant stage every product of tensors (a contraction or a
// convolution) is either in integers or left, and for each that is left there
// is a reason. What a program or a scheme wants of compile time, but happens in
// every call, is listed as well. Read only.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_IMPORT_PRODUCTACCOUNT_H
#define QUANT_IMPORT_PRODUCTACCOUNT_H

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace quantmlir {

/// What there is to say about an op.
enum class AccountKind {
  LeftFloat,     // a product of floats
  LeftInteger,   // a product of integers that is no op of `quant`
  SchemeDropped, // a weight in integers, activations that stay float
  SchemePartly,  // quantized, but not by all of the scheme
  EveryCall      // a weight that is quantized in every call
};

struct AccountEntry {
  mlir::Location location;
  AccountKind kind = AccountKind::LeftFloat;
  std::string reason;
  /// Whether it is what the user asked for, and so nothing to complain of.
  bool asAsked = false;
  /// Whether the pass that left it has said so.
  bool wasSaid = false;
  /// Of what is left: whether it is a convolution, and whether one operand is a
  /// weight.
  bool isConvolution = false, hasWeight = false;

  bool isLeft() const {
    return kind == AccountKind::LeftFloat || kind == AccountKind::LeftInteger;
  }
  /// The entry as a remark.
  std::string getText() const;
};

struct ProductAccount {
  /// Products with a weight, or both operands, in integers.
  int64_t numInteger = 0;
  /// In walk order.
  std::vector<AccountEntry> entries;

  int64_t getNumLeft() const;
};

/// Looks at a module at the end of the quant stage; `isSchemeAsked`: whether
/// float products were to be quantized.
ProductAccount accountProducts(mlir::ModuleOp module, bool isSchemeAsked);

} // namespace quantmlir

#endif // QUANT_IMPORT_PRODUCTACCOUNT_H
