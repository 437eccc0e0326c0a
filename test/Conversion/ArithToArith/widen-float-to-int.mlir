// RUN: quant-opt --quant-widen-float-to-int %s | FileCheck %s
// Nothing narrower than i32 is left to LLVM, on any target.
// RUN: quant-opt --quant-to-generic %s | FileCheck %s --check-prefix=LLVM
// RUN: quant-opt --quant-to-x86="cpu=icelake-server" %s | FileCheck %s --check-prefix=LLVM
// RUN: quant-opt --quant-to-nvvm="chip=sm_80 format=llvm" %s | FileCheck %s --check-prefix=LLVM

// LLVM-NOT: llvm.fptosi {{.*}} i{{[0-9]|1[0-9]}}{{$}}
// LLVM-NOT: llvm.fptoui

// CHECK-LABEL: func @signed
// CHECK-SAME: %[[X:.*]]: f64
// CHECK: %[[I:.*]] = arith.fptosi %[[X]] : f64 to i32
// CHECK: %[[Y:.*]] = arith.trunci %[[I]] : i32 to i8
// CHECK: return %[[Y]]
func.func @signed(%x: f64) -> i8 {
  %0 = arith.fptosi %x : f64 to i8
  return %0 : i8
}

// Negative numbers wrap in unsigned ones too.
// CHECK-LABEL: func @unsigned
// CHECK: arith.fptosi %{{.*}} : f32 to i32
// CHECK: arith.trunci %{{.*}} : i32 to i16
func.func @unsigned(%x: f32) -> i16 {
  %0 = arith.fptoui %x : f32 to i16
  return %0 : i16
}

// CHECK-LABEL: func @vector
// CHECK: arith.fptosi %{{.*}} : vector<4xf32> to vector<4xi32>
// CHECK: arith.trunci %{{.*}} : vector<4xi32> to vector<4xi1>
func.func @vector(%x: vector<4xf32>) -> vector<4xi1> {
  %0 = arith.fptoui %x : vector<4xf32> to vector<4xi1>
  return %0 : vector<4xi1>
}

// CHECK-LABEL: func @negative_wide
// CHECK: arith.fptosi %{{.*}} : f32 to i32
// CHECK-NEXT: arith.fptosi %{{.*}} : f32 to i64
// CHECK-NEXT: return
func.func @negative_wide(%x: f32) -> (i32, i64) {
  %0 = arith.fptosi %x : f32 to i32
  %1 = arith.fptosi %x : f32 to i64
  return %0, %1 : i32, i64
}
