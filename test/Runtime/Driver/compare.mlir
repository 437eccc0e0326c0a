// What --compare compares with: the float program of a graph that is quantized
// already, the generic target where there is none, and counts by reason.
// RUN: rm -rf %t && mkdir %t
// RUN: %make-npy %t/x.npy "np.float32([[1, -2, 3, 0.24]])"
// RUN: quant-run %s --entry=casts --inputs=%t/x.npy --compare | FileCheck %s --check-prefix=CASTS
// RUN: quant-run %s --entry=integers --random-inputs=5 --compare | FileCheck %s --check-prefix=INTS
// RUN: quant-run %s --entry=float --inputs=%t/x.npy --compare | FileCheck %s --check-prefix=FLOAT
// RUN: quant-run %s --entry=attention --random-inputs=7 --quantize --compare | FileCheck %s --check-prefix=SKIP
// RUN: quant-run %s --entry=attention --random-inputs=7 --quantize --verbose 2>&1 | FileCheck %s --check-prefix=VERBOSE
// RUN: quant-run %s --entry=attention --random-inputs=7 --quantize | FileCheck %s --check-prefix=SKIP
// RUN: quant-run %s --entry=weight_only --inputs=%t/x.npy --compare | FileCheck %s --check-prefix=WEIGHT
// RUN: quant-run %s --entry=nan --inputs=%t/x.npy --quantize --print=false | FileCheck %s --check-prefix=NAN

// 0.24 is between two steps of 0.5: both programs see the same rounded value.
// CASTS: result0: tensor<1x2xf32> = {{\[\[}}3, 1]]
// CASTS: compare result0 with float: SQNR inf dB, cosine 1.000000, max abs error 0
// CASTS: matmuls: 1 of 1 with a weight in integers
func.func @casts(%x: tensor<1x4xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense<[[1, 2], [2, 2], [2, 1], [4, 4]]> : tensor<4x2xi8>
  %qx = quant.qcast %x : tensor<1x4xf32> to tensor<1x4x!quant.uniform<i8:f32, 0.5>>
  %dx = quant.dcast %qx : tensor<1x4x!quant.uniform<i8:f32, 0.5>> to tensor<1x4xf32>
  %qw = quant.scast %w : tensor<4x2xi8> to tensor<4x2x!quant.uniform<i8:f32, 1.0>>
  %dw = quant.dcast %qw : tensor<4x2x!quant.uniform<i8:f32, 1.0>> to tensor<4x2xf32>
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x2xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %y = linalg.matmul ins(%dx, %dw : tensor<1x4xf32>, tensor<4x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// INTS: compare: the program's matmuls are integer ones, so there is no float program: compared with target generic
// INTS: compare result0 with generic: SQNR inf dB, cosine 1.000000, max abs error 0, bit-identical
func.func @integers(%x: tensor<3x8xi8>, %w: tensor<5x8xi8>) -> tensor<3x5xi32> {
  %z = arith.constant dense<0> : tensor<3x5xi32>
  %y = quant.matmul ins(%x, %w : tensor<3x8xi8>, tensor<5x8xi8>) outs(%z : tensor<3x5xi32>) {transpose_rhs} -> tensor<3x5xi32>
  return %y : tensor<3x5xi32>
}

// FLOAT: compare: no matmul is quantized
// FLOAT: compare result0 with float: SQNR inf dB, cosine 1.000000, max abs error 0, bit-identical
// FLOAT: matmuls: 0 of 0 with a weight in integers
func.func @float(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  return %x : tensor<1x4xf32>
}

// SKIP: matmuls: 0 of 0 with a weight in integers; 1 products of activations in float
// SKIP-NEXT: 1 x stays in float: both operands are activations with batch dimensions, none is a weight
// VERBOSE: compare.mlir:{{[0-9]+}}:8: remark: matmul stays in float: both operands are activations
func.func @attention(%q: tensor<2x3x4xf32>, %k: tensor<2x4x3xf32>) -> tensor<2x3x3xf32> {
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x3x3xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<2x3x3xf32>) -> tensor<2x3x3xf32>
  %y = linalg.batch_matmul ins(%q, %k : tensor<2x3x4xf32>, tensor<2x4x3xf32>) outs(%z : tensor<2x3x3xf32>) -> tensor<2x3x3xf32>
  return %y : tensor<2x3x3xf32>
}

// A weight alone is in integers, and that counts.
// WEIGHT: result0: tensor<1x2xf32> = {{\[\[}}1, 1.98]]
// WEIGHT-NEXT: compare result0 with float:
// WEIGHT: matmuls: 1 of 1 with a weight in integers
func.func @weight_only(%x: tensor<1x4xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense<[[1, 2], [3, 3], [2, 1], [0, 8]]> : tensor<4x2xi8>
  %qw = quant.scast %w : tensor<4x2xi8> to tensor<4x2x!quant.uniform<i8:f32, 0.5:0>>
  %dw = quant.dcast %qw : tensor<4x2x!quant.uniform<i8:f32, 0.5:0>> to tensor<4x2xf32>
  %z = arith.constant dense<[[0.5, 1.52]]> : tensor<1x2xf32>
  %y = linalg.matmul ins(%x, %dw : tensor<1x4xf32>, tensor<4x2xf32>) outs(%z : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// What stays in float is said without a comparison, too.
// NAN: result0: tensor<1x1xf32>
// NAN-NEXT: matmuls: 0 of 1 with a weight in integers
// NAN-NEXT: 1 x stays in float: the weight holds NaN or infinity
func.func @nan(%x: tensor<1x4xf32>) -> tensor<1x1xf32> {
  %w = arith.constant dense<[[1.0], [0x7FC00000], [2.0], [0.0]]> : tensor<4x1xf32>
  %z = arith.constant dense<0.0> : tensor<1x1xf32>
  %y = linalg.matmul ins(%x, %w : tensor<1x4xf32>, tensor<4x1xf32>) outs(%z : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
