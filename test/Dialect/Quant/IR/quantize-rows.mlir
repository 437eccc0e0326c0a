// RUN: quant-opt %s | quant-opt | FileCheck %s
// RUN: quant-opt %s --one-shot-bufferize=bufferize-function-boundaries | FileCheck %s --check-prefix=BUFFER
// RUN: quant-opt %s --convert-quant-to-linalg --canonicalize | FileCheck %s --check-prefix=LINALG

// CHECK-LABEL: @rows
// CHECK: quant.quantize_rows ins(%{{.*}} : tensor<?x96xf32>) outs(%{{.*}}, %{{.*}} : tensor<?x2x1x64xi8>, tensor<?xf32>) range = [-128, 127] -> tensor<?x2x1x64xi8>, tensor<?xf32>
// BUFFER-LABEL: @rows
// BUFFER: quant.quantize_rows ins(%{{.*}} : memref<?x96xf32{{.*}}>) outs(%[[Q:.*]], %[[S:.*]] : memref<?x2x1x64xi8{{.*}}>, memref<?xf32{{.*}}>) range = [-128, 127]{{$}}
// BUFFER: return %[[Q]], %[[S]]
// LINALG-LABEL: @rows
// LINALG: math.absf
// LINALG: %[[SCALE:.*]] = linalg.generic
// LINALG: arith.divf
// LINALG: arith.divf
// LINALG: math.roundeven
// LINALG: %[[PACK:.*]] = linalg.pack {{.*}} inner_tiles = [1, 64]
// LINALG: return %[[PACK]], %[[SCALE]]
func.func @rows(%x: tensor<?x96xf32>, %q: tensor<?x2x1x64xi8>, %s: tensor<?xf32>) -> (tensor<?x2x1x64xi8>, tensor<?xf32>) {
  %0:2 = quant.quantize_rows ins(%x : tensor<?x96xf32>) outs(%q, %s : tensor<?x2x1x64xi8>, tensor<?xf32>) range = [-128, 127] -> tensor<?x2x1x64xi8>, tensor<?xf32>
  return %0#0, %0#1 : tensor<?x2x1x64xi8>, tensor<?xf32>
}

// Rows as they are, moved by 128.
// CHECK-LABEL: @plain
// CHECK: quant.quantize_rows ins(%{{.*}} : tensor<4x10xf16>) outs(%{{.*}}, %{{.*}} : tensor<4x10xi8>, tensor<4xf32>) range = [-127, 127] unsigned -> tensor<4x10xi8>, tensor<4xf32>
// BUFFER-LABEL: @plain
// BUFFER: quant.quantize_rows ins({{.*}}) range = [-127, 127] unsigned{{$}}
// LINALG-LABEL: @plain
// LINALG-DAG: %[[MOST:.*]] = arith.constant 2.550000e+02 : f32
// LINALG-DAG: %[[LEAST:.*]] = arith.constant 1.000000e+00 : f32
// LINALG: math.roundeven
// LINALG: arith.maximumf %{{.*}}, %[[LEAST]]
// LINALG: arith.minimumf %{{.*}}, %[[MOST]]
func.func @plain(%x: tensor<4x10xf16>, %q: tensor<4x10xi8>, %s: tensor<4xf32>) -> (tensor<4x10xi8>, tensor<4xf32>) {
  %0:2 = quant.quantize_rows ins(%x : tensor<4x10xf16>) outs(%q, %s : tensor<4x10xi8>, tensor<4xf32>) range = [-127, 127] unsigned -> tensor<4x10xi8>, tensor<4xf32>
  return %0#0, %0#1 : tensor<4x10xi8>, tensor<4xf32>
}
