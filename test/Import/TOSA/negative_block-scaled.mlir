// RUN: quant-opt %s -split-input-file -quant-import-tosa -verify-diagnostics

func.func @to_f8(%x: tensor<2x3x64xf32>) -> tensor<2x3x64xf8E5M2> {
  // expected-error@+1 {{'tosa.cast_to_block_scaled' op expected elements of f4E2M1FN, found 'tensor<2x3x64xf8E5M2>'}}
  %d, %s = tosa.cast_to_block_scaled %x {block_size = BLOCK_SIZE_32} : (tensor<2x3x64xf32>) -> (tensor<2x3x64xf8E5M2>, tensor<2x3x2xf8E8M0FNU>)
  return %d : tensor<2x3x64xf8E5M2>
}

// -----

func.func @argument(%w: tensor<2x32x!tosa.mxint8>, %s: tensor<2x1xf8E8M0FNU>) -> tensor<2x32xf32> {
  // expected-error@+1 {{'tosa.cast_from_block_scaled' op expected the elements of 'tensor<2x32x!tosa.mxint8>' to be a constant (a resource of bytes)}}
  %d = tosa.cast_from_block_scaled %w, %s {block_size = BLOCK_SIZE_32} : (tensor<2x32x!tosa.mxint8>, tensor<2x1xf8E8M0FNU>) -> tensor<2x32xf32>
  return %d : tensor<2x32xf32>
}

// -----

func.func @dynamic(%w: tensor<2x?xf4E2M1FN>, %s: tensor<2x?xf8E8M0FNU>) -> tensor<2x?xf32> {
  // expected-error@+1 {{'tosa.cast_from_block_scaled' op expected a ranked tensor whose last dimension is static and a multiple of the blocks' size 32, found 'tensor<2x?xf4E2M1FN>'}}
  %d = tosa.cast_from_block_scaled %w, %s {block_size = BLOCK_SIZE_32} : (tensor<2x?xf4E2M1FN>, tensor<2x?xf8E8M0FNU>) -> tensor<2x?xf32>
  return %d : tensor<2x?xf32>
}
