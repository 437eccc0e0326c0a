// RUN: quant-opt %s --split-input-file --verify-diagnostics

func.func @rotate_c1_power(%x: tensor<4x96xf32>) -> tensor<4x96xf32> {
  // expected-error @+1 {{expected a size that is a power of two from 2 to 256, but got 24}}
  %0 = quant.rotate %x size = 24 : tensor<4x96xf32> -> tensor<4x96xf32>
  return %0 : tensor<4x96xf32>
}

// -----

func.func @rotate_c1_size(%x: tensor<4x96xf32>) -> tensor<4x96xf32> {
  // expected-error @+1 {{expected a size that is a power of two from 2 to 256, but got 512}}
  %0 = quant.rotate %x size = 512 : tensor<4x96xf32> -> tensor<4x96xf32>
  return %0 : tensor<4x96xf32>
}

// -----

func.func @rotate_c1_seed(%x: tensor<4x96xf32>) -> tensor<4x96xf32> {
  // expected-error @+1 {{expected a seed from 0 to 2147483647, but got -1}}
  %0 = quant.rotate %x size = 32 seed = -1 : tensor<4x96xf32> -> tensor<4x96xf32>
  return %0 : tensor<4x96xf32>
}

// -----

func.func @rotate_c2(%x: tensor<4x?xf32>) -> tensor<4x?xf32> {
  // expected-error @+1 {{expected an input whose last dimension is static, but got 'tensor<4x?xf32>'}}
  %0 = quant.rotate %x size = 32 : tensor<4x?xf32> -> tensor<4x?xf32>
  return %0 : tensor<4x?xf32>
}

// -----

func.func @rotate_c2_rank(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{expected an input whose last dimension is static, but got 'tensor<f32>'}}
  %0 = quant.rotate %x size = 32 : tensor<f32> -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

func.func @rotate_c3(%x: tensor<4x96xf32>) -> tensor<4x64xf32> {
  // expected-error @+1 {{expected result of shape [4, 96] (the input's shape), but got 'tensor<4x64xf32>'}}
  %0 = quant.rotate %x size = 32 : tensor<4x96xf32> -> tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}

// -----

func.func @rotate_rows_c1(%x: memref<4x96xf32>, %r: memref<4x96xf32>) {
  // expected-error @+1 {{expected a size that is a power of two from 2 to 256, but got 0}}
  quant.rotate_rows ins(%x : memref<4x96xf32>) outs(%r : memref<4x96xf32>) size = 0
  return
}

// -----

func.func @rotate_rows_c2(%x: memref<4x?xf32>, %r: memref<4x?xf32>) {
  // expected-error @+1 {{expected an input of f32, f16 or bf16 whose last dimension is static, but got 'memref<4x?xf32>'}}
  quant.rotate_rows ins(%x : memref<4x?xf32>) outs(%r : memref<4x?xf32>) size = 32
  return
}

// -----

func.func @rotate_rows_c3(%x: memref<4x96xf32>, %r: memref<4x96xi8>) {
  // expected-error @+1 {{expected rotated elements of f32, but got 'memref<4x96xi8>'}}
  quant.rotate_rows ins(%x : memref<4x96xf32>) outs(%r : memref<4x96xi8>) size = 32
  return
}

// -----

func.func @rotate_rows_c3_scale(%x: memref<4x96xf32>, %r: memref<4x96xf32>) {
  // expected-error @+1 {{expected rotated elements of i8 where there is a scale, but got 'memref<4x96xf32>'}}
  quant.rotate_rows ins(%x : memref<4x96xf32>) outs(%r : memref<4x96xf32>) size = 32 {scale = 1.0 : f32, range = array<i64: -128, 127>}
  return
}

// -----

func.func @rotate_rows_c3_shape(%x: memref<4x96xf32>, %r: memref<5x96xf32>) {
  // expected-error @+1 {{expected rotated of shape [4, 96] (the input's shape), but got 'memref<5x96xf32>'}}
  quant.rotate_rows ins(%x : memref<4x96xf32>) outs(%r : memref<5x96xf32>) size = 32
  return
}

// -----

func.func @rotate_rows_c4(%x: memref<4x96xf32>, %r: memref<4x96xi8>) {
  // expected-error @+1 {{expected a finite scale > 0, but got -1}}
  quant.rotate_rows ins(%x : memref<4x96xf32>) outs(%r : memref<4x96xi8>) size = 32 {scale = -1.0 : f32, range = array<i64: -128, 127>}
  return
}

// -----

func.func @rotate_rows_c4_range(%x: memref<4x96xf32>, %r: memref<4x96xi8>) {
  // expected-error @+1 {{expected a range where there is a scale}}
  quant.rotate_rows ins(%x : memref<4x96xf32>) outs(%r : memref<4x96xi8>) size = 32 {scale = 1.0 : f32}
  return
}

// -----

func.func @rotate_rows_c4_zero_point(%x: memref<4x96xf32>, %r: memref<4x96xi8>) {
  // expected-error @+1 {{expected zero_point in [-128, 127], but got 128}}
  quant.rotate_rows ins(%x : memref<4x96xf32>) outs(%r : memref<4x96xi8>) size = 32 {scale = 1.0 : f32, range = array<i64: -128, 127>, zero_point = 128 : i64}
  return
}

// -----

func.func @rotate_rows_c4_no_scale(%x: memref<4x96xf32>, %r: memref<4x96xf32>) {
  // expected-error @+1 {{expected no range, zero_point or unsigned where there is no scale}}
  quant.rotate_rows ins(%x : memref<4x96xf32>) outs(%r : memref<4x96xf32>) size = 32 {range = array<i64: -128, 127>}
  return
}

// -----

func.func @rotate_rows_c5(%x: tensor<4x96xf32>, %r: memref<4x96xf32>) {
  // expected-error @+1 {{expected}}
  quant.rotate_rows ins(%x : tensor<4x96xf32>) outs(%r : memref<4x96xf32>) size = 32
  return
}

// -----

func.func @quantize_rows_c6(%x: memref<4x96xf32>, %q: memref<4x96xi8>, %s: memref<4xf32>) {
  // expected-error @+1 {{expected a size that is a power of two from 2 to 256, but got 33}}
  quant.quantize_rows ins(%x : memref<4x96xf32>) outs(%q, %s : memref<4x96xi8>, memref<4xf32>) range = [-128, 127] rotation = 33
  return
}

// -----

func.func @quantize_rows_c6_seed(%x: memref<4x96xf32>, %q: memref<4x96xi8>, %s: memref<4xf32>) {
  // expected-error @+1 {{expected a rotation where there is a rotation_seed}}
  quant.quantize_rows ins(%x : memref<4x96xf32>) outs(%q, %s : memref<4x96xi8>, memref<4xf32>) range = [-128, 127] {rotation_seed = 3 : i64}
  return
}
