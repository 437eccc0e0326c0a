// Attention over floats is two products of floats, which the program asks for.
// RUN: quant-opt %s --quant-account-products="summary asked" --verify-diagnostics

// expected-remark@below {{products: 0 in integers + 2 left with reason = 2}}
module {
  func.func @attention(%q: tensor<1x1x1x8xf32>, %k: tensor<1x8x1xf32>, %v: tensor<1x1x8xf32>, %y: tensor<1x1x1x8xf32>) -> tensor<1x1x1x8xf32> {
    // expected-remark@below {{matmul stays in float: quant.float_attention is of floats}}
    %0 = quant.float_attention query(%q : tensor<1x1x1x8xf32>) past(%k, %v : tensor<1x8x1xf32>, tensor<1x1x8xf32>) new(%k, %v : tensor<1x8x1xf32>, tensor<1x1x8xf32>) outs(%y : tensor<1x1x1x8xf32>) scale = 1.0 -> tensor<1x1x1x8xf32>
    return %0 : tensor<1x1x1x8xf32>
  }
}
