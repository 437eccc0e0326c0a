// RUN: quant-opt %s -split-input-file -verify-diagnostics

// Each case is named by the constraint of the op's documentation that it
// violates.

func.func @choose_qparams_c1_order(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{'quant.choose_qparams' op expected strictly increasing axes in [0, 2), but got [1, 0]}}
  %0 = quant.choose_qparams %x axes = [1, 0] range = [-8, 7] : tensor<2x3xf32> -> tensor<3x2xf32>
  return
}

// -----

func.func @choose_qparams_c1_rank(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{'quant.choose_qparams' op expected strictly increasing axes in [0, 2), but got [2]}}
  %0 = quant.choose_qparams %x axes = [2] range = [-8, 7] : tensor<2x3xf32> -> tensor<3xf32>
  return
}

// -----

func.func @choose_qparams_c2_scale(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{'quant.choose_qparams' op expected scale of shape [2] (the input's sizes along axes), but got 'tensor<3xf32>'}}
  %0 = quant.choose_qparams %x axes = [0] range = [-8, 7] : tensor<2x3xf32> -> tensor<3xf32>
  return
}

// -----

func.func @choose_qparams_c2_zero_point(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{'quant.choose_qparams' op expected zero_point of shape [] (the input's sizes along axes), but got 'tensor<2xi32>'}}
  %0, %1 = quant.choose_qparams %x axes = [] range = [0, 255] : tensor<2x3xf32> -> tensor<f32>, tensor<2xi32>
  return
}

// -----

func.func @choose_qparams_c3_order(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{'quant.choose_qparams' op expected range = [qmin, qmax] with qmin < qmax, but got [7, -8]}}
  %0 = quant.choose_qparams %x axes = [] range = [7, -8] : tensor<2x3xf32> -> tensor<f32>
  return
}

// -----

func.func @choose_qparams_c3_length(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{'quant.choose_qparams' op expected range = [qmin, qmax] with qmin < qmax, but got [7]}}
  %0 = quant.choose_qparams %x axes = [] range = [7] : tensor<2x3xf32> -> tensor<f32>
  return
}

// -----

func.func @choose_qparams_c3_width(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{'quant.choose_qparams' op expected qmin <= 0 < qmax and qmax - qmin <= 255, but got [-128, 128]}}
  %0 = quant.choose_qparams %x axes = [] range = [-128, 128] : tensor<2x3xf32> -> tensor<f32>
  return
}

// -----

func.func @choose_qparams_c3_huge(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{'quant.choose_qparams' op expected qmin <= 0 < qmax and qmax - qmin <= 255, but got [-9223372036854775807, 9223372036854775807]}}
  %0 = quant.choose_qparams %x axes = [] range = [-9223372036854775807, 9223372036854775807] : tensor<2x3xf32> -> tensor<f32>
  return
}

// -----

func.func @choose_qparams_c4(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{'quant.choose_qparams' op expected qmin < 0 where there is no zero_point result, but got [0, 255]}}
  %0 = quant.choose_qparams %x axes = [] range = [0, 255] : tensor<2x3xf32> -> tensor<f32>
  return
}

// -----

func.func @choose_qparams_element_type(%x: tensor<2x3xf64>) {
  // expected-error@+1 {{'quant.choose_qparams' op operand #0 must be ranked tensor of f32, f16 or bf16 values, but got 'tensor<2x3xf64>'}}
  %0 = quant.choose_qparams %x axes = [] range = [-8, 7] : tensor<2x3xf64> -> tensor<f32>
  return
}

// -----

func.func @quantize_c1(%x: tensor<2x3xf32>, %s: tensor<2xf32>) {
  // expected-error@+1 {{'quant.quantize' op expected strictly increasing axes in [0, 2), but got [-1]}}
  %0 = quant.quantize %x scale(%s : tensor<2xf32>) axes = [-1] range = [-8, 7] : tensor<2x3xf32> -> tensor<2x3xi8>
  return
}

// -----

func.func @quantize_c2_scale(%x: tensor<?x3xf32>, %s: tensor<f32>) {
  // expected-error@+1 {{'quant.quantize' op expected scale of shape [?] (the input's sizes along axes), but got 'tensor<f32>'}}
  %0 = quant.quantize %x scale(%s : tensor<f32>) axes = [0] range = [-8, 7] : tensor<?x3xf32> -> tensor<?x3xi8>
  return
}

// -----

func.func @quantize_c2_zero_point(%x: tensor<2x3xf32>, %s: tensor<2xf32>, %z: tensor<3xi32>) {
  // expected-error@+1 {{'quant.quantize' op expected zero_point of shape [2] (the input's sizes along axes), but got 'tensor<3xi32>'}}
  %0 = quant.quantize %x scale(%s : tensor<2xf32>) zero_point(%z : tensor<3xi32>) axes = [0] range = [-8, 7] : tensor<2x3xf32> -> tensor<2x3xi8>
  return
}

// -----

func.func @quantize_c3_signed(%x: tensor<2x3xf32>, %s: tensor<f32>) {
  // expected-error@+1 {{'quant.quantize' op expected range within [-128, 127] of signed 'i8', but got [0, 255]}}
  %0 = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [0, 255] : tensor<2x3xf32> -> tensor<2x3xi8>
  return
}

// -----

func.func @quantize_c3_unsigned(%x: tensor<2x3xf32>, %s: tensor<f32>) {
  // expected-error@+1 {{'quant.quantize' op expected range within [0, 15] of unsigned 'i4', but got [-8, 7]}}
  %0 = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-8, 7] unsigned : tensor<2x3xf32> -> tensor<2x3xi4>
  return
}

// -----

func.func @quantize_c3_order(%x: tensor<2x3xf32>, %s: tensor<f32>) {
  // expected-error@+1 {{'quant.quantize' op expected range = [qmin, qmax] with qmin < qmax, but got [3, 3]}}
  %0 = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [3, 3] : tensor<2x3xf32> -> tensor<2x3xi4>
  return
}

// -----

func.func @quantize_c4(%x: tensor<2x3xf32>, %s: tensor<f32>) {
  // expected-error@+1 {{'quant.quantize' op expected result of shape [2, 3] (the input's shape), but got 'tensor<3x2xi8>'}}
  %0 = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-8, 7] : tensor<2x3xf32> -> tensor<3x2xi8>
  return
}

// -----

func.func @quantize_c5_zero(%x: tensor<2x3xf32>) {
  %s = arith.constant dense<[0.5, 0.0]> : tensor<2xf32>
  // expected-error@+1 {{'quant.quantize' op expected a finite scale > 0, but element 1 is 0.000000e+00}}
  %0 = quant.quantize %x scale(%s : tensor<2xf32>) axes = [0] range = [-8, 7] : tensor<2x3xf32> -> tensor<2x3xi8>
  return
}

// -----

func.func @quantize_c5_nan(%x: tensor<2x3xf32>) {
  %s = arith.constant dense<0x7FC00000> : tensor<f32>
  // expected-error@+1 {{'quant.quantize' op expected a finite scale > 0, but element 0 is nan}}
  %0 = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-8, 7] : tensor<2x3xf32> -> tensor<2x3xi8>
  return
}

// -----

func.func @quantize_c5_resource(%x: tensor<2x3xf32>) {
  %s = arith.constant dense_resource<bad_scale> : tensor<2xf32>
  // expected-error@+1 {{'quant.quantize' op expected a finite scale > 0, but element 1 is -1.000000e+00}}
  %0 = quant.quantize %x scale(%s : tensor<2xf32>) axes = [0] range = [-8, 7] : tensor<2x3xf32> -> tensor<2x3xi8>
  return
}

{-#
  dialect_resources: {
    builtin: {
      bad_scale: "0x040000000000803F000080BF"
    }
  }
#-}

// -----

func.func @quantize_c6(%x: tensor<2x3xf32>, %s: tensor<f32>) {
  %z = arith.constant dense<8> : tensor<i32>
  // expected-error@+1 {{'quant.quantize' op expected zero_point in [-8, 7], but element 0 is 8}}
  %0 = quant.quantize %x scale(%s : tensor<f32>) zero_point(%z : tensor<i32>) axes = [] range = [-8, 7] : tensor<2x3xf32> -> tensor<2x3xi8>
  return
}

// -----

func.func @quantize_element_type(%x: tensor<2x3xf32>, %s: tensor<f32>) {
  // expected-error@+1 {{'quant.quantize' op result #0 must be ranked tensor of 8-bit or 4-bit signless integer values, but got 'tensor<2x3xi16>'}}
  %0 = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-8, 7] : tensor<2x3xf32> -> tensor<2x3xi16>
  return
}

// -----

func.func @dequantize_c1(%q: tensor<2x3xi8>, %s: tensor<2x2xf32>) {
  // expected-error@+1 {{'quant.dequantize' op expected strictly increasing axes in [0, 2), but got [0, 0]}}
  %0 = quant.dequantize %q scale(%s : tensor<2x2xf32>) axes = [0, 0] : tensor<2x3xi8> -> tensor<2x3xf32>
  return
}

// -----

func.func @dequantize_c2(%q: tensor<2x3xi8>, %s: tensor<2xf32>) {
  // expected-error@+1 {{'quant.dequantize' op expected scale of shape [3] (the input's sizes along axes), but got 'tensor<2xf32>'}}
  %0 = quant.dequantize %q scale(%s : tensor<2xf32>) axes = [1] : tensor<2x3xi8> -> tensor<2x3xf32>
  return
}

// -----

func.func @dequantize_c3(%q: tensor<2x3xi8>, %s: tensor<f32>) {
  // expected-error@+1 {{'quant.dequantize' op expected result of shape [2, 3] (the input's shape), but got 'tensor<6xf32>'}}
  %0 = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<2x3xi8> -> tensor<6xf32>
  return
}

// -----

func.func @dequantize_c4(%q: tensor<2x3xi8>) {
  %s = arith.constant dense<0x7F800000> : tensor<f32>
  // expected-error@+1 {{'quant.dequantize' op expected a finite scale > 0, but element 0 is INF}}
  %0 = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<2x3xi8> -> tensor<2x3xf32>
  return
}

// -----

func.func @matmul_c1_lhs(%a: tensor<3xi8>, %b: tensor<3x4xi8>, %c: tensor<4xi32>) {
  // expected-error@+1 {{'quant.matmul' op expected lhs of rank >= 2 and rhs of rank 2 or the rank of lhs, but got 'tensor<3xi8>' and 'tensor<3x4xi8>'}}
  %0 = quant.matmul ins(%a, %b : tensor<3xi8>, tensor<3x4xi8>) outs(%c : tensor<4xi32>) -> tensor<4xi32>
  return
}

// -----

func.func @matmul_c1_rhs(%a: tensor<2x3xi8>, %b: tensor<2x3x4xi8>, %c: tensor<2x4xi32>) {
  // expected-error@+1 {{'quant.matmul' op expected lhs of rank >= 2 and rhs of rank 2 or the rank of lhs, but got 'tensor<2x3xi8>' and 'tensor<2x3x4xi8>'}}
  %0 = quant.matmul ins(%a, %b : tensor<2x3xi8>, tensor<2x3x4xi8>) outs(%c : tensor<2x4xi32>) -> tensor<2x4xi32>
  return
}

// -----

func.func @matmul_c2(%a: tensor<2x3xi8>, %b: tensor<4x5xi8>, %c: tensor<2x5xi32>) {
  // expected-error@+1 {{'quant.matmul' op expected equal contracted dimensions, but lhs has 3 and rhs has 4 (dimension 0 of 'tensor<4x5xi8>')}}
  %0 = quant.matmul ins(%a, %b : tensor<2x3xi8>, tensor<4x5xi8>) outs(%c : tensor<2x5xi32>) -> tensor<2x5xi32>
  return
}

// -----

func.func @matmul_c2_transposed(%a: tensor<2x3xi8>, %b: tensor<3x5xi8>, %c: tensor<2x3xi32>) {
  // expected-error@+1 {{'quant.matmul' op expected equal contracted dimensions, but lhs has 3 and rhs has 5 (dimension 1 of 'tensor<3x5xi8>')}}
  %0 = quant.matmul ins(%a, %b : tensor<2x3xi8>, tensor<3x5xi8>) outs(%c : tensor<2x3xi32>) {transpose_rhs} -> tensor<2x3xi32>
  return
}

// -----

func.func @matmul_c3(%a: tensor<6x2x3xi8>, %b: tensor<7x3x5xi8>, %c: tensor<6x2x5xi32>) {
  // expected-error@+1 {{'quant.matmul' op expected equal batch dimensions, but lhs has [6] and rhs has [7]}}
  %0 = quant.matmul ins(%a, %b : tensor<6x2x3xi8>, tensor<7x3x5xi8>) outs(%c : tensor<6x2x5xi32>) -> tensor<6x2x5xi32>
  return
}

// -----

func.func @matmul_c4(%a: tensor<2x3xi8>, %b: tensor<3x5xi8>, %c: tensor<5x2xi32>) {
  // expected-error@+1 {{'quant.matmul' op expected init of shape [2, 5] ([B.., M, N] of the operands), but got 'tensor<5x2xi32>'}}
  %0 = quant.matmul ins(%a, %b : tensor<2x3xi8>, tensor<3x5xi8>) outs(%c : tensor<5x2xi32>) -> tensor<5x2xi32>
  return
}

// -----

func.func @matmul_c5(%a: tensor<2x3xi8>, %b: tensor<3x5xi8>, %z: tensor<3xi32>, %c: tensor<2x5xi32>) {
  // expected-error@+1 {{'quant.matmul' op expected lhs_zero_point of rank 0 or shape [2] (one for each row of lhs), but got 'tensor<3xi32>'}}
  %0 = quant.matmul ins(%a, %b : tensor<2x3xi8>, tensor<3x5xi8>) lhs_zero_point(%z : tensor<3xi32>) outs(%c : tensor<2x5xi32>) -> tensor<2x5xi32>
  return
}

// -----

func.func @matmul_c6(%a: tensor<6x2x3xi8>, %b: tensor<6x3x5xi8>, %z: tensor<5xi32>, %c: tensor<6x2x5xi32>) {
  // expected-error@+1 {{'quant.matmul' op expected rhs_zero_point of rank 0 or shape [6, 5] (one for each column of rhs), but got 'tensor<5xi32>'}}
  %0 = quant.matmul ins(%a, %b : tensor<6x2x3xi8>, tensor<6x3x5xi8>) rhs_zero_point(%z : tensor<5xi32>) outs(%c : tensor<6x2x5xi32>) -> tensor<6x2x5xi32>
  return
}

// -----

func.func @matmul_c7(%a: tensor<1x140000xi8>, %b: tensor<140000x1xi8>, %c: tensor<1x1xi32>) {
  // expected-error@+1 {{'quant.matmul' op sum over K = 140000 may reach 2293760000, past 2147483647; split K or narrow the operands}}
  %0 = quant.matmul ins(%a, %b : tensor<1x140000xi8>, tensor<140000x1xi8>) outs(%c : tensor<1x1xi32>) -> tensor<1x1xi32>
  return
}

// -----

func.func @matmul_c7_first_refused_k(%a: tensor<1x?xi8>, %b: tensor<131072x1xi8>, %c: tensor<1x1xi32>) {
  // expected-error@+1 {{'quant.matmul' op sum over K = 131072 may reach 2147483648, past 2147483647; split K or narrow the operands}}
  %0 = quant.matmul ins(%a, %b : tensor<1x?xi8>, tensor<131072x1xi8>) outs(%c : tensor<1x1xi32>) -> tensor<1x1xi32>
  return
}

// -----

func.func @matmul_c8_lhs(%a: tensor<2x3xi8>, %b: tensor<3x5xi8>, %c: tensor<2x5xi32>) {
  %z = arith.constant dense<-1> : tensor<i32>
  // expected-error@+1 {{'quant.matmul' op expected lhs_zero_point in [0, 255], but element 0 is -1}}
  %0 = quant.matmul ins(%a, %b : tensor<2x3xi8>, tensor<3x5xi8>) lhs_zero_point(%z : tensor<i32>) outs(%c : tensor<2x5xi32>) {lhs_unsigned} -> tensor<2x5xi32>
  return
}

// -----

func.func @matmul_c8_rhs(%a: tensor<2x3xi8>, %b: tensor<3x2xi4>, %c: tensor<2x2xi32>) {
  %z = arith.constant dense<[7, 8]> : tensor<2xi32>
  // expected-error@+1 {{'quant.matmul' op expected rhs_zero_point in [-8, 7], but element 1 is 8}}
  %0 = quant.matmul ins(%a, %b : tensor<2x3xi8>, tensor<3x2xi4>) rhs_zero_point(%z : tensor<2xi32>) outs(%c : tensor<2x2xi32>) -> tensor<2x2xi32>
  return
}

// -----

func.func @matmul_element_type(%a: tensor<2x3xi8>, %b: tensor<3x5xi8>, %c: tensor<2x5xi64>) {
  // expected-error@+1 {{'quant.matmul' op operand #2 must be ranked tensor of 32-bit signless integer values, but got 'tensor<2x5xi64>'}}
  %0 = quant.matmul ins(%a, %b : tensor<2x3xi8>, tensor<3x5xi8>) outs(%c : tensor<2x5xi64>) -> tensor<2x5xi64>
  return
}

// -----

func.func @rescale_c1(%acc: tensor<2x3xi32>) {
  // expected-error@+1 {{'quant.rescale' op expected a row_scale or a channel_scale, but got neither}}
  %0 = quant.rescale %acc : tensor<2x3xi32> -> tensor<2x3xf32>
  return
}

// -----

func.func @rescale_c2(%acc: tensor<4x2x3xi32>, %s: tensor<2xf32>) {
  // expected-error@+1 {{'quant.rescale' op expected row_scale of rank 0 or shape [4, 2] (one for each row of acc), but got 'tensor<2xf32>'}}
  %0 = quant.rescale %acc row_scale(%s : tensor<2xf32>) : tensor<4x2x3xi32> -> tensor<4x2x3xf32>
  return
}

// -----

func.func @rescale_rank_0(%acc: tensor<i32>, %s: tensor<f32>) {
  // expected-error@+1 {{'quant.rescale' op expected acc of rank >= 1, but got 'tensor<i32>'}}
  %0 = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<i32> -> tensor<f32>
  return
}

// -----

func.func @rescale_c3(%acc: tensor<2x3xi32>, %s: tensor<2xf32>) {
  // expected-error@+1 {{'quant.rescale' op expected channel_scale of rank 0 or shape [3] (one for each column of acc), but got 'tensor<2xf32>'}}
  %0 = quant.rescale %acc channel_scale(%s : tensor<2xf32>) : tensor<2x3xi32> -> tensor<2x3xf32>
  return
}

// -----

func.func @rescale_c4(%acc: tensor<2x3xi32>, %s: tensor<f32>, %b: tensor<i32>) {
  // expected-error@+1 {{'quant.rescale' op expected bias of shape [3] (one for each column of acc), but got 'tensor<i32>'}}
  %0 = quant.rescale %acc row_scale(%s : tensor<f32>) bias(%b : tensor<i32>) : tensor<2x3xi32> -> tensor<2x3xf32>
  return
}

// -----

func.func @rescale_c5(%acc: tensor<2x3xi32>, %s: tensor<f32>) {
  // expected-error@+1 {{'quant.rescale' op expected result of shape [2, 3] (the shape of acc), but got 'tensor<2xf32>'}}
  %0 = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<2x3xi32> -> tensor<2xf32>
  return
}

// -----

func.func @rescale_c6_float(%acc: tensor<2x3xi32>, %s: tensor<f32>) {
  // expected-error@+1 {{'quant.rescale' op expected no zero_point, range or unsigned with a float result, but the result is 'tensor<2x3xf32>'}}
  %0 = quant.rescale %acc row_scale(%s : tensor<f32>) {zero_point = 1 : i32} : tensor<2x3xi32> -> tensor<2x3xf32>
  return
}

// -----

func.func @rescale_c6_missing_range(%acc: tensor<2x3xi32>, %s: tensor<f32>) {
  // expected-error@+1 {{'quant.rescale' op expected a range with an integer result, but the result is 'tensor<2x3xi8>'}}
  %0 = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

func.func @rescale_c6_range(%acc: tensor<2x3xi32>, %s: tensor<f32>) {
  // expected-error@+1 {{'quant.rescale' op expected range within [-8, 7] of signed 'i4', but got [-128, 127]}}
  %0 = quant.rescale %acc row_scale(%s : tensor<f32>) {range = array<i64: -128, 127>} : tensor<2x3xi32> -> tensor<2x3xi4>
  return
}

// -----

func.func @rescale_c7_row(%acc: tensor<2x3xi32>) {
  %s = arith.constant dense<-0.5> : tensor<f32>
  // expected-error@+1 {{'quant.rescale' op expected a finite row_scale > 0, but element 0 is -5.000000e-01}}
  %0 = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<2x3xi32> -> tensor<2x3xf32>
  return
}

// -----

func.func @rescale_c7_channel(%acc: tensor<2x3xi32>) {
  %s = arith.constant dense<[1.0, 2.0, 0.0]> : tensor<3xf32>
  // expected-error@+1 {{'quant.rescale' op expected a finite channel_scale > 0, but element 2 is 0.000000e+00}}
  %0 = quant.rescale %acc channel_scale(%s : tensor<3xf32>) : tensor<2x3xi32> -> tensor<2x3xf32>
  return
}

// -----

func.func @rescale_c8_order(%acc: tensor<2x3xi32>, %s: tensor<f32>) {
  // expected-error@+1 {{'quant.rescale' op expected clamp_min <= clamp_max, but got 6.000000e+00 and 0.000000e+00}}
  %0 = quant.rescale %acc row_scale(%s : tensor<f32>) {clamp_min = 6.0 : f32, clamp_max = 0.0 : f32} : tensor<2x3xi32> -> tensor<2x3xf32>
  return
}

// -----

func.func @rescale_c8_nan(%acc: tensor<2x3xi32>, %s: tensor<f32>) {
  // expected-error@+1 {{'quant.rescale' op expected a number as clamp_max, but got NaN}}
  %0 = quant.rescale %acc row_scale(%s : tensor<f32>) {clamp_max = 0x7FC00000 : f32} : tensor<2x3xi32> -> tensor<2x3xf32>
  return
}

// -----

func.func @rescale_fixed_point_c1_shape(%acc: tensor<2x3xi32>, %m: tensor<2xi32>, %s: tensor<3xi8>) {
  // expected-error@+1 {{'quant.rescale_fixed_point' op expected multiplier of rank 0 or shape [3] (one for each column of acc), but got 'tensor<2xi32>'}}
  %0 = quant.rescale_fixed_point %acc multiplier(%m : tensor<2xi32>) shift(%s : tensor<3xi8>) rounding(SINGLE_ROUND) {range = array<i64: -128, 127>} : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

func.func @rescale_fixed_point_c1_mixed(%acc: tensor<2x3xi32>, %m: tensor<i32>, %s: tensor<3xi8>) {
  // expected-error@+1 {{'quant.rescale_fixed_point' op expected multiplier and shift of one rank, but got 'tensor<i32>' and 'tensor<3xi8>'}}
  %0 = quant.rescale_fixed_point %acc multiplier(%m : tensor<i32>) shift(%s : tensor<3xi8>) rounding(SINGLE_ROUND) {range = array<i64: -128, 127>} : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

func.func @rescale_fixed_point_c2(%acc: tensor<2x3xi32>, %m: tensor<i32>, %s: tensor<i8>, %b: tensor<2xi32>) {
  // expected-error@+1 {{'quant.rescale_fixed_point' op expected bias of shape [3] (one for each column of acc), but got 'tensor<2xi32>'}}
  %0 = quant.rescale_fixed_point %acc multiplier(%m : tensor<i32>) shift(%s : tensor<i8>) rounding(SINGLE_ROUND) bias(%b : tensor<2xi32>) {range = array<i64: -128, 127>} : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

func.func @rescale_fixed_point_c3(%acc: tensor<2x3xi32>, %m: tensor<i32>, %s: tensor<i8>) {
  // expected-error@+1 {{'quant.rescale_fixed_point' op expected result of shape [2, 3] (the shape of acc), but got 'tensor<3x2xi8>'}}
  %0 = quant.rescale_fixed_point %acc multiplier(%m : tensor<i32>) shift(%s : tensor<i8>) rounding(SINGLE_ROUND) {range = array<i64: -128, 127>} : tensor<2x3xi32> -> tensor<3x2xi8>
  return
}

// -----

func.func @rescale_fixed_point_c4(%acc: tensor<2x3xi32>, %m: tensor<i32>, %s: tensor<i8>) {
  // expected-error@+1 {{'quant.rescale_fixed_point' op expected range within [0, 255] of unsigned 'i8', but got [-128, 127]}}
  %0 = quant.rescale_fixed_point %acc multiplier(%m : tensor<i32>) shift(%s : tensor<i8>) rounding(DOUBLE_ROUND) unsigned {range = array<i64: -128, 127>} : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

func.func @rescale_fixed_point_c5_shift(%acc: tensor<2x3xi32>, %m: tensor<i32>) {
  %s = arith.constant dense<63> : tensor<i8>
  // expected-error@+1 {{'quant.rescale_fixed_point' op expected shift in [2, 62], but element 0 is 63}}
  %0 = quant.rescale_fixed_point %acc multiplier(%m : tensor<i32>) shift(%s : tensor<i8>) rounding(SINGLE_ROUND) {range = array<i64: -128, 127>} : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

func.func @rescale_fixed_point_c5_multiplier(%acc: tensor<2x3xi32>, %s: tensor<i8>) {
  %m = arith.constant dense<-1> : tensor<i32>
  // expected-error@+1 {{'quant.rescale_fixed_point' op expected multiplier in [0, 2147483647], but element 0 is -1}}
  %0 = quant.rescale_fixed_point %acc multiplier(%m : tensor<i32>) shift(%s : tensor<i8>) rounding(SINGLE_ROUND) {range = array<i64: -128, 127>} : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

func.func @pack_int2_c1(%q: tensor<8x5xi2>) {
  // expected-error@+1 {{'quant.pack_int2' op expected result of shape [8, 2] (four elements of the last dimension in a byte), but got 'tensor<8x3xi8>'}}
  %0 = quant.pack_int2 %q : tensor<8x5xi2> -> tensor<8x3xi8>
  return
}

// -----

func.func @unpack_int2_c1(%p: tensor<8x2xi8>) {
  // expected-error@+1 {{'quant.unpack_int2' op expected input of shape [8, 3] (four elements of the last dimension in a byte), but got 'tensor<8x2xi8>'}}
  %0 = quant.unpack_int2 %p : tensor<8x2xi8> -> tensor<8x9xi2>
  return
}

// -----

func.func @pack_int4_c1(%q: tensor<8x5xi4>) {
  // expected-error@+1 {{'quant.pack_int4' op expected result of shape [8, 3] (two elements of the last dimension in a byte), but got 'tensor<8x2xi8>'}}
  %0 = quant.pack_int4 %q : tensor<8x5xi4> -> tensor<8x2xi8>
  return
}

// -----

func.func @pack_int4_c1_rank(%q: tensor<i4>) {
  // expected-error@+1 {{'quant.pack_int4' op expected operand and result of rank >= 1, but got 'tensor<i4>' and 'tensor<1xi8>'}}
  %0 = quant.pack_int4 %q : tensor<i4> -> tensor<1xi8>
  return
}

// -----

func.func @unpack_int4_c1(%p: tensor<8x3xi8>) {
  // expected-error@+1 {{'quant.unpack_int4' op expected input of shape [8, 4] (two elements of the last dimension in a byte), but got 'tensor<8x3xi8>'}}
  %0 = quant.unpack_int4 %p : tensor<8x3xi8> -> tensor<8x7xi4>
  return
}

// -----

func.func @rescale_c9_integer(%acc: tensor<2x3xi32>, %s: tensor<f32>, %r: tensor<2x3xf32>) {
  // expected-error@+1 {{'quant.rescale' op expected no residual with an integer result, but the result is 'tensor<2x3xi8>'}}
  %0 = quant.rescale %acc row_scale(%s : tensor<f32>) residual(%r : tensor<2x3xf32>) {range = array<i64: -128, 127>} : tensor<2x3xi32> -> tensor<2x3xi8>
  return
}

// -----

func.func @rescale_c9_shape(%acc: tensor<2x3xi32>, %s: tensor<f32>, %r: tensor<3xf32>) {
  // expected-error@+1 {{'quant.rescale' op expected residual of shape [2, 3] (the shape of acc), but got 'tensor<3xf32>'}}
  %0 = quant.rescale %acc row_scale(%s : tensor<f32>) residual(%r : tensor<3xf32>) : tensor<2x3xi32> -> tensor<2x3xf32>
  return
}

// -----

// One value where the run alone knows how many there are.

func.func @matmul_c5_one(%a: tensor<?x3xi8>, %b: tensor<3x5xi8>, %z: tensor<1xi32>, %c: tensor<?x5xi32>) {
  // expected-error@+1 {{'quant.matmul' op expected lhs_zero_point of rank 0 or shape [?] (one for each row of lhs), but got 'tensor<1xi32>'}}
  %0 = quant.matmul ins(%a, %b : tensor<?x3xi8>, tensor<3x5xi8>) lhs_zero_point(%z : tensor<1xi32>) outs(%c : tensor<?x5xi32>) -> tensor<?x5xi32>
  return
}

// -----

func.func @matmul_c6_one(%a: tensor<2x3xi8>, %b: tensor<3x?xi8>, %z: tensor<1xi32>, %c: tensor<2x?xi32>) {
  // expected-error@+1 {{'quant.matmul' op expected rhs_zero_point of rank 0 or shape [?] (one for each column of rhs), but got 'tensor<1xi32>'}}
  %0 = quant.matmul ins(%a, %b : tensor<2x3xi8>, tensor<3x?xi8>) rhs_zero_point(%z : tensor<1xi32>) outs(%c : tensor<2x?xi32>) -> tensor<2x?xi32>
  return
}

// -----

func.func @quantize_c2_one(%x: tensor<?x3xf32>, %s: tensor<1xf32>) {
  // expected-error@+1 {{'quant.quantize' op expected scale of shape [?] (the input's sizes along axes), or of rank 0 for one value, but got 'tensor<1xf32>'}}
  %0 = quant.quantize %x scale(%s : tensor<1xf32>) axes = [0] range = [-128, 127] : tensor<?x3xf32> -> tensor<?x3xi8>
  return
}

// -----

func.func @dequantize_c2_one(%x: tensor<?x3xi8>, %s: tensor<?xf32>, %z: tensor<1xi32>) {
  // expected-error@+1 {{'quant.dequantize' op expected zero_point of shape [?] (the input's sizes along axes), or of rank 0 for one value, but got 'tensor<1xi32>'}}
  %0 = quant.dequantize %x scale(%s : tensor<?xf32>) zero_point(%z : tensor<1xi32>) axes = [0] : tensor<?x3xi8> -> tensor<?x3xf32>
  return
}

// -----

func.func @rescale_c2_one(%acc: tensor<?x3xi32>, %s: tensor<1xf32>) {
  // expected-error@+1 {{'quant.rescale' op expected row_scale of rank 0 or shape [?] (one for each row of acc), but got 'tensor<1xf32>'}}
  %0 = quant.rescale %acc row_scale(%s : tensor<1xf32>) : tensor<?x3xi32> -> tensor<?x3xf32>
  return
}

// -----

func.func @rescale_c4_one(%acc: tensor<2x?xi32>, %s: tensor<f32>, %b: tensor<1xf32>) {
  // expected-error@+1 {{'quant.rescale' op expected bias of shape [?] (one for each column of acc), or of rank 0 for one value, but got 'tensor<1xf32>'}}
  %0 = quant.rescale %acc row_scale(%s : tensor<f32>) bias(%b : tensor<1xf32>) : tensor<2x?xi32> -> tensor<2x?xf32>
  return
}

// -----

func.func @rescale_fixed_point_c1_one(%acc: tensor<2x?xi32>, %m: tensor<1xi32>, %s: tensor<1xi8>) {
  // expected-error@+1 {{'quant.rescale_fixed_point' op expected multiplier of rank 0 or shape [?] (one for each column of acc), but got 'tensor<1xi32>'}}
  %0 = quant.rescale_fixed_point %acc multiplier(%m : tensor<1xi32>) shift(%s : tensor<1xi8>) rounding(SINGLE_ROUND) {range = array<i64: -128, 127>} : tensor<2x?xi32> -> tensor<2x?xi8>
  return
}
