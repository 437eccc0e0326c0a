// RUN: quant-opt %s --split-input-file --verify-diagnostics

func.func @float_attention_c1(%q: memref<1x?x2x8xf32>, %pk: memref<1x8x?xf32>, %pv: memref<1x?x8xf32>, %nk: memref<1x8x2xf32>, %nv: memref<1x2x8xf32>, %y: memref<2x1x1x8xf32>) {
  // expected-error @+1 {{expected a query [H, G, S, D] with static H, G and D, but got 'memref<1x?x2x8xf32>'}}
  quant.float_attention query(%q : memref<1x?x2x8xf32>) past(%pk, %pv : memref<1x8x?xf32>, memref<1x?x8xf32>) new(%nk, %nv : memref<1x8x2xf32>, memref<1x2x8xf32>) outs(%y : memref<2x1x1x8xf32>) scale = 1.0
  return
}

// -----

func.func @float_attention_c1_rank(%q: memref<2x8xf32>, %pk: memref<1x8x?xf32>, %pv: memref<1x?x8xf32>, %nk: memref<1x8x2xf32>, %nv: memref<1x2x8xf32>, %y: memref<2x1x1x8xf32>) {
  // expected-error @+1 {{expected a query [H, G, S, D] with static H, G and D, but got 'memref<2x8xf32>'}}
  quant.float_attention query(%q : memref<2x8xf32>) past(%pk, %pv : memref<1x8x?xf32>, memref<1x?x8xf32>) new(%nk, %nv : memref<1x8x2xf32>, memref<1x2x8xf32>) outs(%y : memref<2x1x1x8xf32>) scale = 1.0
  return
}

// -----

func.func @float_attention_c1_long(%q: memref<1x1x2x2048xf32>, %pk: memref<1x8x?xf32>, %pv: memref<1x?x8xf32>, %nk: memref<1x8x2xf32>, %nv: memref<1x2x8xf32>, %y: memref<2x1x1x8xf32>) {
  // expected-error @+1 {{expected heads of 1 to 1024 elements, at least one of them, but got 'memref<1x1x2x2048xf32>'}}
  quant.float_attention query(%q : memref<1x1x2x2048xf32>) past(%pk, %pv : memref<1x8x?xf32>, memref<1x?x8xf32>) new(%nk, %nv : memref<1x8x2xf32>, memref<1x2x8xf32>) outs(%y : memref<2x1x1x8xf32>) scale = 1.0
  return
}

// -----

func.func @float_attention_c1_none(%q: memref<1x0x2x8xf32>, %pk: memref<1x8x?xf32>, %pv: memref<1x?x8xf32>, %nk: memref<1x8x2xf32>, %nv: memref<1x2x8xf32>, %y: memref<2x1x1x8xf32>) {
  // expected-error @+1 {{expected heads of 1 to 1024 elements, at least one of them, but got 'memref<1x0x2x8xf32>'}}
  quant.float_attention query(%q : memref<1x0x2x8xf32>) past(%pk, %pv : memref<1x8x?xf32>, memref<1x?x8xf32>) new(%nk, %nv : memref<1x8x2xf32>, memref<1x2x8xf32>) outs(%y : memref<2x1x1x8xf32>) scale = 1.0
  return
}

// -----

func.func @float_attention_c1_element(%q: memref<1x1x2x8xf16>, %pk: memref<1x8x?xf32>, %pv: memref<1x?x8xf32>, %nk: memref<1x8x2xf32>, %nv: memref<1x2x8xf32>, %y: memref<2x1x1x8xf32>) {
  // expected-error @+1 {{operand #0 must be ranked tensor of 32-bit float values or memref of 32-bit float values, but got 'memref<1x1x2x8xf16>'}}
  quant.float_attention query(%q : memref<1x1x2x8xf16>) past(%pk, %pv : memref<1x8x?xf32>, memref<1x?x8xf32>) new(%nk, %nv : memref<1x8x2xf32>, memref<1x2x8xf32>) outs(%y : memref<2x1x1x8xf32>) scale = 1.0
  return
}

// -----

func.func @float_attention_c2(%q: memref<1x1x2x8xf32>, %pk: memref<1x9x?xf32>, %pv: memref<1x?x8xf32>, %nk: memref<1x8x2xf32>, %nv: memref<1x2x8xf32>, %y: memref<2x1x1x8xf32>) {
  // expected-error @+1 {{expected past keys of shape [1, 8, ?] ([H, D, tokens]), but got 'memref<1x9x?xf32>'}}
  quant.float_attention query(%q : memref<1x1x2x8xf32>) past(%pk, %pv : memref<1x9x?xf32>, memref<1x?x8xf32>) new(%nk, %nv : memref<1x8x2xf32>, memref<1x2x8xf32>) outs(%y : memref<2x1x1x8xf32>) scale = 1.0
  return
}

// -----

func.func @float_attention_c2_values(%q: memref<1x1x2x8xf32>, %pk: memref<1x8x5xf32>, %pv: memref<1x6x8xf32>, %nk: memref<1x8x2xf32>, %nv: memref<1x2x8xf32>, %y: memref<2x1x1x8xf32>) {
  // expected-error @+1 {{expected past values of shape [1, 5, 8] ([H, tokens, D]), but got 'memref<1x6x8xf32>'}}
  quant.float_attention query(%q : memref<1x1x2x8xf32>) past(%pk, %pv : memref<1x8x5xf32>, memref<1x6x8xf32>) new(%nk, %nv : memref<1x8x2xf32>, memref<1x2x8xf32>) outs(%y : memref<2x1x1x8xf32>) scale = 1.0
  return
}

// -----

func.func @float_attention_c2_new(%q: memref<1x1x2x8xf32>, %pk: memref<1x8x?xf32>, %pv: memref<1x?x8xf32>, %nk: memref<1x8x3xf32>, %nv: memref<1x2x8xf32>, %y: memref<2x1x1x8xf32>) {
  // expected-error @+1 {{expected new keys of shape [1, 8, 2] ([H, D, tokens]), but got 'memref<1x8x3xf32>'}}
  quant.float_attention query(%q : memref<1x1x2x8xf32>) past(%pk, %pv : memref<1x8x?xf32>, memref<1x?x8xf32>) new(%nk, %nv : memref<1x8x3xf32>, memref<1x2x8xf32>) outs(%y : memref<2x1x1x8xf32>) scale = 1.0
  return
}

// -----

func.func @float_attention_c2_new_values(%q: memref<1x1x2x8xf32>, %pk: memref<1x8x?xf32>, %pv: memref<1x?x8xf32>, %nk: memref<1x8x2xf32>, %nv: memref<1x2x7xf32>, %y: memref<2x1x1x8xf32>) {
  // expected-error @+1 {{expected new values of shape [1, 2, 8] ([H, tokens, D]), but got 'memref<1x2x7xf32>'}}
  quant.float_attention query(%q : memref<1x1x2x8xf32>) past(%pk, %pv : memref<1x8x?xf32>, memref<1x?x8xf32>) new(%nk, %nv : memref<1x8x2xf32>, memref<1x2x7xf32>) outs(%y : memref<2x1x1x8xf32>) scale = 1.0
  return
}

// -----

func.func @float_attention_c3(%q: memref<1x1x2x8xf32>, %pk: memref<1x8x?xf32>, %pv: memref<1x?x8xf32>, %nk: memref<1x8x2xf32>, %nv: memref<1x2x8xf32>, %y: memref<2x1x1x8xf32>) {
  // expected-error @+1 {{expected a finite scale, but got 0x7F800000 : f32}}
  quant.float_attention query(%q : memref<1x1x2x8xf32>) past(%pk, %pv : memref<1x8x?xf32>, memref<1x?x8xf32>) new(%nk, %nv : memref<1x8x2xf32>, memref<1x2x8xf32>) outs(%y : memref<2x1x1x8xf32>) scale = 0x7F800000
  return
}

// -----

func.func @float_attention_c4(%q: memref<1x1x2x8xf32>, %pk: memref<1x8x?xf32>, %pv: memref<1x?x8xf32>, %nk: memref<1x8x2xf32>, %nv: memref<1x2x8xf32>, %y: memref<2x1x8xf32>) {
  // expected-error @+1 {{expected init of shape [2, 1, 1, 8] ([S, H, G, D] of query), but got 'memref<2x1x8xf32>'}}
  quant.float_attention query(%q : memref<1x1x2x8xf32>) past(%pk, %pv : memref<1x8x?xf32>, memref<1x?x8xf32>) new(%nk, %nv : memref<1x8x2xf32>, memref<1x2x8xf32>) outs(%y : memref<2x1x8xf32>) scale = 1.0
  return
}

// -----

func.func @float_attention_c5(%q: tensor<1x1x2x8xf32>, %pk: tensor<1x8x?xf32>, %pv: tensor<1x?x8xf32>, %nk: tensor<1x8x2xf32>, %nv: tensor<1x2x8xf32>, %y: tensor<2x1x1x8xf32>) {
  // expected-error @+1 {{expected one result of init's type, but got 'tensor<?x1x1x8xf32>'}}
  %0 = quant.float_attention query(%q : tensor<1x1x2x8xf32>) past(%pk, %pv : tensor<1x8x?xf32>, tensor<1x?x8xf32>) new(%nk, %nv : tensor<1x8x2xf32>, tensor<1x2x8xf32>) outs(%y : tensor<2x1x1x8xf32>) scale = 1.0 -> tensor<?x1x1x8xf32>
  return
}

// -----

func.func @float_attention_c5_none(%q: tensor<1x1x2x8xf32>, %pk: tensor<1x8x?xf32>, %pv: tensor<1x?x8xf32>, %nk: tensor<1x8x2xf32>, %nv: tensor<1x2x8xf32>, %y: tensor<2x1x1x8xf32>) {
  // expected-error @+1 {{expected one result of init's type, but got }}
  quant.float_attention query(%q : tensor<1x1x2x8xf32>) past(%pk, %pv : tensor<1x8x?xf32>, tensor<1x?x8xf32>) new(%nk, %nv : tensor<1x8x2xf32>, tensor<1x2x8xf32>) outs(%y : tensor<2x1x1x8xf32>) scale = 1.0
  return
}

// -----

func.func @float_attention_c5_memref(%q: memref<1x1x2x8xf32>, %pk: memref<1x8x?xf32>, %pv: memref<1x?x8xf32>, %nk: memref<1x8x2xf32>, %nv: memref<1x2x8xf32>, %y: memref<2x1x1x8xf32>) {
  // expected-error @+1 {{expected no result of memrefs, but got 'tensor<2x1x1x8xf32>'}}
  %0 = quant.float_attention query(%q : memref<1x1x2x8xf32>) past(%pk, %pv : memref<1x8x?xf32>, memref<1x?x8xf32>) new(%nk, %nv : memref<1x8x2xf32>, memref<1x2x8xf32>) outs(%y : memref<2x1x1x8xf32>) scale = 1.0 -> tensor<2x1x1x8xf32>
  return
}
