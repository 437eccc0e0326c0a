// RUN: quant-opt %s -quant-verify-stage=stage=quant -o /dev/null

// Sums that are proven to fit: ranges and zero points say more than the types.
// The twins that are one step too large stand in verify-stage-errors.mlir.

// The largest K of two signed operands at full range.
func.func @full_range(%a: tensor<1x131071xi8>, %b: tensor<131071x1xi8>, %c: tensor<1x1xi32>) -> tensor<1x1xi32> {
  %0 = quant.matmul ins(%a, %b : tensor<1x131071xi8>, tensor<131071x1xi8>) outs(%c : tensor<1x1xi32>) -> tensor<1x1xi32>
  return %0 : tensor<1x1xi32>
}

// u8 * s8.
func.func @mixed_signs(%a: tensor<1x65793xi8>, %b: tensor<65793x1xi8>, %c: tensor<1x1xi32>) -> tensor<1x1xi32> {
  %0 = quant.matmul ins(%a, %b : tensor<1x65793xi8>, tensor<65793x1xi8>) outs(%c : tensor<1x1xi32>) {lhs_unsigned} -> tensor<1x1xi32>
  return %0 : tensor<1x1xi32>
}

// Any zero points on both sides.
func.func @unknown_zero_points(%a: tensor<1x33025xi8>, %b: tensor<33025x1xi8>, %za: tensor<i32>, %zb: tensor<1xi32>, %c: tensor<1x1xi32>) -> tensor<1x1xi32> {
  %0 = quant.matmul ins(%a, %b : tensor<1x33025xi8>, tensor<33025x1xi8>) lhs_zero_point(%za : tensor<i32>) rhs_zero_point(%zb : tensor<1xi32>)
      outs(%c : tensor<1x1xi32>) -> tensor<1x1xi32>
  return %0 : tensor<1x1xi32>
}

// A constant zero point: |q - 1| is at most 129, and 130000 * 129 * 127 fits.
func.func @known_ranges(%a: tensor<1x130000xi8>, %x: tensor<130000x1xf32>, %s: tensor<f32>, %c: tensor<1x1xi32>) -> tensor<1x1xi32> {
  %z = arith.constant dense<1> : tensor<i32>
  %b = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-127, 127] : tensor<130000x1xf32> -> tensor<130000x1xi8>
  %0 = quant.matmul ins(%a, %b : tensor<1x130000xi8>, tensor<130000x1xi8>) lhs_zero_point(%z : tensor<i32>)
      outs(%c : tensor<1x1xi32>) -> tensor<1x1xi32>
  return %0 : tensor<1x1xi32>
}

// The zero point that choose_qparams made lies in its range; both are seen
// through a change of shape.
func.func @chosen_zero_point(%x: tensor<1x1x100000xf32>, %b: tensor<100000x1xi4>, %c: tensor<1x1xi32>) -> tensor<1x1xi32> {
  %s, %z = quant.choose_qparams %x axes = [] range = [0, 255] : tensor<1x1x100000xf32> -> tensor<f32>, tensor<i32>
  %q = quant.quantize %x scale(%s : tensor<f32>) zero_point(%z : tensor<i32>) axes = [] range = [0, 255] unsigned : tensor<1x1x100000xf32> -> tensor<1x1x100000xi8>
  %a = tensor.collapse_shape %q [[0, 1], [2]] : tensor<1x1x100000xi8> into tensor<1x100000xi8>
  %0 = quant.matmul ins(%a, %b : tensor<1x100000xi8>, tensor<100000x1xi4>) lhs_zero_point(%z : tensor<i32>)
      outs(%c : tensor<1x1xi32>) {lhs_unsigned} -> tensor<1x1xi32>
  return %0 : tensor<1x1xi32>
}

// K is dynamic on one side, or bounded by what made the operand.
func.func @dynamic_k(%a: tensor<1x?xi8>, %b: tensor<16x1xi8>, %d: tensor<?x1xi8>, %n: index, %c: tensor<1x1xi32>) -> (tensor<1x1xi32>, tensor<1x1xi32>) {
  %0 = quant.matmul ins(%a, %b : tensor<1x?xi8>, tensor<16x1xi8>) outs(%c : tensor<1x1xi32>) -> tensor<1x1xi32>
  %size = affine.min affine_map<(n) -> (n, 512)>(%n)
  %slice = tensor.extract_slice %a[0, 0] [1, %size] [1, 1] : tensor<1x?xi8> to tensor<1x?xi8>
  %1 = quant.matmul ins(%slice, %d : tensor<1x?xi8>, tensor<?x1xi8>) outs(%c : tensor<1x1xi32>) -> tensor<1x1xi32>
  return %0, %1 : tensor<1x1xi32>, tensor<1x1xi32>
}

// An empty sum.
func.func @empty(%a: tensor<1x0xi8>, %b: tensor<0x1xi8>, %c: tensor<1x1xi32>) -> tensor<1x1xi32> {
  %0 = quant.matmul ins(%a, %b : tensor<1x0xi8>, tensor<0x1xi8>) outs(%c : tensor<1x1xi32>) -> tensor<1x1xi32>
  return %0 : tensor<1x1xi32>
}
