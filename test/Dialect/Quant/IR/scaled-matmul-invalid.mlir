// RUN: quant-opt %s -split-input-file -verify-diagnostics

// Each case is named by the constraint of the op's documentation that it
// violates.

func.func @scaled_matmul_c1_lhs(%x: tensor<64xi8>, %w: tensor<5x64xi8>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected lhs of rank >= 2 and rhs of rank 2, but got 'tensor<64xi8>' and 'tensor<5x64xi8>'}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<64xi8>, tensor<5x64xi8>) rhs_scale(%sw : tensor<5x2xf32>) {group_size = 32 : i64} -> tensor<5xf32>
  return
}

// -----

func.func @scaled_matmul_c1_rhs(%x: tensor<2x64xi8>, %w: tensor<1x5x64xi8>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected lhs of rank >= 2 and rhs of rank 2, but got 'tensor<2x64xi8>' and 'tensor<1x5x64xi8>'}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<1x5x64xi8>) rhs_scale(%sw : tensor<5x2xf32>) {group_size = 32 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c2(%x: tensor<2x64xi8>, %w: tensor<5x65xi8>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected equal contracted dimensions, but lhs has 64 and rhs has 65 (dimension 1 of 'tensor<5x65xi8>')}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x65xi8>) rhs_scale(%sw : tensor<5x2xf32>) {group_size = 32 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c3(%x: tensor<2x64xi8>, %w: tensor<5x64xi8>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected group_size > 0, but got 0}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi8>) rhs_scale(%sw : tensor<5x2xf32>) {group_size = 0 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c4_scale(%x: tensor<2x65xi8>, %w: tensor<5x65xi8>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected rhs_scale of shape [5, 3] ([N, ceil(K / group_size)]), but got 'tensor<5x2xf32>'}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x65xi8>, tensor<5x65xi8>) rhs_scale(%sw : tensor<5x2xf32>) {group_size = 32 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c4_zero_point(%x: tensor<2x64xi8>, %w: tensor<5x64xi8>, %sw: tensor<5x2xf32>, %zw: tensor<5xi32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected rhs_zero_point of shape [5, 2] ([N, ceil(K / group_size)]), but got 'tensor<5xi32>'}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi8>) rhs_scale(%sw : tensor<5x2xf32>) rhs_zero_point(%zw : tensor<5xi32>) {group_size = 32 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c4_offset(%x: tensor<2x64xi8>, %w: tensor<5x64xi8>, %sw: tensor<5x2xf32>, %mw: tensor<2x5xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected rhs_offset of shape [5, 2] ([N, ceil(K / group_size)]), but got 'tensor<2x5xf32>'}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi8>) rhs_scale(%sw : tensor<5x2xf32>) rhs_offset(%mw : tensor<2x5xf32>) {group_size = 32 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c5_zero_point(%x: tensor<2x64xi8>, %w: tensor<5x64xi8>, %zx: tensor<3xi32>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected lhs_zero_point of rank 0 or shape [2] (one for each row of lhs), but got 'tensor<3xi32>'}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi8>) lhs_zero_point(%zx : tensor<3xi32>) rhs_scale(%sw : tensor<5x2xf32>) {group_size = 32 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c5_row_scale(%x: tensor<2x64xi8>, %w: tensor<5x64xi8>, %sx: tensor<5xf32>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected row_scale of rank 0 or shape [2] (one for each row of lhs), but got 'tensor<5xf32>'}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi8>) row_scale(%sx : tensor<5xf32>) rhs_scale(%sw : tensor<5x2xf32>) {group_size = 32 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c6(%x: tensor<2x64xi8>, %w: tensor<5x64xi8>, %sw: tensor<5x2xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected bias of shape [5] (one for each row of rhs), but got 'tensor<2xf32>'}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi8>) rhs_scale(%sw : tensor<5x2xf32>) bias(%b : tensor<2xf32>) {group_size = 32 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c7(%x: tensor<2x64xi8>, %w: tensor<5x64xi8>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected result of shape [2, 5] ([B.., M, N] of the operands), but got 'tensor<5x2xf32>'}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi8>) rhs_scale(%sw : tensor<5x2xf32>) {group_size = 32 : i64} -> tensor<5x2xf32>
  return
}

// -----

func.func @scaled_matmul_c8_zero_point(%x: tensor<2x64xf32>, %w: tensor<5x64xi8>, %zx: tensor<i32>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected no lhs_zero_point with a float lhs, 'tensor<2x64xf32>'}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xf32>, tensor<5x64xi8>) lhs_zero_point(%zx : tensor<i32>) rhs_scale(%sw : tensor<5x2xf32>) {group_size = 32 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c8_row_scale(%x: tensor<2x64xbf16>, %w: tensor<5x64xi8>, %sx: tensor<f32>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected no row_scale with a float lhs, 'tensor<2x64xbf16>'}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xbf16>, tensor<5x64xi8>) row_scale(%sx : tensor<f32>) rhs_scale(%sw : tensor<5x2xf32>) {group_size = 32 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c8_unsigned(%x: tensor<2x64xf32>, %w: tensor<5x64xi8>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected no lhs_unsigned with a float lhs, 'tensor<2x64xf32>'}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xf32>, tensor<5x64xi8>) rhs_scale(%sw : tensor<5x2xf32>) {group_size = 32 : i64, lhs_unsigned} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c9(%x: tensor<2x262144xi8>, %w: tensor<5x262144xi8>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op sum over a group of 131072 may reach 2147483648, past 2147483647; use smaller groups}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x262144xi8>, tensor<5x262144xi8>) rhs_scale(%sw : tensor<5x2xf32>) {group_size = 131072 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c10_rhs_scale(%x: tensor<2x64xi8>, %w: tensor<5x64xi8>) {
  %sw = arith.constant dense<[[1.0, 0.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]> : tensor<5x2xf32>
  // expected-error@+1 {{'quant.scaled_matmul' op expected a finite rhs_scale > 0, but element 1 is 0.000000e+00}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi8>) rhs_scale(%sw : tensor<5x2xf32>) {group_size = 32 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c10_row_scale(%x: tensor<2x64xi8>, %w: tensor<5x64xi8>, %sw: tensor<5x2xf32>) {
  %sx = arith.constant dense<0x7FC00000> : tensor<f32>
  // expected-error@+1 {{'quant.scaled_matmul' op expected a finite row_scale > 0, but element 0 is nan}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi8>) row_scale(%sx : tensor<f32>) rhs_scale(%sw : tensor<5x2xf32>) {group_size = 32 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c11_lhs(%x: tensor<2x64xi8>, %w: tensor<5x64xi8>, %sw: tensor<5x2xf32>) {
  %zx = arith.constant dense<128> : tensor<i32>
  // expected-error@+1 {{'quant.scaled_matmul' op expected lhs_zero_point in [-128, 127], but element 0 is 128}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi8>) lhs_zero_point(%zx : tensor<i32>) rhs_scale(%sw : tensor<5x2xf32>) {group_size = 32 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c11_rhs(%x: tensor<2x64xi8>, %w: tensor<5x64xi4>, %sw: tensor<5x2xf32>) {
  %zw = arith.constant dense<8> : tensor<5x2xi32>
  // expected-error@+1 {{'quant.scaled_matmul' op expected rhs_zero_point in [-8, 7], but element 0 is 8}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi4>) rhs_scale(%sw : tensor<5x2xf32>) rhs_zero_point(%zw : tensor<5x2xi32>) {group_size = 32 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c5_one(%a: tensor<?x6xi8>, %b: tensor<5x6xi8>, %s: tensor<5x2xf32>, %r: tensor<1xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected row_scale of rank 0 or shape [?] (one for each row of lhs), but got 'tensor<1xf32>'}}
  %0 = quant.scaled_matmul ins(%a, %b : tensor<?x6xi8>, tensor<5x6xi8>) row_scale(%r : tensor<1xf32>) rhs_scale(%s : tensor<5x2xf32>) {group_size = 3 : i64} -> tensor<?x5xf32>
  return
}

// -----

func.func @scaled_matmul_c8_lhs_scale(%x: tensor<2x64xf32>, %w: tensor<5x64xi8>, %sx: tensor<2x2xf32>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected no lhs_scale with a float lhs, 'tensor<2x64xf32>'}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xf32>, tensor<5x64xi8>) rhs_scale(%sw : tensor<5x2xf32>) lhs_scale(%sx : tensor<2x2xf32>) {group_size = 32 : i64, lhs_group_size = 32 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c10_lhs_scale(%x: tensor<2x64xi8>, %w: tensor<5x64xi8>, %sw: tensor<5x2xf32>) {
  %sx = arith.constant dense<-1.0> : tensor<2x2xf32>
  // expected-error@+1 {{'quant.scaled_matmul' op expected a finite lhs_scale > 0, but element 0 is -1.000000e+00}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi8>) rhs_scale(%sw : tensor<5x2xf32>) lhs_scale(%sx : tensor<2x2xf32>) {group_size = 32 : i64, lhs_group_size = 32 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c12(%x: tensor<2x64xi8>, %w: tensor<5x64xi8>, %sx: tensor<2x2xf32>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected lhs_scale and lhs_group_size together}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi8>) rhs_scale(%sw : tensor<5x2xf32>) lhs_scale(%sx : tensor<2x2xf32>) {group_size = 32 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c12_size(%x: tensor<2x64xi8>, %w: tensor<5x64xi8>, %sx: tensor<2x2xf32>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected lhs_group_size > 0, but got -1}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi8>) rhs_scale(%sw : tensor<5x2xf32>) lhs_scale(%sx : tensor<2x2xf32>) {group_size = 32 : i64, lhs_group_size = -1 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c12_shape(%x: tensor<3x2x70xi8>, %w: tensor<5x70xi8>, %sx: tensor<3x2x2xf32>, %sw: tensor<5x3xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected lhs_scale of shape [3, 2, 3] ([B.., M, ceil(K / lhs_group_size)]), but got 'tensor<3x2x2xf32>'}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x2x70xi8>, tensor<5x70xi8>) rhs_scale(%sw : tensor<5x3xf32>) lhs_scale(%sx : tensor<3x2x2xf32>) {group_size = 32 : i64, lhs_group_size = 32 : i64} -> tensor<3x2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c13(%x: tensor<2x64xi8>, %w: tensor<5x64xi8>, %sx: tensor<2x3xf32>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected one of group_size and lhs_group_size to divide the other, but got 32 and 24}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi8>) rhs_scale(%sw : tensor<5x2xf32>) lhs_scale(%sx : tensor<2x3xf32>) {group_size = 32 : i64, lhs_group_size = 24 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c13_dynamic(%x: tensor<2x?xi8>, %w: tensor<5x?xi8>, %sx: tensor<2x?xf32>, %sw: tensor<5x?xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected one of group_size and lhs_group_size to divide the other, but got 32 and 80}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x?xi8>, tensor<5x?xi8>) rhs_scale(%sw : tensor<5x?xf32>) lhs_scale(%sx : tensor<2x?xf32>) {group_size = 32 : i64, lhs_group_size = 80 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c14_entries(%x: tensor<2x64xi8>, %w: tensor<5x64xi4>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected a rhs_codebook of 16 entries, but got 3}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi4>) rhs_scale(%sw : tensor<5x2xf32>) {group_size = 32 : i64, rhs_codebook = array<i8: 0, 1, 2>} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c14_bits(%x: tensor<2x64xi8>, %w: tensor<5x64xi8>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected a rhs of i4 with a rhs_codebook, but got 'tensor<5x64xi8>'}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi8>) rhs_scale(%sw : tensor<5x2xf32>) {group_size = 32 : i64, rhs_codebook = array<i8: 0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12>} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c14_zero_point(%x: tensor<2x64xi8>, %w: tensor<5x64xi4>, %sw: tensor<5x2xf32>, %zw: tensor<5x2xi32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected no rhs_zero_point with a rhs_codebook}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi4>) rhs_scale(%sw : tensor<5x2xf32>) rhs_zero_point(%zw : tensor<5x2xi32>) {group_size = 32 : i64, rhs_codebook = array<i8: 0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12>} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c14_unsigned(%x: tensor<2x64xi8>, %w: tensor<5x64xi4>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op expected no rhs_unsigned with a rhs_codebook}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi4>) rhs_scale(%sw : tensor<5x2xf32>) {group_size = 32 : i64, rhs_unsigned, rhs_codebook = array<i8: 0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12>} -> tensor<2x5xf32>
  return
}

// -----

// The bound is that of the entries: 128 * 127 * 132105 is past it, the stored
// type's 128 * 8 * 132105 is not.
func.func @scaled_matmul_c9_codes(%x: tensor<2x132105xi8>, %w: tensor<5x132105xi4>, %sw: tensor<5x1xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op sum over a group of 132105 may reach 2147498880, past 2147483647; use smaller groups}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x132105xi8>, tensor<5x132105xi4>) rhs_scale(%sw : tensor<5x1xf32>) {group_size = 132105 : i64, rhs_codebook = array<i8: -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113>} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_c11_int2(%x: tensor<2x64xi8>, %w: tensor<5x64xi2>, %sw: tensor<5x2xf32>) {
  %zw = arith.constant dense<2> : tensor<5x2xi32>
  // expected-error@+1 {{'quant.scaled_matmul' op expected rhs_zero_point in [-2, 1], but element 0 is 2}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi2>) rhs_scale(%sw : tensor<5x2xf32>) rhs_zero_point(%zw : tensor<5x2xi32>) {group_size = 32 : i64} -> tensor<2x5xf32>
  return
}

// -----

func.func @scaled_matmul_int3(%x: tensor<2x64xi8>, %w: tensor<5x64xi3>, %sw: tensor<5x2xf32>) {
  // expected-error@+1 {{'quant.scaled_matmul' op operand #1 must be ranked tensor of 8-bit, 4-bit or 2-bit signless integer values, but got 'tensor<5x64xi3>'}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi3>) rhs_scale(%sw : tensor<5x2xf32>) {group_size = 32 : i64} -> tensor<2x5xf32>
  return
}
