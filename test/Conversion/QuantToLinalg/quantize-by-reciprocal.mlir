// A quotient from the scale's reciprocal, corrected twice: no division of an
// element. Without fused multiply-adds, or without the option, x / s stays.
// RUN: quant-opt %s --quant-set-target=cpu=haswell --convert-quant-to-linalg=reciprocal --split-input-file | FileCheck %s
// RUN: quant-opt %s --quant-set-target=cpu=x86-64 --convert-quant-to-linalg=reciprocal --split-input-file | FileCheck %s --check-prefix=DIVIDE
// RUN: quant-opt %s --quant-set-target=cpu=haswell --convert-quant-to-linalg --split-input-file | FileCheck %s --check-prefix=DIVIDE

// What depends on the scale alone is computed once for each scale.
// CHECK-LABEL: func @rows(
// CHECK: linalg.generic {{.*}} ins(%arg1 : tensor<8xf32>) outs({{.*}} : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>)
// CHECK: arith.divf
// CHECK: linalg.yield
// CHECK: linalg.generic {{.*}} ins(%arg0, %{{.*}}#0, %{{.*}}#1, %{{.*}}#2, %{{.*}}#3, %{{.*}}#4 :
// CHECK-NEXT: ^bb0(%[[X:.*]]: f32, %[[P:.*]]: f32, %[[S:.*]]: f32, %[[Y:.*]]: f32, %[[LO:.*]]: f32, %[[HI:.*]]: f32, %{{.*}}: i8):
// CHECK-NEXT: %[[SCALED:.*]] = arith.mulf %[[X]], %[[P]]
// CHECK-NEXT: %[[OVER:.*]] = arith.cmpf olt, %[[HI]], %[[SCALED]]
// CHECK-NEXT: %[[ATMOST:.*]] = arith.select %[[OVER]], %[[HI]], %[[SCALED]]
// CHECK-NEXT: %[[UNDER:.*]] = arith.cmpf ogt, %[[LO]], %[[ATMOST]]
// CHECK-NEXT: %[[IN:.*]] = arith.select %[[UNDER]], %[[LO]], %[[ATMOST]]
// CHECK-NEXT: %[[Q0:.*]] = arith.mulf %[[IN]], %[[Y]]
// CHECK-NEXT: %[[M0:.*]] = arith.negf %[[Q0]]
// CHECK-NEXT: %[[R0:.*]] = math.fma %[[M0]], %[[S]], %[[IN]]
// CHECK-NEXT: %[[Q1:.*]] = math.fma %[[R0]], %[[Y]], %[[Q0]]
// CHECK-NEXT: %[[M1:.*]] = arith.negf %[[Q1]]
// CHECK-NEXT: %[[R1:.*]] = math.fma %[[M1]], %[[S]], %[[IN]]
// CHECK-NEXT: %[[Q2:.*]] = math.fma %[[R1]], %[[Y]], %[[Q1]]
// CHECK: arith.addf %[[Q2]]
// CHECK: arith.cmpf ord, %[[Q2]], %[[Q2]]
// CHECK: arith.bitcast
// CHECK-NOT: arith.divf
// DIVIDE-LABEL: func @rows(
// DIVIDE: arith.divf
// DIVIDE-NEXT: math.roundeven
func.func @rows(%x: tensor<8x64xf32>, %s: tensor<8xf32>) -> tensor<8x64xi8> {
  %q = quant.quantize %x scale(%s : tensor<8xf32>) axes = [0] range = [-128, 127] : tensor<8x64xf32> -> tensor<8x64xi8>
  return %q : tensor<8x64xi8>
}

// -----

// A scale that is known: so is all that depends on it. 0.3 is 1.2 * 2^-2.
// CHECK-LABEL: func @constant(
// CHECK-NOT: arith.divf
// CHECK: linalg.generic {{.*}} ins(%arg0, %{{.*}} : tensor<8x64xf32>, tensor<i32>)
// CHECK: arith.constant 4.000000e+00 : f32
// CHECK: arith.constant 1.200000e+00 : f32
// CHECK: arith.constant 0.833333313 : f32
// CHECK: arith.mulf
// CHECK: math.fma
// CHECK: math.fma
// CHECK: math.fma
// CHECK: math.fma
// CHECK: arith.addi %{{.*}}, %{{.*}} : i32
// CHECK-NOT: arith.divf
// DIVIDE-LABEL: func @constant(
// DIVIDE: arith.divf
func.func @constant(%x: tensor<8x64xf32>) -> tensor<8x64xi8> {
  %s = arith.constant dense<0.3> : tensor<f32>
  %z = arith.constant dense<3> : tensor<i32>
  %q = quant.quantize %x scale(%s : tensor<f32>) zero_point(%z : tensor<i32>) axes = [] range = [-128, 127] : tensor<8x64xf32> -> tensor<8x64xi8>
  return %q : tensor<8x64xi8>
}

// -----

// Neighbours with different scales, or too few elements for one: a division.
// CHECK-LABEL: func @channels(
// CHECK: arith.divf
// CHECK-NEXT: math.roundeven
// DIVIDE-LABEL: func @channels(
func.func @channels(%x: tensor<8x64xf32>, %s: tensor<64xf32>) -> tensor<8x64xi8> {
  %q = quant.quantize %x scale(%s : tensor<64xf32>) axes = [1] range = [-128, 127] : tensor<8x64xf32> -> tensor<8x64xi8>
  return %q : tensor<8x64xi8>
}

// -----

// CHECK-LABEL: func @few(
// CHECK: arith.divf
// CHECK-NEXT: math.roundeven
// DIVIDE-LABEL: func @few(
func.func @few(%x: tensor<8x16xf32>, %s: tensor<8xf32>) -> tensor<8x16xi8> {
  %q = quant.quantize %x scale(%s : tensor<8xf32>) axes = [0] range = [-128, 127] : tensor<8x16xf32> -> tensor<8x16xi8>
  return %q : tensor<8x16xi8>
}
