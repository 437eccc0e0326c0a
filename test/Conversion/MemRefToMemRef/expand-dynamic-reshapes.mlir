// RUN: quant-opt %s -quant-expand-dynamic-reshapes | FileCheck %s
// RUN: quant-opt %s -quant-expand-dynamic-reshapes -expand-strided-metadata | FileCheck %s --check-prefix=UPSTREAM
// UPSTREAM-NOT: memref.expand_shape

// CHECK-LABEL: @batch_and_sequence
// CHECK-SAME: %[[M:.*]]: memref<?x8xf32>, %[[B:.*]]: index, %[[S:.*]]: index
func.func @batch_and_sequence(%m: memref<?x8xf32>, %b: index, %s: index) -> memref<?x?x8xf32> {
  // CHECK: %[[BASE:.*]], %{{.*}}, %{{.*}}:2, %{{.*}}:2 = memref.extract_strided_metadata %[[M]]
  // CHECK: %[[T:.*]] = affine.apply {{.*}}[%[[S]]]
  // CHECK: memref.reinterpret_cast %[[BASE]] to offset: [0], sizes: [%[[B]], %[[S]], 8], strides: [%[[T]], 8, 1]
  %e = memref.expand_shape %m [[0, 1], [2]] output_shape [%b, %s, 8] : memref<?x8xf32> into memref<?x?x8xf32>
  return %e : memref<?x?x8xf32>
}

// One dynamic size is upstream's.
// CHECK-LABEL: @negative_one_dynamic_size
func.func @negative_one_dynamic_size(%m: memref<?x8xf32>, %b: index) -> memref<?x2x8xf32> {
  // CHECK: memref.expand_shape
  %e = memref.expand_shape %m [[0, 1], [2]] output_shape [%b, 2, 8] : memref<?x8xf32> into memref<?x2x8xf32>
  return %e : memref<?x2x8xf32>
}
