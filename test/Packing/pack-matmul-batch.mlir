// Batches: over a shared right operand they join the rows, else they are a
// loop; in both the rescale is fused and zeros to start from add nothing.
// Activations that several matmuls read are quantized to u8 once.

// RUN: quant-opt --pass-pipeline='builtin.module(quant-set-target{cpu=icelake-server},quant-pack-matmul,canonicalize,cse)' %s | FileCheck %s

// CHECK-LABEL: func @shared
// CHECK: %[[Q:.*]] = quant.quantize %{{.*}} zero_point(%{{.*}}) axes = [0, 1] range = [0, 255] unsigned
// CHECK-NOT: quant.quantize
// CHECK-NOT: arith.xori
// CHECK: %[[A:.*]] = tensor.collapse_shape %[[Q]] {{\[}}[0, 1], [2]]
// CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout{{.*}} ins(%[[A]], {{.*}} col_bias({{.*}} row_scale(%{{.*}} : tensor<16xf32>)
// CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout{{.*}} ins(%[[A]], {{.*}} col_bias({{.*}} row_scale(%{{.*}} : tensor<16xf32>)
// CHECK-NOT: quant.rescale
func.func @shared(%x: tensor<2x8x64xf32>, %s: tensor<2x8xf32>, %sw: tensor<48xf32>,
                  %w: tensor<48x64xi8>, %w2: tensor<48x64xi8>)
    -> (tensor<2x8x48xf32>, tensor<2x8x48xf32>) {
  %q = quant.quantize %x scale(%s : tensor<2x8xf32>) axes = [0, 1] range = [-128, 127]
         : tensor<2x8x64xf32> -> tensor<2x8x64xi8>
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<2x8x48xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<2x8x48xi32>) -> tensor<2x8x48xi32>
  %acc = quant.matmul ins(%q, %w : tensor<2x8x64xi8>, tensor<48x64xi8>)
           outs(%init : tensor<2x8x48xi32>) {transpose_rhs} -> tensor<2x8x48xi32>
  %y = quant.rescale %acc row_scale(%s : tensor<2x8xf32>) channel_scale(%sw : tensor<48xf32>)
         : tensor<2x8x48xi32> -> tensor<2x8x48xf32>
  %acc2 = quant.matmul ins(%q, %w2 : tensor<2x8x64xi8>, tensor<48x64xi8>)
            outs(%init : tensor<2x8x48xi32>) {transpose_rhs} -> tensor<2x8x48xi32>
  %y2 = quant.rescale %acc2 row_scale(%s : tensor<2x8xf32>) channel_scale(%sw : tensor<48xf32>)
          : tensor<2x8x48xi32> -> tensor<2x8x48xf32>
  return %y, %y2 : tensor<2x8x48xf32>, tensor<2x8x48xf32>
}

// CHECK-LABEL: func @batched
// CHECK: scf.for
// CHECK-NOT: linalg.generic
// CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout{{.*}} row_scale(
// CHECK-NOT: quant.rescale
func.func @batched(%q: tensor<2x8x64xi8>, %w: tensor<2x48x64xi8>, %s: tensor<2x8xf32>)
    -> tensor<2x8x48xf32> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<2x8x48xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<2x8x48xi32>) -> tensor<2x8x48xi32>
  %acc = quant.matmul ins(%q, %w : tensor<2x8x64xi8>, tensor<2x48x64xi8>)
           outs(%init : tensor<2x8x48xi32>) {transpose_rhs, lhs_unsigned} -> tensor<2x8x48xi32>
  %y = quant.rescale %acc row_scale(%s : tensor<2x8xf32>)
         : tensor<2x8x48xi32> -> tensor<2x8x48xf32>
  return %y: tensor<2x8x48xf32>
}

// A quantized tensor that something else reads keeps its sign.
// CHECK-LABEL: func @negative_other_user
// CHECK: quant.quantize %{{.*}} range = [-128, 127] : tensor
// CHECK: arith.xori
func.func @negative_other_user(%x: tensor<8x64xf32>, %s: tensor<f32>, %w: tensor<48x64xi8>)
    -> (tensor<8x48xi32>, tensor<8x64xi8>) {
  %q = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-128, 127]
         : tensor<8x64xf32> -> tensor<8x64xi8>
  %init = arith.constant dense<0> : tensor<8x48xi32>
  %acc = quant.matmul ins(%q, %w : tensor<8x64xi8>, tensor<48x64xi8>)
           outs(%init : tensor<8x48xi32>) {transpose_rhs} -> tensor<8x48xi32>
  return %acc, %q : tensor<8x48xi32>, tensor<8x64xi8>
}

// A batch of one is none: the constant right operand is packed at compile time.
// CHECK-LABEL: func @unit_batch
// CHECK-NOT: scf.for
// CHECK: %[[W:.*]] = arith.constant {{.*}} : tensor<1x2x16x4xi8>
// CHECK-NOT: scf.for
// CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%{{.*}}, %[[W]] : tensor<3x8xi8>, tensor<1x2x16x4xi8>)
func.func @unit_batch(%q: tensor<1x3x8xi8>) -> tensor<1x3x2xi32> {
  %w = arith.constant dense<[[[1, 2, 3, 4, 5, 6, 7, 8], [9, 10, 11, 12, 13, 14, 15, 16]]]> : tensor<1x2x8xi8>
  %init = arith.constant dense<0> : tensor<1x3x2xi32>
  %acc = quant.matmul ins(%q, %w : tensor<1x3x8xi8>, tensor<1x2x8xi8>)
           outs(%init : tensor<1x3x2xi32>) {transpose_rhs, lhs_unsigned} -> tensor<1x3x2xi32>
  return %acc : tensor<1x3x2xi32>
}

// A rescale that knows sizes which the matmul does not know stays outside of
// the merged rows and of the loop.

// CHECK-LABEL: func @static_rescale
// CHECK: qtarget.packed_matmul
// CHECK: tensor.expand_shape
// CHECK: quant.rescale {{.*}} : tensor<?x?x7xi32> -> tensor<2x3x7xf32>
func.func @static_rescale(%x: tensor<?x?x8xi8>, %w: tensor<7x8xi8>, %init: tensor<?x?x7xi32>,
                          %s: tensor<f32>) -> tensor<2x3x7xf32> {
  %acc = quant.matmul ins(%x, %w : tensor<?x?x8xi8>, tensor<7x8xi8>)
           outs(%init : tensor<?x?x7xi32>) {transpose_rhs} -> tensor<?x?x7xi32>
  %y = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<?x?x7xi32> -> tensor<2x3x7xf32>
  return %y : tensor<2x3x7xf32>
}

// CHECK-LABEL: func @static_rescale_loop
// CHECK: scf.for
// CHECK: qtarget.packed_matmul
// CHECK: }
// CHECK: quant.rescale {{.*}} : tensor<?x?x7xi32> -> tensor<2x3x7xf32>
func.func @static_rescale_loop(%x: tensor<?x?x8xi8>, %w: tensor<?x7x8xi8>, %init: tensor<?x?x7xi32>,
                               %s: tensor<f32>) -> tensor<2x3x7xf32> {
  %acc = quant.matmul ins(%x, %w : tensor<?x?x8xi8>, tensor<?x7x8xi8>)
           outs(%init : tensor<?x?x7xi32>) {transpose_rhs} -> tensor<?x?x7xi32>
  %y = quant.rescale %acc row_scale(%s : tensor<f32>) : tensor<?x?x7xi32> -> tensor<2x3x7xf32>
  return %y : tensor<2x3x7xf32>
}
