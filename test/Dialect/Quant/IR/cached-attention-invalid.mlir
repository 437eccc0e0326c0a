// RUN: quant-opt %s --split-input-file --verify-diagnostics

func.func @cached_attention_c1(%q: memref<1x1x2x?xi8>, %qs: memref<1x1x2xf32>, %pk: memref<1x8x?xi32>, %pks: memref<1x?xf32>, %pv: memref<1x?x8xi32>, %pvs: memref<1x?xf32>, %nk: memref<1x8x2xi32>, %nks: memref<1x2xf32>, %nv: memref<1x2x8xi32>, %nvs: memref<1x2xf32>, %y: memref<2x1x1x32xf32>) {
  // expected-error @+1 {{expected a query [H, G, S, D] of i8 with static H, G and D, but got 'memref<1x1x2x?xi8>'}}
  quant.cached_attention query(%q, %qs : memref<1x1x2x?xi8>, memref<1x1x2xf32>)
    past(%pk, %pks, %pv, %pvs : memref<1x8x?xi32>, memref<1x?xf32>, memref<1x?x8xi32>, memref<1x?xf32>)
    new(%nk, %nks, %nv, %nvs : memref<1x8x2xi32>, memref<1x2xf32>, memref<1x2x8xi32>, memref<1x2xf32>)
    outs(%y : memref<2x1x1x32xf32>) bits = 8
  return
}

// -----

func.func @cached_attention_c1_rank(%q: memref<2x32xi8>, %qs: memref<1x1x2xf32>, %pk: memref<1x8x?xi32>, %pks: memref<1x?xf32>, %pv: memref<1x?x8xi32>, %pvs: memref<1x?xf32>, %nk: memref<1x8x2xi32>, %nks: memref<1x2xf32>, %nv: memref<1x2x8xi32>, %nvs: memref<1x2xf32>, %y: memref<2x1x1x32xf32>) {
  // expected-error @+1 {{expected a query [H, G, S, D] of i8 with static H, G and D, but got 'memref<2x32xi8>'}}
  quant.cached_attention query(%q, %qs : memref<2x32xi8>, memref<1x1x2xf32>)
    past(%pk, %pks, %pv, %pvs : memref<1x8x?xi32>, memref<1x?xf32>, memref<1x?x8xi32>, memref<1x?xf32>)
    new(%nk, %nks, %nv, %nvs : memref<1x8x2xi32>, memref<1x2xf32>, memref<1x2x8xi32>, memref<1x2xf32>)
    outs(%y : memref<2x1x1x32xf32>) bits = 8
  return
}

// -----

func.func @cached_attention_c1_head(%q: memref<1x1x2x48xi8>, %qs: memref<1x1x2xf32>, %pk: memref<1x8x?xi32>, %pks: memref<1x?xf32>, %pv: memref<1x?x8xi32>, %pvs: memref<1x?xf32>, %nk: memref<1x8x2xi32>, %nks: memref<1x2xf32>, %nv: memref<1x2x8xi32>, %nvs: memref<1x2xf32>, %y: memref<2x1x1x32xf32>) {
  // expected-error @+1 {{expected heads of a multiple of 32 elements, up to 1024, but got 48}}
  quant.cached_attention query(%q, %qs : memref<1x1x2x48xi8>, memref<1x1x2xf32>)
    past(%pk, %pks, %pv, %pvs : memref<1x8x?xi32>, memref<1x?xf32>, memref<1x?x8xi32>, memref<1x?xf32>)
    new(%nk, %nks, %nv, %nvs : memref<1x8x2xi32>, memref<1x2xf32>, memref<1x2x8xi32>, memref<1x2xf32>)
    outs(%y : memref<2x1x1x32xf32>) bits = 8
  return
}

// -----

func.func @cached_attention_c1_long(%q: memref<1x1x2x2048xi8>, %qs: memref<1x1x2xf32>, %pk: memref<1x8x?xi32>, %pks: memref<1x?xf32>, %pv: memref<1x?x8xi32>, %pvs: memref<1x?xf32>, %nk: memref<1x8x2xi32>, %nks: memref<1x2xf32>, %nv: memref<1x2x8xi32>, %nvs: memref<1x2xf32>, %y: memref<2x1x1x32xf32>) {
  // expected-error @+1 {{expected heads of a multiple of 32 elements, up to 1024, but got 2048}}
  quant.cached_attention query(%q, %qs : memref<1x1x2x2048xi8>, memref<1x1x2xf32>)
    past(%pk, %pks, %pv, %pvs : memref<1x8x?xi32>, memref<1x?xf32>, memref<1x?x8xi32>, memref<1x?xf32>)
    new(%nk, %nks, %nv, %nvs : memref<1x8x2xi32>, memref<1x2xf32>, memref<1x2x8xi32>, memref<1x2xf32>)
    outs(%y : memref<2x1x1x32xf32>) bits = 8
  return
}

// -----

func.func @cached_attention_c2(%q: memref<1x1x2x32xi8>, %qs: memref<1x1x3xf32>, %pk: memref<1x8x?xi32>, %pks: memref<1x?xf32>, %pv: memref<1x?x8xi32>, %pvs: memref<1x?xf32>, %nk: memref<1x8x2xi32>, %nks: memref<1x2xf32>, %nv: memref<1x2x8xi32>, %nvs: memref<1x2xf32>, %y: memref<2x1x1x32xf32>) {
  // expected-error @+1 {{expected query scale of shape [1, 1, 2] ([H, G, S] of query), but got 'memref<1x1x3xf32>'}}
  quant.cached_attention query(%q, %qs : memref<1x1x2x32xi8>, memref<1x1x3xf32>)
    past(%pk, %pks, %pv, %pvs : memref<1x8x?xi32>, memref<1x?xf32>, memref<1x?x8xi32>, memref<1x?xf32>)
    new(%nk, %nks, %nv, %nvs : memref<1x8x2xi32>, memref<1x2xf32>, memref<1x2x8xi32>, memref<1x2xf32>)
    outs(%y : memref<2x1x1x32xf32>) bits = 8
  return
}

// -----

func.func @cached_attention_c2_element(%q: memref<1x1x2x32xi8>, %qs: memref<1x1x2xf16>, %pk: memref<1x8x?xi32>, %pks: memref<1x?xf32>, %pv: memref<1x?x8xi32>, %pvs: memref<1x?xf32>, %nk: memref<1x8x2xi32>, %nks: memref<1x2xf32>, %nv: memref<1x2x8xi32>, %nvs: memref<1x2xf32>, %y: memref<2x1x1x32xf32>) {
  // expected-error @+1 {{expected query scale of 'f32', but got 'memref<1x1x2xf16>'}}
  quant.cached_attention query(%q, %qs : memref<1x1x2x32xi8>, memref<1x1x2xf16>)
    past(%pk, %pks, %pv, %pvs : memref<1x8x?xi32>, memref<1x?xf32>, memref<1x?x8xi32>, memref<1x?xf32>)
    new(%nk, %nks, %nv, %nvs : memref<1x8x2xi32>, memref<1x2xf32>, memref<1x2x8xi32>, memref<1x2xf32>)
    outs(%y : memref<2x1x1x32xf32>) bits = 8
  return
}

// -----

func.func @cached_attention_c3(%q: memref<1x1x2x32xi8>, %qs: memref<1x1x2xf32>, %pk: memref<1x8x?xi32>, %pks: memref<1x?xf32>, %pv: memref<1x?x8xi32>, %pvs: memref<1x?xf32>, %nk: memref<1x8x2xi32>, %nks: memref<1x2xf32>, %nv: memref<1x2x8xi32>, %nvs: memref<1x2xf32>, %y: memref<2x1x1x32xf32>) {
  // expected-error @+1 {{expected bits = 8 or 4, but got 2}}
  quant.cached_attention query(%q, %qs : memref<1x1x2x32xi8>, memref<1x1x2xf32>)
    past(%pk, %pks, %pv, %pvs : memref<1x8x?xi32>, memref<1x?xf32>, memref<1x?x8xi32>, memref<1x?xf32>)
    new(%nk, %nks, %nv, %nvs : memref<1x8x2xi32>, memref<1x2xf32>, memref<1x2x8xi32>, memref<1x2xf32>)
    outs(%y : memref<2x1x1x32xf32>) bits = 2
  return
}

// -----

func.func @cached_attention_c4(%q: memref<1x1x2x32xi8>, %qs: memref<1x1x2xf32>, %pk: memref<1x4x?xi32>, %pks: memref<1x?xf32>, %pv: memref<1x?x8xi32>, %pvs: memref<1x?xf32>, %nk: memref<1x8x2xi32>, %nks: memref<1x2xf32>, %nv: memref<1x2x8xi32>, %nvs: memref<1x2xf32>, %y: memref<2x1x1x32xf32>) {
  // expected-error @+1 {{expected past keys of shape [1, 8, ?] ([H, W, tokens] with P tokens), but got 'memref<1x4x?xi32>'}}
  quant.cached_attention query(%q, %qs : memref<1x1x2x32xi8>, memref<1x1x2xf32>)
    past(%pk, %pks, %pv, %pvs : memref<1x4x?xi32>, memref<1x?xf32>, memref<1x?x8xi32>, memref<1x?xf32>)
    new(%nk, %nks, %nv, %nvs : memref<1x8x2xi32>, memref<1x2xf32>, memref<1x2x8xi32>, memref<1x2xf32>)
    outs(%y : memref<2x1x1x32xf32>) bits = 8
  return
}

// -----

func.func @cached_attention_c4_values(%q: memref<1x1x2x32xi8>, %qs: memref<1x1x2xf32>, %pk: memref<1x8x?xi32>, %pks: memref<1x?xf32>, %pv: memref<1x?x8xi32>, %pvs: memref<1x?xf32>, %nk: memref<1x8x2xi32>, %nks: memref<1x2xf32>, %nv: memref<1x2x16xi32>, %nvs: memref<1x2xf32>, %y: memref<2x1x1x32xf32>) {
  // expected-error @+1 {{expected new values of shape [1, 2, 8] ([H, tokens, W] with S tokens), but got 'memref<1x2x16xi32>'}}
  quant.cached_attention query(%q, %qs : memref<1x1x2x32xi8>, memref<1x1x2xf32>)
    past(%pk, %pks, %pv, %pvs : memref<1x8x?xi32>, memref<1x?xf32>, memref<1x?x8xi32>, memref<1x?xf32>)
    new(%nk, %nks, %nv, %nvs : memref<1x8x2xi32>, memref<1x2xf32>, memref<1x2x16xi32>, memref<1x2xf32>)
    outs(%y : memref<2x1x1x32xf32>) bits = 8
  return
}

// -----

func.func @cached_attention_c4_element(%q: memref<1x1x2x32xi8>, %qs: memref<1x1x2xf32>, %pk: memref<1x8x?xi32>, %pks: memref<1x?xf32>, %pv: memref<1x?x8xi32>, %pvs: memref<1x?xf32>, %nk: memref<1x8x2xi8>, %nks: memref<1x2xf32>, %nv: memref<1x2x8xi32>, %nvs: memref<1x2xf32>, %y: memref<2x1x1x32xf32>) {
  // expected-error @+1 {{expected new keys of 'i32', but got 'memref<1x8x2xi8>'}}
  quant.cached_attention query(%q, %qs : memref<1x1x2x32xi8>, memref<1x1x2xf32>)
    past(%pk, %pks, %pv, %pvs : memref<1x8x?xi32>, memref<1x?xf32>, memref<1x?x8xi32>, memref<1x?xf32>)
    new(%nk, %nks, %nv, %nvs : memref<1x8x2xi8>, memref<1x2xf32>, memref<1x2x8xi32>, memref<1x2xf32>)
    outs(%y : memref<2x1x1x32xf32>) bits = 8
  return
}

// -----

func.func @cached_attention_c4_bits(%q: memref<1x1x2x32xi8>, %qs: memref<1x1x2xf32>, %pk: memref<1x8x?xi32>, %pks: memref<1x?xf32>, %pv: memref<1x?x8xi32>, %pvs: memref<1x?xf32>, %nk: memref<1x8x2xi32>, %nks: memref<1x2xf32>, %nv: memref<1x2x8xi32>, %nvs: memref<1x2xf32>, %y: memref<2x1x1x32xf32>) {
  // expected-error @+1 {{expected past keys of shape [1, 4, ?] ([H, W, tokens] with P tokens), but got 'memref<1x8x?xi32>'}}
  quant.cached_attention query(%q, %qs : memref<1x1x2x32xi8>, memref<1x1x2xf32>)
    past(%pk, %pks, %pv, %pvs : memref<1x8x?xi32>, memref<1x?xf32>, memref<1x?x8xi32>, memref<1x?xf32>)
    new(%nk, %nks, %nv, %nvs : memref<1x8x2xi32>, memref<1x2xf32>, memref<1x2x8xi32>, memref<1x2xf32>)
    outs(%y : memref<2x1x1x32xf32>) bits = 4
  return
}

// -----

func.func @cached_attention_c5(%q: memref<1x1x2x32xi8>, %qs: memref<1x1x2xf32>, %pk: memref<1x8x?xi32>, %pks: memref<1x?xf32>, %pv: memref<1x?x8xi32>, %pvs: memref<1x?xf32>, %nk: memref<1x8x2xi32>, %nks: memref<1x3xf32>, %nv: memref<1x2x8xi32>, %nvs: memref<1x2xf32>, %y: memref<2x1x1x32xf32>) {
  // expected-error @+1 {{expected new key scale of shape [1, 2] ([H, tokens] with S tokens), but got 'memref<1x3xf32>'}}
  quant.cached_attention query(%q, %qs : memref<1x1x2x32xi8>, memref<1x1x2xf32>)
    past(%pk, %pks, %pv, %pvs : memref<1x8x?xi32>, memref<1x?xf32>, memref<1x?x8xi32>, memref<1x?xf32>)
    new(%nk, %nks, %nv, %nvs : memref<1x8x2xi32>, memref<1x3xf32>, memref<1x2x8xi32>, memref<1x2xf32>)
    outs(%y : memref<2x1x1x32xf32>) bits = 8
  return
}

// -----

func.func @cached_attention_c5_past(%q: memref<1x1x2x32xi8>, %qs: memref<1x1x2xf32>, %pk: memref<1x8x9xi32>, %pks: memref<1x?xf32>, %pv: memref<1x?x8xi32>, %pvs: memref<1x8xf32>, %nk: memref<1x8x2xi32>, %nks: memref<1x2xf32>, %nv: memref<1x2x8xi32>, %nvs: memref<1x2xf32>, %y: memref<2x1x1x32xf32>) {
  // expected-error @+1 {{expected past value scale of shape [1, 9] ([H, tokens] with P tokens), but got 'memref<1x8xf32>'}}
  quant.cached_attention query(%q, %qs : memref<1x1x2x32xi8>, memref<1x1x2xf32>)
    past(%pk, %pks, %pv, %pvs : memref<1x8x9xi32>, memref<1x?xf32>, memref<1x?x8xi32>, memref<1x8xf32>)
    new(%nk, %nks, %nv, %nvs : memref<1x8x2xi32>, memref<1x2xf32>, memref<1x2x8xi32>, memref<1x2xf32>)
    outs(%y : memref<2x1x1x32xf32>) bits = 8
  return
}

// -----

func.func @cached_attention_c6(%q: memref<1x1x2x32xi8>, %qs: memref<1x1x2xf32>, %pk: memref<1x8x?xi32>, %pks: memref<1x?xf32>, %pv: memref<1x?x8xi32>, %pvs: memref<1x?xf32>, %nk: memref<1x8x2xi32>, %nks: memref<1x2xf32>, %nv: memref<1x2x8xi32>, %nvs: memref<1x2xf32>, %y: memref<1x1x2x32xf32>) {
  // expected-error @+1 {{expected init of shape [2, 1, 1, 32] ([S, H, G, D] of query), but got 'memref<1x1x2x32xf32>'}}
  quant.cached_attention query(%q, %qs : memref<1x1x2x32xi8>, memref<1x1x2xf32>)
    past(%pk, %pks, %pv, %pvs : memref<1x8x?xi32>, memref<1x?xf32>, memref<1x?x8xi32>, memref<1x?xf32>)
    new(%nk, %nks, %nv, %nvs : memref<1x8x2xi32>, memref<1x2xf32>, memref<1x2x8xi32>, memref<1x2xf32>)
    outs(%y : memref<1x1x2x32xf32>) bits = 8
  return
}

// -----

func.func @cached_attention_c7(%q: tensor<1x1x2x32xi8>, %qs: memref<1x1x2xf32>, %pk: memref<1x8x?xi32>, %pks: memref<1x?xf32>, %pv: memref<1x?x8xi32>, %pvs: memref<1x?xf32>, %nk: memref<1x8x2xi32>, %nks: memref<1x2xf32>, %nv: memref<1x2x8xi32>, %nvs: memref<1x2xf32>, %y: memref<2x1x1x32xf32>) {
  // expected-error @+1 {{expected operands that are all tensors or all memrefs, but got 'tensor<1x1x2x32xi8>' and 'memref<1x1x2xf32>'}}
  quant.cached_attention query(%q, %qs : tensor<1x1x2x32xi8>, memref<1x1x2xf32>)
    past(%pk, %pks, %pv, %pvs : memref<1x8x?xi32>, memref<1x?xf32>, memref<1x?x8xi32>, memref<1x?xf32>)
    new(%nk, %nks, %nv, %nvs : memref<1x8x2xi32>, memref<1x2xf32>, memref<1x2x8xi32>, memref<1x2xf32>)
    outs(%y : memref<2x1x1x32xf32>) bits = 8
  return
}

// -----

func.func @cached_attention_c8(%q: tensor<1x1x2x32xi8>, %qs: tensor<1x1x2xf32>, %pk: tensor<1x8x?xi32>, %pks: tensor<1x?xf32>, %pv: tensor<1x?x8xi32>, %pvs: tensor<1x?xf32>, %nk: tensor<1x8x2xi32>, %nks: tensor<1x2xf32>, %nv: tensor<1x2x8xi32>, %y: tensor<2x1x1x32xf32>) -> tensor<2x1x1x32xf32> {
  %nvs = arith.constant dense<[[0.0, -2.0]]> : tensor<1x2xf32>
  // expected-error @+1 {{expected a finite scale of new values >= 0, but element 1 is -2}}
  %r = quant.cached_attention query(%q, %qs : tensor<1x1x2x32xi8>, tensor<1x1x2xf32>)
    past(%pk, %pks, %pv, %pvs : tensor<1x8x?xi32>, tensor<1x?xf32>, tensor<1x?x8xi32>, tensor<1x?xf32>)
    new(%nk, %nks, %nv, %nvs : tensor<1x8x2xi32>, tensor<1x2xf32>, tensor<1x2x8xi32>, tensor<1x2xf32>)
    outs(%y : tensor<2x1x1x32xf32>) bits = 8 -> tensor<2x1x1x32xf32>
  return %r : tensor<2x1x1x32xf32>
}
