// RUN: quant-opt %s | quant-opt | FileCheck %s
// RUN: quant-opt %s --one-shot-bufferize=bufferize-function-boundaries | FileCheck %s --check-prefix=BUFFER
// RUN: quant-opt %s --convert-quant-to-linalg | FileCheck %s --check-prefix=LINALG

// A last block of six elements; scales of f32 are the default and not said.
// CHECK-LABEL: @blocks
// CHECK: quant.quantize_blocks ins(%{{.*}} : tensor<?x70xf32>) outs(%{{.*}}, %{{.*}} : tensor<?x70xi8>, tensor<?x3xf32>) block = 32 range = [-127, 127] -> tensor<?x70xi8>, tensor<?x3xf32>
// BUFFER-LABEL: @blocks
// BUFFER: quant.quantize_blocks ins(%{{.*}} : memref<?x70xf32{{.*}}>) outs(%[[Q:.*]], %[[S:.*]] : memref<?x70xi8{{.*}}>, memref<?x3xf32{{.*}}>) block = 32 range = [-127, 127]{{$}}
// BUFFER: return %[[Q]], %[[S]]
// LINALG-LABEL: @blocks
// LINALG: math.absf
// LINALG: arith.divf
// LINALG: arith.divf
// LINALG: math.roundeven
func.func @blocks(%x: tensor<?x70xf32>, %q: tensor<?x70xi8>, %s: tensor<?x3xf32>) -> (tensor<?x70xi8>, tensor<?x3xf32>) {
  %0:2 = quant.quantize_blocks ins(%x : tensor<?x70xf32>) outs(%q, %s : tensor<?x70xi8>, tensor<?x3xf32>) block = 32 range = [-127, 127] scales = f32 -> tensor<?x70xi8>, tensor<?x3xf32>
  return %0#0, %0#1 : tensor<?x70xi8>, tensor<?x3xf32>
}

// CHECK-LABEL: @sums
// CHECK: outs(%{{.*}}, %{{.*}}, %{{.*}} : tensor<4x64xi8>, tensor<4x2xf32>, tensor<4x2xi32>) block = 32 range = [-127, 127] scales = q8_0 -> tensor<4x64xi8>, tensor<4x2xf32>, tensor<4x2xi32>
// LINALG-LABEL: @sums
// LINALG: arith.truncf {{.*}} : f32 to f16
// LINALG: arith.mulf
// LINALG: math.round
func.func @sums(%x: tensor<4x64xf16>, %q: tensor<4x64xi8>, %s: tensor<4x2xf32>, %t: tensor<4x2xi32>) -> (tensor<4x64xi8>, tensor<4x2xf32>, tensor<4x2xi32>) {
  %0:3 = quant.quantize_blocks ins(%x : tensor<4x64xf16>) outs(%q, %s, %t : tensor<4x64xi8>, tensor<4x2xf32>, tensor<4x2xi32>) block = 32 range = [-127, 127] scales = q8_0 -> tensor<4x64xi8>, tensor<4x2xf32>, tensor<4x2xi32>
  return %0#0, %0#1, %0#2 : tensor<4x64xi8>, tensor<4x2xf32>, tensor<4x2xi32>
}

// Rows that are rotated first.
// CHECK-LABEL: @rotated
// CHECK: block = 32 range = [-127, 127] rotation = 128 seed = 7 -> tensor<?x320xi8>, tensor<?x10xf32>
// LINALG-LABEL: @rotated
// LINALG: arith.subf
// LINALG: math.absf
func.func @rotated(%x: tensor<?x320xf16>, %q: tensor<?x320xi8>, %s: tensor<?x10xf32>) -> (tensor<?x320xi8>, tensor<?x10xf32>) {
  %0:2 = quant.quantize_blocks ins(%x : tensor<?x320xf16>) outs(%q, %s : tensor<?x320xi8>, tensor<?x10xf32>) block = 32 range = [-127, 127] rotation = 128 seed = 7 -> tensor<?x320xi8>, tensor<?x10xf32>
  return %0#0, %0#1 : tensor<?x320xi8>, tensor<?x10xf32>
}
