// RUN: quant-opt %s -quant-import -split-input-file -verify-diagnostics | FileCheck %s

// The formula step by step; the pair of storage casts is gone, and the integers
// are of the stored width.
// CHECK-LABEL: func @narrow
// CHECK: linalg.generic
// CHECK: %[[S:.*]] = arith.constant 5.000000e-01 : f32
// CHECK: %[[Z:.*]] = arith.constant -1 : i32
// CHECK: %[[D:.*]] = arith.divf %{{.*}}, %[[S]] : f32
// CHECK: %[[R:.*]] = math.roundeven %[[D]] : f32
// CHECK: %[[ZF:.*]] = arith.sitofp %[[Z]] : i32 to f32
// CHECK: %[[A:.*]] = arith.addf %[[R]], %[[ZF]]
// CHECK: arith.cmpf uno, %[[R]], %[[R]]
// CHECK: arith.maximumf %{{.*}}, %{{.*}} : f32
// CHECK: arith.minimumf
// CHECK: arith.trunci %{{.*}} : i32 to i2
// CHECK-NOT: quant.scast
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<4xi2>)
// CHECK: arith.extsi %{{.*}} : i2 to i64
// CHECK: arith.subi
// CHECK: arith.sitofp %{{.*}} : i64 to f32
// CHECK: arith.mulf
!q = !quant.uniform<i2:f32, 5.000000e-01:-1>
func.func @narrow(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-remark @below {{cast is computed in float: expected 8 or 4 stored bits, found 2}}
  %q = quant.qcast %x : tensor<4xf32> to tensor<4x!q>
  // expected-remark @below {{cast is computed in float: expected 8 or 4 stored bits, found 2}}
  %d = quant.dcast %q : tensor<4x!q> to tensor<4xf32>
  return %d : tensor<4xf32>
}

// -----

// Past 16 bits f32 does not hold the integers.
// CHECK-LABEL: func @wide
// CHECK: math.roundeven %{{.*}} : f32
// CHECK: arith.extf %{{.*}} : f32 to f64
// CHECK: arith.addf %{{.*}} : f64
// CHECK: arith.fptosi %{{.*}} : f64 to i64
// CHECK: arith.trunci %{{.*}} : i64 to i32
// CHECK: arith.extui %{{.*}} : i32 to i64
!q = !quant.uniform<u32:f32, 5.000000e-01:7>
func.func @wide(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-remark @below {{cast is computed in float: expected 8 or 4 stored bits, found 32}}
  %q = quant.qcast %x : tensor<4xf32> to tensor<4x!q>
  // expected-remark @below {{cast is computed in float: expected 32 stored bits to be signed, without zero point, and with scales for the tensor or its last dimension}}
  %d = quant.dcast %q : tensor<4x!q> to tensor<4xf32>
  return %d : tensor<4xf32>
}

// -----

// Blocks along both dimensions.
// CHECK: #[[BLOCKS:.*]] = affine_map<(d0, d1) -> (d0 floordiv 2, d1 floordiv 4)>
// CHECK-LABEL: func @blocks
// CHECK: %[[S:.*]] = arith.constant dense<{{\[}}[5.000000e-01, 2.500000e-01], [1.000000e+00, 2.000000e+00]]>
// CHECK: %[[Z:.*]] = arith.constant dense<{{\[}}[0, 65535], [3, 0]]> : tensor<2x2xi32>
// CHECK: linalg.generic {indexing_maps = [{{.*}}, #[[BLOCKS]], #[[BLOCKS]],
// CHECK-SAME: ins(%{{.*}}, %[[S]], %[[Z]] :
!q = !quant.uniform<u16:f32:{0:2, 1:4}, {{0.5, 0.25:65535}, {1.0:3, 2.0}}>
func.func @blocks(%x: tensor<4x8x!q>) -> tensor<4x8xf32> {
  // expected-remark @below {{cast is computed in float: expected 8 or 4 stored bits, found 16}}
  %d = quant.dcast %x : tensor<4x8x!q> to tensor<4x8xf32>
  return %d : tensor<4x8xf32>
}

// -----

// A scalar needs no loop, of any width.
// CHECK-LABEL: func @scalar
// CHECK-NOT: linalg
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK: arith.divf
// CHECK: arith.trunci %{{.*}} : i32 to i8
// CHECK: quant.scast %{{.*}} : i8 to !quant.uniform<i8:f16, 5.000000e-01>
!q = !quant.uniform<i8:f16, 5.000000e-01>
func.func @scalar(%x: f16) -> !q {
  // expected-remark @below {{cast is computed in float: expected a ranked tensor}}
  %q = quant.qcast %x : f16 to !q
  return %q : !q
}

// -----

// A zero point that its storage does not hold is one of the formula.
// CHECK-LABEL: func.func @zero_point_outside(
// CHECK: linalg.generic
// CHECK: arith.constant 200 : i32
// CHECK: arith.constant 1.270000e+02 : f32
// CHECK-NOT: quant.
!outside = !quant.uniform<i8:f32, 1.0:200>
func.func @zero_point_outside(%x: tensor<2x4xf32>) -> tensor<2x4xi8> {
  // expected-remark @below {{cast is computed in float: expected zero points in [-128, 127], found 200}}
  %q = quant.qcast %x : tensor<2x4xf32> to tensor<2x4x!outside>
  %s = quant.scast %q : tensor<2x4x!outside> to tensor<2x4xi8>
  return %s : tensor<2x4xi8>
}
