// RUN: quant-opt %s --quant-fold-constant-globals | FileCheck %s

// CHECK-NOT: @weight
// CHECK-NOT: @unwritten
// CHECK: ml_program.global private mutable @state
// CHECK: ml_program.global public mutable @shared
// CHECK: ml_program.global private @file
ml_program.global private @weight(dense<[1.0, 2.0]> : tensor<2xf32>) : tensor<2xf32>
ml_program.global private mutable @unwritten(dense<[3.0, 4.0]> : tensor<2xf32>) : tensor<?xf32>
ml_program.global private mutable @state(dense<0.0> : tensor<2xf32>) : tensor<2xf32>
ml_program.global public mutable @shared(dense<0.0> : tensor<2xf32>) : tensor<2xf32>
ml_program.global private @file(#ml_program.extern<tensor<2xf32>>) : tensor<2xf32>
ml_program.global private @count(7 : i64) : i64

// Loaded twice, in a loop too: one constant.
// CHECK-LABEL: func @twice
// CHECK: %[[W:.*]] = arith.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK-NOT: arith.constant dense
// CHECK: scf.for
// CHECK: arith.addf %{{.*}}, %[[W]]
// CHECK: return %{{.*}}, %[[W]]
func.func @twice(%x: tensor<2xf32>, %n: index) -> (tensor<2xf32>, tensor<2xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%h = %x) -> tensor<2xf32> {
    %w = ml_program.global_load_const @weight : tensor<2xf32>
    %y = arith.addf %h, %w : tensor<2xf32>
    scf.yield %y : tensor<2xf32>
  }
  %v = ml_program.global_load @weight : tensor<2xf32>
  return %r, %v : tensor<2xf32>, tensor<2xf32>
}

// CHECK-LABEL: func @dynamic_type
// CHECK: %[[C:.*]] = arith.constant dense<[3.000000e+00, 4.000000e+00]> : tensor<2xf32>
// CHECK: tensor.cast %[[C]] : tensor<2xf32> to tensor<?xf32>
func.func @dynamic_type() -> tensor<?xf32> {
  %u = ml_program.global_load @unwritten : tensor<?xf32>
  return %u : tensor<?xf32>
}

// CHECK-LABEL: func @number
// CHECK: arith.constant 7 : i64
func.func @number() -> i64 {
  %n = ml_program.global_load_const @count : i64
  return %n : i64
}

// What is stored to, what others see and what is elsewhere stays.
// CHECK-LABEL: func @negative
// CHECK: ml_program.global_load @state
// CHECK: ml_program.global_load @shared
// CHECK: ml_program.global_load_const @file
func.func @negative() -> (tensor<2xf32>, tensor<2xf32>) {
  %s = ml_program.global_load @state : tensor<2xf32>
  %p = ml_program.global_load @shared : tensor<2xf32>
  %f = ml_program.global_load_const @file : tensor<2xf32>
  %t = arith.addf %s, %f : tensor<2xf32>
  ml_program.global_store @state = %t : tensor<2xf32>
  return %s, %p : tensor<2xf32>, tensor<2xf32>
}
