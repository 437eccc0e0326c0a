// REQUIRES: cpu-avx2
// Operands and results of which every other element counts: packed, computed
// and stored element by element where vectors do not fit, to the same numbers.
// RUN: quant-run %s --random-inputs=3 --target=x86 --compare | FileCheck %s
// RUN: quant-run %s --random-inputs=3 --target=x86 --cpu=haswell --compare | FileCheck %s

// CHECK: compare result0 with generic: {{.*}} bit-identical
// CHECK: compare result1 with generic: {{.*}} bit-identical
func.func @main(%x: tensor<5x16xi8>, %w: tensor<8x80xi8>, %d: tensor<5x40x2xi32>)
    -> (tensor<5x40xi32>, tensor<5x40x2xi32>) {
  %zero = arith.constant dense<0> : tensor<5x40xi32>
  %l = tensor.extract_slice %x[0, 1] [5, 8] [1, 2] : tensor<5x16xi8> to tensor<5x8xi8>
  %r = tensor.extract_slice %w[0, 0] [8, 40] [1, 2] : tensor<8x80xi8> to tensor<8x40xi8>
  %a = quant.matmul ins(%l, %r : tensor<5x8xi8>, tensor<8x40xi8>)
         outs(%zero : tensor<5x40xi32>) -> tensor<5x40xi32>
  %b = quant.matmul ins(%l, %r : tensor<5x8xi8>, tensor<8x40xi8>)
         outs(%zero : tensor<5x40xi32>) {rhs_unsigned} -> tensor<5x40xi32>
  %i = tensor.insert_slice %b into %d[0, 0, 1] [5, 40, 1] [1, 1, 1]
         : tensor<5x40xi32> into tensor<5x40x2xi32>
  return %a, %i : tensor<5x40xi32>, tensor<5x40x2xi32>
}
