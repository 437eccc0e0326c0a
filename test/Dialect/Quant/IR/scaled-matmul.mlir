// RUN: quant-opt %s -split-input-file | quant-opt -split-input-file | FileCheck %s
// RUN: quant-opt %s -split-input-file -canonicalize | FileCheck %s --check-prefix=CANON
// RUN: quant-opt %s -split-input-file -quant-verify-stage=stage=quant -o /dev/null
// RUN: quant-opt %s -split-input-file -convert-quant-to-linalg -canonicalize | FileCheck %s --check-prefix=LINALG

// CHECK-LABEL: @int4_groups
// CHECK: quant.scaled_matmul ins(%{{.*}}, %{{.*}} : tensor<?x96xi8>, tensor<5x96xi4>) lhs_zero_point(%{{.*}} : tensor<?xi32>) row_scale(%{{.*}} : tensor<?xf32>) rhs_scale(%{{.*}} : tensor<5x3xf32>) rhs_zero_point(%{{.*}} : tensor<5x3xi32>) rhs_offset(%{{.*}} : tensor<5x3xf32>) bias(%{{.*}} : tensor<5xf32>) {group_size = 32 : i64, rhs_unsigned} -> tensor<?x5xf32>
//
// No copy of the weight: its elements are read in the loop over one group.
// LINALG-LABEL: @int4_groups
// LINALG-NOT: quant.
// LINALG: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction"]
// LINALG: scf.for
// LINALG-DAG: tensor.extract %{{.*}} : tensor<?x96xi8>
// LINALG-DAG: tensor.extract %{{.*}} : tensor<5x96xi4>
// LINALG: math.fma
// LINALG: math.fma
func.func @int4_groups(%x: tensor<?x96xi8>, %w: tensor<5x96xi4>,
                       %zx: tensor<?xi32>, %sx: tensor<?xf32>,
                       %sw: tensor<5x3xf32>, %zw: tensor<5x3xi32>,
                       %mw: tensor<5x3xf32>, %b: tensor<5xf32>)
    -> tensor<?x5xf32> {
  %y = quant.scaled_matmul ins(%x, %w : tensor<?x96xi8>, tensor<5x96xi4>)
      lhs_zero_point(%zx : tensor<?xi32>) row_scale(%sx : tensor<?xf32>)
      rhs_scale(%sw : tensor<5x3xf32>) rhs_zero_point(%zw : tensor<5x3xi32>)
      rhs_offset(%mw : tensor<5x3xf32>) bias(%b : tensor<5xf32>)
      {group_size = 32 : i64, rhs_unsigned} -> tensor<?x5xf32>
  return %y : tensor<?x5xf32>
}

// -----

// CHECK-LABEL: @float_lhs_ragged
// CHECK: quant.scaled_matmul ins(%{{.*}}, %{{.*}} : tensor<2x?x70xf16>, tensor<5x70xi8>) rhs_scale(%{{.*}} : tensor<5x3xf32>) {group_size = 32 : i64} -> tensor<2x?x5xf16>
//
// The last group is shorter, and the weight is dequantized in the sum.
// LINALG-LABEL: @float_lhs_ragged
// LINALG-NOT: tensor<5x70xf32>
// LINALG: arith.minui
// LINALG: scf.for
// LINALG: arith.mulf
// LINALG: arith.mulf %{{.*}} fastmath<reassoc,contract>
func.func @float_lhs_ragged(%x: tensor<2x?x70xf16>, %w: tensor<5x70xi8>,
                            %sw: tensor<5x3xf32>) -> tensor<2x?x5xf16> {
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x?x70xf16>, tensor<5x70xi8>)
      rhs_scale(%sw : tensor<5x3xf32>) {group_size = 32 : i64}
      -> tensor<2x?x5xf16>
  return %y : tensor<2x?x5xf16>
}

// -----

// CHECK-LABEL: @one_group
// CHECK: {group_size = 9223372036854775807 : i64}
func.func @one_group(%x: tensor<2x64xi8>, %w: tensor<5x64xi8>,
                     %sw: tensor<5x1xf32>) -> tensor<2x5xf32> {
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi8>)
      rhs_scale(%sw : tensor<5x1xf32>) {group_size = 9223372036854775807 : i64}
      -> tensor<2x5xf32>
  return %y : tensor<2x5xf32>
}

// -----

// The bytes of an int4 weight are read where they are.
// LINALG-LABEL: @packed_int4
// LINALG-NOT: tensor<5x64xi4>
// LINALG: linalg.generic
// LINALG: tensor.extract %{{.*}} : tensor<5x32xi8>
// LINALG: arith.trunci %{{.*}} : i8 to i4
func.func @packed_int4(%x: tensor<2x64xi8>, %p: tensor<5x32xi8>,
                       %sw: tensor<5x2xf32>) -> tensor<2x5xf32> {
  %w = quant.unpack_int4 %p : tensor<5x32xi8> -> tensor<5x64xi4>
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi4>)
      rhs_scale(%sw : tensor<5x2xf32>) {group_size = 32 : i64}
      -> tensor<2x5xf32>
  return %y : tensor<2x5xf32>
}

// -----

// CANON-LABEL: @zero_zero_points
// CANON: quant.scaled_matmul
// CANON-NOT: zero_point
// CANON-SAME: rhs_scale
// CANON-NOT: zero_point
// CANON: return
func.func @zero_zero_points(%x: tensor<2x64xi8>, %w: tensor<5x64xi8>,
                            %sw: tensor<5x2xf32>) -> tensor<2x5xf32> {
  %zx = arith.constant dense<0> : tensor<i32>
  %zw = arith.constant dense<0> : tensor<5x2xi32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x64xi8>, tensor<5x64xi8>)
      lhs_zero_point(%zx : tensor<i32>)
      rhs_scale(%sw : tensor<5x2xf32>) rhs_zero_point(%zw : tensor<5x2xi32>)
      {group_size = 32 : i64} -> tensor<2x5xf32>
  return %y : tensor<2x5xf32>
}

// -----

// Scales for blocks of both sides: the shorter ones, of lhs, count the sums.
// CHECK-LABEL: @blocks
// CHECK: quant.scaled_matmul ins(%{{.*}}, %{{.*}} : tensor<2x?x96xi8>, tensor<5x96xi4>) rhs_scale(%{{.*}} : tensor<5x2xf32>) lhs_scale(%{{.*}} : tensor<2x?x6xf32>) {group_size = 64 : i64, lhs_group_size = 16 : i64} -> tensor<2x?x5xf32>
// LINALG-LABEL: @blocks
// LINALG-DAG: %[[G:.*]] = arith.constant 64 : index
// LINALG: linalg.generic {{.*}} ins(%{{.*}} : tensor<2x?x6xf32>)
// LINALG: arith.divui %{{.*}}, %[[G]]
// LINALG: tensor.extract %{{.*}} : tensor<5x2xf32>
// LINALG: scf.for
// LINALG: %[[BOTH:.*]] = arith.mulf
// LINALG: math.fma %{{.*}}, %[[BOTH]]
func.func @blocks(%x: tensor<2x?x96xi8>, %w: tensor<5x96xi4>,
                  %sw: tensor<5x2xf32>, %sx: tensor<2x?x6xf32>)
    -> tensor<2x?x5xf32> {
  %y = quant.scaled_matmul ins(%x, %w : tensor<2x?x96xi8>, tensor<5x96xi4>)
      rhs_scale(%sw : tensor<5x2xf32>) lhs_scale(%sx : tensor<2x?x6xf32>)
      {group_size = 64 : i64, lhs_group_size = 16 : i64} -> tensor<2x?x5xf32>
  return %y : tensor<2x?x5xf32>
}

// -----

// An element is looked up where it is read.
// CHECK-LABEL: @codebook
// CHECK: quant.scaled_matmul {{.*}} {group_size = 32 : i64, rhs_codebook = array<i8: 0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12>} -> tensor<?x5xf32>
// LINALG-LABEL: @codebook
// LINALG: %[[CODES:.*]] = arith.constant dense<[0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]> : tensor<16xi32>
// LINALG: scf.for
// LINALG: %[[STORED:.*]] = tensor.extract %{{.*}} : tensor<5x96xi4>
// LINALG: %[[AT:.*]] = arith.index_castui %[[STORED]] : i4 to index
// LINALG: tensor.extract %[[CODES]][%[[AT]]] : tensor<16xi32>
func.func @codebook(%x: tensor<?x96xi8>, %w: tensor<5x96xi4>,
                    %sw: tensor<5x3xf32>) -> tensor<?x5xf32> {
  %y = quant.scaled_matmul ins(%x, %w : tensor<?x96xi8>, tensor<5x96xi4>)
      rhs_scale(%sw : tensor<5x3xf32>)
      {group_size = 32 : i64, rhs_codebook = array<i8: 0, 1, 2, 3, 4, 6, 8, 12,
                                              0, -1, -2, -3, -4, -6, -8, -12>}
      -> tensor<?x5xf32>
  return %y : tensor<?x5xf32>
}
