// tensor.gather is a lookup, which is a slice where one index is looked up.
// RUN: quant-opt %s --quant-import --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @rows
// CHECK-SAME: %[[W:.*]]: tensor<5x4x6xf32>, %[[I:.*]]: tensor<?x2xi32>
// CHECK: linalg.generic
// CHECK-DAG: %[[T:.*]] = linalg.index 0
// CHECK-DAG: %[[A:.*]] = tensor.extract %[[I]][%[[T]], %c0{{.*}}]
// CHECK-DAG: %[[B:.*]] = tensor.extract %[[I]][%{{.*}}, %c1{{.*}}]
// CHECK-DAG: %[[K:.*]] = linalg.index 1
// CHECK-DAG: %[[AT:.*]] = arith.index_cast %[[A]]
// CHECK-DAG: %[[BT:.*]] = arith.index_cast %[[B]]
// CHECK: tensor.extract %[[W]][%[[AT]], %[[K]], %[[BT]]]
func.func @rows(%w: tensor<5x4x6xf32>, %i: tensor<?x2xi32>) -> tensor<?x4xf32> {
  %g = tensor.gather %w[%i] gather_dims([0, 2]) : (tensor<5x4x6xf32>, tensor<?x2xi32>) -> tensor<?x4xf32>
  return %g : tensor<?x4xf32>
}

// -----

// CHECK-LABEL: func.func @unit_dimensions
// CHECK-SAME: %[[W:.*]]: tensor<5x?xf32>, %[[I:.*]]: tensor<3x2x1xindex>
// CHECK: linalg.generic {{.*}} outs({{.*}} : tensor<3x2x1x?xf32>)
// CHECK-DAG: %[[A:.*]] = linalg.index 0
// CHECK-DAG: %[[B:.*]] = linalg.index 1
// CHECK-DAG: %[[AT:.*]] = tensor.extract %[[I]][%[[A]], %[[B]], %c0{{.*}}]
// CHECK-DAG: %[[K:.*]] = linalg.index 3
// CHECK: tensor.extract %[[W]][%[[AT]], %[[K]]]
func.func @unit_dimensions(%w: tensor<5x?xf32>, %i: tensor<3x2x1xindex>) -> tensor<3x2x1x?xf32> {
  %g = tensor.gather %w[%i] gather_dims([0]) : (tensor<5x?xf32>, tensor<3x2x1xindex>) -> tensor<3x2x1x?xf32>
  return %g : tensor<3x2x1x?xf32>
}

// -----

// CHECK-LABEL: func.func @expert
// CHECK-SAME: %{{.*}}, %[[I:.*]]: tensor<1xi64>
// CHECK-DAG: %[[W:.*]] = arith.constant {{.*}} : tensor<2x2x2xf32>
// CHECK-DAG: %[[E:.*]] = tensor.extract %[[I]]
// CHECK-DAG: %[[AT:.*]] = arith.index_cast %[[E]]
// CHECK: tensor.extract_slice %[[W]][%[[AT]], 0, 0] [1, 2, 2]
func.func @expert(%x: tensor<3x2xf32>, %i: tensor<1xi64>) -> tensor<2x2xf32> {
  %w = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]> : tensor<2x2x2xf32>
  %g = tensor.gather %w[%i] gather_dims([0]) : (tensor<2x2x2xf32>, tensor<1xi64>) -> tensor<2x2xf32>
  return %g : tensor<2x2xf32>
}
