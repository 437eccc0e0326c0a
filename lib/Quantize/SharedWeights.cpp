//===- SharedWeights.cpp - a constant weight of several products ----------===//

#include "SharedWeights.h"

#include "quant/Dialect/Quant/IR/NarrowConstant.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace quantmlir;

std::optional<SharedWeights::Key>
SharedWeights::getKey(const Contraction &c, const LoopTensor &weight) {
  Key key;
  if (!matchPattern(weight.value, m_Constant(&key.constant)))
    return std::nullopt;
  // Dimensions that no loop walks stand for themselves.
  for (int64_t loop : weight.loops)
    key.roles.push_back(loop < 0                            ? loop
                        : llvm::is_contained(c.batch, loop) ? 0
                        : llvm::is_contained(c.n, loop)     ? 1
                                                            : 2);
  return key;
}

bool SharedWeights::read(Value value, Tensor &tensor) {
  if (!value)
    return true;
  if (Value bytes = getPackedBytes(value)) {
    tensor.unpacked = cast<RankedTensorType>(value.getType());
    value = bytes;
  }
  return matchPattern(value, m_Constant(&tensor.constant));
}

Value SharedWeights::emit(OpBuilder &builder, Location loc,
                          const Tensor &tensor) {
  if (!tensor.constant)
    return {};
  Value value = arith::ConstantOp::create(builder, loc, tensor.constant);
  return tensor.unpacked ? unpackBytes(builder, loc, tensor.unpacked, value)
                         : value;
}

std::optional<QuantizedMatrix>
SharedWeights::emit(OpBuilder &builder, Location loc, const Key &key) const {
  auto known = weights.find(key.constant);
  if (known == weights.end())
    return std::nullopt;
  const auto *weight = llvm::find_if(known->second, [&](const Weight &weight) {
    return weight.roles == key.roles;
  });
  if (weight == known->second.end())
    return std::nullopt;
  return QuantizedMatrix{
      emit(builder, loc, weight->ints), emit(builder, loc, weight->scale),
      emit(builder, loc, weight->zeroPoint), weight->isUnsigned};
}

void SharedWeights::add(const Key &key, const QuantizedMatrix &matrix) {
  Weight weight;
  weight.roles = key.roles;
  weight.isUnsigned = matrix.isUnsigned;
  if (read(matrix.ints, weight.ints) && read(matrix.scale, weight.scale) &&
      read(matrix.zeroPoint, weight.zeroPoint))
    weights[key.constant].push_back(std::move(weight));
}
