// RUN: quant-opt %s --quant-tensor-globals | FileCheck %s

// CHECK: ml_program.global private mutable @step(dense<3> : tensor<i64>) : tensor<i64>
// CHECK: ml_program.global private mutable @scale(dense<5.000000e-01> : tensor<f32>) : tensor<f32>
// CHECK: ml_program.global public mutable @seen(dense<1> : tensor<i64>) : tensor<i64>
ml_program.global private mutable @step(3 : i64) : i64
ml_program.global private mutable @scale(0.5 : f32) : f32
ml_program.global public mutable @seen(1 : i64) : i64

// CHECK-LABEL: func @count
// CHECK: %[[T:.*]] = ml_program.global_load @step : tensor<i64>
// CHECK: %[[N:.*]] = tensor.extract %[[T]][] : tensor<i64>
// CHECK: %[[M:.*]] = arith.addi %[[N]]
// CHECK: %[[S:.*]] = tensor.from_elements %[[M]] : tensor<i64>
// CHECK: ml_program.global_store @step = %[[S]] : tensor<i64>
// CHECK: %[[F:.*]] = ml_program.global_load @scale : tensor<f32>
// CHECK: tensor.extract %[[F]][] : tensor<f32>
// CHECK: %[[P:.*]] = ml_program.global_load @seen : tensor<i64>
// CHECK: tensor.extract %[[P]][] : tensor<i64>
func.func @count() -> (f32, i64) {
  %one = arith.constant 1 : i64
  %n = ml_program.global_load @step : i64
  %m = arith.addi %n, %one : i64
  ml_program.global_store @step = %m : i64
  %f = ml_program.global_load @scale : f32
  %s = ml_program.global_load @seen : i64
  return %f, %s : f32, i64
}
