// Products that are imported and reported like any others.
// RUN: quant-opt %s -convert-tm-tensor-to-linalg | FileCheck %s
// RUN: quant-opt %s --quant-to-generic="quantize=activations=dynamic-token stop-after=quant" -o /dev/null 2>&1 | FileCheck %s --check-prefix=LEFT

// CHECK-LABEL: @attention
// CHECK-SAME: (%[[Q:.*]]: tensor<2x3x4x16xf32>, %[[K:.*]]: tensor<2x3x7x16xf32>, %[[V:.*]]: tensor<2x3x7x5xf32>
// CHECK: %[[Q3:.*]] = tensor.collapse_shape %[[Q]] {{\[\[}}0, 1], [2], [3]]
// CHECK: %[[K3:.*]] = tensor.collapse_shape %[[K]]
// CHECK: %[[T:.*]] = linalg.transpose ins(%[[K3]] : tensor<6x7x16xf32>)
// CHECK: linalg.batch_matmul ins(%[[Q3]], %[[T]] : tensor<6x4x16xf32>, tensor<6x16x7xf32>)
// CHECK: arith.constant 4.000000e+00 : f32
// CHECK: arith.divf
// CHECK: linalg.reduce
// CHECK: math.exp
// CHECK: linalg.batch_matmul ins(%{{.*}}, %{{.*}} : tensor<6x4x7xf32>, tensor<6x7x5xf32>)
// CHECK-NOT: tm_tensor
// LEFT-COUNT-2: remark: {{.*}}both operands are activations with batch dimensions, none is a weight
func.func @attention(%q: tensor<2x3x4x16xf32>, %k: tensor<2x3x7x16xf32>, %v: tensor<2x3x7x5xf32>, %o: tensor<2x3x4x5xf32>) -> tensor<2x3x4x5xf32> {
  %y = tm_tensor.attention ins(%q, %k, %v : tensor<2x3x4x16xf32>, tensor<2x3x7x16xf32>, tensor<2x3x7x5xf32>) outs(%o : tensor<2x3x4x5xf32>) -> tensor<2x3x4x5xf32>
  return %y : tensor<2x3x4x5xf32>
}
