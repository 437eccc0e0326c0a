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

// One polynomial for erf, and 1 with the sign of x where that is as near. Of a
// quotient by a constant it takes a product.
// CHECK-LABEL: func @erf_of_quotient
// CHECK-SAME: %[[X:.*]]: vector<16xf32>
// CHECK: %[[SCALED:.*]] = arith.mulf %[[X]], %{{.*}} : vector<16xf32>
// CHECK: arith.mulf %[[SCALED]], %[[SCALED]]
// CHECK-COUNT-15: math.fma
// CHECK-NOT: math.fma
// CHECK: %[[ONE:.*]] = math.copysign %{{.*}}, %[[SCALED]]
// CHECK: math.absf %[[SCALED]]
// CHECK: %[[IS_ONE:.*]] = arith.cmpf oge
// CHECK: arith.select %[[IS_ONE]], %[[ONE]]
func.func @erf_of_quotient(%x: vector<16xf32>) -> vector<16xf32> {
  %root = arith.constant 1.41421354 : f32
  %roots = vector.broadcast %root : f32 to vector<16xf32>
  %quotient = arith.divf %x, %roots : vector<16xf32>
  %0 = math.erf %quotient : vector<16xf32>
  return %0 : vector<16xf32>
}

// Not by 0, by what has no reciprocal, or by what is no constant.
// CHECK-LABEL: func @negative_quotients
// CHECK-COUNT-3: arith.divf
// CHECK-NOT: arith.divf
func.func @negative_quotients(%x: f32, %y: f32) -> (f32, f32, f32) {
  %zero = arith.constant 0.0 : f32
  %tiny = arith.constant 1.0e-40 : f32
  %0 = arith.divf %x, %zero : f32
  %1 = arith.divf %x, %tiny : f32
  %2 = arith.divf %x, %y : f32
  %3 = math.erf %0 : f32
  %4 = math.erf %1 : f32
  %5 = math.erf %2 : f32
  return %3, %4, %5 : f32, f32, f32
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
