// RUN: quant-opt --quant-vectorize-rows --split-input-file %s --verify-diagnostics

func.func @negative_tiles(%x: memref<4x96xf32>, %q: memref<4x2x1x64xi8>, %s: memref<4xf32>) {
  // expected-error @+1 {{expected plain rows and a range [qmin, qmax] with qmin <= -qmax, found 'memref<4x2x1x64xi8>' and [-128, 127]}}
  quant.quantize_rows ins(%x : memref<4x96xf32>) outs(%q, %s : memref<4x2x1x64xi8>, memref<4xf32>) range = [-128, 127]
  return
}

// -----

func.func @negative_tensors(%x: tensor<4x96xf32>, %q: tensor<4x96xi8>, %s: tensor<4xf32>) -> tensor<4x96xi8> {
  // expected-error @+1 {{expected memrefs, found tensors; bufferize first}}
  %0:2 = quant.quantize_rows ins(%x : tensor<4x96xf32>) outs(%q, %s : tensor<4x96xi8>, tensor<4xf32>) range = [-128, 127] -> tensor<4x96xi8>, tensor<4xf32>
  return %0#0 : tensor<4x96xi8>
}
