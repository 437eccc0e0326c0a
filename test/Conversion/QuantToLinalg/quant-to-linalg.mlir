// The reference lowering writes each op's formula, one step a line.

// RUN: quant-opt --convert-quant-to-linalg --split-input-file %s | FileCheck %s

// The zero point is added after rounding, and everything is clamped while it is
// a float: fptosi of what does not fit is poison.

// CHECK-LABEL: @quantize
// CHECK: %[[Q:.*]] = arith.divf
// CHECK: %[[R:.*]] = math.roundeven %[[Q]]
// CHECK: %[[Z:.*]] = arith.sitofp
// CHECK: %[[S:.*]] = arith.addf %[[R]], %[[Z]]
// CHECK: %[[NAN:.*]] = arith.cmpf uno, %[[R]], %[[R]]
// CHECK: %[[N:.*]] = arith.select %[[NAN]], %[[Z]], %[[S]]
// CHECK: %[[LO:.*]] = arith.maximumf %[[N]]
// CHECK: %[[HI:.*]] = arith.minimumf %[[LO]]
// CHECK: %[[I:.*]] = arith.fptosi %[[HI]]
// CHECK: arith.trunci %[[I]] : i32 to i8
func.func @quantize(%x: tensor<4x8xf32>, %s: tensor<4xf32>, %z: tensor<4xi32>) -> tensor<4x8xi8> {
  %q = quant.quantize %x scale(%s : tensor<4xf32>) zero_point(%z : tensor<4xi32>) axes = [0]
         range = [-128, 127] : tensor<4x8xf32> -> tensor<4x8xi8>
  return %q : tensor<4x8xi8>
}

// -----

// The difference is exact in i32; f16 is reached by one truncation.

// CHECK-LABEL: @dequantize
// CHECK: %[[Q:.*]] = arith.extui {{.*}} : i8 to i32
// CHECK: %[[D:.*]] = arith.subi %[[Q]]
// CHECK: %[[F:.*]] = arith.sitofp %[[D]]
// CHECK: %[[X:.*]] = arith.mulf {{.*}}, %[[F]]
// CHECK: arith.truncf %[[X]] : f32 to f16
func.func @dequantize(%q: tensor<4xi8>, %s: tensor<f32>, %z: tensor<i32>) -> tensor<4xf16> {
  %x = quant.dequantize %q scale(%s : tensor<f32>) zero_point(%z : tensor<i32>) axes = [] unsigned
         : tensor<4xi8> -> tensor<4xf16>
  return %x : tensor<4xf16>
}

// -----

// Elements that are not finite count as 0, a scale of 0 becomes 1.

// CHECK-LABEL: @choose_symmetric
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]
// CHECK: arith.cmpf ole
// CHECK: arith.maximumf
// CHECK: arith.divf
// CHECK: arith.cmpf oeq
// CHECK: arith.select
func.func @choose_symmetric(%x: tensor<?x8xf32>) -> tensor<?xf32> {
  %s = quant.choose_qparams %x axes = [0] range = [-128, 127] : tensor<?x8xf32> -> tensor<?xf32>
  return %s : tensor<?xf32>
}

// -----

// [N, K]: the reduction is innermost; [K, N]: the columns are.

// CHECK-LABEL: @matmul_nk
// CHECK: iterator_types = ["parallel", "parallel", "reduction"]
// CHECK: %[[X:.*]] = arith.extsi
// CHECK: %[[XZ:.*]] = arith.subi %[[X]]
// CHECK: %[[W:.*]] = arith.extui
// CHECK: arith.muli %[[XZ]], %[[W]] : i32
func.func @matmul_nk(%a: tensor<4x8xi8>, %b: tensor<2x8xi8>, %z: tensor<i32>, %c: tensor<4x2xi32>) -> tensor<4x2xi32> {
  %r = quant.matmul ins(%a, %b : tensor<4x8xi8>, tensor<2x8xi8>) lhs_zero_point(%z : tensor<i32>)
         outs(%c : tensor<4x2xi32>) {transpose_rhs, rhs_unsigned} -> tensor<4x2xi32>
  return %r : tensor<4x2xi32>
}
// CHECK-LABEL: @matmul_kn
// CHECK: iterator_types = ["parallel", "reduction", "parallel"]
func.func @matmul_kn(%a: tensor<4x8xi8>, %b: tensor<8x2xi8>, %c: tensor<4x2xi32>) -> tensor<4x2xi32> {
  %r = quant.matmul ins(%a, %b : tensor<4x8xi8>, tensor<8x2xi8>)
         outs(%c : tensor<4x2xi32>) -> tensor<4x2xi32>
  return %r : tensor<4x2xi32>
}

// -----

// The scales are multiplied first, the float bias is added last; no step is
// contracted.

// CHECK-LABEL: @rescale
// CHECK: %[[S:.*]] = arith.mulf
// CHECK: %[[F:.*]] = arith.sitofp
// CHECK: %[[Y:.*]] = arith.mulf %[[F]], %[[S]]
// CHECK: arith.addf %[[Y]]
func.func @rescale(%acc: tensor<4x2xi32>, %sx: tensor<4xf32>, %sw: tensor<2xf32>, %b: tensor<2xf32>) -> tensor<4x2xf32> {
  %y = quant.rescale %acc row_scale(%sx : tensor<4xf32>) channel_scale(%sw : tensor<2xf32>)
         bias(%b : tensor<2xf32>) : tensor<4x2xi32> -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

// DOUBLE_ROUND adds 2^30 by the sign where the shift is past 31; all in i64.

// CHECK-LABEL: @fixed_point
// CHECK: arith.cmpi slt
// CHECK: arith.cmpi sgt
// CHECK: arith.muli {{.*}} : i64
// CHECK: arith.shrsi {{.*}} : i64
// CHECK: arith.maxsi
// CHECK: arith.minsi
// CHECK: arith.trunci {{.*}} : i64 to i8
func.func @fixed_point(%acc: tensor<4x2xi32>, %m: tensor<2xi32>, %s: tensor<2xi8>) -> tensor<4x2xi8> {
  %y = quant.rescale_fixed_point %acc multiplier(%m : tensor<2xi32>) shift(%s : tensor<2xi8>)
         rounding(DOUBLE_ROUND) {range = array<i64: -128, 127>} : tensor<4x2xi32> -> tensor<4x2xi8>
  return %y : tensor<4x2xi8>
}

// -----

// Elements are read where the layout says: column n is lane n % 16 of panel
// n / 16.

// CHECK-LABEL: @packed
// CHECK: linalg.generic {{.*}} ["parallel", "parallel"]
// CHECK: %[[M:[0-9]+]] = linalg.index 0
// CHECK: %[[N:[0-9]+]] = linalg.index 1
// CHECK: %[[PANEL:.*]] = arith.divui %[[N]], %c16
// CHECK: %[[LANE:.*]] = arith.remui %[[N]], %c16
// CHECK: scf.for %[[K:[a-z0-9]+]] = %c0
// CHECK: %[[X:.*]] = tensor.extract %{{.*}}[%[[M]], %[[K]]] : tensor<5x8xi8>
// CHECK: arith.extui %[[X]] : i8 to i32
// CHECK: %[[P:.*]] = arith.remui %[[K]], %c4
// CHECK: %[[STEP:.*]] = arith.divui %[[K]], %c4
// CHECK: %[[W:.*]] = tensor.extract %{{.*}}[%[[PANEL]], %[[STEP]], %[[LANE]], %[[P]]] : tensor<1x2x16x4xi8>
// CHECK: arith.extsi %[[W]] : i8 to i32
// CHECK-NOT: quant.
// CHECK-NOT: qtarget.packed_matmul
func.func @packed(%a: tensor<5x8xi8>, %b: tensor<1x2x16x4xi8>, %s: tensor<f32>) -> tensor<5x9xf32> {
  %e = tensor.empty() : tensor<5x9xf32>
  %y = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<5x8xi8>, tensor<1x2x16x4xi8>)
         row_scale(%s : tensor<f32>) outs(%e : tensor<5x9xf32>) -> tensor<5x9xf32>
  return %y : tensor<5x9xf32>
}

// -----

// The fixed-point epilogue of a packed matmul is quant.rescale_fixed_point of
// the sums, the residual that of quant.rescale.

// CHECK-LABEL: @packed_epilogues
// CHECK: tensor.extract {{.*}} : tensor<1x16xi32>
// CHECK: tensor.extract {{.*}} : tensor<1x16xi8>
// CHECK: arith.muli {{.*}} : i64
// CHECK: arith.shrsi {{.*}} : i64
// CHECK: arith.trunci {{.*}} : i64 to i16
// CHECK: arith.sitofp
// CHECK-NEXT: arith.mulf
// CHECK-NEXT: arith.addf
// CHECK-NOT: quant.
func.func @packed_epilogues(%a: tensor<5x8xi8>, %b: tensor<1x2x16x4xi8>, %m: tensor<1x16xi32>, %sh: tensor<1x16xi8>,
                            %s: tensor<f32>, %r: tensor<5x9xf32>) -> (tensor<5x9xi16>, tensor<5x9xf32>) {
  %e = tensor.empty() : tensor<5x9xi16>
  %x = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<5x8xi8>, tensor<1x2x16x4xi8>)
         multiplier(%m : tensor<1x16xi32>) shift(%sh : tensor<1x16xi8>) rounding(SINGLE_ROUND)
         outs(%e : tensor<5x9xi16>) {range = array<i64: -32768, 32767>} -> tensor<5x9xi16>
  %f = tensor.empty() : tensor<5x9xf32>
  %y = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<5x8xi8>, tensor<1x2x16x4xi8>)
         row_scale(%s : tensor<f32>) residual(%r : tensor<5x9xf32>) outs(%f : tensor<5x9xf32>) -> tensor<5x9xf32>
  return %x, %y : tensor<5x9xi16>, tensor<5x9xf32>
}

// -----

// Groups: nibbles of 0 to 15, a sum for each group, corrections and two fused
// multiply-adds.

// CHECK-LABEL: @packed_groups
// CHECK: linalg.generic {{.*}} ["parallel", "parallel"]
// CHECK: scf.for %{{.*}} iter_args(%[[T:[a-z0-9]+]] = %cst
// CHECK: arith.minui
// CHECK: scf.for
// CHECK: arith.extsi {{.*}} : i8 to i32
// CHECK: arith.shrui {{.*}} : i8
// CHECK: arith.trunci {{.*}} : i8 to i4
// CHECK: arith.extui {{.*}} : i4 to i32
// CHECK: tensor.extract {{.*}} : tensor<5x2xi32>
// CHECK: %[[ACC:.*]] = arith.addi
// CHECK: %[[F:.*]] = arith.sitofp %[[ACC]]
// CHECK: %[[S:.*]] = tensor.extract {{.*}} : tensor<1x2x16xf32>
// CHECK: %[[NEXT:.*]] = math.fma %[[F]], %[[S]], %[[T]] : f32
// CHECK: math.fma {{.*}}, %[[NEXT]] : f32
// CHECK: arith.truncf {{.*}} : f32 to f16
// CHECK-NOT: quant.
// CHECK-NOT: qtarget.packed_matmul
func.func @packed_groups(%a: tensor<5x32xi8>, %b: tensor<1x2x2x16x4xi8>, %s: tensor<1x2x16xf32>, %r: tensor<5x2xi32>) -> tensor<5x9xf16> {
  %e = tensor.empty() : tensor<5x9xf16>
  %y = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 16> ins(%a, %b : tensor<5x32xi8>, tensor<1x2x2x16x4xi8>)
         rhs_scale(%s : tensor<1x2x16xf32>) row_bias(%r : tensor<5x2xi32>) row_sums(%r : tensor<5x2xi32>) rhs_offset(%s : tensor<1x2x16xf32>)
         outs(%e : tensor<5x9xf16>) -> tensor<5x9xf16>
  return %y : tensor<5x9xf16>
}
