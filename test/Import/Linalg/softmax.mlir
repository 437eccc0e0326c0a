// RUN: quant-opt %s --quant-import | FileCheck %s

// The largest of each column, what is above it, the sum, the quotient.
// CHECK-LABEL: func @columns
// CHECK: arith.maxnumf
// CHECK: arith.subf
// CHECK: math.exp
// CHECK: iterator_types = ["reduction", "parallel"]
// CHECK: arith.addf
// CHECK: arith.divf
// CHECK-NOT: linalg.softmax
func.func @columns(%x: tensor<?x5xf32>, %init: tensor<?x5xf32>) -> tensor<?x5xf32> {
  %y = linalg.softmax dimension(0) ins(%x : tensor<?x5xf32>) outs(%init : tensor<?x5xf32>) -> tensor<?x5xf32>
  return %y : tensor<?x5xf32>
}

// Sizes that only one of the two types says.
// CHECK-LABEL: func @sizes_of_output
// CHECK: tensor.cast %{{.*}} : tensor<?x6xf32> to tensor<4x6xf32>
// CHECK: arith.divf
// CHECK-NOT: linalg.softmax
func.func @sizes_of_output(%x: tensor<?x6xf32>, %init: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %y = linalg.softmax dimension(1) ins(%x : tensor<?x6xf32>) outs(%init : tensor<4x6xf32>) -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}

// CHECK-LABEL: func @sizes_of_input
// CHECK: arith.divf
// CHECK-NOT: linalg.softmax
func.func @sizes_of_input(%x: tensor<4x6xf32>, %init: tensor<?x6xf32>) -> tensor<?x6xf32> {
  %y = linalg.softmax dimension(1) ins(%x : tensor<4x6xf32>) outs(%init : tensor<?x6xf32>) -> tensor<?x6xf32>
  return %y : tensor<?x6xf32>
}
