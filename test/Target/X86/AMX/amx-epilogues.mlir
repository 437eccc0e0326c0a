// RUN: quant-opt --quant-to-x86="cpu=sapphirerapids stop-after=target" %s | FileCheck %s

// What leaves the tiles is rescaled row by row, in 64 bits: no accumulators but
// the few KiB that tiles are stored to, and vectors over columns loaded once.

// CHECK-LABEL: func.func @fixed_point
// CHECK-NOT: memref<64x32xi32>
// CHECK: call @quant_amx_matmul_0

// CHECK-LABEL: func.func @residual
// CHECK: call @quant_amx_matmul_1

// CHECK-LABEL: func.func private @quant_amx_matmul_0(
// CHECK-SAME: %[[M:[a-z0-9]+]]: memref<2x16xi32>, %[[S:[a-z0-9]+]]: memref<2x16xi8>, %[[Y:[a-z0-9]+]]: memref<64x32xi8>)
// CHECK: %[[SCRATCH:.*]] = memref.alloca() {{.*}} : memref<32x32xi32>
// CHECK: amx.tile_muli
// CHECK: amx.tile_store %[[SCRATCH]]
// CHECK-DAG: vector.load %[[M]]{{.*}} : memref<2x16xi32>, vector<16xi32>
// CHECK-DAG: vector.load %[[S]]{{.*}} : memref<2x16xi8>, vector<16xi8>
// CHECK: scf.for
// CHECK-NOT: vector.load %[[M]]
// CHECK: vector.load %[[SCRATCH]]
// CHECK: arith.muli {{.*}} : vector<16xi64>
// CHECK: arith.shrsi {{.*}} : vector<16xi64>
// CHECK: %[[Q:.*]] = arith.trunci {{.*}} : vector<16xi64> to vector<16xi8>
// CHECK: vector.store %[[Q]], %[[Y]]

// CHECK-LABEL: func.func private @quant_amx_matmul_1(
// CHECK-SAME: %[[R:[a-z0-9]+]]: memref<64x30xf32>, %[[Y:[a-z0-9]+]]: memref<64x30xf32>)
// CHECK: vector.maskedload %[[R]]
// CHECK: arith.mulf
// CHECK-NEXT: %[[SUM:.*]] = arith.addf
// CHECK: vector.maskedstore %[[Y]]{{.*}}, %[[SUM]]

func.func @fixed_point(%x: tensor<64x64xi8>, %w: tensor<64x32xi8>, %m: tensor<32xi32>, %s: tensor<32xi8>) -> tensor<64x32xi8> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<64x32xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<64x32xi32>) -> tensor<64x32xi32>
  %acc = quant.matmul ins(%x, %w : tensor<64x64xi8>, tensor<64x32xi8>) outs(%init : tensor<64x32xi32>) -> tensor<64x32xi32>
  %y = quant.rescale_fixed_point %acc multiplier(%m : tensor<32xi32>) shift(%s : tensor<32xi8>) rounding(DOUBLE_ROUND)
         {output_zero_point = -5 : i32, range = array<i64: -128, 127>} : tensor<64x32xi32> -> tensor<64x32xi8>
  return %y : tensor<64x32xi8>
}

func.func @residual(%x: tensor<64x64xi8>, %w: tensor<64x30xi8>, %s: tensor<f32>, %r: tensor<64x30xf32>) -> tensor<64x30xf32> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<64x30xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<64x30xi32>) -> tensor<64x30xi32>
  %acc = quant.matmul ins(%x, %w : tensor<64x64xi8>, tensor<64x30xi8>) outs(%init : tensor<64x30xi32>) -> tensor<64x30xi32>
  %y = quant.rescale %acc row_scale(%s : tensor<f32>) residual(%r : tensor<64x30xf32>) : tensor<64x30xi32> -> tensor<64x30xf32>
  return %y : tensor<64x30xf32>
}
