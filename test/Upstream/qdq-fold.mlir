// Upstream folds quant.dcast(quant.qcast(x)) to x, and with it the rounding
// that the program asks for. docs/upstream-semantics.md tells the story.

// RUN: quant-opt %s --canonicalize | FileCheck %s --check-prefix=FOLDED
// RUN: quant-opt %s --lower-quant-ops --canonicalize | FileCheck %s --check-prefix=FOLDED
// RUN: quant-opt %s --quant-import --canonicalize | FileCheck %s --check-prefix=HERE
// RUN: quant-opt %s --cse | FileCheck %s --check-prefix=KEPT

// RUN: rm -rf %t && mkdir %t
// RUN: %make-npy %t/x.npy "np.float32([0.36, -0.24, 50])"
// RUN: quant-opt %s --canonicalize -o %t/folded.mlir
// RUN: quant-run %t/folded.mlir --entry=rounded --inputs=%t/x.npy | FileCheck %s --check-prefix=FOLDED-VALUES
// RUN: quant-run %s --entry=rounded --inputs=%t/x.npy | FileCheck %s --check-prefix=HERE-VALUES
// RUN: quant-run %s --entry=rounded --inputs=%t/x.npy --target=x86 | FileCheck %s --check-prefix=HERE-VALUES

!q = !quant.uniform<i8:f32, 0.25>
!w = !quant.uniform<i8:f32, 0.5>

// FOLDED-LABEL: @rounded(
// FOLDED-SAME: %[[X:.*]]: tensor<3xf32>)
// FOLDED: return %[[X]]
// FOLDED-VALUES: = [0.36, -0.24, 50]
// HERE-LABEL: @rounded
// HERE: quant.quantize
// HERE: quant.dequantize
// HERE-VALUES: = [0.25, -0.25, 31.75]
// KEPT-LABEL: @rounded
// KEPT: quant.qcast
// KEPT: quant.dcast
func.func @rounded(%x: tensor<3xf32>) -> tensor<3xf32> {
  %q = quant.qcast %x : tensor<3xf32> to tensor<3x!q>
  %d = quant.dcast %q : tensor<3x!q> to tensor<3xf32>
  return %d : tensor<3xf32>
}

// A quantized matmul in QDQ form: the fold leaves one side in float, and no
// later pass can tell that it was to be an integer product.
// FOLDED-LABEL: @matmul(
// FOLDED-SAME: %[[X:[^:]*]]: tensor<2x4xf32>
// FOLDED: linalg.matmul ins(%[[X]],
// HERE-LABEL: @matmul
// HERE: quant.matmul ins({{.*}} : tensor<2x4xi8>, tensor<4x3xi8>)
// HERE-NOT: linalg.matmul
func.func @matmul(%x: tensor<2x4xf32>, %stored: tensor<4x3xi8>) -> tensor<2x3xf32> {
  %q = quant.qcast %x : tensor<2x4xf32> to tensor<2x4x!q>
  %d = quant.dcast %q : tensor<2x4x!q> to tensor<2x4xf32>
  %ws = quant.scast %stored : tensor<4x3xi8> to tensor<4x3x!w>
  %w = quant.dcast %ws : tensor<4x3x!w> to tensor<4x3xf32>
  %zero = arith.constant dense<0.0> : tensor<2x3xf32>
  %y = linalg.matmul ins(%d, %w : tensor<2x4xf32>, tensor<4x3xf32>) outs(%zero : tensor<2x3xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}
