//===- Element.h - what one element of a tensor is made of ------*- C++ -*-===//
//
// Exporters spell the same arithmetic in many ways: one `linalg.generic` or one
// for each step, named ops, reshapes and casts between, parameters of any rank
// behind any map. An `Element` is what all of them mean: the expression of one
// element of a tensor by the coordinates of a root tensor, with the tensors
// that it is read from as its leaves.
//
//===----------------------------------------------------------------------===//

#ifndef QUANT_IMPORT_ELEMENTS_ELEMENT_H
#define QUANT_IMPORT_ELEMENTS_ELEMENT_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Value.h"

#include <deque>
#include <optional>

namespace quantmlir {

/// Scalar operations of `arith` and `math` that elements are computed by. What
/// is none of them ends an expression.
enum class ElementOpcode {
  AddI,
  SubI,
  MulI,
  AndI,
  OrI,
  XOrI,
  ShLI,
  ShRUI,
  ShRSI,
  DivUI,
  DivSI,
  RemUI,
  RemSI,
  MaxSI,
  MinSI,
  MaxUI,
  MinUI,
  CmpI,
  ExtSI,
  ExtUI,
  TruncI,
  IndexCast,
  IndexCastUI,
  SIToFP,
  UIToFP,
  FPToSI,
  FPToUI,
  AddF,
  SubF,
  MulF,
  DivF,
  NegF,
  AbsF,
  MaximumF,
  MinimumF,
  MaxNumF,
  MinNumF,
  CmpF,
  ExtF,
  TruncF,
  RoundEven,
  Floor,
  Ceil,
  Fma,
  Select,
};

struct Element {
  enum class Kind {
    /// The element of the tensor `value` at `indices`.
    Tensor,
    /// `value`, a scalar that is computed elsewhere.
    Scalar,
    Constant,
    /// `indices.front()` as a number.
    Index,
    /// `opcode` of `operands`.
    Operation,
    /// The element of the tensor `value` at what `operands` are.
    Gather,
  };
  Kind kind;
  /// Of the element, not of the tensor.
  mlir::Type type;
  mlir::Value value;
  /// Coordinates in `value`, by those of the root.
  llvm::SmallVector<mlir::AffineExpr, 4> indices;
  mlir::TypedAttr constant;
  ElementOpcode opcode = ElementOpcode::AddI;
  /// Of a comparison.
  int64_t predicate = 0;
  llvm::SmallVector<const Element *, 3> operands;

  bool is(ElementOpcode wanted) const {
    return kind == Kind::Operation && opcode == wanted;
  }
};

/// Makes and keeps the elements of one root tensor.
class Elements {
public:
  /// Coordinates are those of a tensor of `shape`, which may be dynamic.
  Elements(mlir::MLIRContext *context, llvm::ArrayRef<int64_t> shape);

  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  /// The element of `root` at the coordinates themselves.
  const Element *getRoot(mlir::Value root);
  const Element *getTensor(mlir::Value tensor,
                           llvm::ArrayRef<mlir::AffineExpr> indices);
  /// `value` in the body of `op`, whose loops are the coordinates; null where
  /// it is not made of elements.
  const Element *getInBody(mlir::linalg::LinalgOp op, mlir::Value value);
  const Element *getConstant(mlir::TypedAttr value);
  const Element *getOperation(ElementOpcode opcode, mlir::Type type,
                              llvm::ArrayRef<const Element *> operands);

  /// `element` by what computes it, one op further up: an operation, or an
  /// element of the tensor that it was moved from. Null where its tensor is
  /// defined by anything but movement and elementwise arithmetic.
  const Element *expand(const Element *element);
  /// Expanded until it is no element of a tensor any more, if it can be.
  const Element *resolve(const Element *element);

  /// The number that `element` is everywhere; null where it is no constant.
  mlir::TypedAttr getNumber(const Element *element);

  /// `expr` with what the sizes of the coordinates say.
  mlir::AffineExpr simplify(mlir::AffineExpr expr) const;

private:
  const Element *make(Element element);
  const Element *expandLinalg(const Element *element, mlir::linalg::LinalgOp op,
                              unsigned result);
  const Element *expandMovement(const Element *element, mlir::Operation *op);
  /// One op's body on the way: where its loops are, and what was made of it.
  struct Body {
    mlir::linalg::LinalgOp op;
    llvm::ArrayRef<mlir::AffineExpr> loops;
    llvm::DenseMap<mlir::Value, const Element *> made;
  };
  const Element *getScalar(mlir::Value value, Body &body);
  const Element *getHalves(mlir::Type type, const Element *narrow);
  const Element *makeScalar(mlir::Value value, Body &body);
  const Element *getGather(mlir::Operation *extract, Body &body);
  const Element *getApplied(mlir::Operation *apply, Body &body);
  const Element *expandGather(const Element *element);
  const Element *substitute(const Element *element,
                            llvm::ArrayRef<const Element *> coordinates);
  const Element *substitute(mlir::AffineExpr expr,
                            llvm::ArrayRef<const Element *> coordinates);
  const Element *expandChoice(const Element *element, mlir::Operation *op);
  const Element *getIndex(mlir::AffineExpr expr);
  const Element *getWithin(const Element *inside, const Element *outside,
                           llvm::ArrayRef<mlir::AffineExpr> indices,
                           llvm::ArrayRef<int64_t> offsets,
                           llvm::ArrayRef<int64_t> sizes,
                           llvm::ArrayRef<int64_t> whole);
  mlir::AffineExpr getAffine(const Element *element) const;

  mlir::MLIRContext *context;
  llvm::SmallVector<int64_t> shape;
  /// Elements do not move once they are made.
  std::deque<Element> elements;
  llvm::DenseMap<const Element *, const Element *> expanded;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<const Element *, 1>> ofTensor;
};

/// The opcode of `op`, if it is one of them.
std::optional<ElementOpcode> getElementOpcode(mlir::Operation *op);
/// The name of the op that computes `opcode`.
llvm::StringRef getElementOpcodeName(ElementOpcode opcode);

} // namespace quantmlir

#endif // QUANT_IMPORT_ELEMENTS_ELEMENT_H
