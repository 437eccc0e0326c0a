// RUN: quant-opt %s -split-input-file -verify-diagnostics

// Each case is named by the constraint of the op's documentation that it
// violates.

func.func @packed_matmul_c1_rank(%a: tensor<1x2x4xi8>, %b: tensor<1x1x16x4xi8>, %c: tensor<8x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected lhs of shape [?, ?] ([M, K] of #qtarget.layout<lhs = u8, rhs = s8 16x4>), but got 'tensor<1x2x4xi8>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<1x2x4xi8>, tensor<1x1x16x4xi8>) outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_c1_rhs_rank(%a: tensor<8x4xi8>, %b: tensor<16x4xi8>, %c: tensor<8x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected rhs of shape [?, ?, 16, 4] ([N/NR, K/KB, NR, KB] of #qtarget.layout<lhs = u8, rhs = s8 16x4>), but got 'tensor<16x4xi8>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<16x4xi8>) outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_c1_dynamic_tile(%a: tensor<8x4xi8>, %b: tensor<1x1x?x4xi8>, %c: tensor<8x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected rhs of shape [?, ?, 16, 4] ([N/NR, K/KB, NR, KB] of #qtarget.layout<lhs = u8, rhs = s8 16x4>), but got 'tensor<1x1x?x4xi8>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x?x4xi8>) outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_c2(%a: tensor<8x8xi8>, %b: tensor<1x3x16x4xi8>, %c: tensor<8x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected equal padded K sizes, but lhs has 8 and rhs has 12}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x8xi8>, tensor<1x3x16x4xi8>) outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_c3_rows(%a: tensor<9x4xi8>, %b: tensor<1x1x16x4xi8>, %c: tensor<8x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected 8 tiles of 1 in lhs for the size 8 of init, but got 'tensor<9x4xi8>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<9x4xi8>, tensor<1x1x16x4xi8>) outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_c3_columns(%a: tensor<8x4xi8>, %b: tensor<2x1x16x4xi8>, %c: tensor<8x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected 1 tiles of 16 in rhs for the size 16 of init, but got 'tensor<2x1x16x4xi8>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<2x1x16x4xi8>) outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_c5_col_bias(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %v: tensor<16xi32>, %c: tensor<8x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected col_bias of shape [1, 16] ([N/NR, NR] of rhs), but got 'tensor<16xi32>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) col_bias(%v : tensor<16xi32>) outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_c5_alone(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %v: tensor<1x8xi32>, %c: tensor<8x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected row_factors and col_factors together, but got only row_factors}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) row_factors(%v : tensor<1x8xi32>) outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_c5_factors(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %v: tensor<2x8xi32>, %w: tensor<1x1x16xi32>, %c: tensor<8x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected col_factors of shape [2, 1, 16] ([R, N/NR, NR]), but got 'tensor<1x1x16xi32>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) row_factors(%v : tensor<2x8xi32>) col_factors(%w : tensor<1x1x16xi32>) outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_c9_accumulator(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %s: tensor<f32>, %c: tensor<8x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected no scales with an i32 result, but got row_scale}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) row_scale(%s : tensor<f32>) outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_c9_float(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %c: tensor<8x16xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected a row_scale or a channel_scale with 'tensor<8x16xf32>', but got neither}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) outs(%c : tensor<8x16xf32>) -> tensor<8x16xf32>
  return
}

// -----

func.func @packed_matmul_c9_range(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %s: tensor<f32>, %c: tensor<8x16xi8>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected a range with an 8-bit result}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) row_scale(%s : tensor<f32>) outs(%c : tensor<8x16xi8>) -> tensor<8x16xi8>
  return
}

// -----

func.func @packed_matmul_c1_tile(%a: tensor<8x2xi8>, %b: tensor<1x1x16x2xi8>, %c: tensor<8x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected rhs of shape [?, ?, 16, 4] ([N/NR, K/KB, NR, KB] of #qtarget.layout<lhs = u8, rhs = s8 16x4>), but got 'tensor<1x1x16x2xi8>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x2xi8>, tensor<1x1x16x2xi8>) outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_schedule(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %c: tensor<8x16xi32>) {
  // expected-error@+2 {{expected rows > 0 and blocks >= 0, found rows = 0, blockM = 0, blockK = 0}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) outs(%c : tensor<8x16xi32>)
    {schedule = #qtarget.schedule<rows = 0, blockM = 0, blockK = 0>} -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_c13(%a: tensor<8x4xi8>, %b: tensor<1x1x24x4xi8>, %c: tensor<8x24xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected inner N tiles of a multiple of 16 for vpdpbusd_512, but got 'tensor<1x1x24x4xi8>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 24x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x24x4xi8>) outs(%c : tensor<8x24xi32>) -> tensor<8x24xi32>
  return
}

// -----

func.func @packed_matmul_c1_element(%a: tensor<8x2xi8>, %b: tensor<1x1x16x2xi8>, %c: tensor<8x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected lhs elements of i16 (#qtarget.layout<lhs = s16, rhs = s8 16x2>), but got 'tensor<8x2xi8>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpmaddwd_512> layout<lhs = s16, rhs = s8 16x2> ins(%a, %b : tensor<8x2xi8>, tensor<1x1x16x2xi8>) outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_c4_col_bias(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %v: tensor<1x16xf32>, %c: tensor<8x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected col_bias elements of 'i32', but got 'tensor<1x16xf32>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) col_bias(%v : tensor<1x16xf32>) outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_c4_scale(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %s: tensor<f64>, %c: tensor<8x16xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected row_scale elements of 'f32', but got 'tensor<f64>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) row_scale(%s : tensor<f64>) outs(%c : tensor<8x16xf32>) -> tensor<8x16xf32>
  return
}

// -----

func.func @packed_matmul_c9_bias(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %v: tensor<1x16xf32>, %c: tensor<8x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected no bias and no clamp with an i32 result}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) bias(%v : tensor<1x16xf32>) outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_c9_result(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %s: tensor<f32>, %c: tensor<8x16xf64>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected a result of i32, i8, f32, f16 or bf16, but init is 'tensor<8x16xf64>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) row_scale(%s : tensor<f32>) outs(%c : tensor<8x16xf64>) -> tensor<8x16xf64>
  return
}

// -----

func.func @packed_matmul_c9_integer(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %s: tensor<f32>, %c: tensor<8x16xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected zero_point, range and unsigned with an 8-bit result only, but init is 'tensor<8x16xf32>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) row_scale(%s : tensor<f32>) outs(%c : tensor<8x16xf32>) {zero_point = 1 : i32} -> tensor<8x16xf32>
  return
}

// -----

func.func @packed_matmul_c10_alone(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %m: tensor<i32>, %c: tensor<8x16xi8>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected multiplier, shift and rounding together}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) multiplier(%m : tensor<i32>) outs(%c : tensor<8x16xi8>) {range = array<i64: -128, 127>} -> tensor<8x16xi8>
  return
}

// -----

func.func @packed_matmul_c10_result(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %m: tensor<i32>, %s: tensor<i8>, %c: tensor<8x16xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected a result of i8, i16 or i32 with a multiplier, but init is 'tensor<8x16xf32>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) multiplier(%m : tensor<i32>) shift(%s : tensor<i8>) rounding(SINGLE_ROUND) outs(%c : tensor<8x16xf32>) {range = array<i64: -128, 127>} -> tensor<8x16xf32>
  return
}

// -----

func.func @packed_matmul_c10_scale(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %m: tensor<i32>, %s: tensor<i8>, %f: tensor<f32>, %c: tensor<8x16xi8>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected no scale, bias, residual or clamp with a multiplier}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) row_scale(%f : tensor<f32>) multiplier(%m : tensor<i32>) shift(%s : tensor<i8>) rounding(SINGLE_ROUND) outs(%c : tensor<8x16xi8>) {range = array<i64: -128, 127>} -> tensor<8x16xi8>
  return
}

// -----

func.func @packed_matmul_c10_multiplier(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %m: tensor<i64>, %s: tensor<i8>, %c: tensor<8x16xi8>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected multiplier elements of i32, but got 'tensor<i64>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) multiplier(%m : tensor<i64>) shift(%s : tensor<i8>) rounding(SINGLE_ROUND) outs(%c : tensor<8x16xi8>) {range = array<i64: -128, 127>} -> tensor<8x16xi8>
  return
}

// -----

func.func @packed_matmul_c10_shift(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %m: tensor<i32>, %s: tensor<i32>, %c: tensor<8x16xi8>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected shift elements of i8, but got 'tensor<i32>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) multiplier(%m : tensor<i32>) shift(%s : tensor<i32>) rounding(SINGLE_ROUND) outs(%c : tensor<8x16xi8>) {range = array<i64: -128, 127>} -> tensor<8x16xi8>
  return
}

// -----

func.func @packed_matmul_c10_shape(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %m: tensor<16xi32>, %s: tensor<16xi8>, %c: tensor<8x16xi8>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected multiplier of rank 0 or shape [1, 16] ([N/NR, NR] of rhs), but got 'tensor<16xi32>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) multiplier(%m : tensor<16xi32>) shift(%s : tensor<16xi8>) rounding(SINGLE_ROUND) outs(%c : tensor<8x16xi8>) {range = array<i64: -128, 127>} -> tensor<8x16xi8>
  return
}

// -----

func.func @packed_matmul_c10_ranks(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %m: tensor<1x16xi32>, %s: tensor<i8>, %c: tensor<8x16xi8>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected multiplier and shift of one rank, but got 'tensor<1x16xi32>' and 'tensor<i8>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) multiplier(%m : tensor<1x16xi32>) shift(%s : tensor<i8>) rounding(SINGLE_ROUND) outs(%c : tensor<8x16xi8>) {range = array<i64: -128, 127>} -> tensor<8x16xi8>
  return
}

// -----

func.func @packed_matmul_c9_multiplier(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %m: tensor<i32>, %s: tensor<i8>, %c: tensor<8x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected a range with a multiplier}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) multiplier(%m : tensor<i32>) shift(%s : tensor<i8>) rounding(SINGLE_ROUND) outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_c11_result(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %f: tensor<f32>, %r: tensor<8x16xf32>, %c: tensor<8x16xi8>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected a residual with a float result only, but init is 'tensor<8x16xi8>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) row_scale(%f : tensor<f32>) residual(%r : tensor<8x16xf32>) outs(%c : tensor<8x16xi8>) {range = array<i64: -128, 127>} -> tensor<8x16xi8>
  return
}

// -----

func.func @packed_matmul_c4_residual(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %f: tensor<f32>, %r: tensor<8x16xf16>, %c: tensor<8x16xf16>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected residual elements of 'f32', but got 'tensor<8x16xf16>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) row_scale(%f : tensor<f32>) residual(%r : tensor<8x16xf16>) outs(%c : tensor<8x16xf16>) -> tensor<8x16xf16>
  return
}

// -----

func.func @packed_matmul_c11_shape(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %f: tensor<f32>, %r: tensor<8x15xf32>, %c: tensor<8x16xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected residual of shape [8, 16] (the shape of init), but got 'tensor<8x15xf32>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) row_scale(%f : tensor<f32>) residual(%r : tensor<8x15xf32>) outs(%c : tensor<8x16xf32>) -> tensor<8x16xf32>
  return
}

// -----

func.func @packed_matmul_c12_nibbles(%a: tensor<1x1x16x64xi8>, %b: tensor<1x8x16x4xi8>, %c: tensor<16x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected #qtarget.layout<lhs = s8 16x64, rhs = s8 16x4> for amx_tdpbssd, but got #qtarget.layout<lhs = s8 16x64, rhs = s4 16x8>}}
  %0 = qtarget.packed_matmul #qtarget.x86<amx_tdpbssd> layout<lhs = s8 16x64, rhs = s4 16x8> ins(%a, %b : tensor<1x1x16x64xi8>, tensor<1x8x16x4xi8>) outs(%c : tensor<16x16xi32>) -> tensor<16x16xi32>
  return
}

// -----

func.func @packed_matmul_c2_nibbles(%a: tensor<8x12xi8>, %b: tensor<1x3x16x4xi8>, %c: tensor<8x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected equal padded K sizes, but lhs has 16 and rhs has 24}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s4 16x8> ins(%a, %b : tensor<8x12xi8>, tensor<1x3x16x4xi8>) outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_c9_one(%a: tensor<?x4xi8>, %b: tensor<1x1x16x4xi8>, %s: tensor<1xf32>, %c: tensor<?x16xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected row_scale of rank 0 or shape [?] ([M] of init), but got 'tensor<1xf32>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<?x4xi8>, tensor<1x1x16x4xi8>) row_scale(%s : tensor<1xf32>) outs(%c : tensor<?x16xf32>) -> tensor<?x16xf32>
  return
}

// -----

func.func @packed_matmul_c15(%a: memref<8x4xi8>, %b: memref<1x1x16x4xi8>, %m: tensor<1x16xi32>, %s: memref<1x16xi8>, %c: memref<8x16xi8>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected operands that are all tensors or all memrefs, but got 'memref<8x4xi8>' and 'tensor<1x16xi32>'}}
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : memref<8x4xi8>, memref<1x1x16x4xi8>) multiplier(%m : tensor<1x16xi32>) shift(%s : memref<1x16xi8>) rounding(SINGLE_ROUND) outs(%c : memref<8x16xi8>) {range = array<i64: -128, 127>}
  return
}

// -----

func.func @packed_matmul_c12_sign(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %c: tensor<8x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected #qtarget.layout<lhs = u8, rhs = s8 16x4> for vpdpbusd_512, but got #qtarget.layout<lhs = s8, rhs = s8 16x4>}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_c12_step(%a: tensor<8x2xi8>, %b: tensor<1x1x16x2xi8>, %c: tensor<8x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected #qtarget.layout<lhs = u8, rhs = s8 16x4> for vpdpbusd_512, but got #qtarget.layout<lhs = u8, rhs = s8 16x2>}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x2> ins(%a, %b : tensor<8x2xi8>, tensor<1x1x16x2xi8>) outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_c12_stored(%a: tensor<8x1x1x128xi4>, %b: tensor<2x1x8x64xi8>, %c: tensor<8x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected rhs elements of i4 for mma_m16n8k64_s4, but got 'tensor<2x1x8x64xi8>'}}
  %0 = qtarget.packed_matmul #qtarget.nvvm<mma_m16n8k64_s4> layout<lhs = s4 1x128, rhs = s4 8x128> ins(%a, %b : tensor<8x1x1x128xi4>, tensor<2x1x8x64xi8>) outs(%c : tensor<8x16xi32>) -> tensor<8x16xi32>
  return
}

// -----

func.func @packed_matmul_c13_tile(%a: tensor<1x1x17x64xi8>, %b: tensor<1x16x16x4xi8>, %c: tensor<17x16xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected inner tiles of at most 16 rows in lhs and of 16 columns in rhs for amx_tdpbssd, but got 'tensor<1x1x17x64xi8>' and 'tensor<1x16x16x4xi8>'}}
  %0 = qtarget.packed_matmul #qtarget.x86<amx_tdpbssd> layout<lhs = s8 17x64, rhs = s8 16x4> ins(%a, %b : tensor<1x1x17x64xi8>, tensor<1x16x16x4xi8>) outs(%c : tensor<17x16xi32>) -> tensor<17x16xi32>
  return
}

// -----

func.func @packed_matmul_c6_alone(%a: tensor<8x4xi8>, %b: tensor<1x1x16x4xi8>, %s: tensor<1x1x16xf32>, %c: tensor<8x16xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected no rhs_scale without groups}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<8x4xi8>, tensor<1x1x16x4xi8>) rhs_scale(%s : tensor<1x1x16xf32>) outs(%c : tensor<8x16xf32>) -> tensor<8x16xf32>
  return
}
