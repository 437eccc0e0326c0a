// RUN: quant-opt --convert-quant-to-cpu --split-input-file --verify-diagnostics %s

func.func @tensors(%a: tensor<6x32xi8>, %b: tensor<2x8x16x4xi8>, %c: tensor<6x32xi32>) -> tensor<6x32xi32> {
  // expected-error @+1 {{expected memrefs, found tensors; bufferize first}}
  %0 = qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : tensor<6x32xi8>, tensor<2x8x16x4xi8>)
    outs(%c : tensor<6x32xi32>) -> tensor<6x32xi32>
  return %0 : tensor<6x32xi32>
}

// -----

func.func @strided(%a: memref<6x32xi8>, %b: memref<2x8x16x4xi8, strided<[1024, 128, 8, 2]>>, %c: memref<6x32xi32>) {
  // expected-error @+1 {{expected contiguous inner tiles, found 'memref<6x32xi8>', 'memref<2x8x16x4xi8, strided<[1024, 128, 8, 2]>>'}}
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : memref<6x32xi8>, memref<2x8x16x4xi8, strided<[1024, 128, 8, 2]>>)
    outs(%c : memref<6x32xi32>)
  return
}

// -----

func.func @strided_bias(%a: memref<2x20xi8>, %b: memref<1x5x16x4xi8>, %c: memref<2x16xi32>, %cb: memref<1x16xi32, strided<[32, 2]>>) {
  // expected-error @+1 {{expected contiguous vectors over columns, found 'memref<1x16xi32, strided<[32, 2]>>'}}
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %b : memref<2x20xi8>, memref<1x5x16x4xi8>)
    col_bias(%cb : memref<1x16xi32, strided<[32, 2]>>) outs(%c : memref<2x16xi32>)
  return
}
