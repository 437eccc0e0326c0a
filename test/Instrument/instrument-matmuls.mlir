// RUN: quant-opt %s --quant-instrument-matmuls | FileCheck %s
// RUN: quant-opt %s --quant-instrument-matmuls=observe=both | FileCheck %s --check-prefix=BOTH
// RUN: quant-opt %s --pass-pipeline='builtin.module(quant-instrument-matmuls{observe=both},quant-to-generic{stop-after=target})' | FileCheck %s --check-prefix=MEMORY

// The observer takes any shape, and reads only.
// CHECK: func.func private @quant_observe(i64, tensor<*xf32> {bufferization.access = "read"})

// Activations that two matmuls share are shown once; they are the operand that
// is no weight.
// CHECK-LABEL: @shared
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x8xf32>
// CHECK: %[[S:.+]] = tensor.cast %[[X]] : tensor<?x8xf32> to tensor<*xf32>
// CHECK: %[[ID:.+]] = arith.constant 0 : i64
// CHECK: call @quant_observe(%[[ID]], %[[S]])
// CHECK: linalg.matmul {quant.name = "shared#0"} ins(%[[X]],
// CHECK-NOT: call
// CHECK: linalg.matmul {quant.name = "shared#1"}
// CHECK-NOT: call
// BOTH-LABEL: @shared
// BOTH: call @quant_observe(
// BOTH: %[[Y0:.+]] = linalg.matmul {quant.name = "shared#0"}
// BOTH: tensor.cast %[[Y0]] : tensor<?x4xf32> to tensor<*xf32>
// BOTH: call @quant_observe(
// BOTH: %[[Y1:.+]] = linalg.matmul {quant.name = "shared#1"}
// BOTH: tensor.cast %[[Y1]]
// BOTH: call @quant_observe(
// No copy is made for the observer.
// MEMORY-LABEL: @shared
// MEMORY-SAME: %[[X:[a-z0-9]+]]: memref<?x8xf32>
// MEMORY: %[[S:.+]] = memref.cast %[[X]] : memref<?x8xf32> to memref<*xf32>
// MEMORY: call @quant_observe(%{{.*}}, %[[S]])
func.func @shared(%x: tensor<?x8xf32>, %z: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  %w = arith.constant dense<1.0> : tensor<8x4xf32>
  %v = arith.constant dense<2.0> : tensor<8x4xf32>
  %0 = linalg.matmul {quant.name = "shared#0"} ins(%x, %w : tensor<?x8xf32>, tensor<8x4xf32>) outs(%z : tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = linalg.matmul {quant.name = "shared#1"} ins(%x, %v : tensor<?x8xf32>, tensor<8x4xf32>) outs(%z : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0, %1 : tensor<?x4xf32>, tensor<?x4xf32>
}

// The weight may stand on the left; f16 is widened.
// CHECK-LABEL: @left
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<8x3xf16>
// CHECK: %[[WIDE:.+]] = linalg.generic {{.*}} ins(%[[X]] : tensor<8x3xf16>) outs(%{{.*}} : tensor<8x3xf32>)
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK: tensor.cast %[[WIDE]]
// CHECK: call @quant_observe
func.func @left(%x: tensor<8x3xf16>, %z: tensor<4x3xf16>) -> tensor<4x3xf16> {
  %w = arith.constant dense<1.0> : tensor<4x8xf16>
  %0 = linalg.matmul {quant.name = "left#0"} ins(%w, %x : tensor<4x8xf16>, tensor<8x3xf16>) outs(%z : tensor<4x3xf16>) -> tensor<4x3xf16>
  return %0 : tensor<4x3xf16>
}

// What has no name is not shown.
// CHECK-LABEL: @unnamed
// CHECK-NOT: call
func.func @unnamed(%x: tensor<2x8xf32>, %w: tensor<8x4xf32>, %z: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %0 = linalg.matmul ins(%x, %w : tensor<2x8xf32>, tensor<8x4xf32>) outs(%z : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}
