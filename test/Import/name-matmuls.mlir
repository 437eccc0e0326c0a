// Matmuls are called what the framework calls the module that they come from,
// and a recipe may use that name or the ordinal.
// RUN: split-file %s %t
// RUN: quant-opt %t/model.mlir --quant-name-matmuls | FileCheck %s
// RUN: quant-opt %t/model.mlir --quant-name-matmuls --quant-quantize-matmul="recipe=%t/recipe.json" 2>&1 | FileCheck %s --check-prefix=RECIPE

// CHECK: quant.name = "model.layers.3.mlp.down_proj", quant.ordinal = "main#0"
// The second of a module.
// CHECK: quant.name = "model.layers.3.mlp.down_proj#1", quant.ordinal = "main#1"
// Innermost scope, with a file.
// CHECK: quant.name = "encoder.self_attn", quant.ordinal = "main#2"
// CHECK: quant.name = "layers.0.fc", quant.ordinal = "main#3"
// From the weight: a resource, a global, the location of an argument.
// CHECK: quant.name = "model.lm_head", quant.ordinal = "main#4"
// CHECK: quant.name = "classifier", quant.ordinal = "main#5"
// CHECK: quant.name = "decoder.out", quant.ordinal = "main#6"
// Nothing says it: files and torch-mlir's own names are no modules.
// CHECK: {quant.name = "main#7"}
// CHECK: {quant.name = "main#8"}
// CHECK: {quant.name = "main#9"}

// By name, and by ordinal.
// RECIPE: quant.matmul {{.*}}xi4>{{.*}}quant.name = "model.layers.3.mlp.down_proj"
// RECIPE: linalg.matmul {quant.left_as_asked = "the recipe leaves it in float", quant.name = "model.layers.3.mlp.down_proj#1"
// RECIPE-COUNT-8: quant.matmul

//--- recipe.json
{"version": 1, "matmuls": [
  {"name": "main#1", "options": "none"},
  {"name": "model.layers.*.down_proj", "options": "weight-bits=4"}]}

//--- model.mlir
ml_program.global private @classifier.weight(dense<1.0> : tensor<4x4xf32>) : tensor<4x4xf32>
func.func @main(%x: tensor<3x4xf32>, %z: tensor<3x4xf32>, %arg: tensor<4x4xf32> loc("decoder.out.weight")) -> tensor<3x4xf32> {
  %c = arith.constant dense<2.0> : tensor<4x4xf32>
  %r = arith.constant dense_resource<model.lm_head.weight> : tensor<4x4xf32>
  %t = arith.constant dense_resource<torch_tensor_4_4_torch.float32> : tensor<4x4xf32>
  %g = ml_program.global_load @classifier.weight : tensor<4x4xf32>
  %e = tensor.empty() : tensor<4x4xf32>
  %rt = linalg.transpose ins(%r : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) permutation = [1, 0]
  %0 = linalg.matmul ins(%x, %c : tensor<3x4xf32>, tensor<4x4xf32>) outs(%z : tensor<3x4xf32>) -> tensor<3x4xf32> loc("model.layers.3.mlp.down_proj")
  %1 = linalg.matmul ins(%0, %c : tensor<3x4xf32>, tensor<4x4xf32>) outs(%z : tensor<3x4xf32>) -> tensor<3x4xf32> loc("model.layers.3.mlp.down_proj")
  %2 = linalg.matmul ins(%1, %c : tensor<3x4xf32>, tensor<4x4xf32>) outs(%z : tensor<3x4xf32>) -> tensor<3x4xf32> loc(fused["m.py":3:1, "__module.encoder/__module.encoder.self_attn"("m.py":4:2)])
  %3 = linalg.matmul ins(%2, %c : tensor<3x4xf32>, tensor<4x4xf32>) outs(%z : tensor<3x4xf32>) -> tensor<3x4xf32> loc("/layers.0/fc/MatMul_1")
  %4 = linalg.matmul ins(%3, %rt : tensor<3x4xf32>, tensor<4x4xf32>) outs(%z : tensor<3x4xf32>) -> tensor<3x4xf32>
  %5 = linalg.matmul ins(%4, %g : tensor<3x4xf32>, tensor<4x4xf32>) outs(%z : tensor<3x4xf32>) -> tensor<3x4xf32>
  %6 = linalg.matmul ins(%5, %arg : tensor<3x4xf32>, tensor<4x4xf32>) outs(%z : tensor<3x4xf32>) -> tensor<3x4xf32>
  %7 = linalg.matmul ins(%6, %t : tensor<3x4xf32>, tensor<4x4xf32>) outs(%z : tensor<3x4xf32>) -> tensor<3x4xf32>
  %8 = linalg.matmul ins(%7, %c : tensor<3x4xf32>, tensor<4x4xf32>) outs(%z : tensor<3x4xf32>) -> tensor<3x4xf32> loc("torch/nn/modules/linear.py")
  %9 = linalg.matmul ins(%8, %c : tensor<3x4xf32>, tensor<4x4xf32>) outs(%z : tensor<3x4xf32>) -> tensor<3x4xf32> loc("aten.mm")
  return %9 : tensor<3x4xf32>
}
{-# dialect_resources: { builtin: {
  model.lm_head.weight: "0x0400000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
  torch_tensor_4_4_torch.float32: "0x0400000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
} } #-}
