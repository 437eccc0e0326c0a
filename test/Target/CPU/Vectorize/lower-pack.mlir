// RUN: quant-opt --quant-lower-pack --split-input-file %s | FileCheck %s

// Rows are copied KR elements at a time; sizes that divide need no padding.

// CHECK-LABEL: @divides
// CHECK-NOT: linalg.fill
// CHECK: scf.for
// CHECK: scf.for
// CHECK: vector.transfer_read {{.*}} {in_bounds = [true]} : tensor<16x8xi8>, vector<4xi8>
// CHECK: vector.transfer_write {{.*}} {in_bounds = [true]} : vector<4xi8>, tensor<2x2x8x4xi8>
// CHECK-NOT: tensor.insert
// CHECK: return
func.func @divides(%x: tensor<16x8xi8>) -> tensor<2x2x8x4xi8> {
  %e = tensor.empty() : tensor<2x2x8x4xi8>
  %p = linalg.pack %x inner_dims_pos = [0, 1] inner_tiles = [8, 4] into %e : tensor<16x8xi8> -> tensor<2x2x8x4xi8>
  return %p : tensor<2x2x8x4xi8>
}

// -----

// Otherwise the destination is zeroed and the last columns are single copies.

// CHECK-LABEL: @tail
// CHECK: linalg.fill
// CHECK: vector.transfer_read
// CHECK: tensor.extract
// CHECK: tensor.insert
func.func @tail(%x: tensor<9x7xi8>) -> tensor<2x2x8x4xi8> {
  %zero = arith.constant 0 : i8
  %e = tensor.empty() : tensor<2x2x8x4xi8>
  %p = linalg.pack %x padding_value(%zero : i8) inner_dims_pos = [0, 1] inner_tiles = [8, 4] into %e : tensor<9x7xi8> -> tensor<2x2x8x4xi8>
  return %p : tensor<2x2x8x4xi8>
}

// -----

// A transposing pack interleaves KR rows of a block of columns in registers,
// and copies what hangs over one by one.

// CHECK-LABEL: @columns
// CHECK: linalg.fill
// CHECK: scf.for
// CHECK: scf.for
// CHECK-COUNT-4: vector.transfer_read {{.*}} : tensor<10x50xi8>, vector<16xi8>
// CHECK: vector.interleave
// CHECK: vector.interleave
// CHECK: vector.interleave {{.*}} : vector<32xi8> -> vector<64xi8>
// CHECK: vector.transfer_write {{.*}} : vector<64xi8>, tensor<2x3x192xi8>
// CHECK: tensor.insert
// CHECK: tensor.insert
// CHECK: tensor.expand_shape
func.func @columns(%x: tensor<10x50xi8>) -> tensor<2x3x48x4xi8> {
  %zero = arith.constant 0 : i8
  %e = tensor.empty() : tensor<2x3x48x4xi8>
  %p = linalg.pack %x padding_value(%zero : i8) outer_dims_perm = [1, 0] inner_dims_pos = [1, 0] inner_tiles = [48, 4] into %e : tensor<10x50xi8> -> tensor<2x3x48x4xi8>
  return %p : tensor<2x3x48x4xi8>
}

// -----

// Other packings go upstream's way.

// CHECK-LABEL: @other
// CHECK-NOT: linalg.pack
// CHECK: tensor.expand_shape
func.func @other(%x: tensor<8x16xi8>) -> tensor<4x2x4x4xi8> {
  %e = tensor.empty() : tensor<4x2x4x4xi8>
  %p = linalg.pack %x outer_dims_perm = [1, 0] inner_dims_pos = [1, 0] inner_tiles = [4, 4] into %e : tensor<8x16xi8> -> tensor<4x2x4x4xi8>
  return %p : tensor<4x2x4x4xi8>
}
