// RUN: quant-opt %s | quant-opt | FileCheck %s --check-prefix=TRIP
// RUN: quant-opt %s -canonicalize -split-input-file | FileCheck %s

// TRIP-LABEL: @forms
// CHECK-LABEL: @forms
func.func @forms(%x: tensor<?x96xf16>, %y: tensor<2x?x72xbf16>, %b: memref<4x40xf32>, %q: memref<4x40xi8>) -> (tensor<?x96xf32>, tensor<2x?x72xf32>) {
  // TRIP: quant.rotate %{{.*}} size = 32 : tensor<?x96xf16> -> tensor<?x96xf32>
  %0 = quant.rotate %x size = 32 : tensor<?x96xf16> -> tensor<?x96xf32>
  // TRIP: quant.rotate %{{.*}} size = 8 seed = 3 : tensor<2x?x72xbf16> -> tensor<2x?x72xf32>
  %1 = quant.rotate %y size = 8 seed = 3 : tensor<2x?x72xbf16> -> tensor<2x?x72xf32>
  // TRIP: quant.rotate_rows ins(%{{.*}} : memref<4x40xf32>) outs(%{{.*}} : memref<4x40xi8>) size = 16 seed = 5 {is_unsigned, range = array<i64: 0, 255>, scale = 2.500000e-01 : f32, zero_point = 128 : i64}
  quant.rotate_rows ins(%b : memref<4x40xf32>) outs(%q : memref<4x40xi8>) size = 16 seed = 5 {scale = 2.5e-1 : f32, zero_point = 128 : i64, range = array<i64: 0, 255>, is_unsigned}
  return %0, %1 : tensor<?x96xf32>, tensor<2x?x72xf32>
}

// No block is whole; but f16 are still extended.
// CHECK-LABEL: @short_rows
// CHECK-SAME: %[[X:.*]]: tensor<?x31xf32>, %[[H:.*]]: tensor<?x31xf16>
// CHECK-NEXT: %[[R:.*]] = quant.rotate %[[H]]
// CHECK-NEXT: return %[[X]], %[[R]]
func.func @short_rows(%x: tensor<?x31xf32>, %h: tensor<?x31xf16>) -> (tensor<?x31xf32>, tensor<?x31xf32>) {
  %0 = quant.rotate %x size = 32 : tensor<?x31xf32> -> tensor<?x31xf32>
  %1 = quant.rotate %h size = 32 : tensor<?x31xf16> -> tensor<?x31xf32>
  return %0, %1 : tensor<?x31xf32>, tensor<?x31xf32>
}

// The matrix without signs is its own inverse.
// CHECK-LABEL: @cancel
// CHECK-SAME: %[[X:.*]]: tensor<?x64xf32>
// CHECK-NEXT: return %[[X]]
func.func @cancel(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %0 = quant.rotate %x size = 32 : tensor<?x64xf32> -> tensor<?x64xf32>
  %1 = quant.rotate %0 size = 32 : tensor<?x64xf32> -> tensor<?x64xf32>
  return %1 : tensor<?x64xf32>
}

// With signs, of other sizes, or from f16 it is not.
// CHECK-LABEL: @negative_cancel
// CHECK-COUNT-6: quant.rotate
func.func @negative_cancel(%x: tensor<?x64xf32>, %h: tensor<?x64xf16>) -> (tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>) {
  %0 = quant.rotate %x size = 32 seed = 1 : tensor<?x64xf32> -> tensor<?x64xf32>
  %1 = quant.rotate %0 size = 32 seed = 1 : tensor<?x64xf32> -> tensor<?x64xf32>
  %2 = quant.rotate %x size = 32 : tensor<?x64xf32> -> tensor<?x64xf32>
  %3 = quant.rotate %2 size = 64 : tensor<?x64xf32> -> tensor<?x64xf32>
  %4 = quant.rotate %h size = 32 : tensor<?x64xf16> -> tensor<?x64xf32>
  %5 = quant.rotate %4 size = 32 : tensor<?x64xf32> -> tensor<?x64xf32>
  return %1, %3, %5 : tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64xf32>
}

// [1 1 1 1; 1 -1 1 -1; 1 1 -1 -1; 1 -1 -1 1] / 2, and what is past the block.
// CHECK-LABEL: @constant
// CHECK-DAG: arith.constant dense<{{\[}}[5.000000e+00, -1.000000e+00, -2.000000e+00, 0.000000e+00, 7.000000e+00]]> : tensor<1x5xf32>
// CHECK-DAG: arith.constant dense<0.000000e+00> : tensor<4096x64xf32>
// CHECK-NOT: quant.rotate
func.func @constant() -> (tensor<1x5xf32>, tensor<4096x64xf32>) {
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0, 7.0]]> : tensor<1x5xf32>
  %z = arith.constant dense<0.0> : tensor<4096x64xf32>
  %0 = quant.rotate %x size = 4 : tensor<1x5xf32> -> tensor<1x5xf32>
  %1 = quant.rotate %z size = 32 : tensor<4096x64xf32> -> tensor<4096x64xf32>
  return %0, %1 : tensor<1x5xf32>, tensor<4096x64xf32>
}
