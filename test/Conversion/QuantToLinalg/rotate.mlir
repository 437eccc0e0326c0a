// RUN: quant-opt %s -convert-quant-to-linalg | FileCheck %s

// Two blocks of two and a column past them: signs, one stage, the factor.

// CHECK-LABEL: @rotate
// CHECK-SAME: %[[X:.*]]: tensor<?x5xf16>
// CHECK: linalg.generic {{.*}} ins(%[[X]] : tensor<?x5xf16>)
// CHECK: arith.extf
// CHECK: %[[COLUMN:.*]] = linalg.index 1
// CHECK: %[[INSIDE:.*]] = arith.cmpi ult, %[[COLUMN]], %c4
// CHECK: tensor.extract %{{.*}} : tensor<2xf32>
// CHECK: arith.mulf
// CHECK: arith.select %[[INSIDE]]
// CHECK: linalg.generic
// CHECK: arith.xori
// CHECK: %[[OTHER:.*]] = tensor.extract
// CHECK: arith.addf %[[A:.*]], %[[OTHER]]
// CHECK: arith.subf %[[OTHER]], %[[A]]
// CHECK: linalg.generic
// CHECK: %[[F:.*]] = arith.constant 0.707106769 : f32
// CHECK: arith.mulf %{{.*}}, %[[F]]
// CHECK-NOT: quant.
func.func @rotate(%x: tensor<?x5xf16>) -> tensor<?x5xf32> {
  %0 = quant.rotate %x size = 2 seed = 1 : tensor<?x5xf16> -> tensor<?x5xf32>
  return %0 : tensor<?x5xf32>
}

// CHECK-LABEL: @rows
// CHECK-NOT: quant.
// CHECK: math.roundeven
func.func @rows(%x: tensor<4x64xf32>, %q: tensor<4x64xi8>) -> tensor<4x64xi8> {
  %0 = quant.rotate_rows ins(%x : tensor<4x64xf32>) outs(%q : tensor<4x64xi8>) size = 32 {scale = 0.5 : f32, range = array<i64: -128, 127>, zero_point = 3 : i64} -> tensor<4x64xi8>
  return %0 : tensor<4x64xi8>
}
