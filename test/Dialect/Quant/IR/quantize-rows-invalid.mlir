// RUN: quant-opt %s --split-input-file --verify-diagnostics

func.func @quantize_rows_c1(%x: memref<4x?xf32>, %q: memref<4x2x1x64xi8>, %s: memref<4xf32>) {
  // expected-error @+1 {{expected an input [M, K] of f32, f16 or bf16 with a static K, but got 'memref<4x?xf32>'}}
  quant.quantize_rows ins(%x : memref<4x?xf32>) outs(%q, %s : memref<4x2x1x64xi8>, memref<4xf32>) range = [-128, 127]
  return
}

// -----

func.func @quantize_rows_c2(%x: memref<4x96xf32>, %q: memref<4x2x1x64xi4>, %s: memref<4xf32>) {
  // expected-error @+1 {{expected packed [M, K] or [M, K/KR, 1, KR] of i8 with a static KR, but got 'memref<4x2x1x64xi4>'}}
  quant.quantize_rows ins(%x : memref<4x96xf32>) outs(%q, %s : memref<4x2x1x64xi4>, memref<4xf32>) range = [-8, 7]
  return
}

// -----

func.func @quantize_rows_c2_tiles(%x: memref<4x96xf32>, %q: memref<4x1x1x64xi8>, %s: memref<4xf32>) {
  // expected-error @+1 {{expected packed of shape [4, 2, 1, 64] ([M, K/KR, 1, KR] of input), but got 'memref<4x1x1x64xi8>'}}
  quant.quantize_rows ins(%x : memref<4x96xf32>) outs(%q, %s : memref<4x1x1x64xi8>, memref<4xf32>) range = [-128, 127]
  return
}

// -----

func.func @quantize_rows_c2_plain(%x: memref<4x96xf32>, %q: memref<4x128xi8>, %s: memref<4xf32>) {
  // expected-error @+1 {{expected packed of shape [4, 96] ([M, K] of input), but got 'memref<4x128xi8>'}}
  quant.quantize_rows ins(%x : memref<4x96xf32>) outs(%q, %s : memref<4x128xi8>, memref<4xf32>) range = [-128, 127]
  return
}

// -----

func.func @quantize_rows_c2_unsigned(%x: memref<4x96xf32>, %q: memref<4x2x1x64xi8>, %s: memref<4xf32>) {
  // expected-error @+1 {{expected unsigned results in plain rows, but got 'memref<4x2x1x64xi8>'}}
  quant.quantize_rows ins(%x : memref<4x96xf32>) outs(%q, %s : memref<4x2x1x64xi8>, memref<4xf32>) range = [-128, 127] unsigned
  return
}

// -----

func.func @quantize_rows_c3(%x: memref<4x96xf32>, %q: memref<4x2x1x64xi8>, %s: memref<4xf16>) {
  // expected-error @+1 {{expected a scale of f32, but got 'memref<4xf16>'}}
  quant.quantize_rows ins(%x : memref<4x96xf32>) outs(%q, %s : memref<4x2x1x64xi8>, memref<4xf16>) range = [-128, 127]
  return
}

// -----

func.func @quantize_rows_c4(%x: memref<4x96xf32>, %q: memref<4x2x1x64xi8>, %s: memref<4xf32>) {
  // expected-error @+1 {{expected a range around 0, but got [0, 127]}}
  quant.quantize_rows ins(%x : memref<4x96xf32>) outs(%q, %s : memref<4x2x1x64xi8>, memref<4xf32>) range = [0, 127]
  return
}

// -----

func.func @quantize_rows_c5(%x: tensor<4x96xf32>, %q: memref<4x96xi8>, %s: memref<4xf32>) {
  // expected-error @+1 {{'quant.quantize_rows' op expected operands that are all tensors or all memrefs, but got 'tensor<4x96xf32>' and 'memref<4x96xi8>'}}
  quant.quantize_rows ins(%x : tensor<4x96xf32>) outs(%q, %s : memref<4x96xi8>, memref<4xf32>) range = [-128, 127]
  return
}
