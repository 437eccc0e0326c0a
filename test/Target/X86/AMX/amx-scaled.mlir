// Grouped matmuls on AMX: unpacked once for all rows, four products a step, one
// fused multiply-add for each vector at a group's end.

// RUN: quant-opt --quant-to-x86="cpu=sapphirerapids stop-after=target" %s | FileCheck %s
// RUN: quant-opt --quant-to-x86="cpu=sapphirerapids" %s | mlir-translate --mlir-to-llvmir \
// RUN:   | opt -O3 -mcpu=sapphirerapids | llc -O3 -mcpu=sapphirerapids | FileCheck %s --check-prefix=ASM

// Few rows take vectors, in the same program.
// CHECK-LABEL: func.func @grouped
// CHECK: %[[FILL:.*]] = arith.cmpi uge, %{{.*}}, %c16
// CHECK: scf.if %[[FILL]]
// CHECK: call @quant_amx_matmul_0(
// CHECK: } else {
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"

// CHECK-LABEL: func.func private @quant_amx_matmul_0(
// CHECK-SAME: passthrough = ["noinline"]
// CHECK: arith.shrui %{{.*}} : vector<64xi8>
// CHECK-COUNT-4: amx.tile_zero : !amx.tile<16x16xi32>
// CHECK: amx.tile_load {{.*}} into !amx.tile<16x64xi8>
// CHECK-COUNT-8: amx.tile_muli {{.*}} zext
// CHECK-NOT: amx.tile_muli
// CHECK-COUNT-4: amx.tile_store
// CHECK: arith.sitofp
// CHECK: math.fma

// No tile is spilled, and tiles are configured once.
// ASM-LABEL: quant_amx_matmul_0:
// ASM: ldtilecfg
// ASM-NOT: {{ldtilecfg|1024-byte}}
// ASM: tdpbsud
// ASM-NOT: {{ldtilecfg|1024-byte}}
// ASM: tilerelease
func.func @grouped(%x: tensor<?x512xi8>, %sx: tensor<?xf32>) -> tensor<?x32xf32> {
  %p = arith.constant dense<1> : tensor<32x256xi8>
  %w = quant.unpack_int4 %p : tensor<32x256xi8> -> tensor<32x512xi4>
  %s = arith.constant dense<1.0> : tensor<32x4xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<?x512xi8>, tensor<32x512xi4>)
      row_scale(%sx : tensor<?xf32>) rhs_scale(%s : tensor<32x4xf32>)
      {group_size = 128 : i64} -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
