// RUN: quant-opt --quant-expand-bf16 %s | FileCheck %s
// RUN: quant-opt --quant-to-generic %s | FileCheck %s --check-prefix=LLVM

// Rounding to nearest, ties to even: 0x7FFF and the last bit that stays are
// added before the shift; a NaN stays one.
// CHECK-LABEL: func @round
// CHECK-SAME: %[[X:.*]]: f32
// CHECK: %[[NAN:.*]] = arith.cmpf une, %[[X]], %[[X]] : f32
// CHECK: arith.bitcast %[[X]] : f32 to i32
// CHECK: arith.select %[[NAN]]
// CHECK-NOT: arith.truncf
// CHECK: arith.bitcast %{{.*}} : i16 to bf16
func.func @round(%x: f32) -> bf16 {
  %0 = arith.truncf %x : f32 to bf16
  return %0 : bf16
}

// CHECK-LABEL: func @extend
// CHECK-NOT: arith.extf
// CHECK: arith.shli %{{.*}} : vector<4xi32>
// CHECK: arith.bitcast %{{.*}} : vector<4xi32> to vector<4xf32>
func.func @extend(%x: vector<4xbf16>) -> vector<4xf32> {
  %0 = arith.extf %x : vector<4xbf16> to vector<4xf32>
  return %0 : vector<4xf32>
}

// CHECK-LABEL: func @negative
// CHECK: arith.truncf %{{.*}} : f32 to f16
// CHECK: arith.truncf %{{.*}} : f64 to f32
// CHECK: arith.extf %{{.*}} : f16 to f32
func.func @negative(%x: f32, %y: f64, %z: f16) -> (f16, f32, f32) {
  %0 = arith.truncf %x : f32 to f16
  %1 = arith.truncf %y : f64 to f32
  %2 = arith.extf %z : f16 to f32
  return %0, %1, %2 : f16, f32, f32
}

// Arithmetic and functions of bf16 leave no rounding to LLVM either.
// LLVM-LABEL: llvm.func @round
// LLVM-NOT: fptrunc {{.*}} to bf16
// LLVM-NOT: llvm.f{{add|mul|div}} {{.*}} : bf16
// LLVM-LABEL: llvm.func @arithmetic
// LLVM: llvm.fadd {{.*}} : f32
// LLVM: llvm.fmul {{.*}} : f32
// LLVM-NOT: : bf16 ->
// LLVM-NOT: llvm.fptrunc
// LLVM: llvm.return
func.func @arithmetic(%x: bf16, %y: bf16) -> bf16 {
  %0 = arith.addf %x, %y : bf16
  %1 = arith.mulf %0, %y : bf16
  %2 = math.exp %1 : bf16
  return %2 : bf16
}

// The least number of E8M0 is a denormal of f32, the last is NaN.
// CHECK-LABEL: func @scale
// CHECK-DAG: %[[LEAST:.*]] = arith.constant 4194304 : i32
// CHECK-DAG: %[[NAN:.*]] = arith.constant 2143289344 : i32
// CHECK: %[[BITS:.*]] = arith.select %{{.*}}, %[[LEAST]], %{{.*}} : i32
// CHECK: arith.select %{{.*}}, %[[NAN]], %[[BITS]] : i32
// CHECK-NOT: arith.extf
// CHECK: return
func.func @scale(%x: f8E8M0FNU) -> f32 {
  %0 = arith.extf %x : f8E8M0FNU to f32
  return %0 : f32
}
