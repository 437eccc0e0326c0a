//===- FloatAttentionOp.cpp - attention over floats: shapes, effects ------===//
//
// The labels c1, c2, ... are the constraints of the op's docs.
//
//===----------------------------------------------------------------------===//

#include "quant/Dialect/Quant/Utils/BufferEffects.h"
#include "quant/Dialect/Quant/Utils/VerifyUtils.h"

#include "quant/Dialect/Quant/IR/FloatAttention.h"

using namespace mlir;
using namespace quantmlir;

#define GET_OP_CLASSES
#include "quant/Dialect/Quant/IR/FloatAttentionOp.cpp.inc"

/// Of tokens whose number is `size`.
static LogicalResult verifyFloatTokens(FloatAttentionOp op,
                                       FloatAttentionOp::Tokens tokens,
                                       StringRef name, int64_t size) {
  int64_t heads = op.getSize(0), d = op.getSize(3);
  // float_attention_c2
  return success(
      succeeded(verifyShape(op, (name + " keys").str(), getShaped(tokens.keys),
                            {heads, d, size}, "[H, D, tokens]")) &&
      succeeded(verifyShape(op, (name + " values").str(),
                            getShaped(tokens.values), {heads, size, d},
                            "[H, tokens, D]")));
}

/// Of the past, where its keys know it.
static int64_t getStaticPast(FloatAttentionOp op) {
  ShapedType keys = getShaped(op.getPastKeys());
  return keys.getRank() == 3 ? keys.getDimSize(2) : ShapedType::kDynamic;
}

LogicalResult FloatAttentionOp::verify() {
  // float_attention_c5
  if (failed(verifyOneKind(*this)))
    return failure();
  // float_attention_c1
  ShapedType query = getShaped(getQuery());
  if (query.getRank() != 4 || query.isDynamicDim(0) || query.isDynamicDim(1) ||
      query.isDynamicDim(3))
    return emitOpError("expected a query [H, G, S, D] with static H, G and D, "
                       "but got ")
           << query;
  constexpr int64_t largestHead = 1024;
  int64_t h = getSize(0), g = getSize(1), d = getSize(3);
  if (h == 0 || g == 0 || d == 0 || d > largestHead)
    return emitOpError("expected heads of 1 to 1024 elements, at least one of "
                       "them, but got ")
           << query;
  int64_t tokens = getSize(2);
  if (failed(
          verifyFloatTokens(*this, getPast(), "past", getStaticPast(*this))) ||
      failed(verifyFloatTokens(*this, getNew(), "new", tokens)))
    return failure();
  // float_attention_c3
  if (!getScale().isFinite())
    return emitOpError("expected a finite scale, but got ") << getScaleAttr();
  // float_attention_c4
  if (failed(verifyShape(*this, "init", getShaped(getInit()), {tokens, h, g, d},
                         "[S, H, G, D] of query")))
    return failure();
  bool isTensor = isa<RankedTensorType>(getInit().getType());
  if (getResults().size() != (isTensor ? 1 : 0) ||
      (isTensor && getResults().front().getType() != getInit().getType()))
    return emitOpError("expected ")
           << (isTensor ? "one result of init's type" : "no result of memrefs")
           << ", but got " << getResultTypes();
  return success();
}

void FloatAttentionOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  addBufferEffects(*this, effects);
}
