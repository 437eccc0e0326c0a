// A two-layer int8 MLP: no float op stands between its two integer matmuls.
// Bias and ReLU are in the rescale, which ends in int8.
// RUN: quant-opt %s --quant-to-generic=stop-after=quant | FileCheck %s
// RUN: quant-opt %s --quant-to-x86="cpu=icelake-server stop-after=packed" | FileCheck %s --check-prefix=PACKED

// CHECK-LABEL: func.func @mlp
// CHECK: quant.quantize
// CHECK: %[[ACC:.*]] = quant.matmul
// CHECK-NEXT: %[[Q:.*]] = quant.rescale %[[ACC]] {{.*}}bias({{.*}}{clamp_min = 0.0{{.*}}, zero_point = -3 : i32} : tensor<4x16xi32> -> tensor<4x16xi8>
// CHECK-NOT: linalg.generic
// CHECK-NOT: f32
// CHECK: quant.matmul ins(%[[Q]],
// CHECK-NEXT: quant.rescale {{.*}} : tensor<4x8xi32> -> tensor<4x8xf32>

// PACKED: %[[H:.*]] = qtarget.packed_matmul {{.*}} -> tensor<4x16xi8>
// PACKED-NOT: linalg.generic
// PACKED-NOT: linalg.pack
// PACKED: qtarget.packed_matmul {{.*}} ins(%[[H]],
#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (n)>
!x = !quant.uniform<i8:f32, 0.05>
!h = !quant.uniform<i8:f32, 0.1:-3>
!w = !quant.uniform<i8<-127:127>:f32, 0.02>
func.func @mlp(%x: tensor<4x32xf32>) -> tensor<4x8xf32> {
  %w1 = arith.constant dense<3> : tensor<32x16xi8>
  %w2 = arith.constant dense<-5> : tensor<16x8xi8>
  %b = arith.constant dense<[0.75, -0.5, 0.25, 1.0, 0.125, -2.0, 0.0, 3.0, 0.75, -0.5, 0.25, 1.0, 0.125, -2.0, 0.0, 3.0]> : tensor<16xf32>
  %c0 = arith.constant dense<0.0> : tensor<4x16xf32>
  %z2 = arith.constant dense<0.0> : tensor<4x8xf32>
  %qx = quant.qcast %x : tensor<4x32xf32> to tensor<4x32x!x>
  %dx = quant.dcast %qx : tensor<4x32x!x> to tensor<4x32xf32>
  %s1 = quant.scast %w1 : tensor<32x16xi8> to tensor<32x16x!w>
  %d1 = quant.dcast %s1 : tensor<32x16x!w> to tensor<32x16xf32>
  %s2 = quant.scast %w2 : tensor<16x8xi8> to tensor<16x8x!w>
  %d2 = quant.dcast %s2 : tensor<16x8x!w> to tensor<16x8xf32>
  %m1 = linalg.matmul ins(%dx, %d1 : tensor<4x32xf32>, tensor<32x16xf32>) outs(%c0 : tensor<4x16xf32>) -> tensor<4x16xf32>
  %e = tensor.empty() : tensor<4x16xf32>
  %a1 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m1, %b : tensor<4x16xf32>, tensor<16xf32>) outs(%e : tensor<4x16xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %sum = arith.addf %l, %r : f32
    linalg.yield %sum : f32
  } -> tensor<4x16xf32>
  %r1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a1 : tensor<4x16xf32>) outs(%e : tensor<4x16xf32>) {
  ^bb0(%l: f32, %o: f32):
    %zero = arith.constant 0.0 : f32
    %positive = arith.cmpf ugt, %l, %zero : f32
    %relu = arith.select %positive, %l, %zero : f32
    linalg.yield %relu : f32
  } -> tensor<4x16xf32>
  %qh = quant.qcast %r1 : tensor<4x16xf32> to tensor<4x16x!h>
  %dh = quant.dcast %qh : tensor<4x16x!h> to tensor<4x16xf32>
  %m2 = linalg.matmul ins(%dh, %d2 : tensor<4x16xf32>, tensor<16x8xf32>) outs(%z2 : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %m2 : tensor<4x8xf32>
}
