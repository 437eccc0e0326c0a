// RUN: quant-opt %s -split-input-file -verify-diagnostics

// Each case is named by the constraint of the op's documentation that it
// violates.

func.func @packed_scaled_matmul_c1_family(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected a dot product of four bytes, or tiles of signed by unsigned ones, but got vpmaddwd_512}}
  %r = quant.packed_scaled_matmul #qtarget.x86<vpmaddwd_512> 4 ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c1_lanes(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected panels of 8 columns for vpdpbusd_256, but got 'tensor<1x2x1x16x4xi8>'}}
  %r = quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_256> 4 ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c2_bits(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected rhs_bits of 4 or 8, but got 5}}
  %r = quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_512> 5 ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c2_rank(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x64xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected rhs of [N/NR, K/G, G/KB, NR, 4] bytes with static inner sizes, but got 'tensor<1x2x1x64xi8>'}}
  %r = quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_512> 4 ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x64xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c2_static(%a0: tensor<3x16xi8>, %a1: tensor<1x?x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected rhs of [N/NR, K/G, G/KB, NR, 4] bytes with static inner sizes, but got 'tensor<1x?x1x16x4xi8>'}}
  %r = quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_512> 4 ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x?x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c3_k(%a0: tensor<3x15xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected lhs of [M, S] bytes with M of init and static S >= 16, but got 'tensor<3x15xi8>'}}
  %r = quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_512> 4 ins(%a0, %a1 : tensor<3x15xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c3_m(%a0: tensor<4x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected lhs of [M, S] bytes with M of init and static S >= 16, but got 'tensor<4x16xi8>'}}
  %r = quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_512> 4 ins(%a0, %a1 : tensor<4x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c4_element(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xi32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected init of rank 2 of f32, f16 or bf16, but got 'tensor<3x2xi32>'}}
  %r = quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_512> 4 ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xi32>) -> tensor<3x2xi32>
  return
}

// -----

func.func @packed_scaled_matmul_c4_panels(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x17xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected 2 panels of rhs for the size 17 of init, but got 'tensor<1x2x1x16x4xi8>'}}
  %r = quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_512> 4 ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x17xf32>) -> tensor<3x17xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c5_scale(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x16x2xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected rhs_scale of shape [1, 2, 16] ([N/NR, K/G, NR]), but got 'tensor<1x16x2xf32>'}}
  %r = quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_512> 4 ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x16x2xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c5_element(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf16>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected rhs_scale elements of 'f32', but got 'tensor<1x2x16xf16>'}}
  %r = quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_512> 4 ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf16>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c5_bias(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<16xf32>, %a4: tensor<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected bias of shape [1, 16] ([N/NR, NR]), but got 'tensor<16xf32>'}}
  %r = quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_512> 4 ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) bias(%a3 : tensor<16xf32>) outs(%a4 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c6_row_bias(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<2x3xi32>, %a4: tensor<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected row_bias of shape [3, 2] ([M, K/G]), but got 'tensor<2x3xi32>'}}
  %r = quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_512> 4 ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) row_bias(%a3 : tensor<2x3xi32>) outs(%a4 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c6_rank(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<?x3x2xi32>, %a4: tensor<1x1x2x16xi32>, %a5: tensor<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected row_factors of [R, M, K/G] with static R, but got 'tensor<?x3x2xi32>'}}
  %r = quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_512> 4 ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) row_factors(%a3 : tensor<?x3x2xi32>) col_factors(%a4 : tensor<1x1x2x16xi32>) outs(%a5 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c6_row_scale(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<2xf32>, %a4: tensor<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected row_scale of rank 0 or shape [3] ([M] of init), but got 'tensor<2xf32>'}}
  %r = quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_512> 4 ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) row_scale(%a3 : tensor<2xf32>) outs(%a4 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c6_row_scale_element(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3xf16>, %a4: tensor<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected row_scale elements of 'f32', but got 'tensor<3xf16>'}}
  %r = quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_512> 4 ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) row_scale(%a3 : tensor<3xf16>) outs(%a4 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c7_factors(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<1x3x2xi32>, %a4: tensor<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected row_factors and col_factors together}}
  %r = quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_512> 4 ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) row_factors(%a3 : tensor<1x3x2xi32>) outs(%a4 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c7_offset(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xi32>, %a4: tensor<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected row_sums and rhs_offset together}}
  %r = quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_512> 4 ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) row_sums(%a3 : tensor<3x2xi32>) outs(%a4 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c1_gpu(%a0: tensor<3x1x1x64xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected panels of 8 columns for grouped_s8, but got 'tensor<1x2x1x16x4xi8>'}}
  %r = quant.packed_scaled_matmul #qtarget.nvvm<grouped_s8> 4 ins(%a0, %a1 : tensor<3x1x1x64xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c3_gpu(%a0: tensor<3x64xi8>, %a1: tensor<1x2x1x8x4xi8>, %a2: tensor<1x2x8xf32>, %a3: tensor<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected lhs of [M, K/64, 1, 64] bytes with M of init, but got 'tensor<3x64xi8>'}}
  %r = quant.packed_scaled_matmul #qtarget.nvvm<grouped_s8> 4 ins(%a0, %a1 : tensor<3x64xi8>, tensor<1x2x1x8x4xi8>) rhs_scale(%a2 : tensor<1x2x8xf32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c8(%a0: tensor<3x1x1x64xi8>, %a1: tensor<1x2x1x8x4xi8>, %a2: tensor<1x2x8xf32>, %a3: tensor<3x2xf32>, %a4: tensor<3x2xi32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected no corrections of rows for grouped_s8}}
  %r = quant.packed_scaled_matmul #qtarget.nvvm<grouped_s8> 4 ins(%a0, %a1 : tensor<3x1x1x64xi8>, tensor<1x2x1x8x4xi8>) rhs_scale(%a2 : tensor<1x2x8xf32>) row_bias(%a4 : tensor<3x2xi32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c8_cpu(%a0: tensor<3x16xi8>, %a1: tensor<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: tensor<1x2x16xi32>, %a4: tensor<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected no zero points for vpdpbusd_512}}
  %r = quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_512> 4 ins(%a0, %a1 : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) rhs_zero_point(%a3 : tensor<1x2x16xi32>) outs(%a4 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c7_sums(%a0: tensor<3x1x1x64xi8>, %a1: tensor<1x2x1x8x4xi8>, %a2: tensor<1x2x8xf32>, %a3: tensor<3x2xf32>, %a4: tensor<i32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected lhs_zero_point and rhs_sums together}}
  %r = quant.packed_scaled_matmul #qtarget.nvvm<grouped_s8> 4 ins(%a0, %a1 : tensor<3x1x1x64xi8>, tensor<1x2x1x8x4xi8>) rhs_scale(%a2 : tensor<1x2x8xf32>) lhs_zero_point(%a4 : tensor<i32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c5_zero_point(%a0: tensor<3x1x1x64xi8>, %a1: tensor<1x2x1x8x4xi8>, %a2: tensor<1x2x8xf32>, %a3: tensor<3x2xf32>, %a4: tensor<1x2xi32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected rhs_zero_point of shape [1, 2, 8] ([N/NR, K/G, NR]), but got 'tensor<1x2xi32>'}}
  %r = quant.packed_scaled_matmul #qtarget.nvvm<grouped_s8> 4 ins(%a0, %a1 : tensor<3x1x1x64xi8>, tensor<1x2x1x8x4xi8>) rhs_scale(%a2 : tensor<1x2x8xf32>) rhs_zero_point(%a4 : tensor<1x2xi32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c6_zero_point(%a0: tensor<3x1x1x64xi8>, %a1: tensor<1x2x1x8x4xi8>, %a2: tensor<1x2x8xf32>, %a3: tensor<3x2xf32>, %a4: tensor<2xi32>, %a5: tensor<1x2x8xi32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected lhs_zero_point of rank 0 or shape [3] ([M] of init), but got 'tensor<2xi32>'}}
  %r = quant.packed_scaled_matmul #qtarget.nvvm<grouped_s8> 4 ins(%a0, %a1 : tensor<3x1x1x64xi8>, tensor<1x2x1x8x4xi8>) rhs_scale(%a2 : tensor<1x2x8xf32>) lhs_zero_point(%a4 : tensor<2xi32>) rhs_sums(%a5 : tensor<1x2x8xi32>) outs(%a3 : tensor<3x2xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @packed_scaled_matmul_c9(%a0: memref<3x16xi8>, %a1: memref<1x2x1x16x4xi8>, %a2: tensor<1x2x16xf32>, %a3: memref<3x2xf32>) {
  // expected-error@+1 {{'quant.packed_scaled_matmul' op expected operands that are all tensors or all memrefs, but got 'memref<3x16xi8>' and 'tensor<1x2x16xf32>'}}
  quant.packed_scaled_matmul #qtarget.x86<vpdpbusd_512> 4 ins(%a0, %a1 : memref<3x16xi8>, memref<1x2x1x16x4xi8>) rhs_scale(%a2 : tensor<1x2x16xf32>) outs(%a3 : memref<3x2xf32>)
  return
}

// -----

func.func @packed_matmul_too_large(%a: memref<1x14xi16>, %b: memref<1x7x4611686018427387904x2xi8>, %c: memref<1x4611686018427387904xi32>) {
  // expected-error@+1 {{'quant.packed_matmul' op expected operands of less than 2^63 bytes, but got 'memref<1x7x4611686018427387904x2xi8>'}}
  quant.packed_matmul #qtarget.x86<vpmaddwd_256> ins(%a, %b : memref<1x14xi16>, memref<1x7x4611686018427387904x2xi8>) outs(%c : memref<1x4611686018427387904xi32>)
  return
}
