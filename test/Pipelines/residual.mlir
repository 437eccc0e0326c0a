// What stands between two quantized products and cannot be integer is one pass
// over the data: rescale, residual add, a float function and quantize. On x86
// the rescale and the addition are in the kernel, and the pass is over vectors.
// RUN: quant-opt %s --quant-to-generic=stop-after=target | FileCheck %s
// RUN: quant-opt %s --quant-to-x86="cpu=icelake-server stop-after=target" | FileCheck %s --check-prefix=X86

#id = affine_map<(i, j) -> (i, j)>

// CHECK-LABEL: func.func @float_residual(
// CHECK-SAME: %{{.*}}, %[[R:[a-z0-9]+]]: memref<8x64xf32>)
// CHECK: %[[ACC:.*]] = memref.alloc() {{.*}} : memref<8x64xi32>
// CHECK: linalg.generic
// CHECK: %[[Q:.*]] = memref.alloc() {{.*}} : memref<8x64xi8>
// CHECK-NOT: memref.alloc
// CHECK: linalg.generic {{.*}} ins(%[[ACC]], %[[R]] : memref<8x64xi32>, memref<8x64xf32>) outs(%[[Q]] : memref<8x64xi8>)
// CHECK: arith.sitofp
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK: math.tanh
// CHECK: arith.divf
// CHECK: math.roundeven
// CHECK: arith.fptosi
// CHECK-NOT: linalg.generic
// CHECK: return %[[Q]]

// X86-LABEL: func.func @float_residual(
// X86-SAME: %{{.*}}, %[[R:[a-z0-9]+]]: memref<8x64xf32>)
// X86-NOT: memref<8x64xi32>
// X86: %[[Y:.*]] = memref.alloc() {{.*}} : memref<8x64xf32>
// X86: llvm.call_intrinsic
// X86: %[[RT:.*]] = vector.load %[[R]]
// X86: %[[F:.*]] = arith.sitofp {{.*}} : vector<16xi32> to vector<16xf32>
// X86-NEXT: %[[S:.*]] = arith.mulf %[[F]]
// X86-NEXT: %[[SUM:.*]] = arith.addf %[[S]], %[[RT]] : vector<16xf32>
// X86-NEXT: vector.store %[[SUM]], %[[Y]]
// X86-COUNT-15: vector.store %{{.*}}, %[[Y]]
// X86: %[[Q:.*]] = memref.alloc() {{.*}} : memref<8x64xi8>
// X86-NOT: memref.alloc
// X86-NOT: %[[R]]
// X86: vector.load %[[Y]]
// X86-NOT: arith.addf
// X86: math.tanh {{.*}} : vector
// X86-NOT: arith.divf
// X86: math.fma {{.*}} : vector
// X86: arith.bitcast {{.*}} : vector<{{.*}}f32> to vector<{{.*}}i32>
// X86: vector.store %{{.*}}, %[[Q]]
// X86-NOT: vector.store
// X86: return %[[Q]]
func.func @float_residual(%x: tensor<8x32xi8>, %w: tensor<32x64xi8>, %r: tensor<8x64xf32>) -> tensor<8x64xi8> {
  %c0 = arith.constant dense<0> : tensor<8x64xi32>
  %s = arith.constant dense<0.25> : tensor<f32>
  %sy = arith.constant dense<0.75> : tensor<f32>
  %acc = quant.matmul ins(%x, %w : tensor<8x32xi8>, tensor<32x64xi8>) outs(%c0 : tensor<8x64xi32>) -> tensor<8x64xi32>
  %y = quant.rescale %acc channel_scale(%s : tensor<f32>) : tensor<8x64xi32> -> tensor<8x64xf32>
  %e = tensor.empty() : tensor<8x64xf32>
  %sum = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %r : tensor<8x64xf32>, tensor<8x64xf32>) outs(%e : tensor<8x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %v = arith.addf %a, %b : f32
    linalg.yield %v : f32
  } -> tensor<8x64xf32>
  %f = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%sum : tensor<8x64xf32>) outs(%e : tensor<8x64xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = math.tanh %a : f32
    linalg.yield %v : f32
  } -> tensor<8x64xf32>
  %q = quant.quantize %f scale(%sy : tensor<f32>) axes = [] range = [-128, 127] : tensor<8x64xf32> -> tensor<8x64xi8>
  return %q : tensor<8x64xi8>
}

// TOSA's residual add of int8 tensors is exact, and integer from end to end.
// On x86 the sums of the matmul meet the residual's rescale in one pass, and the
// i32 buffer before it holds rescaled integers, no accumulator.
// X86-LABEL: func.func @integer_residual(
// X86: %[[Y:.*]] = memref.alloc() {{.*}} : memref<8x64xi32>
// X86: llvm.call_intrinsic
// X86: arith.muli {{.*}} : vector<16xi64>
// X86: arith.shrsi {{.*}} : vector<16xi64>
// X86: %[[T:.*]] = arith.trunci {{.*}} : vector<16xi64> to vector<16xi32>
// X86-NEXT: vector.store %[[T]], %[[Y]]
// CHECK-LABEL: func.func @integer_residual(
// CHECK-SAME: %{{.*}}, %[[R:[a-z0-9]+]]: memref<8x64xi8>)
// CHECK-NOT: f32
// CHECK: %[[ACC:.*]] = memref.alloc() {{.*}} : memref<8x64xi32>
// CHECK: linalg.generic
// CHECK: %[[Q:.*]] = memref.alloc() {{.*}} : memref<8x64xi8>
// CHECK: linalg.generic {{.*}} outs(%[[Q]] : memref<8x64xi8>)
// CHECK-NOT: linalg.generic
// CHECK: return %[[Q]]
func.func @integer_residual(%x: tensor<8x32xi8>, %w: tensor<32x64xi8>, %r: tensor<8x64xi8>) -> tensor<8x64xi8> {
  %c0 = arith.constant dense<0> : tensor<8x64xi32>
  %m = arith.constant dense<1518500250> : tensor<i32>
  %s = arith.constant dense<38> : tensor<i8>
  %up = arith.constant dense<20> : tensor<i8>
  %down = arith.constant dense<48> : tensor<i8>
  %acc = quant.matmul ins(%x, %w : tensor<8x32xi8>, tensor<32x64xi8>) outs(%c0 : tensor<8x64xi32>) -> tensor<8x64xi32>
  %y = quant.rescale_fixed_point %acc multiplier(%m : tensor<i32>) shift(%s : tensor<i8>) rounding(SINGLE_ROUND) {range = array<i64: -2147483648, 2147483647>} : tensor<8x64xi32> -> tensor<8x64xi32>
  %e = tensor.empty() : tensor<8x64xi32>
  %wide = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%r : tensor<8x64xi8>) outs(%e : tensor<8x64xi32>) {
  ^bb0(%a: i8, %o: i32):
    %v = arith.extsi %a : i8 to i32
    linalg.yield %v : i32
  } -> tensor<8x64xi32>
  %rs = quant.rescale_fixed_point %wide multiplier(%m : tensor<i32>) shift(%up : tensor<i8>) rounding(SINGLE_ROUND) {range = array<i64: -2147483648, 2147483647>} : tensor<8x64xi32> -> tensor<8x64xi32>
  %sum = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%y, %rs : tensor<8x64xi32>, tensor<8x64xi32>) outs(%e : tensor<8x64xi32>) {
  ^bb0(%a: i32, %b: i32, %o: i32):
    %v = arith.addi %a, %b : i32
    linalg.yield %v : i32
  } -> tensor<8x64xi32>
  %q = quant.rescale_fixed_point %sum multiplier(%m : tensor<i32>) shift(%down : tensor<i8>) rounding(SINGLE_ROUND) {range = array<i64: -128, 127>} : tensor<8x64xi32> -> tensor<8x64xi8>
  return %q : tensor<8x64xi8>
}
