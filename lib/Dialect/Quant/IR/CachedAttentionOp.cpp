//===- CachedAttentionOp.cpp - attention over integers: shapes, effects ---===//
//
// The labels c1, c2, ... are the constraints of the op's docs.
//
//===----------------------------------------------------------------------===//

#include "quant/Dialect/Quant/Utils/BufferEffects.h"
#include "quant/Dialect/Quant/Utils/VerifyUtils.h"

#include "quant/Dialect/Quant/IR/CachedAttention.h"

using namespace mlir;
using namespace quantmlir;

#define GET_OP_CLASSES
#include "quant/Dialect/Quant/IR/CachedAttentionOp.cpp.inc"

/// `what` has elements of `element` and the shape `expected`.
static LogicalResult verifyOperand(CachedAttentionOp op, const Twine &what,
                                   Value operand, Type element,
                                   ArrayRef<int64_t> expected, StringRef why) {
  ShapedType type = getShaped(operand);
  if (type.getElementType() != element)
    return op.emitOpError("expected ")
           << what << " of " << element << ", but got " << type;
  return verifyShape(op, what.str(), type, expected, why);
}

/// Of tokens whose number is `size`, called `letter`.
static LogicalResult verifyTokens(CachedAttentionOp op,
                                  CachedAttentionOp::Tokens tokens,
                                  StringRef name, int64_t size,
                                  StringRef letter) {
  Builder b(op.getContext());
  int64_t heads = op.getSize(0), words = op.getNumWords();
  Type i32 = b.getI32Type(), f32 = b.getF32Type();
  auto why = [&](StringRef shape) {
    return (shape + " with " + letter + " tokens").str();
  };
  // cached_attention_c4, cached_attention_c5
  if (failed(verifyOperand(op, name + " keys", tokens.keys, i32,
                           {heads, words, size}, why("[H, W, tokens]"))) ||
      failed(verifyOperand(op, name + " values", tokens.values, i32,
                           {heads, size, words}, why("[H, tokens, W]"))) ||
      failed(verifyOperand(op, name + " key scale", tokens.keyScale, f32,
                           {heads, size}, why("[H, tokens]"))) ||
      failed(verifyOperand(op, name + " value scale", tokens.valueScale, f32,
                           {heads, size}, why("[H, tokens]"))))
    return failure();
  return success();
}

/// The number of tokens, where one of the operands knows it.
static int64_t getStaticTokens(CachedAttentionOp::Tokens tokens) {
  ShapedType keys = getShaped(tokens.keys);
  return keys.hasRank() && keys.getRank() == 3 ? keys.getDimSize(2)
                                               : ShapedType::kDynamic;
}

LogicalResult CachedAttentionOp::verify() {
  // cached_attention_c7
  if (failed(verifyOneKind(*this)))
    return failure();
  Builder b(getContext());
  // cached_attention_c1
  ShapedType query = getShaped(getQuery());
  constexpr int64_t headUnit = 32, largestHead = 1024;
  if (query.getRank() != 4 || !query.getElementType().isInteger(8) ||
      query.isDynamicDim(0) || query.isDynamicDim(1) || query.isDynamicDim(3))
    return emitOpError("expected a query [H, G, S, D] of i8 with static H, G "
                       "and D, but got ")
           << query;
  int64_t d = query.getDimSize(3);
  if (d == 0 || d % headUnit != 0 || d > largestHead)
    return emitOpError("expected heads of a multiple of 32 elements, up to "
                       "1024, but got ")
           << d;
  // cached_attention_c3
  if (getBits() != 8 && getBits() != 4)
    return emitOpError("expected bits = 8 or 4, but got ") << getBits();
  // cached_attention_c2
  int64_t tokens = query.getDimSize(2);
  if (failed(verifyOperand(*this, "query scale", getQueryScale(),
                           b.getF32Type(), query.getShape().drop_back(),
                           "[H, G, S] of query")) ||
      failed(verifyTokens(*this, getPast(), "past", getStaticTokens(getPast()),
                          "P")) ||
      failed(verifyTokens(*this, getNew(), "new", tokens, "S")))
    return failure();
  // cached_attention_c6
  if (failed(
          verifyOperand(*this, "init", getInit(), b.getF32Type(),
                        {tokens, query.getDimSize(0), query.getDimSize(1), d},
                        "[S, H, G, D] of query")))
    return failure();
  if (!getResults().empty() &&
      (getResults().size() != 1 ||
       getResults().front().getType() != getInit().getType()))
    return emitOpError("expected one result of init's type, but got ")
           << getResultTypes();
  // cached_attention_c8
  constexpr auto finite = ScaleRange::Finite, fromZero = ScaleRange::FromZero;
  return success(
      succeeded(
          verifyConstantScale(*this, "query scale", getQueryScale(), finite)) &&
      succeeded(verifyConstantScale(*this, "scale of past keys",
                                    getPastKeyScale(), finite)) &&
      succeeded(verifyConstantScale(*this, "scale of new keys",
                                    getNewKeyScale(), finite)) &&
      succeeded(verifyConstantScale(*this, "scale of past values",
                                    getPastValueScale(), fromZero)) &&
      succeeded(verifyConstantScale(*this, "scale of new values",
                                    getNewValueScale(), fromZero)));
}

void CachedAttentionOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  addBufferEffects(*this, effects);
}
