// RUN: quant-opt %s --split-input-file --verify-diagnostics

func.func @quantize_blocks_c1(%x: memref<4x?xf32>, %q: memref<4x64xi8>, %s: memref<4x2xf32>) {
  // expected-error @+1 {{expected an input [M, K] of f32, f16 or bf16 with a static K, but got 'memref<4x?xf32>'}}
  quant.quantize_blocks ins(%x : memref<4x?xf32>) outs(%q, %s : memref<4x64xi8>, memref<4x2xf32>) block = 32 range = [-127, 127]
  return
}

// -----

func.func @quantize_blocks_c2(%x: memref<4x64xf32>, %q: memref<4x64xi4>, %s: memref<4x2xf32>) {
  // expected-error @+1 {{expected ints of 'i8', but got 'memref<4x64xi4>'}}
  quant.quantize_blocks ins(%x : memref<4x64xf32>) outs(%q, %s : memref<4x64xi4>, memref<4x2xf32>) block = 32 range = [-7, 7]
  return
}

// -----

func.func @quantize_blocks_c2_shape(%x: memref<4x64xf32>, %q: memref<4x96xi8>, %s: memref<4x2xf32>) {
  // expected-error @+1 {{expected ints of shape [4, 64] ([M, K] of input), but got 'memref<4x96xi8>'}}
  quant.quantize_blocks ins(%x : memref<4x64xf32>) outs(%q, %s : memref<4x96xi8>, memref<4x2xf32>) block = 32 range = [-7, 7]
  return
}

// -----

func.func @quantize_blocks_c3(%x: memref<4x65xf32>, %q: memref<4x65xi8>, %s: memref<4x2xf32>) {
  // expected-error @+1 {{expected scale of shape [4, 3] ([M, ceil(K / block)] of input), but got 'memref<4x2xf32>'}}
  quant.quantize_blocks ins(%x : memref<4x65xf32>) outs(%q, %s : memref<4x65xi8>, memref<4x2xf32>) block = 32 range = [-127, 127]
  return
}

// -----

func.func @quantize_blocks_c3_element(%x: memref<4x64xf32>, %q: memref<4x64xi8>, %s: memref<4x2xf16>) {
  // expected-error @+1 {{expected scale of 'f32', but got 'memref<4x2xf16>'}}
  quant.quantize_blocks ins(%x : memref<4x64xf32>) outs(%q, %s : memref<4x64xi8>, memref<4x2xf16>) block = 32 range = [-127, 127] scales = f16
  return
}

// -----

func.func @quantize_blocks_c3_sums(%x: memref<4x64xf32>, %q: memref<4x64xi8>, %s: memref<4x2xf32>, %t: memref<4x1xi32>) {
  // expected-error @+1 {{expected sums of shape [4, 2] ([M, ceil(K / block)] of input), but got 'memref<4x1xi32>'}}
  quant.quantize_blocks ins(%x : memref<4x64xf32>) outs(%q, %s, %t : memref<4x64xi8>, memref<4x2xf32>, memref<4x1xi32>) block = 32 range = [-127, 127]
  return
}

// -----

func.func @quantize_blocks_c4(%x: memref<4x64xf32>, %q: memref<4x64xi8>, %s: memref<4x2xf32>) {
  // expected-error @+1 {{expected a range around 0, but got [0, 127]}}
  quant.quantize_blocks ins(%x : memref<4x64xf32>) outs(%q, %s : memref<4x64xi8>, memref<4x2xf32>) block = 32 range = [0, 127]
  return
}

// -----

func.func @quantize_blocks_c5(%x: tensor<4x64xf32>, %q: memref<4x64xi8>, %s: memref<4x2xf32>) {
  // expected-error @+1 {{expected operands that are all tensors or all memrefs, but got 'tensor<4x64xf32>' and 'memref<4x64xi8>'}}
  quant.quantize_blocks ins(%x : tensor<4x64xf32>) outs(%q, %s : memref<4x64xi8>, memref<4x2xf32>) block = 32 range = [-127, 127]
  return
}

// -----

func.func @quantize_blocks_c6(%x: memref<4x64xf32>, %q: memref<4x64xi8>, %s: memref<4x2xf32>) {
  // expected-error @+1 {{expected block > 0, but got 0}}
  quant.quantize_blocks ins(%x : memref<4x64xf32>) outs(%q, %s : memref<4x64xi8>, memref<4x2xf32>) block = 0 range = [-127, 127]
  return
}

// -----

func.func @quantize_blocks_c7(%x: memref<4x64xf32>, %q: memref<4x64xi8>, %s: memref<4x2xf32>) {
  // expected-error @+1 {{expected a size that is a power of two from 2 to 256, but got 48}}
  quant.quantize_blocks ins(%x : memref<4x64xf32>) outs(%q, %s : memref<4x64xi8>, memref<4x2xf32>) block = 32 range = [-127, 127] rotation = 48
  return
}

// -----

func.func @quantize_blocks_c7_cuts(%x: memref<4x96xf32>, %q: memref<4x96xi8>, %s: memref<4x4xf32>) {
  // expected-error @+1 {{expected one of rotation and block to divide the other, but got 32 and 24}}
  quant.quantize_blocks ins(%x : memref<4x96xf32>) outs(%q, %s : memref<4x96xi8>, memref<4x4xf32>) block = 24 range = [-127, 127] rotation = 32
  return
}

// -----

func.func @quantize_blocks_c7_seed(%x: memref<4x64xf32>, %q: memref<4x64xi8>, %s: memref<4x2xf32>) {
  // expected-error @+1 {{expected a rotation where there is a rotation_seed}}
  "quant.quantize_blocks"(%x, %q, %s) {block = 32 : i64, range = array<i64: -127, 127>, rotation_seed = 3 : i64} : (memref<4x64xf32>, memref<4x64xi8>, memref<4x2xf32>) -> ()
  return
}
