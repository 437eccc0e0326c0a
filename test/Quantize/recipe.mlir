// A scheme for each matmul, by name, location, op and attribute.
// RUN: split-file %s %t
// RUN: quant-opt %t/model.mlir --quant-quantize-matmul="recipe=%t/recipe.json" --canonicalize 2> %t/said | FileCheck %s
// RUN: FileCheck %s --check-prefix=SAID --input-file=%t/said
// RUN: quant-opt %t/model.mlir --quant-quantize-matmul="include=main#1,main#2 exclude=linalg.batch_matmul" 2>&1 | FileCheck %s --check-prefix=SELECT
// RUN: quant-opt %t/model.mlir --quant-quantize-matmul="attention=true include=main#3 exclude=nothing" --canonicalize 2>&1 | FileCheck %s --check-prefix=ATTENTION

// A preset is the same on every base.
// RUN: quant-opt %t/model.mlir --quant-quantize-matmul="w4a16-g32 rotation=hadamard32 recipe=%t/preset.json" --canonicalize 2>/dev/null | FileCheck %s --check-prefix=PRESET
// PRESET-NOT: quant.rotate
// PRESET: quant.matmul {{.*}}tensor<64x8xi8>{{.*}}quant.name = "main#0"

// CHECK-LABEL: func.func @main
// main#0: grouped, 4 bits
// CHECK: quant.scaled_matmul {{.*}}tensor<8x64xi4>
// CHECK-SAME: group_size = 32 : i64, quant.name = "main#0"
// main#1: by its own attribute, activations stay float
// CHECK: quant.scaled_matmul {{.*}}tensor<2x64xf32>, tensor<8x64xi8>
// CHECK-SAME: group_size = 64 : i64, quant.name = "main#1"
// main#2: the recipe says none
// CHECK: linalg.matmul {quant.left_as_asked = "the recipe leaves it in float", quant.name = "main#2"}
// CHECK: linalg.batch_matmul {quant.left_as_asked = "the recipe leaves it in float", quant.name = "main#3"}

// SAID: model.mlir:8:{{[0-9]+}}: remark: matmul stays in float: the recipe leaves it in float
// SAID: model.mlir:9:{{[0-9]+}}: remark: matmul stays in float: the recipe leaves it in float
// SAID: warning: recipe '{{.*}}recipe.json': no matmul fits 'other#*'

// SELECT-COUNT-2: remark: matmul stays in float: include and exclude leave it out
// SELECT: quant.scaled_matmul
// SELECT: quant.matmul

// A pattern of include or exclude that fits nothing is said, like a rule.
// ATTENTION: warning: exclude: no matmul fits 'nothing'
// ATTENTION: %[[SA:.*]] = quant.choose_qparams %{{.*}} axes = [0, 1] range = [-128, 127] : tensor<3x2x4xf32> -> tensor<3x2xf32>
// ATTENTION: %[[SB:.*]] = quant.choose_qparams %{{.*}} axes = [0] range = [-128, 127] : tensor<3x4x5xf32> -> tensor<3xf32>
// ATTENTION: %[[ROWS:.*]] = linalg.generic {{.*}} ins(%[[SA]], %[[SB]] : tensor<3x2xf32>, tensor<3xf32>)
// ATTENTION: quant.matmul ins({{.*}} : tensor<3x2x4xi8>, tensor<3x4x5xi8>)
// ATTENTION: quant.rescale %{{.*}} row_scale(%[[ROWS]] : tensor<3x2xf32>)

//--- preset.json
{"version": 1, "matmuls": [{"name": "main#0", "options": "w8a8"}]}

//--- recipe.json
{"version": 1, "matmuls": [
  {"name": "main#0", "options": "weight-bits=4 weights=group group-size=32"},
  {"name": "main#[12]", "options": "none"},
  {"name": "*batch_matmul", "options": "none"},
  {"name": "other#*", "options": ""}]}

//--- model.mlir
func.func @main(%x: tensor<2x64xf32>, %a: tensor<3x2x4xf32>, %b: tensor<3x4x5xf32>)
    -> (tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<3x2x5xf32>) {
  %w = arith.constant dense<0.5> : tensor<64x8xf32>
  %z = arith.constant dense<0.0> : tensor<2x8xf32>
  %zb = arith.constant dense<0.0> : tensor<3x2x5xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<2x64xf32>, tensor<64x8xf32>) outs(%z : tensor<2x8xf32>) -> tensor<2x8xf32>
  %1 = linalg.matmul {quant.scheme = "activations=float"} ins(%x, %w : tensor<2x64xf32>, tensor<64x8xf32>) outs(%z : tensor<2x8xf32>) -> tensor<2x8xf32>
  %2 = linalg.matmul ins(%x, %w : tensor<2x64xf32>, tensor<64x8xf32>) outs(%z : tensor<2x8xf32>) -> tensor<2x8xf32>
  %3 = linalg.batch_matmul ins(%a, %b : tensor<3x2x4xf32>, tensor<3x4x5xf32>) outs(%zb : tensor<3x2x5xf32>) -> tensor<3x2x5xf32>
  return %0, %1, %2, %3 : tensor<2x8xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<3x2x5xf32>
}
