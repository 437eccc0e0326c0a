// RUN: quant-opt %s -split-input-file -quant-import=weight-only=true -canonicalize -cse | FileCheck %s

#row = affine_map<(m, n, k) -> (m, k)>
#column = affine_map<(m, n, k) -> (n, k)>
#result = affine_map<(m, n, k) -> (m, n)>

// Both sides in blocks of 16; scales of any float type are powers of two to
// arith.scaling_extf.
// CHECK-LABEL: @both
// CHECK-DAG: %[[W:.+]] = arith.constant dense<{{.*}}> : tensor<2x32xi4>
// CHECK-DAG: %[[S:.+]] = arith.constant dense<1.000000e+00> : tensor<2x2xf32>
// CHECK: arith.fptosi %{{.+}} : f32 to i8
// CHECK: quant.scaled_matmul ins(%{{.+}}, %[[W]] : tensor<3x32xi8>, tensor<2x32xi4>) rhs_scale(%[[S]] : tensor<2x2xf32>) lhs_scale(%{{.+}} : tensor<3x2xf32>)
// CHECK-SAME: group_size = 16 : i64, lhs_group_size = 16 : i64, rhs_codebook
func.func @both(%x: tensor<3x2x16xf32>, %s: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %e = tensor.empty() : tensor<3x2x16xf32>
  %b = linalg.broadcast ins(%s : tensor<3x2xf32>) outs(%e : tensor<3x2x16xf32>) dimensions = [2]
  %q = arith.scaling_truncf %x, %b : tensor<3x2x16xf32>, tensor<3x2x16xf32> to tensor<3x2x16xf4E2M1FN>
  %d = arith.scaling_extf %q, %b : tensor<3x2x16xf4E2M1FN>, tensor<3x2x16xf32> to tensor<3x2x16xf32>
  %m = tensor.collapse_shape %d [[0], [1, 2]] : tensor<3x2x16xf32> into tensor<3x32xf32>
  %w = arith.constant dense<-6.0> : tensor<2x2x16xf4E2M1FN>
  %c = arith.constant dense<2.0> : tensor<2x2xf8E8M0FNU>
  %f = tensor.empty() : tensor<2x2x16xf8E8M0FNU>
  %ws = linalg.broadcast ins(%c : tensor<2x2xf8E8M0FNU>) outs(%f : tensor<2x2x16xf8E8M0FNU>) dimensions = [2]
  %wd = arith.scaling_extf %w, %ws : tensor<2x2x16xf4E2M1FN>, tensor<2x2x16xf8E8M0FNU> to tensor<2x2x16xf32>
  %wm = tensor.collapse_shape %wd [[0], [1, 2]] : tensor<2x2x16xf32> into tensor<2x32xf32>
  %z = arith.constant dense<0.0> : tensor<3x2xf32>
  %y = linalg.contract indexing_maps = [#row, #column, #result] ins(%m, %wm : tensor<3x32xf32>, tensor<2x32xf32>) outs(%z : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

#row = affine_map<(m, n, k) -> (m, k)>
#column = affine_map<(m, n, k) -> (n, k)>
#result = affine_map<(m, n, k) -> (m, n)>

// Other floats of 8 bits are widened, once.
// CHECK-LABEL: @e4m3
// CHECK: %[[W:.+]] = arith.constant dense<[{{\[}}3.000000e+00, 3.000000e+00, -8.960000e+02, -8.960000e+02]]> : tensor<1x4xf32>
// CHECK: linalg.contract {{.*}} ins(%{{.+}}, %[[W]]
func.func @e4m3(%x: tensor<3x4xf32>) -> tensor<3x1xf32> {
  %w = arith.constant dense<[[1.5, 1.5, -448.0, -448.0]]> : tensor<1x4xf8E4M3FN>
  %s = arith.constant dense<2.0> : tensor<1x4xf8E8M0FNU>
  %d = arith.scaling_extf %w, %s : tensor<1x4xf8E4M3FN>, tensor<1x4xf8E8M0FNU> to tensor<1x4xf32>
  %z = arith.constant dense<0.0> : tensor<3x1xf32>
  %y = linalg.contract indexing_maps = [#row, #column, #result] ins(%x, %d : tensor<3x4xf32>, tensor<1x4xf32>) outs(%z : tensor<3x1xf32>) -> tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}
