func.func @main(%x: tensor<64x64xi8>, %w: tensor<64x64xi8>) -> tensor<64x64xi32> {
  %init = arith.constant dense<0> : tensor<64x64xi32>
  %y = quant.matmul ins(%x, %w : tensor<64x64xi8>, tensor<64x64xi8>) outs(%init : tensor<64x64xi32>) {transpose_rhs} -> tensor<64x64xi32>
  return %y : tensor<64x64xi32>
}
