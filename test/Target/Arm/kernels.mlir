// The kernel that a processor has for each product, and the reason where it has
// none.
// RUN: quant-opt %s --quant-set-arm-target=cpu=neoverse-v1 --quant-pack-matmul | FileCheck %s --check-prefix=V1
// RUN: quant-opt %s --quant-set-arm-target=cpu=neoverse-n1 --quant-pack-matmul | FileCheck %s --check-prefix=N1
// RUN: quant-opt %s --quant-set-arm-target=cpu=generic --quant-pack-matmul 2>&1 | FileCheck %s --check-prefix=ANY

// ANY: remark: not packed: there is no dot product of bytes, only smull_128

// Two rows by two columns of eight bytes.
// V1-LABEL: func.func @rows
// V1: qtarget.packed_matmul #qtarget.arm<smmla_128> layout<lhs = s8, rhs = s8 8x8> ins(%{{.*}}, %{{.*}} : tensor<8x32xi8>, tensor<{{.*}}x4x{{.*}}x8xi8>)
// N1-LABEL: func.func @rows
// N1: qtarget.packed_matmul #qtarget.arm<sdot_128> layout<lhs = s8, rhs = s8 8x4> ins(%{{.*}}, %{{.*}} : tensor<8x32xi8>, tensor<{{.*}}x8x{{.*}}x4xi8>)
// ANY-LABEL: func.func @rows
// ANY: qtarget.packed_matmul #qtarget.arm<smull_128> layout<lhs = s8, rhs = s8 8x2> ins(%{{.*}}, %{{.*}} : tensor<8x32xi8>, tensor<{{.*}}x16x{{.*}}x2xi8>)
func.func @rows(%x: tensor<8x32xi8>, %w: tensor<16x32xi8>, %c: tensor<8x16xi32>) -> tensor<8x16xi32> {
  %r = quant.matmul ins(%x, %w : tensor<8x32xi8>, tensor<16x32xi8>) outs(%c : tensor<8x16xi32>) {transpose_rhs} -> tensor<8x16xi32>
  return %r : tensor<8x16xi32>
}

// An unsigned left operand stays as it is where an instruction reads it.
// V1-LABEL: func.func @unsigned
// V1: qtarget.packed_matmul #qtarget.arm<usmmla_128> layout<lhs = u8, rhs = s8 8x8>
// N1-LABEL: func.func @unsigned
// N1: qtarget.packed_matmul #qtarget.arm<sdot_128> layout<lhs = s8, rhs = s8 8x4>
func.func @unsigned(%x: tensor<8x32xi8>, %w: tensor<16x32xi8>, %c: tensor<8x16xi32>) -> tensor<8x16xi32> {
  %r = quant.matmul ins(%x, %w : tensor<8x32xi8>, tensor<16x32xi8>) outs(%c : tensor<8x16xi32>) {transpose_rhs, lhs_unsigned} -> tensor<8x16xi32>
  return %r : tensor<8x16xi32>
}

// One row would leave half of a matrix multiplication idle.
// V1-LABEL: func.func @one_row
// V1: qtarget.packed_matmul #qtarget.arm<sdot_128> layout<lhs = s8, rhs = s8 16x4>
func.func @one_row(%x: tensor<1x32xi8>, %w: tensor<16x32xi8>, %c: tensor<1x16xi32>) -> tensor<1x16xi32> {
  %r = quant.matmul ins(%x, %w : tensor<1x32xi8>, tensor<16x32xi8>) outs(%c : tensor<1x16xi32>) {transpose_rhs} -> tensor<1x16xi32>
  return %r : tensor<1x16xi32>
}

// Groups: a weight of bytes is unsigned for usdot, signed for sdot.
// V1-LABEL: func.func @groups
// V1: qtarget.packed_matmul #qtarget.arm<usdot_128> layout<lhs = s8, rhs = u8 4x4, group = 16> ins(%{{.*}}, %{{.*}} : tensor<2x32xi8>, tensor<2x2x4x4x4xi8>)
// N1-LABEL: func.func @groups
// N1: qtarget.packed_matmul #qtarget.arm<sdot_128> layout<lhs = s8, rhs = s8 4x4,
// ANY-LABEL: func.func @groups
// ANY: quant.scaled_matmul
func.func @groups(%x: tensor<2x32xi8>) -> tensor<2x8xf32> {
  %w = arith.constant dense<3> : tensor<8x32xi8>
  %s = arith.constant dense<0.5> : tensor<8x2xf32>
  %r = quant.scaled_matmul ins(%x, %w : tensor<2x32xi8>, tensor<8x32xi8>) rhs_scale(%s : tensor<8x2xf32>) {group_size = 16 : i64} -> tensor<2x8xf32>
  return %r : tensor<2x8xf32>
}
