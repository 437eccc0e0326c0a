//===- SharedWeights.h - a constant weight of several products --*- C++ -*-===//

#ifndef QUANT_LIB_QUANTIZE_SHAREDWEIGHTS_H
#define QUANT_LIB_QUANTIZE_SHAREDWEIGHTS_H

#include "quant/Import/Contraction/RescaledMatmul.h"

#include "mlir/IR/Builders.h"

namespace quantmlir {

/// Weights that were laid out or quantized already, by the constant that they
/// are: a weight that several products share is quantized once, and stored
/// once.
class SharedWeights {
public:
  /// A constant, and which role each of its dimensions has.
  struct Key {
    mlir::Attribute constant;
    llvm::SmallVector<int64_t> roles;
  };
  /// None where `weight`, the right-hand side or what holds it, is no constant.
  static std::optional<Key> getKey(const Contraction &c,
                                   const LoopTensor &weight);

  /// The tensors of the weight `key`, as constants at `builder`.
  std::optional<QuantizedMatrix> emit(mlir::OpBuilder &builder,
                                      mlir::Location loc, const Key &key) const;
  /// Keeps `matrix`, if all of its tensors are constants.
  void add(const Key &key, const QuantizedMatrix &matrix);

private:
  struct Tensor {
    mlir::TypedAttr constant;
    /// Set where the constant is packed, several elements in a byte.
    mlir::RankedTensorType unpacked;
  };
  struct Weight {
    llvm::SmallVector<int64_t> roles;
    Tensor ints, scale, zeroPoint;
    bool isUnsigned = false;
  };

  static bool read(mlir::Value value, Tensor &tensor);
  static mlir::Value emit(mlir::OpBuilder &builder, mlir::Location loc,
                          const Tensor &tensor);

  llvm::DenseMap<mlir::Attribute, llvm::SmallVector<Weight, 1>> weights;
};

} // namespace quantmlir

#endif // QUANT_LIB_QUANTIZE_SHAREDWEIGHTS_H
