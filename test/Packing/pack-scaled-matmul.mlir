// RUN: quant-opt %s -split-input-file -quant-set-target=cpu=icelake-server -quant-pack-matmul -verify-diagnostics | FileCheck %s
// RUN: quant-opt %s -split-input-file -quant-set-target=cpu=alderlake -quant-pack-matmul 2>/dev/null | FileCheck %s --check-prefix=VEX
// RUN: quant-opt %s -split-input-file -quant-set-target=cpu=sapphirerapids -quant-pack-matmul 2>/dev/null | FileCheck %s --check-prefix=TILES
// RUN: quant-opt %s -split-input-file -quant-set-target=cpu=icelake-server -quant-pack-matmul -canonicalize 2>/dev/null | quant-opt -split-input-file | FileCheck %s --check-prefix=ROUND

// Nibbles w + 8: element p low, element p + 4 high. The row's part of the
// shift's correction is what its sums start from.
// CHECK-LABEL: @int4
// CHECK: arith.constant dense<"0xC8D9EAFBC8D9EAFB{{0+}}C8D9EAFBC8D9EAFB{{0+}}"> : tensor<1x2x1x16x4xi8>
// CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%{{.*}}, %{{.*}} : tensor<3x16xi8>, tensor<1x2x1x16x4xi8>) rhs_scale(%{{.*}} : tensor<1x2x16xbf16>) row_bias(%{{.*}} : tensor<3x2xi32>) row_scale(%{{.*}} : tensor<3xf32>) outs(%{{.*}} : tensor<3x2xf32>) -> tensor<3x2xf32>
// VEX-LABEL: @int4
// VEX: qtarget.packed_matmul #qtarget.x86<vpdpbusd_256> layout<lhs = s8, rhs = u4 8x8, group = 8> ins(%{{.*}}, %{{.*}} : tensor<3x16xi8>, tensor<1x2x1x8x4xi8>)
// ROUND-LABEL: @int4
// ROUND: qtarget.packed_matmul
func.func @int4(%x: tensor<3x16xi8>, %sx: tensor<3xf32>) -> tensor<3x2xf32> {
  %p = arith.constant dense<"0x10325476103254761032547610325476"> : tensor<2x8xi8>
  %w = quant.unpack_int4 %p : tensor<2x8xi8> -> tensor<2x16xi4>
  %s = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x16xi8>, tensor<2x16xi4>)
      row_scale(%sx : tensor<3xf32>) rhs_scale(%s : tensor<2x2xf32>)
      {group_size = 8 : i64} -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

// Zero points 0 and -1 mirror each other: the second group of the first column
// is stored as 15 - (w + 8), its scale is negated, and 8 is everybody's zero
// point, a term of the rows alone.
// CHECK-LABEL: @mirrored_groups
// CHECK: arith.constant dense<"0xC8D9EAFBC8D9EAFB{{0+}}37261504C8D9EAFB{{0+}}"> : tensor<1x2x1x16x4xi8>
// CHECK: arith.constant dense<{{.*}}1.000000e+00, 3.000000e+00, {{.*}}], [-2.000000e+00, 4.000000e+00, {{.*}}> : tensor<1x2x16xbf16>
// CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512>
// CHECK-SAME: rhs_scale(%{{.*}} : tensor<1x2x16xbf16>) row_bias(%{{.*}} : tensor<3x2xi32>) outs(
func.func @mirrored_groups(%x: tensor<3x16xi8>) -> tensor<3x2xf32> {
  %p = arith.constant dense<"0x10325476103254761032547610325476"> : tensor<2x8xi8>
  %w = quant.unpack_int4 %p : tensor<2x8xi8> -> tensor<2x16xi4>
  %s = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %z = arith.constant dense<[[0, -1], [0, 0]]> : tensor<2x2xi32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x16xi8>, tensor<2x16xi4>)
      rhs_scale(%s : tensor<2x2xf32>) rhs_zero_point(%z : tensor<2x2xi32>)
      {group_size = 8 : i64} -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

// Who looks up single elements of a weight reads them where the product has them:
// w + 128, in panels, groups and steps.
// CHECK-LABEL: @looked_up
// CHECK-SAME: %[[N:[a-z0-9]+]]: index, %[[K:[a-z0-9]+]]: index

// CHECK: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<1x2x2x16x4xi8>
// CHECK: %[[PANEL:.*]] = arith.divui %[[N]], %{{.*}}
// CHECK: %[[LANE:.*]] = arith.remui %[[N]], %{{.*}}
// CHECK: %[[GROUP:.*]] = arith.divui %[[K]], %{{.*}}
// CHECK: %[[REST:.*]] = arith.remui %[[K]], %{{.*}}
// CHECK: %[[STEP:.*]] = arith.divui %[[REST]], %{{.*}}
// CHECK: %[[PLACE:.*]] = arith.remui %[[REST]], %{{.*}}
// CHECK: %[[BYTE:.*]] = tensor.extract %[[W]][%[[PANEL]], %[[GROUP]], %[[STEP]], %[[LANE]], %[[PLACE]]]
// CHECK: arith.xori %[[BYTE]], %c-128_i8
// CHECK: ins(%{{.*}}, %[[W]] :
// ROUND-LABEL: @looked_up
func.func @looked_up(%n: index, %k: index, %x: tensor<3x16xi8>) -> (i8, tensor<3x2xf32>) {
  %w = arith.constant dense<"0x000102030405060708090A0B0C0D0E0FFFFEFDFCFBFAF9F8F7F6F5F4F3F2F1F0"> : tensor<2x16xi8>
  %s = arith.constant dense<1.0> : tensor<2x2xf32>
  %q = tensor.extract %w[%n, %k] : tensor<2x16xi8>
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x16xi8>, tensor<2x16xi8>)
      rhs_scale(%s : tensor<2x2xf32>) {group_size = 8 : i64} -> tensor<3x2xf32>
  return %q, %y : i8, tensor<3x2xf32>
}

// -----

// Of a weight that is needed as it is, too, the packed one is another.
// CHECK-LABEL: @looked_up_and_given
// CHECK: tensor.extract %{{.*}} : tensor<2x16xi8>
func.func @looked_up_and_given(%n: index, %x: tensor<3x16xi8>)
    -> (i8, tensor<2x16xi8>, tensor<3x2xf32>) {
  %w = arith.constant dense<"0x000102030405060708090A0B0C0D0E0FFFFEFDFCFBFAF9F8F7F6F5F4F3F2F1F0"> : tensor<2x16xi8>
  %s = arith.constant dense<1.0> : tensor<2x2xf32>
  %q = tensor.extract %w[%n, %n] : tensor<2x16xi8>
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x16xi8>, tensor<2x16xi8>)
      rhs_scale(%s : tensor<2x2xf32>) {group_size = 8 : i64} -> tensor<3x2xf32>
  return %q, %w, %y : i8, tensor<2x16xi8>, tensor<3x2xf32>
}

// -----

// Bytes w + 128, zero points and offsets; the last group is filled up with
// zeros of the left operand.
// CHECK-LABEL: @int8_zero_points
// CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u8 16x4, group = 8> ins(%{{.*}}, %{{.*}} : tensor<?x16xi8>, tensor<1x2x2x16x4xi8>)
// CHECK-SAME: row_factors(%{{.*}} : tensor<2x?x2xi32>) col_factors(%{{.*}} : tensor<2x1x2x16xi32>) row_sums(%{{.*}} : tensor<?x2xi32>) rhs_offset(%{{.*}} : tensor<1x2x16xf32>) bias(%{{.*}} : tensor<1x16xf32>)
func.func @int8_zero_points(%x: tensor<?x13xi8>, %zx: tensor<?xi32>) -> tensor<?x2xf32> {
  %w = arith.constant dense<"0x0102030405060708090A0B0C0DFFFEFDFCFBFAF9F8F7F6F5F4F3"> : tensor<2x13xi8>
  %s = arith.constant dense<1.0> : tensor<2x2xf32>
  %z = arith.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi32>
  %m = arith.constant dense<0.5> : tensor<2x2xf32>
  %b = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<?x13xi8>, tensor<2x13xi8>)
      lhs_zero_point(%zx : tensor<?xi32>) rhs_scale(%s : tensor<2x2xf32>)
      rhs_zero_point(%z : tensor<2x2xi32>) rhs_offset(%m : tensor<2x2xf32>)
      bias(%b : tensor<2xf32>) {group_size = 8 : i64} -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Rows half a page apart would compete for a few sets of the cache.
// CHECK-LABEL: @row_stride
// CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u8 16x4, group = 2048> ins(%{{.*}}, %{{.*}} : tensor<5x2112xi8>, tensor<1x1x512x16x4xi8>)
func.func @row_stride(%x: tensor<5x2048xi8>) -> tensor<5x2xf32> {
  %w = arith.constant dense<1> : tensor<2x2048xi8>
  %s = arith.constant dense<1.0> : tensor<2x1xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<5x2048xi8>, tensor<2x2048xi8>)
      rhs_scale(%s : tensor<2x1xf32>) {group_size = 2048 : i64} -> tensor<5x2xf32>
  return %y : tensor<5x2xf32>
}

// -----

// Tiles of AMX read the same weight. Few rows, and groups that would leave a
// tile more than half empty, take vectors.
// CHECK-LABEL: @tiles
// CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 32> ins(%{{.*}}, %{{.*}} : tensor<?x64xi8>, tensor<2x2x4x16x4xi8>)
// TILES-LABEL: @tiles
// TILES: qtarget.packed_matmul #qtarget.x86<amx_tdpbsud> layout<lhs = s8, rhs = u4 16x8, group = 32> ins(%{{.*}}, %{{.*}} : tensor<?x64xi8>, tensor<2x2x4x16x4xi8>)
// TILES-SAME: row_bias(%{{.*}} : tensor<?x2xi32>)
func.func @tiles(%x: tensor<?x64xi8>) -> tensor<?x17xf32> {
  %p = arith.constant dense<1> : tensor<17x32xi8>
  %w = quant.unpack_int4 %p : tensor<17x32xi8> -> tensor<17x64xi4>
  %s = arith.constant dense<1.0> : tensor<17x2xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<?x64xi8>, tensor<17x64xi4>)
      rhs_scale(%s : tensor<17x2xf32>) {group_size = 32 : i64} -> tensor<?x17xf32>
  return %y : tensor<?x17xf32>
}

// -----

// TILES-LABEL: @vectors
// TILES: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8,
// TILES: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8,
func.func @vectors(%x: tensor<63x64xi8>, %z: tensor<99x64xi8>) -> (tensor<63x17xf32>, tensor<99x17xf32>) {
  %p = arith.constant dense<1> : tensor<17x32xi8>
  %w = quant.unpack_int4 %p : tensor<17x32xi8> -> tensor<17x64xi4>
  %s = arith.constant dense<1.0> : tensor<17x2xf32>
  %t = arith.constant dense<1.0> : tensor<17x4xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<63x64xi8>, tensor<17x64xi4>)
      rhs_scale(%s : tensor<17x2xf32>) {group_size = 32 : i64} -> tensor<63x17xf32>
  %u = quant.scaled_matmul ins(%z, %w : tensor<99x64xi8>, tensor<17x64xi4>)
      rhs_scale(%t : tensor<17x4xf32>) {group_size = 16 : i64} -> tensor<99x17xf32>
  return %y, %u : tensor<63x17xf32>, tensor<99x17xf32>
}

// -----

// Activations of floats: the weight lies as for integer ones, and one zero point
// of all groups is one number.
// CHECK-LABEL: @float
// CHECK-DAG: arith.constant dense<129> : tensor<i32>
// CHECK-DAG: arith.constant dense<"0x818181818181818181818181{{.*}}> : tensor<1x1x2x16x4xi8>
// CHECK: qtarget.packed_matmul #qtarget.x86<vfmadd_512> layout<lhs = f32, rhs = u8 16x4, group = 8> ins(%{{.*}}, %{{.*}} : tensor<3x8xf32>, tensor<1x1x2x16x4xi8>) rhs_scale(%{{.*}} : tensor<1x1x16xf32>) rhs_zero_point(%{{.*}} : tensor<i32>) bias(%{{.*}} : tensor<1x16xf32>) outs(%{{.*}} : tensor<3x3xf32>)
// VEX-LABEL: @float
// VEX: qtarget.packed_matmul #qtarget.x86<vfmadd_256> layout<lhs = f32, rhs = u8 8x4, group = 8>
// TILES-LABEL: @float
// TILES: qtarget.packed_matmul #qtarget.x86<vdpbf16ps_512>
// ROUND-LABEL: @float
// ROUND: qtarget.packed_matmul #qtarget.x86<vfmadd_512> layout<lhs = f32,
func.func @float(%x: tensor<3x8xf32>) -> tensor<3x3xf32> {
  %w = arith.constant dense<1> : tensor<3x8xi8>
  %s = arith.constant dense<1.0> : tensor<3x1xf32>
  %z = arith.constant dense<1> : tensor<3x1xi32>
  %b = arith.constant dense<2.0> : tensor<3xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x8xf32>, tensor<3x8xi8>)
      rhs_scale(%s : tensor<3x1xf32>) rhs_zero_point(%z : tensor<3x1xi32>)
      bias(%b : tensor<3xf32>) {group_size = 8 : i64} -> tensor<3x3xf32>
  return %y : tensor<3x3xf32>
}

// -----

// Zero points that differ are one for each group; an offset needs sums of the
// activations; f16 is widened once, into rows that are whole groups.
// CHECK-LABEL: @float_groups
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK: arith.addf
// CHECK: qtarget.packed_matmul #qtarget.x86<vfmadd_512> layout<lhs = f32, rhs = u4 16x8, group = 8> ins(%{{.*}}, %{{.*}} : tensor<?x16xf32>, tensor<1x2x1x16x4xi8>) rhs_scale(%{{.*}} : tensor<1x2x16xbf16>) row_sums(%{{.*}} : tensor<?x2xf32>) rhs_offset(%{{.*}} : tensor<1x2x16xf32>) rhs_zero_point(%{{.*}} : tensor<1x2x16xi32>) outs(%{{.*}} : tensor<?x2xf16>)
func.func @float_groups(%x: tensor<?x14xf16>) -> tensor<?x2xf16> {
  %p = arith.constant dense<5> : tensor<2x7xi8>
  %w = quant.unpack_int4 %p : tensor<2x7xi8> -> tensor<2x14xi4>
  %s = arith.constant dense<1.0> : tensor<2x2xf32>
  %z = arith.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<?x14xf16>, tensor<2x14xi4>)
      rhs_scale(%s : tensor<2x2xf32>) rhs_zero_point(%z : tensor<2x2xi32>)
      rhs_offset(%s : tensor<2x2xf32>) {group_size = 8 : i64} -> tensor<?x2xf16>
  return %y : tensor<?x2xf16>
}

// -----

func.func @negative_groups(%x: tensor<3x8xi8>) -> tensor<3x2xf32> {
  %w = arith.constant dense<1> : tensor<2x8xi8>
  %s = arith.constant dense<1.0> : tensor<2x2xf32>
  // expected-remark@+1 {{not packed: groups of 6 are not a multiple of 4; the portable lowering is used}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x8xi8>, tensor<2x8xi8>)
      rhs_scale(%s : tensor<2x2xf32>) {group_size = 6 : i64} -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

func.func @negative_run_time_weight(%x: tensor<3x8xi8>, %w: tensor<2x8xi8>, %s: tensor<2x1xf32>) -> tensor<3x2xf32> {
  // expected-remark@+1 {{not packed: the weight is not a constant; the portable lowering is used}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x8xi8>, tensor<2x8xi8>)
      rhs_scale(%s : tensor<2x1xf32>) {group_size = 8 : i64} -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

func.func @negative_run_time_scale(%x: tensor<3x8xi8>, %s: tensor<2x1xf32>) -> tensor<3x2xf32> {
  %w = arith.constant dense<1> : tensor<2x8xi8>
  // expected-remark@+1 {{not packed: the weight's parameters are not constants; the portable lowering is used}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x8xi8>, tensor<2x8xi8>)
      rhs_scale(%s : tensor<2x1xf32>) {group_size = 8 : i64} -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

func.func @negative_empty_weight(%x: tensor<3x0xi8>, %w: tensor<2x0xi8>, %s: tensor<2x0xf32>) -> tensor<3x2xf32> {
  // expected-remark@+1 {{not packed: the weight's sizes are dynamic or 0; the portable lowering is used}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x0xi8>, tensor<2x0xi8>)
      rhs_scale(%s : tensor<2x0xf32>) {group_size = 8 : i64} -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

// A zero point that is none of the weight's integers, which kernels rely on.
func.func @zero_points_out_of_range(%x: tensor<3x8xf32>, %e: index) -> tensor<3x2xf32> {
  %p = arith.constant dense<"0x10325476103254767654321076543210"> : tensor<2x2x4xi8>
  %c = tensor.extract_slice %p[%e, 0, 0] [1, 2, 4] [1, 1, 1] : tensor<2x2x4xi8> to tensor<2x4xi8>
  %w = quant.unpack_int4 %c : tensor<2x4xi8> -> tensor<2x8xi4>
  %s = arith.constant dense<[[[1.0], [2.0]], [[3.0], [4.0]]]> : tensor<2x2x1xf32>
  %t = tensor.extract_slice %s[%e, 0, 0] [1, 2, 1] [1, 1, 1] : tensor<2x2x1xf32> to tensor<2x1xf32>
  %z = arith.constant dense<[[[1], [2]], [[3], [8]]]> : tensor<2x2x1xi32>
  %u = tensor.extract_slice %z[%e, 0, 0] [1, 2, 1] [1, 1, 1] : tensor<2x2x1xi32> to tensor<2x1xi32>
  // expected-remark@+1 {{not packed: zero points lie out of the range of the weight's integers; the portable lowering is used}}
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x8xf32>, tensor<2x8xi4>)
      rhs_scale(%t : tensor<2x1xf32>) rhs_zero_point(%u : tensor<2x1xi32>)
      {group_size = 8 : i64} -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

// One of two weights, chosen at run time: the panels of both are one constant,
// each weight's padded on its own, and those of the choice are sliced.
// CHECK-LABEL: @chosen
// CHECK-SAME: %[[E:[^:]*]]: index
// CHECK-DAG: %[[W:.*]] = arith.constant dense<"0xC8D9EAFBC8D9EAFB{{0+}}AEBF8C9DAEBF8C9D{{0+}}"> : tensor<2x1x1x16x4xi8>
// CHECK-DAG: arith.muli %[[E]], %{{.*}} : index
// CHECK-DAG: %[[C:.*]] = tensor.extract_slice %[[W]][%{{.*}}, 0, 0, 0, 0] [1, 1, 1, 16, 4] {{.*}} to tensor<1x1x1x16x4xi8>
// CHECK-DAG: tensor.extract_slice %{{.*}}[%{{.*}}, 0, 0] [1, 1, 16] [1, 1, 1] : tensor<2x1x16xf32> to tensor<1x1x16xf32>
// CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%{{.*}}, %[[C]] : tensor<3x8xi8>, tensor<1x1x1x16x4xi8>)
func.func @chosen(%x: tensor<3x8xi8>, %e: index) -> tensor<3x2xf32> {
  %p = arith.constant dense<"0x10325476103254767654321076543210"> : tensor<2x2x4xi8>
  %c = tensor.extract_slice %p[%e, 0, 0] [1, 2, 4] [1, 1, 1] : tensor<2x2x4xi8> to tensor<2x4xi8>
  %w = quant.unpack_int4 %c : tensor<2x4xi8> -> tensor<2x8xi4>
  %s = arith.constant dense<[[[1.0], [2.0]], [[3.0], [4.0]]]> : tensor<2x2x1xf32>
  %t = tensor.extract_slice %s[%e, 0, 0] [1, 2, 1] [1, 1, 1] : tensor<2x2x1xf32> to tensor<2x1xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x8xi8>, tensor<2x8xi4>)
      rhs_scale(%t : tensor<2x1xf32>) {group_size = 8 : i64} -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

// Blocks of activations that are shorter than the weight's groups: its panels
// have the blocks, and each block has the scale of its group.
// CHECK-LABEL: @blocks
// CHECK-DAG: arith.constant dense<{{\[\[\[}}1.000000e+00, 3.000000e+00, {{.*}}], [1.000000e+00, 3.000000e+00, {{.*}}], [2.000000e+00, 4.000000e+00, {{.*}}], [2.000000e+00, 4.000000e+00, {{.*}}]]]> : tensor<1x4x16xbf16>
// CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u8 16x4, group = 4> ins(%{{.*}}, %{{.*}} : tensor<3x16xi8>, tensor<1x4x1x16x4xi8>) rhs_scale(%{{.*}} : tensor<1x4x16xbf16>) lhs_scale(%arg1 : tensor<3x4xf32>) row_bias(%{{.*}} : tensor<3x4xi32>) outs(
func.func @blocks(%x: tensor<3x16xi8>, %sx: tensor<3x4xf32>) -> tensor<3x2xf32> {
  %w = arith.constant dense<1> : tensor<2x16xi8>
  %s = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x16xi8>, tensor<2x16xi8>)
      rhs_scale(%s : tensor<2x2xf32>) lhs_scale(%sx : tensor<3x4xf32>)
      {group_size = 8 : i64, lhs_group_size = 4 : i64} -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

// Blocks of activations that are longer: their scales are spread over groups.
// CHECK-LABEL: @long_blocks
// CHECK: %[[SPREAD:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<?x4xf32>)
// CHECK: tensor.extract %arg1
// CHECK: qtarget.packed_matmul {{.*}} group = 4> {{.*}} lhs_scale(%[[SPREAD]] : tensor<?x4xf32>)
func.func @long_blocks(%x: tensor<?x16xi8>, %sx: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w = arith.constant dense<1> : tensor<2x16xi8>
  %s = arith.constant dense<1.0> : tensor<2x4xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<?x16xi8>, tensor<2x16xi8>)
      rhs_scale(%s : tensor<2x4xf32>) lhs_scale(%sx : tensor<?x2xf32>)
      {group_size = 4 : i64, lhs_group_size = 8 : i64} -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
