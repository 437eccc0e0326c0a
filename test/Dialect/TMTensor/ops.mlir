// RUN: quant-opt %s | quant-opt | FileCheck %s

// CHECK-LABEL: @scan
// CHECK: tm_tensor.scan dimension(1) inclusive(true) ins(%{{.*}} : tensor<2x3xi64>) outs(%{{.*}}, %{{.*}} : tensor<2x3xi64>, tensor<2xi64>)
// CHECK: tm_tensor.yield %{{.*}} : i64
func.func @scan(%x: tensor<2x3xi64>, %o: tensor<2x3xi64>, %l: tensor<2xi64>) -> tensor<2x3xi64> {
  %r:2 = tm_tensor.scan dimension(1) inclusive(true) ins(%x : tensor<2x3xi64>) outs(%o, %l : tensor<2x3xi64>, tensor<2xi64>) {
  ^bb0(%p: i64, %q: i64):
    %s = arith.addi %p, %q : i64
    tm_tensor.yield %s : i64
  } -> tensor<2x3xi64>, tensor<2xi64>
  return %r#0 : tensor<2x3xi64>
}

// CHECK-LABEL: @scatter
// CHECK: tm_tensor.scatter {dimension_map = array<i64: 0>} unique_indices(false) ins(%{{.*}}, %{{.*}} : tensor<?x5xf32>, tensor<?x1xi64>) outs(%{{.*}} : tensor<4x5xf32>)
func.func @scatter(%u: tensor<?x5xf32>, %i: tensor<?x1xi64>, %o: tensor<4x5xf32>) -> tensor<4x5xf32> {
  %r = tm_tensor.scatter {dimension_map = array<i64: 0>} unique_indices(false) ins(%u, %i : tensor<?x5xf32>, tensor<?x1xi64>) outs(%o : tensor<4x5xf32>) {
  ^bb0(%n: f32, %old: f32):
    tm_tensor.yield %n : f32
  } -> tensor<4x5xf32>
  return %r : tensor<4x5xf32>
}

// CHECK-LABEL: @attention
// CHECK: tm_tensor.attention ins(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<9x1x64xf32>, tensor<9x256x64xf32>, tensor<9x256x64xf32>, tensor<1x256xf32>) outs(%{{.*}} : tensor<9x1x64xf32>) -> tensor<9x1x64xf32>
func.func @attention(%q: tensor<9x1x64xf32>, %k: tensor<9x256x64xf32>, %m: tensor<1x256xf32>) -> tensor<9x1x64xf32> {
  %y = tm_tensor.attention ins(%q, %k, %k, %m : tensor<9x1x64xf32>, tensor<9x256x64xf32>, tensor<9x256x64xf32>, tensor<1x256xf32>) outs(%q : tensor<9x1x64xf32>) -> tensor<9x1x64xf32>
  return %y : tensor<9x1x64xf32>
}
