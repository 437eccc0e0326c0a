// RUN: quant-opt %s -quant-set-target=cpu=icelake-server -quant-pack-matmul 2>&1 | FileCheck %s --check-prefix=X86
// RUN: quant-opt %s -quant-set-target=cpu=icelake-server -quant-pack-matmul 2>/dev/null | quant-opt | FileCheck %s --check-prefix=ROUND
// RUN: quant-opt %s --quant-to-arm="cpu=neoverse-v1 stop-after=packed" 2>&1 | FileCheck %s --check-prefix=ARM
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_80 stop-after=packed" 2>&1 | FileCheck %s --check-prefix=NVVM

// Who does not unpack pairs of bits says so, and gets nibbles.
// X86-NOT: remark
// X86: remark: the weight takes 4 bits an element: groups of 8 are not a multiple of 16
// X86-NOT: remark
// ARM-NOT: remark: {{.*}}unpacks no elements of 2
// NVVM: remark: the weight takes 4 bits an element: grouped_s8 unpacks no elements of 2

// Numbers w + 2: byte p has elements p, p + 4, p + 8 and p + 12, the first one in
// its lowest bits. The first lane's are -2, -1, 0, 1 and 1, 0, -1, -2.
// X86-LABEL: @int2
// X86: arith.constant dense<"0xE41BFA05{{(0{120})}}E41BFA05{{(0{120})}}"> : tensor<1x2x1x16x4xi8>
// X86: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u2 16x16, group = 16> {{.*}} row_bias(
// ROUND-LABEL: @int2
// ROUND: qtarget.packed_matmul {{.*}}rhs = u2 16x16
// ARM-LABEL: @int2
// ARM: arith.constant dense<{{.*}}[-28, 27, -6, 5], [0, 0, 0, 0], {{.*}}> : tensor<1x2x1x4x4xi8>
// ARM: qtarget.packed_matmul #qtarget.arm<usdot_128> layout<lhs = s8, rhs = u2 4x16, group = 16>
// Two's complement in nibbles: -2 is 14, element p + 4 is the high one.
// NVVM-LABEL: @int2
// NVVM: arith.constant dense<"0xFE0100FF{{(0{56})}}10EF11EE{{(0{56})}}FE0100FF{{(0{56})}}10EF11EE{{(0{56})}}"> : tensor<1x2x2x8x4xi8>
// NVVM: qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s4 8x8, group = 16>
func.func @int2(%x: tensor<3x32xi8>) -> tensor<3x1xf32> {
  %p = arith.constant dense<"0xC6C39C99C6C39C99"> : tensor<1x8xi8>
  %w = quant.unpack_int2 %p : tensor<1x8xi8> -> tensor<1x32xi2>
  %s = arith.constant dense<1.0> : tensor<1x2xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x32xi8>, tensor<1x32xi2>)
      rhs_scale(%s : tensor<1x2xf32>) {group_size = 16 : i64} -> tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}

// Zero points 0 and -1 mirror each other: 3 - (w + 2) in the second group.
// X86-LABEL: @mirrored
// X86: arith.constant dense<"0xE41BFA05{{(0{120})}}1BE405FA{{(0{120})}}"> : tensor<1x2x1x16x4xi8>
// X86: qtarget.packed_matmul {{.*}} row_bias(
// X86-NOT: row_factors
func.func @mirrored(%x: tensor<3x32xi8>) -> tensor<3x1xf32> {
  %p = arith.constant dense<"0xC6C39C99C6C39C99"> : tensor<1x8xi8>
  %w = quant.unpack_int2 %p : tensor<1x8xi8> -> tensor<1x32xi2>
  %s = arith.constant dense<1.0> : tensor<1x2xf32>
  %z = arith.constant dense<[[0, -1]]> : tensor<1x2xi32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x32xi8>, tensor<1x32xi2>)
      rhs_scale(%s : tensor<1x2xf32>) rhs_zero_point(%z : tensor<1x2xi32>)
      {group_size = 16 : i64} -> tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}

// The elements themselves, a byte each where the constant is small.
// X86-LABEL: @plain
// X86: arith.constant dense<{{.*}}[-28, 27, -6, 5], [0, 0, 0, 0], {{.*}}> : tensor<1x1x1x16x4xi8>
func.func @plain(%x: tensor<3x16xi8>) -> tensor<3x1xf32> {
  %w = arith.constant dense<[[-2, 1, 0, -1, -1, 0, 0, -1, 0, -1, 1, -2, 1, -2, 1, -2]]> : tensor<1x16xi2>
  %s = arith.constant dense<1.0> : tensor<1x1xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x16xi8>, tensor<1x16xi2>)
      rhs_scale(%s : tensor<1x1xf32>) {group_size = 16 : i64} -> tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}

// X86-LABEL: @floats
// X86-DAG: arith.constant dense<{{\[+}}-28, 27, -6, 5], {{.*}}> : tensor<1x1x1x16x4xi8>
// X86-DAG: %[[ZERO:.*]] = arith.constant dense<2> : tensor<i32>
// X86: qtarget.packed_matmul #qtarget.x86<vfmadd_512> layout<lhs = f32, rhs = u2 16x16, group = 16> {{.*}} rhs_zero_point(%[[ZERO]]
func.func @floats(%x: tensor<3x16xf32>) -> tensor<3x1xf32> {
  %w = arith.constant dense<[[-2, 1, 0, -1, -1, 0, 0, -1, 0, -1, 1, -2, 1, -2, 1, -2]]> : tensor<1x16xi2>
  %s = arith.constant dense<1.0> : tensor<1x1xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x16xf32>, tensor<1x16xi2>)
      rhs_scale(%s : tensor<1x1xf32>) {group_size = 16 : i64} -> tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}

// X86-LABEL: @short_groups
// X86: arith.constant dense<"0x10232211{{(0{120})}}32013300{{(0{120})}}"> : tensor<1x2x1x16x4xi8>
// X86: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8>
func.func @short_groups(%x: tensor<3x16xi8>) -> tensor<3x1xf32> {
  %w = arith.constant dense<[[-2, 1, 0, -1, -1, 0, 0, -1, 0, -1, 1, -2, 1, -2, 1, -2]]> : tensor<1x16xi2>
  %s = arith.constant dense<1.0> : tensor<1x2xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x16xi8>, tensor<1x16xi2>)
      rhs_scale(%s : tensor<1x2xf32>) {group_size = 8 : i64} -> tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}
