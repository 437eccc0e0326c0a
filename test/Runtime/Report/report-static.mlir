// The report says of a matmul what quantizing the program makes of it: also
// where the weight or the static scales stand before the matmul.
// RUN: quant-run %s --entry=broadcast --random-inputs=1 --print=false --quantize --compare --report | FileCheck %s --check-prefix=BROADCAST
// RUN: quant-run %s --entry=static --random-inputs=1 --print=false --quantize=activations=static --compare --report | FileCheck %s --check-prefix=STATIC

// BROADCAST: matmuls: 1 of 1 with a weight in integers
// BROADCAST: broadcast#0 {{.*}} W8 channel, A8 dynamic token
func.func @broadcast(%x: tensor<2x3x8xf32>, %w: tensor<8x4xf32>) -> tensor<2x3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x3x4xf32>
  %e = tensor.empty() : tensor<2x8x4xf32>
  %b = linalg.broadcast ins(%w : tensor<8x4xf32>) outs(%e : tensor<2x8x4xf32>) dimensions = [0]
  %y = linalg.batch_matmul ins(%x, %b : tensor<2x3x8xf32>, tensor<2x8x4xf32>) outs(%zero : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return %y : tensor<2x3x4xf32>
}

// The weight is exact, but for the activations' scale.
// STATIC: matmuls: 1 of 1 with a weight in integers
// STATIC: static#0 {{.*}} inf {{.*}} inf inf {{.*}} W8 channel, A8 static tensor asymmetric
!q = !quant.uniform<u8:f32, 5.000000e-01:128>
func.func @static(%x: tensor<3x8xf32>) -> tensor<3x4xf32> {
  %w = arith.constant dense<0.25> : tensor<8x4xf32>
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  %q = quant.qcast %x : tensor<3x8xf32> to tensor<3x8x!q>
  %d = quant.dcast %q : tensor<3x8x!q> to tensor<3x8xf32>
  %y = linalg.matmul ins(%d, %w : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}
