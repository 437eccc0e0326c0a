// Contractions that stay in float, each with a remark that says why; and ops
// that only look like one.
// RUN: quant-opt %s -quant-quantize-matmul -split-input-file -verify-diagnostics | FileCheck %s
// CHECK-NOT: {{ quant\.[a-z_]+ }}

func.func @attention(%q: tensor<2x3x8xf32>, %k: tensor<2x8x3xf32>) -> tensor<2x3x3xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x3x3xf32>
  // expected-remark @below {{matmul stays in float: both operands are activations with batch dimensions, none is a weight}}
  %y = linalg.batch_matmul ins(%q, %k : tensor<2x3x8xf32>, tensor<2x8x3xf32>) outs(%zero : tensor<2x3x3xf32>) -> tensor<2x3x3xf32>
  return %y : tensor<2x3x3xf32>
}

// -----

func.func @batched_weight(%x: tensor<2x3x8xf32>) -> tensor<2x3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x3x4xf32>
  %w = arith.constant dense_resource<w> : tensor<2x8x4xf32>
  // expected-remark @below {{matmul stays in float: the weight has batch dimensions of its own}}
  %y = linalg.batch_matmul ins(%x, %w : tensor<2x3x8xf32>, tensor<2x8x4xf32>) outs(%zero : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return %y : tensor<2x3x4xf32>
}

// -----

func.func @large_k(%x: tensor<2x131072xf32>, %w: tensor<131072x4xf32>) -> tensor<2x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x4xf32>
  // expected-remark @below {{matmul stays in float: D = 131072 products may overflow i32, safe is 131071}}
  %y = linalg.matmul ins(%x, %w : tensor<2x131072xf32>, tensor<131072x4xf32>) outs(%zero : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

func.func @dynamic_k(%x: tensor<2x?xf32>, %w: tensor<?x4xf32>) -> tensor<2x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x4xf32>
  // expected-remark @below {{matmul stays in float: the contracted dimension D is dynamic, so that its sums cannot be proven to fit in i32}}
  %y = linalg.matmul ins(%x, %w : tensor<2x?xf32>, tensor<?x4xf32>) outs(%zero : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

func.func @double(%x: tensor<2x8xf64>, %w: tensor<8x4xf64>) -> tensor<2x4xf64> {
  %zero = arith.constant dense<0.0> : tensor<2x4xf64>
  // expected-remark @below {{matmul stays in float: expected elements of f32, f16 or bf16, found f64}}
  %y = linalg.matmul ins(%x, %w : tensor<2x8xf64>, tensor<8x4xf64>) outs(%zero : tensor<2x4xf64>) -> tensor<2x4xf64>
  return %y : tensor<2x4xf64>
}

// -----

func.func @nan_weight(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x1xf32>
  %w = arith.constant dense<[[1.0], [0x7FC00000]]> : tensor<2x1xf32>
  // expected-remark @below {{matmul stays in float: the weight holds NaN or infinity}}
  %y = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x1xf32>) outs(%zero : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

func.func @vectors(%x: tensor<8xf32>, %w: tensor<8xf32>) -> tensor<f32> {
  %zero = arith.constant dense<0.0> : tensor<f32>
  // expected-remark @below {{matmul stays in float: neither operand is a weight matrix}}
  %y = linalg.dot ins(%x, %w : tensor<8xf32>, tensor<8xf32>) outs(%zero : tensor<f32>) -> tensor<f32>
  return %y : tensor<f32>
}

// -----

func.func @buffers(%x: memref<2x8xf32>, %w: memref<8x4xf32>, %y: memref<2x4xf32>) {
  // expected-remark @below {{matmul stays in float: it works on buffers, not on tensors}}
  linalg.matmul ins(%x, %w : memref<2x8xf32>, memref<8x4xf32>) outs(%y : memref<2x4xf32>)
  return
}

// -----

#x = affine_map<(m, n, k) -> (m, k + n)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
func.func @sliding_window(%x: tensor<3x11xf32>, %w: tensor<8x4xf32>) -> tensor<3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  // expected-remark @below {{matmul stays in float: its indexing maps are not projected permutations}}
  %y = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %w : tensor<3x11xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
// Not a sum of products: no remark.
func.func @other_bodies(%x: tensor<3x8xf32>, %w: tensor<8x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>) {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  %y = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %w : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.maximumf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<3x4xf32>
  %z = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %w : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %n = math.exp %a : f32
    %p = arith.mulf %n, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  } -> tensor<3x4xf32>
  // The sum is a factor, not what is added to.
  %v = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %w : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %s = math.fma %a, %c, %b : f32
    linalg.yield %s : f32
  } -> tensor<3x4xf32>
  return %y, %z, %v : tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>
}

// -----

// Operands that are narrowed first make other products than theirs.
// CHECK-LABEL: @narrowed
// CHECK: linalg.matmul
func.func @narrowed(%x: tensor<4x8xf32>, %w: tensor<8x2xf32>, %init: tensor<4x2xf16>) -> tensor<4x2xf16> {
  // expected-remark @below {{matmul stays in float: its body is no sum of products, or narrows its operands}}
  %y = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x2xf32>) outs(%init : tensor<4x2xf16>) -> tensor<4x2xf16>
  return %y : tensor<4x2xf16>
}

// -----

#x = affine_map<(m, n, k) -> (m, k)>
#w = affine_map<(m, n, k) -> (k, n)>
#y = affine_map<(m, n, k) -> (m, n)>
// Bodies that add products of another kind: narrowed, into a wider sum, with a
// factor from outside.
// CHECK-LABEL: @other_products
func.func @other_products(%x: tensor<3x8xf32>, %w: tensor<8x4xf32>, %h: tensor<3x8xf16>, %v: tensor<8x4xf16>, %i: tensor<3x4xf16>, %j: tensor<3x4xf32>, %a: f32) -> (tensor<3x4xf16>, tensor<3x4xf16>, tensor<3x4xf32>) {
  // expected-remark @below {{matmul stays in float: its body is no sum of products, or narrows its operands}}
  %0 = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %w : tensor<3x8xf32>, tensor<8x4xf32>) outs(%i : tensor<3x4xf16>) {
  ^bb0(%p: f32, %q: f32, %s: f16):
    %b = arith.truncf %p : f32 to f16
    %c = arith.truncf %q : f32 to f16
    %d = arith.mulf %b, %c : f16
    %e = arith.addf %d, %s : f16
    linalg.yield %e : f16
  } -> tensor<3x4xf16>
  // expected-remark @below {{matmul stays in float: its body is no sum of products, or narrows its operands}}
  %1 = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "reduction"]} ins(%h, %v : tensor<3x8xf16>, tensor<8x4xf16>) outs(%i : tensor<3x4xf16>) {
  ^bb0(%p: f16, %q: f16, %s: f16):
    %b = arith.extf %p : f16 to f32
    %c = arith.extf %q : f16 to f32
    %t = arith.extf %s : f16 to f32
    %e = math.fma %b, %c, %t : f32
    %f = arith.truncf %e : f32 to f16
    linalg.yield %f : f16
  } -> tensor<3x4xf16>
  // expected-remark @below {{matmul stays in float: its body is no sum of products, or narrows its operands}}
  %2 = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "reduction"]} ins(%x, %w : tensor<3x8xf32>, tensor<8x4xf32>) outs(%j : tensor<3x4xf32>) {
  ^bb0(%p: f32, %q: f32, %s: f32):
    %b = arith.mulf %p, %q : f32
    %c = arith.mulf %b, %a : f32
    %d = arith.addf %s, %c : f32
    linalg.yield %d : f32
  } -> tensor<3x4xf32>
  return %0, %1, %2 : tensor<3x4xf16>, tensor<3x4xf16>, tensor<3x4xf32>
}
