// RUN: quant-opt %s -split-input-file -quant-import-tosa -quant-import=weight-only=true -canonicalize -cse | FileCheck %s

// The weight is 4 bits with E2M1's code book, the activations bytes with a scale
// for each block, half of the program's.
// CHECK-LABEL: @product
// CHECK: %[[W:.+]] = arith.constant dense<{{.*}}> : tensor<2x64xi4>
// CHECK: quant.scaled_matmul ins(%{{.+}}, %[[W]] : tensor<?x64xi8>, tensor<2x64xi4>) rhs_scale(%{{.+}} : tensor<2x2xf32>) lhs_scale(%{{.+}} : tensor<?x2xf32>)
// CHECK-SAME: group_size = 32 : i64, lhs_group_size = 32 : i64, rhs_codebook = array<i8: 0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12>
func.func @product(%x: tensor<?x3x64xf32>) -> tensor<?x3x2xf32> {
  %d, %s = tosa.cast_to_block_scaled %x {block_size = BLOCK_SIZE_32} : (tensor<?x3x64xf32>) -> (tensor<?x3x64xf4E2M1FN>, tensor<?x3x2xf8E8M0FNU>)
  %w = "tosa.const"() <{values = dense<6.0> : tensor<1x2x64xf4E2M1FN>}> : () -> tensor<1x2x64xf4E2M1FN>
  %ws = "tosa.const"() <{values = dense<[[[2.0, 4.0], [0.5, 1.0]]]> : tensor<1x2x2xf8E8M0FNU>}> : () -> tensor<1x2x2xf8E8M0FNU>
  %y = tosa.matmul_t_block_scaled %d, %s, %w, %ws {block_size = BLOCK_SIZE_32} : (tensor<?x3x64xf4E2M1FN>, tensor<?x3x2xf8E8M0FNU>, tensor<1x2x64xf4E2M1FN>, tensor<1x2x2xf8E8M0FNU>) -> tensor<?x3x2xf32>
  return %y : tensor<?x3x2xf32>
}

// -----

// MXINT8's elements are multiples of 2^-6.
// CHECK-LABEL: @mxint8
// CHECK-DAG: arith.constant dense<3.125000e-02> : tensor<2x1xf32>
// CHECK-DAG: arith.constant {{.*}} : tensor<2x32xi8>
// CHECK: quant.scaled_matmul
func.func @mxint8(%x: tensor<3x32xf32>) -> tensor<3x2xf32> {
  %w = "tosa.const"() <{values = dense_resource<w> : tensor<2x32x!tosa.mxint8>}> : () -> tensor<2x32x!tosa.mxint8>
  %ws = "tosa.const"() <{values = dense<2.0> : tensor<2x1xf8E8M0FNU>}> : () -> tensor<2x1xf8E8M0FNU>
  %d = tosa.cast_from_block_scaled %w, %ws {block_size = BLOCK_SIZE_32} : (tensor<2x32x!tosa.mxint8>, tensor<2x1xf8E8M0FNU>) -> tensor<2x32xf32>
  %z = arith.constant dense<0.0> : tensor<3x2xf32>
  %y = linalg.contract indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] ins(%x, %d : tensor<3x32xf32>, tensor<2x32xf32>) outs(%z : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}
{-#
  dialect_resources: { builtin: { w: "0x0100000001020304050607080102030405060708010203040506070801020304050607080102030405060708010203040506070801020304050607080102030405060780" } }
#-}
