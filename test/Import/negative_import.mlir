// Quantized matmuls that are left as they are.
// RUN: quant-opt %s -quant-import -split-input-file -verify-diagnostics | FileCheck %s
// CHECK-NOT: quant.matmul

func.func @wide_sums(%x: tensor<4x8xi8>, %w: tensor<8x2xi8>, %init: tensor<4x2xi64>) -> tensor<4x2xi64> {
  // expected-remark @below {{quantized matmul is not imported: expected sums in i64 to start from 0}}
  %y = linalg.matmul ins(%x, %w : tensor<4x8xi8>, tensor<8x2xi8>) outs(%init : tensor<4x2xi64>) -> tensor<4x2xi64>
  return %y : tensor<4x2xi64>
}

// -----

func.func @zero_point_out_of_range(%x: tensor<4x8xi8>, %w: tensor<8x2xi8>, %init: tensor<4x2xi32>) -> tensor<4x2xi32> {
  %zx = arith.constant 200 : i32
  %zw = arith.constant 0 : i32
  // expected-remark @below {{quantized matmul is not imported: expected a zero point in [-128, 127], found 200}}
  %y = linalg.quantized_matmul ins(%x, %w, %zx, %zw : tensor<4x8xi8>, tensor<8x2xi8>, i32, i32) outs(%init : tensor<4x2xi32>) -> tensor<4x2xi32>
  return %y : tensor<4x2xi32>
}

// -----

func.func @large_k(%x: tensor<4x131072xi8>, %w: tensor<131072x2xi8>, %init: tensor<4x2xi32>) -> tensor<4x2xi32> {
  // expected-remark @below {{quantized matmul is not imported: D = 131072 products may overflow i32, safe is 131071}}
  %y = linalg.matmul ins(%x, %w : tensor<4x131072xi8>, tensor<131072x2xi8>) outs(%init : tensor<4x2xi32>) -> tensor<4x2xi32>
  return %y : tensor<4x2xi32>
}

// -----

// Scales along the contracted dimension cannot leave the sum.
func.func @scale_along_k(%x: tensor<4x2xi8>, %w: tensor<2x2xi8>, %s: tensor<f32>, %sk: tensor<2xf32>) -> tensor<4x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %d = quant.dequantize %x scale(%s : tensor<f32>) axes = [] : tensor<4x2xi8> -> tensor<4x2xf32>
  %v = quant.dequantize %w scale(%sk : tensor<2xf32>) axes = [0] : tensor<2x2xi8> -> tensor<2x2xf32>
  // expected-remark @below {{quantized matmul is not imported: expected scales for the tensor, for each row or for each column}}
  %y = linalg.matmul ins(%d, %v : tensor<4x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

// Neither float matmuls nor wider integers are quantized: no remark.
func.func @not_quantized(%x: tensor<4x8xf32>, %w: tensor<8x2xf32>, %init: tensor<4x2xf32>, %i: tensor<4x8xi32>, %j: tensor<8x2xi32>, %sum: tensor<4x2xi32>) -> (tensor<4x2xf32>, tensor<4x2xi32>) {
  %y = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x2xf32>) outs(%init : tensor<4x2xf32>) -> tensor<4x2xf32>
  %z = linalg.matmul ins(%i, %j : tensor<4x8xi32>, tensor<8x2xi32>) outs(%sum : tensor<4x2xi32>) -> tensor<4x2xi32>
  return %y, %z : tensor<4x2xf32>, tensor<4x2xi32>
}

// -----

// Upstream's verifier reads numbers of dimensions as 32 bits.
func.func @collapsed(%x: tensor<5x6xf32>, %w: tensor<6x4x16xi8>, %sw: tensor<4xf32>, %init: tensor<5x64xf32>) -> tensor<5x64xf32> {
  %d = quant.dequantize %w scale(%sw : tensor<4xf32>) axes = [1] : tensor<6x4x16xi8> -> tensor<6x4x16xf32>
  // expected-error @below {{'tensor.collapse_shape' op expected dimensions 0, 1, 2, ... in this order, found 4294967296}}
  %c = tensor.collapse_shape %d [[4294967296], [1, 2]] : tensor<6x4x16xf32> into tensor<6x64xf32>
  %y = linalg.matmul ins(%x, %c : tensor<5x6xf32>, tensor<6x64xf32>) outs(%init : tensor<5x64xf32>) -> tensor<5x64xf32>
  return %y : tensor<5x64xf32>
}

// -----

// 1e-40 * 0.5 has few bits left.
func.func @denormal_scales(%x: tensor<4x8xi8>, %w: tensor<8x2xi8>, %init: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %sx = arith.constant dense<1.0e-40> : tensor<f32>
  %sw = arith.constant dense<0.5> : tensor<f32>
  %xf = quant.dequantize %x scale(%sx : tensor<f32>) axes = [] : tensor<4x8xi8> -> tensor<4x8xf32>
  %wf = quant.dequantize %w scale(%sw : tensor<f32>) axes = [] : tensor<8x2xi8> -> tensor<8x2xf32>
  // expected-remark @below {{quantized matmul is not imported: a product of its scales is no normal f32}}
  %y = linalg.matmul ins(%xf, %wf : tensor<4x8xf32>, tensor<8x2xf32>) outs(%init : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}
