// RUN: quant-opt --quant-approximate-math %s | FileCheck %s

// Scalars and vectors by the same formula: sums, products, fma.
// CHECK-LABEL: func @functions
// CHECK-NOT: math.{{exp|erf|tanh|log}}
// CHECK: math.fma {{.*}} : f32
// CHECK-NOT: math.{{exp|erf|tanh|log}}
// CHECK: math.fma {{.*}} : vector<32xf32>
// CHECK-NOT: math.{{exp|erf|tanh|log}}
// CHECK: return
func.func @functions(%x: f32, %v: vector<32xf32>)
    -> (f32, vector<32xf32>, vector<32xf32>, vector<32xf32>, vector<32xf32>) {
  %0 = math.exp %x : f32
  %1 = math.exp %v : vector<32xf32>
  %2 = math.erf %v : vector<32xf32>
  %3 = math.tanh %v : vector<32xf32>
  %4 = math.log %v : vector<32xf32>
  return %0, %1, %2, %3, %4 : f32, vector<32xf32>, vector<32xf32>, vector<32xf32>, vector<32xf32>
}

// libm keeps other types and functions.
// CHECK-LABEL: func @negative
// CHECK: math.exp %{{.*}} : f64
// CHECK: math.erf %{{.*}} : f16
// CHECK: math.sin %{{.*}} : f32
func.func @negative(%x: f64, %y: f16, %z: f32) -> (f64, f16, f32) {
  %0 = math.exp %x : f64
  %1 = math.erf %y : f16
  %2 = math.sin %z : f32
  return %0, %1, %2 : f64, f16, f32
}
