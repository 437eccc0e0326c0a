//===- FloatAttentionOp.td - attention over a cache of floats -*- tablegen -*-//

#ifndef QUANT_DIALECT_QUANT_IR_FLOATATTENTIONOP_TD
#define QUANT_DIALECT_QUANT_IR_FLOATATTENTIONOP_TD

include "quant/Dialect/Quant/IR/QuantExtBase.td"

def QuantExt_FloatAttentionOperand : AnyTypeOf<[
    RankedTensorOf<[F32]>, MemRefOf<[F32]>]>;

def QuantExt_FloatAttentionOp : QuantExt_Op<"float_attention", [
    DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Causal attention over a cache of floats";
  let description = [{
    Attention of S new tokens over P tokens that came before (`past`, a cache
    that grows) and themselves (`new`), all in f32: what a decoder computes whose
    cache is not quantized (`quant.cached_attention` is of integers). G heads
    of queries share one of keys and values (grouped-query attention) without
    copies of it. Keys have tokens last, as products with them read tokens side
    by side; values have a token's elements together.

    With k and v the past's tokens followed by the new ones, and V = P + s + 1
    the tokens that new token s sees, for each row (h, g, s), one rounding a
    step:

    ```
    score[t] = scale * dot[t]              dot[t] = fma(query[d], k[t, d], dot[t])
                                           for d ascending, from 0
    e[t]     = exp(score[t] - max score)   0 for t >= V
    y[d]     = fma(e[t], v[t, d], y[d])    for t < V ascending, from 0
    ```

    and the result is `y[d] / sum(e)`. The sum has 16 lanes, lane l taking the
    tokens l, l + 16, ... of `past` and then those of `new`, in order; then lanes
    l and l + 8 are added, l and l + 4, l and l + 2, l and l + 1. `exp` is the
    polynomial of `math.exp` that every target computes alike
    (`quant-approximate-math`), so that results are the same to the bit, in tiles
    of any size. Scores that are not finite give unspecified numbers.

    The op stands on tensors or, after bufferization, on memrefs. Machines
    without fused multiply-adds call libm's for each product.

    Constraints:
    * (C1) `query` is `[H, G, S, D]`, H, G and D static and at least 1, D up to
      1024.
    * (C2) keys are `[H, D, P]` and `[H, D, S]`, values `[H, P, D]` and `[H, S,
      D]`.
    * (C3) `scale` is finite, and is written without a type.
    * (C4) `init` is `[S, H, G, D]`.
    * (C5) operands are all tensors or all memrefs, and tensors have one result,
      of the type of `init`.

    Example:

    ```mlir
    %y = quant.float_attention query(%q : tensor<3x3x?x64xf32>)
      past(%pk, %pv : tensor<3x64x?xf32>, tensor<3x?x64xf32>)
      new(%nk, %nv : tensor<3x64x?xf32>, tensor<3x?x64xf32>)
      outs(%init : tensor<?x3x3x64xf32>) scale = 0.125 -> tensor<?x3x3x64xf32>
    ```
  }];
  let arguments = (ins QuantExt_FloatAttentionOperand:$query,
                       QuantExt_FloatAttentionOperand:$past_keys,
                       QuantExt_FloatAttentionOperand:$past_values,
                       QuantExt_FloatAttentionOperand:$new_keys,
                       QuantExt_FloatAttentionOperand:$new_values,
                       QuantExt_FloatAttentionOperand:$init, F32Attr:$scale);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `query` `(` $query `:` type($query) `)`
    `past` `(` $past_keys `,` $past_values `:` type($past_keys) `,`
    type($past_values) `)` `new` `(` $new_keys `,` $new_values `:`
    type($new_keys) `,` type($new_values) `)`
    `outs` `(` $init `:` type($init) `)` `scale` `=` $scale attr-dict
    (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    /// Lanes of the sum.
    static constexpr int64_t kSumLanes = 16;

    /// Tokens that are there, or the new ones.
    struct Tokens {
      ::mlir::Value keys, values;
      /// A new token sees those up to itself.
      bool areNew;
    };
    Tokens getPast() {
      return {getPastKeys(), getPastValues(), /*areNew=*/false};
    }
    Tokens getNew() {
      return {getNewKeys(), getNewValues(), /*areNew=*/true};
    }
    /// Dimension `dim` of [H, G, S, D].
    int64_t getSize(unsigned dim) {
      return ::llvm::cast<::mlir::ShapedType>(getQuery().getType())
          .getDimSize(dim);
    }

    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getInitMutable();
    }
  }];
  let hasVerifier = 1;
}

#endif // QUANT_DIALECT_QUANT_IR_FLOATATTENTIONOP_TD
