// Products of two activations have a scale a row and a scale a batch, whatever
// else the scheme says; what they are without is said and noted.
// RUN: quant-opt %s -quant-quantize-matmul="attention=true" 2>&1 | FileCheck %s --check-prefix=ALL --implicit-check-not=remark: --implicit-check-not=scheme_partly
// RUN: quant-opt %s -quant-quantize-matmul="attention=true activations=dynamic-block weights=group rotation=hadamard32" 2>&1 | FileCheck %s -DWHY="not rotated, not in blocks, no groups" --check-prefix=PARTLY
// RUN: quant-opt %s -quant-quantize-matmul="attention=true activations=static symmetric=false" 2>&1 | FileCheck %s -DWHY="no static scales, no zero points" --check-prefix=PARTLY
// RUN: quant-opt %s -quant-quantize-matmul="attention=true activations=dynamic-tensor" 2>&1 | FileCheck %s -DWHY="not one scale for all rows" --check-prefix=PARTLY
// RUN: quant-opt %s -quant-quantize-matmul="attention=true activations=float" 2>&1 | FileCheck %s --check-prefix=FLOAT

// ALL: quant.choose_qparams %arg0 axes = [0, 1]
// ALL: quant.matmul
// PARTLY: remark: [[WHY]]: both operands are activations
// PARTLY: quant.choose_qparams %arg0 axes = [0, 1]
// PARTLY: quant.matmul {{.*}}quant.scheme_partly = "[[WHY]]: both operands are activations"
// FLOAT: remark: matmul stays in float: both operands are activations, which the scheme leaves in float
// FLOAT-NOT: quant.quantize
// FLOAT: linalg.batch_matmul {{.*}}quant.left = "both operands are activations, which the scheme leaves in float"
func.func @scores(%q: tensor<2x3x64xf32>, %k: tensor<2x64x3xf32>) -> tensor<2x3x3xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x3x3xf32>
  %y = linalg.batch_matmul ins(%q, %k : tensor<2x3x64xf32>, tensor<2x64x3xf32>) outs(%zero : tensor<2x3x3xf32>) -> tensor<2x3x3xf32>
  return %y : tensor<2x3x3xf32>
}
