// Attention over integers is two products of integers.
// RUN: quant-opt %s --quant-account-products=summary --verify-diagnostics

// expected-remark@below {{products: 2 in integers + 0 left with reason = 2}}
module {
  func.func @attention(%q: tensor<1x1x1x32xi8>, %qs: tensor<1x1x1xf32>, %k: tensor<1x8x1xi32>, %s: tensor<1x1xf32>, %v: tensor<1x1x8xi32>, %y: tensor<1x1x1x32xf32>) -> tensor<1x1x1x32xf32> {
    %0 = quant.cached_attention query(%q, %qs : tensor<1x1x1x32xi8>, tensor<1x1x1xf32>) past(%k, %s, %v, %s : tensor<1x8x1xi32>, tensor<1x1xf32>, tensor<1x1x8xi32>, tensor<1x1xf32>) new(%k, %s, %v, %s : tensor<1x8x1xi32>, tensor<1x1xf32>, tensor<1x1x8xi32>, tensor<1x1xf32>) outs(%y : tensor<1x1x1x32xf32>) bits = 8 -> tensor<1x1x1x32xf32>
    return %0 : tensor<1x1x1x32xf32>
  }
}
