// RUN: quant-opt %s -split-input-file -verify-diagnostics

// Each case is named by the constraint of the op's documentation that it
// violates.

func.func @packed_matmul_c12_family(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected a dot product of four bytes, or tiles of signed by unsigned ones, but got vpmaddwd_512}}
  %r = qtarget.packed_matmul #qtarget.x86<vpmaddwd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c12_panels(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected #qtarget.layout<lhs = s8, rhs = u4 8x8, group = 8> for vpdpbusd_256, but got #qtarget.layout<lhs = s8, rhs = u4 16x8, group = 8>}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_256> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_layout_bits(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{custom op 'qtarget.packed_matmul' expected elements of 2, 4, 8 or 16 bits, found rhs = u5 16x6}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u5 16x6, group = 6> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c1_rank(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x64xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected rhs of shape [?, ?, 1, 16, 4] ([N/NR, K/G, G/KB, NR, KB] of #qtarget.layout<lhs = s8, rhs = u4 16x8, group = 8>), but got 'tensor<1x2x1x64xi8>'}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x64xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c2_static(%a0: tensor<3x16xi8>, %a1: tensor<1x?x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected static K sizes with groups, but got 'tensor<3x16xi8>' and 'tensor<1x?x1x16x4xi8>'}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x?x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c2_rows(%a0: tensor<3x15xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected lhs of at least 16 elements along K for 2 groups of 8, but got 'tensor<3x15xi8>'}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x15xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c3_rows(%a0: tensor<4x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected 3 tiles of 1 in lhs for the size 3 of init, but got 'tensor<4x16xi8>'}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<4x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c8_result(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected a result of f32, f16 or bf16 with groups, but init is 'tensor<3x2xi32>'}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xi32>) -> tensor<3x2xi32>
  return
}

// -----

func.func @packed_matmul_c3_panels(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x17xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected 2 tiles of 16 in rhs for the size 17 of init, but got 'tensor<1x2x1x16x4xi8>'}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x17xf32>) -> tensor<3x17xf32>
  return
}

// -----

func.func @packed_matmul_c6_scale(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x16x2xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected rhs_scale of shape [1, 2, 16] ([N/NR, K/G, NR]), but got 'tensor<1x16x2xf32>'}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x16x2xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c4_scale(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf64>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected rhs_scale elements of 'f32', but got 'tensor<1x2x16xf64>'}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf64>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c5_bias(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<16xf32>, %a4: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected bias of shape [1, 16] ([N/NR, NR]), but got 'tensor<16xf32>'}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) bias(%a3 : tensor<16xf32>) outs(%a4 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c6_row_bias(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<2x3xi32>, %a4: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected row_bias of shape [3, 2] ([M, K/G]), but got 'tensor<2x3xi32>'}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) row_bias(%a3 : tensor<2x3xi32>) outs(%a4 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c6_rank(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<?x3x2xi32>, %a4: tensor<1x1x2x16xi32>, %a5: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected row_factors of [R, M, K/G] with static R, but got 'tensor<?x3x2xi32>'}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) row_factors(%a3 : tensor<?x3x2xi32>) col_factors(%a4 : tensor<1x1x2x16xi32>) outs(%a5 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c6_row_scale(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<2xf32>, %a4: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected row_scale of rank 0 or shape [3] ([M] of init), but got 'tensor<2xf32>'}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) row_scale(%a3 : tensor<2xf32>) outs(%a4 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c4_row_scale(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3xf16>, %a4: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected row_scale elements of 'f32', but got 'tensor<3xf16>'}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) row_scale(%a3 : tensor<3xf16>) outs(%a4 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c5_factors(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<1x3x2xi32>, %a4: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected row_factors and col_factors together}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) row_factors(%a3 : tensor<1x3x2xi32>) outs(%a4 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c7_offset(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xi32>, %a4: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected row_sums and rhs_offset together}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) row_sums(%a3 : tensor<3x2xi32>) outs(%a4 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c1_panels(%a0: tensor<3x1x1x64xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected rhs of shape [?, ?, 1, 8, 4] ([N/NR, K/G, G/KB, NR, KB] of #qtarget.layout<lhs = s8 1x64, rhs = s4 8x8, group = 8>), but got 'tensor<1x2x1x16x4xi8>'}}
  %r = qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s4 8x8, group = 8> ins(%a0, %a1 : tensor<3x1x1x64xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c1_lhs(%a0: tensor<3x64xi8>, %a1: tensor<1x2x1x8x4xi8>, %a2: tensor<1x2x8xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected lhs of shape [?, ?, 1, 64] ([M/MR, K/KL, MR, KL] of #qtarget.layout<lhs = s8 1x64, rhs = s4 8x8, group = 8>), but got 'tensor<3x64xi8>'}}
  %r = qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s4 8x8, group = 8> ins(%a0, %a1 : tensor<3x64xi8>, tensor<1x2x1x8x4xi8>) rhs_scale(%a2 : tensor<1x2x8xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c14_rows(%a0: tensor<3x1x1x64xi8>, %a1: tensor<1x2x1x8x4xi8>, %a2: tensor<1x2x8xf32>, %a3: tensor<3x2xf32>, %a4: tensor<3x2xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected no corrections of rows for grouped_s8}}
  %r = qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s4 8x8, group = 8> ins(%a0, %a1 : tensor<3x1x1x64xi8>, tensor<1x2x1x8x4xi8>) rhs_scale(%a2 : tensor<1x2x8xf32>) row_bias(%a4 : tensor<3x2xi32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c14_zero_points(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<1x2x16xi32>, %a4: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected no zero points for vpdpbusd_512}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) rhs_zero_point(%a3 : tensor<1x2x16xi32>) outs(%a4 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c1_floats(%a0: tensor<3x16xi32>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected lhs elements of f32 (#qtarget.layout<lhs = f32, rhs = u4 16x8, group = 8>), but got 'tensor<3x16xi32>'}}
  %r = qtarget.packed_matmul #qtarget.x86<vfmadd_512> layout<lhs = f32, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi32>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c12_floats(%a0: tensor<3x16xf32>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected #qtarget.layout<lhs = s8, rhs = u4 16x8, group = 8> for vpdpbusd_512, but got #qtarget.layout<lhs = f32, rhs = u4 16x8, group = 8>}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = f32, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xf32>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c14_floats(%a0: tensor<3x16xf32>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>, %a4: tensor<3xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected no corrections, zero points or scales of rows for vfmadd_512}}
  %r = qtarget.packed_matmul #qtarget.x86<vfmadd_512> layout<lhs = f32, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xf32>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) row_scale(%a4 : tensor<3xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c14_float_scales(%a0: tensor<3x16xf32>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected no corrections, zero points or scales of rows for vfmadd_512}}
  %r = qtarget.packed_matmul #qtarget.x86<vfmadd_512> layout<lhs = f32, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xf32>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) lhs_scale(%a3 : tensor<3x2xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c14_float_groups(%a0: tensor<3x16xi8>, %a1: tensor<1x4x16x4xi8>, %a3: tensor<3x2xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected groups for vfmadd_512}}
  %r = qtarget.packed_matmul #qtarget.x86<vfmadd_512> layout<lhs = s8, rhs = s8 16x4> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x4x16x4xi8>) outs(%a3 : tensor<3x2xi32>) -> tensor<3x2xi32>
  return
}

// -----

func.func @packed_matmul_c4_float_sums(%a0: tensor<3x16xf32>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>, %a4: tensor<3x2xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected row_sums elements of 'f32', but got 'tensor<3x2xi32>'}}
  %r = qtarget.packed_matmul #qtarget.x86<vfmadd_512> layout<lhs = f32, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xf32>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) row_sums(%a4 : tensor<3x2xi32>) rhs_offset(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c6_one_zero_point(%a0: tensor<3x1x1x64xi8>, %a1: tensor<1x2x1x8x4xi8>, %a2: tensor<1x2x8xf32>, %a3: tensor<3x2xf32>, %a4: tensor<i32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected rhs_zero_point of shape [1, 2, 8] ([N/NR, K/G, NR]), but got 'tensor<i32>'}}
  %r = qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s4 8x8, group = 8> ins(%a0, %a1 : tensor<3x1x1x64xi8>, tensor<1x2x1x8x4xi8>) rhs_scale(%a2 : tensor<1x2x8xf32>) rhs_zero_point(%a4 : tensor<i32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c7_sums(%a0: tensor<3x1x1x64xi8>, %a1: tensor<1x2x1x8x4xi8>, %a2: tensor<1x2x8xf32>, %a3: tensor<3x2xf32>, %a4: tensor<i32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected lhs_zero_point and rhs_sums together}}
  %r = qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s4 8x8, group = 8> ins(%a0, %a1 : tensor<3x1x1x64xi8>, tensor<1x2x1x8x4xi8>) rhs_scale(%a2 : tensor<1x2x8xf32>) lhs_zero_point(%a4 : tensor<i32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c6_rhs_zero_point(%a0: tensor<3x1x1x64xi8>, %a1: tensor<1x2x1x8x4xi8>, %a2: tensor<1x2x8xf32>, %a3: tensor<3x2xf32>, %a4: tensor<1x2xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected rhs_zero_point of shape [1, 2, 8] ([N/NR, K/G, NR]), but got 'tensor<1x2xi32>'}}
  %r = qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s4 8x8, group = 8> ins(%a0, %a1 : tensor<3x1x1x64xi8>, tensor<1x2x1x8x4xi8>) rhs_scale(%a2 : tensor<1x2x8xf32>) rhs_zero_point(%a4 : tensor<1x2xi32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c6_lhs_zero_point(%a0: tensor<3x1x1x64xi8>, %a1: tensor<1x2x1x8x4xi8>, %a2: tensor<1x2x8xf32>, %a3: tensor<3x2xf32>, %a4: tensor<2xi32>, %a5: tensor<1x2x8xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected lhs_zero_point of rank 0 or shape [3] ([M] of init), but got 'tensor<2xi32>'}}
  %r = qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s4 8x8, group = 8> ins(%a0, %a1 : tensor<3x1x1x64xi8>, tensor<1x2x1x8x4xi8>) rhs_scale(%a2 : tensor<1x2x8xf32>) lhs_zero_point(%a4 : tensor<2xi32>) rhs_sums(%a5 : tensor<1x2x8xi32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c15(%a0: memref<3x16xi8>, %a1: memref<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: memref<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected operands that are all tensors or all memrefs, but got 'memref<3x16xi8>' and 'tensor<1x2x16xf32>'}}
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : memref<3x16xi8>, memref<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : memref<3x2xf32>)
  return
}

// -----

func.func @packed_matmul_too_large(%a: memref<1x14xi16>, %b: memref<1x7x4611686018427387904x2xi8>, %c: memref<1x4611686018427387904xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected operands of less than 2^63 bytes, but got 'memref<1x7x4611686018427387904x2xi8>'}}
  qtarget.packed_matmul #qtarget.x86<vpmaddwd_256> layout<lhs = s16, rhs = s8 4611686018427387904x2> ins(%a, %b : memref<1x14xi16>, memref<1x7x4611686018427387904x2xi8>) outs(%c : memref<1x4611686018427387904xi32>)
  return
}

// -----

func.func @packed_matmul_layout_group(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{expected a group of a multiple of 8 elements, as rhs = u4 16x8 has, found group = 12}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 12> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c6_without(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected a rhs_scale with groups}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c8(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a4: tensor<3x2xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected no residual with groups}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) residual(%a4 : tensor<3x2xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c2_tiles(%a0: tensor<3x1x1x64xi8>, %a1: tensor<1x9x1x8x4xi8>, %a2: tensor<1x9x8xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected lhs of at least 65 elements along K for 9 groups of 8, but got 'tensor<3x1x1x64xi8>'}}
  %r = qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s4 8x8, group = 8> ins(%a0, %a1 : tensor<3x1x1x64xi8>, tensor<1x9x1x8x4xi8>) rhs_scale(%a2 : tensor<1x9x8xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c6_lhs_scale(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x1xf32>, %a4: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected lhs_scale of shape [3, 2] ([M, K/G]), but got 'tensor<3x1xf32>'}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) lhs_scale(%a3 : tensor<3x1xf32>) outs(%a4 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c4_lhs_scale(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf16>, %a4: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected lhs_scale elements of 'f32', but got 'tensor<3x2xf16>'}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) lhs_scale(%a3 : tensor<3x2xf16>) outs(%a4 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c6_lhs_scale_alone(%a: tensor<3x64xi8>, %b: tensor<1x16x48x4xi8>, %s: tensor<3x1xf32>, %y: tensor<3x48xi32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected no lhs_scale without groups}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 48x4> ins(%a, %b : tensor<3x64xi8>, tensor<1x16x48x4xi8>) lhs_scale(%s : tensor<3x1xf32>) outs(%y : tensor<3x48xi32>) -> tensor<3x48xi32>
  return
}

// -----

func.func @packed_matmul_c12_codes(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected unsigned bytes in the codebook for vpdpbusd_512, but got [-8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]}}
  %r = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8, codebook = [-8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c12_signed_codes(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x4x4xi8>, %a2: tensor<1x2x4xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected signed bytes in the codebook for sdot_128, but got [200, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]}}
  %r = qtarget.packed_matmul #qtarget.arm<sdot_128> layout<lhs = s8, rhs = u4 4x8, group = 8, codebook = [200, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]> ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x4x4xi8>) rhs_scale(%a2 : tensor<1x2x4xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_matmul_c12_no_codes(%a0: tensor<3x1x1x64xi8>, %a1: tensor<1x1x4x8x4xi8>, %a2: tensor<1x1x8xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'qtarget.packed_matmul' op expected no codebook for grouped_s8}}
  %r = qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = u4 8x8, group = 32, codebook = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]> ins(%a0, %a1 : tensor<3x1x1x64xi8>, tensor<1x1x4x8x4xi8>) rhs_scale(%a2 : tensor<1x1x8xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}
