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
