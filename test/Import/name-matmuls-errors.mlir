// Attributes that this project reads are none that it takes for others.
// RUN: quant-opt %s -quant-name-matmuls -split-input-file -verify-diagnostics

func.func @kind(%x: tensor<2x8xf32>, %w: tensor<8x4xf32>, %z: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // expected-error@+1 {{expected a string as quant.scheme, found 3 : i32}}
  %0 = linalg.matmul {quant.scheme = 3 : i32} ins(%x, %w : tensor<2x8xf32>, tensor<8x4xf32>) outs(%z : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

func.func @unknown(%x: tensor<2x8xf32>, %w: tensor<8x4xf32>, %z: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // expected-error@+1 {{expected a discardable attribute of the dialect quant (quant.name, quant.ordinal, quant.kind, quant.scheme, quant.left, quant.left_as_asked, quant.scheme_dropped, quant.scheme_partly, quant.portable, quant.independent, quant.launch, quant.rank), found quant.shceme}}
  %0 = linalg.matmul {quant.shceme = "weights=int8"} ins(%x, %w : tensor<2x8xf32>, tensor<8x4xf32>) outs(%z : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

// expected-error@+1 {{expected a dictionary as quant.portable, found "none"}}
module attributes {quant.portable = "none"} {
}
