//===- CachedAttentionOp.td - attention over integers ------*- tablegen -*-===//

#ifndef QUANT_DIALECT_QUANT_IR_CACHEDATTENTIONOP_TD
#define QUANT_DIALECT_QUANT_IR_CACHEDATTENTIONOP_TD

include "quant/Dialect/Quant/IR/QuantExtBase.td"

def QuantExt_AttentionOperand : AnyTypeOf<[AnyRankedTensor, AnyMemRef]>;

def QuantExt_CachedAttentionOp : QuantExt_Op<"cached_attention", [
    DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Causal attention whose two products are of integers";
  let description = [{
    Attention of S new tokens over P tokens that came before (`past`, a cache
    that grows) and themselves (`new`). Queries, keys and values are symmetric
    integers with a scale for each token of each head: queries of 8 bits, keys
    and values of `bits`, 8 or 4. Neither is converted to floats, and G heads of
    queries share one of keys and values (grouped-query attention) without
    copies of it.

    Elements of keys and values are stored in words of 32 bits, 32 / `bits` to
    each, W = D * `bits` / 32 words for a head's D: element i in the bits from
    `bits` * i on, two's complement. Keys have tokens last, as products with
    them read tokens side by side; values have a token's words together.

    With T = P + S, k and v the past's tokens followed by the new ones, and
    V = P + s + 1 the tokens that new token s sees, for each row (h, g, s), in
    f32 with one rounding a step:

    ```
    score[t] = f32(sum_d query[d] * k[t, d]) * (query_scale * key_scale[t])
    e[t]     = exp(score[t] - max score)         0 for t >= V
    w[t]     = e[t] * value_scale[t]
    ```

    The weights w are quantized to 7 bits in blocks of 64 tokens, counted from
    the first of `past` and again from the first of `new`. A block whose largest
    weight is m adds to y, which begins as 0,

    ```
    p[t] = roundeven(w[t] * (127 / m))           0 where m < 2^-100
    y[d] = fma(f32(sum_t p[t] * v[t, d]), m * f32(1 / 127), y[d])
    ```

    and the result is `y[d] / sum(e)`. The sum has 16 lanes, lane l taking the
    tokens l, l + 16, ... of `past` and then those of `new`, in order; then lanes
    l and l + 8 are added, l and l + 4, l and l + 2, l and l + 1. `exp` is the
    polynomial of `math.exp` that every target computes alike
    (`quant-approximate-math`), so that results are the same to the bit.

    A scale of queries may have the factor of the softmax (1 / sqrt(D)) in it.
    Scales that are not finite, and those of values below 0, give unspecified
    numbers.

    The op stands on tensors or, after bufferization, on memrefs.

    Constraints:
    * (C1) `query` is `[H, G, S, D]` of i8, H, G and D static, D a multiple of
      32 up to 1024.
    * (C2) `query_scale` is `[H, G, S]` of f32.
    * (C3) `bits` is 8 or 4, and is written without a type.
    * (C4) keys are `[H, W, P]` and `[H, W, S]`, values `[H, P, W]` and `[H, S,
      W]`, of i32.
    * (C5) scales of keys and values are `[H, P]` and `[H, S]` of f32.
    * (C6) `init` is `[S, H, G, D]` of f32.
    * (C7) operands are all tensors or all memrefs.
    * (C8) scales that are constants are finite, and those of values at least 0.

    Example:

    ```mlir
    %y = quant.cached_attention
      query(%q, %qs : tensor<3x3x?x64xi8>, tensor<3x3x?xf32>)
      past(%pk, %pks, %pv, %pvs : tensor<3x16x?xi32>, tensor<3x?xf32>,
           tensor<3x?x16xi32>, tensor<3x?xf32>)
      new(%nk, %nks, %nv, %nvs : tensor<3x16x?xi32>, tensor<3x?xf32>,
          tensor<3x?x16xi32>, tensor<3x?xf32>)
      outs(%init : tensor<?x3x3x64xf32>) bits = 8 -> tensor<?x3x3x64xf32>
    ```
  }];
  let arguments = (ins QuantExt_AttentionOperand:$query,
                       QuantExt_AttentionOperand:$query_scale,
                       QuantExt_AttentionOperand:$past_keys,
                       QuantExt_AttentionOperand:$past_key_scale,
                       QuantExt_AttentionOperand:$past_values,
                       QuantExt_AttentionOperand:$past_value_scale,
                       QuantExt_AttentionOperand:$new_keys,
                       QuantExt_AttentionOperand:$new_key_scale,
                       QuantExt_AttentionOperand:$new_values,
                       QuantExt_AttentionOperand:$new_value_scale,
                       QuantExt_AttentionOperand:$init, I64Attr:$bits);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `query` `(` $query `,` $query_scale `:` type($query) `,` type($query_scale)
    `)` `past` `(` $past_keys `,` $past_key_scale `,` $past_values `,`
    $past_value_scale `:` type($past_keys) `,` type($past_key_scale) `,`
    type($past_values) `,` type($past_value_scale) `)`
    `new` `(` $new_keys `,` $new_key_scale `,` $new_values `,`
    $new_value_scale `:` type($new_keys) `,` type($new_key_scale) `,`
    type($new_values) `,` type($new_value_scale) `)`
    `outs` `(` $init `:` type($init) `)` `bits` `=` $bits attr-dict
    (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    /// Tokens of a block of weights, and lanes of the sum.
    static constexpr int64_t kBlock = 64, kSumLanes = 16;
    /// Weights of a block go from 0 to this.
    static constexpr int64_t kMaxWeight = 127;
    /// The least largest weight of a block that is not all zeros.
    static constexpr double kLeastWeight = 0x1p-100;

    /// Tokens that are there, or the new ones.
    struct Tokens {
      ::mlir::Value keys, keyScale, values, valueScale;
      /// A new token sees those up to itself.
      bool areNew;
    };
    Tokens getPast() {
      return {getPastKeys(), getPastKeyScale(), getPastValues(),
              getPastValueScale(), /*areNew=*/false};
    }
    Tokens getNew() {
      return {getNewKeys(), getNewKeyScale(), getNewValues(),
              getNewValueScale(), /*areNew=*/true};
    }
    /// Dimension `dim` of [H, G, S, D].
    int64_t getSize(unsigned dim) {
      return ::llvm::cast<::mlir::ShapedType>(getQuery().getType())
          .getDimSize(dim);
    }
    int64_t getElementsPerWord() { return 32 / getBits(); }
    /// Words of a head.
    int64_t getNumWords() { return getSize(3) / getElementsPerWord(); }

    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getInitMutable();
    }
  }];
  let hasVerifier = 1;
}

#endif // QUANT_DIALECT_QUANT_IR_CACHEDATTENTIONOP_TD
