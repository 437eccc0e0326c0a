// RUN: quant-opt %s --quant-import 2>&1 | FileCheck %s

// Nothing is multiplied by weights that are looked up for each token: tiling by
// choices would divide by the size of no rows.
// CHECK-LABEL: func.func @chosen_by_token
// CHECK-NOT: scf.for
// CHECK: return
#token = affine_map<(d0, d1, d2) -> (d0)>
#each = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
func.func @chosen_by_token(%x: tensor<5x0x8xf32>, %i: tensor<5xi64>) -> tensor<5x0x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<5x0x4xf32>
  %w = arith.constant dense<1.0> : tensor<2x8x4xf32>
  %o = tensor.empty() : tensor<5x8x4xf32>
  %g = linalg.generic {indexing_maps = [#token, #each], iterator_types = ["parallel", "parallel", "parallel"]} ins(%i : tensor<5xi64>) outs(%o : tensor<5x8x4xf32>) {
  ^bb0(%in: i64, %out: f32):
    %e = arith.index_cast %in : i64 to index
    %k = linalg.index 1 : index
    %n = linalg.index 2 : index
    %v = tensor.extract %w[%e, %k, %n] : tensor<2x8x4xf32>
    linalg.yield %v : f32
  } -> tensor<5x8x4xf32>
  %y = linalg.batch_matmul ins(%x, %g : tensor<5x0x8xf32>, tensor<5x8x4xf32>) outs(%zero : tensor<5x0x4xf32>) -> tensor<5x0x4xf32>
  return %y : tensor<5x0x4xf32>
}
