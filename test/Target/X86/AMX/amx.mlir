// AMX: what is chosen, how operands are packed, and the machine code: tiles in
// registers, one configuration outside of all loops.

// RUN: quant-opt --quant-to-x86="cpu=sapphirerapids stop-after=packed" %s | FileCheck %s --check-prefix=PACKED
// RUN: quant-opt --quant-to-x86="cpu=sapphirerapids stop-after=target" %s | FileCheck %s --check-prefix=TARGET
// RUN: quant-opt --quant-to-x86="cpu=sapphirerapids" %s | mlir-translate --mlir-to-llvmir \
// RUN:   | opt -O3 -mcpu=sapphirerapids | llc -O3 -mcpu=sapphirerapids | FileCheck %s --check-prefix=ASM

// Signed times signed: no shift to unsigned, no correction.
// PACKED-LABEL: func.func @linear
// PACKED-NOT: xori
// PACKED: linalg.pack {{.*}} inner_tiles = [16, 64] {{.*}} -> tensor<8x64x16x64xi8>
// PACKED: linalg.pack {{.*}} inner_tiles = [16, 4] {{.*}} -> tensor<6x1024x16x4xi8>
// PACKED: qtarget.packed_matmul #qtarget.x86<amx_tdpbssd> layout
// PACKED-NOT: col_bias
// PACKED-SAME: outs
func.func @linear(%q: tensor<128x4096xi8>, %w: tensor<96x4096xi8>, %sx: tensor<128xf32>,
                  %sw: tensor<96xf32>) -> tensor<128x96xf32> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<128x96xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<128x96xi32>) -> tensor<128x96xi32>
  %acc = quant.matmul ins(%q, %w : tensor<128x4096xi8>, tensor<96x4096xi8>)
           outs(%init : tensor<128x96xi32>) {transpose_rhs} -> tensor<128x96xi32>
  %y = quant.rescale %acc row_scale(%sx : tensor<128xf32>) channel_scale(%sw : tensor<96xf32>)
         : tensor<128x96xi32> -> tensor<128x96xf32>
  return %y : tensor<128x96xf32>
}

// Rows are split evenly over as few tiles as can be: 20 rows are 2 of 10. K is
// padded to whole tiles.
// PACKED-LABEL: func.func @unsigned
// PACKED: tensor.pad {{.*}} high[0, 44]
// PACKED: qtarget.packed_matmul #qtarget.x86<amx_tdpbuud> layout<lhs = u8 10x64, rhs = u8 16x4> ins({{.*}} : tensor<2x2x10x64xi8>, tensor<2x32x16x4xi8>)
func.func @unsigned(%q: tensor<20x84xi8>, %w: tensor<24x84xi8>) -> tensor<20x24xi32> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<20x24xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<20x24xi32>) -> tensor<20x24xi32>
  %acc = quant.matmul ins(%q, %w : tensor<20x84xi8>, tensor<24x84xi8>)
           outs(%init : tensor<20x24xi32>) {transpose_rhs, lhs_unsigned, rhs_unsigned}
           -> tensor<20x24xi32>
  return %acc : tensor<20x24xi32>
}

// A row or two: vectors.
// PACKED-LABEL: func.func @few
// PACKED: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout
func.func @few(%q: tensor<2x64xi8>, %w: tensor<32x64xi8>) -> tensor<2x32xi32> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<2x32xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<2x32xi32>) -> tensor<2x32xi32>
  %acc = quant.matmul ins(%q, %w : tensor<2x64xi8>, tensor<32x64xi8>)
           outs(%init : tensor<2x32xi32>) {transpose_rhs} -> tensor<2x32xi32>
  return %acc : tensor<2x32xi32>
}

// A number of rows that only the run knows; and a zero point, which starts the
// tiles: a load of stride 0.
// PACKED-LABEL: func.func @dynamic
// PACKED: qtarget.packed_matmul #qtarget.x86<amx_tdpbssd> layout<lhs = s8 16x64, rhs = s8 16x4> {{.*}} col_bias
func.func @dynamic(%q: tensor<?x64xi8>, %init: tensor<?x32xi32>) -> tensor<?x32xi32> {
  %w = arith.constant dense<3> : tensor<32x64xi8>
  %zx = arith.constant dense<5> : tensor<i32>
  %acc = quant.matmul ins(%q, %w : tensor<?x64xi8>, tensor<32x64xi8>)
           lhs_zero_point(%zx : tensor<i32>)
           outs(%init : tensor<?x32xi32>) {transpose_rhs} -> tensor<?x32xi32>
  return %acc : tensor<?x32xi32>
}

// One function for both matmuls.
// PACKED-LABEL: func.func @twice
// TARGET-LABEL: func.func @twice
// TARGET: call @quant_amx_matmul_[[TWICE:[0-9]+]](
// TARGET: call @quant_amx_matmul_[[TWICE]](
func.func @twice(%q: tensor<16x64xi8>, %w: tensor<64x64xi8>, %s: tensor<f32>) -> tensor<16x64xi8> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<16x64xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<16x64xi32>) -> tensor<16x64xi32>
  %a = quant.matmul ins(%q, %w : tensor<16x64xi8>, tensor<64x64xi8>)
         outs(%init : tensor<16x64xi32>) {transpose_rhs} -> tensor<16x64xi32>
  %x = quant.rescale %a row_scale(%s : tensor<f32>) {zero_point = 0 : i32, range = array<i64: -128, 127>}
         : tensor<16x64xi32> -> tensor<16x64xi8>
  %b = quant.matmul ins(%x, %w : tensor<16x64xi8>, tensor<64x64xi8>)
         outs(%init : tensor<16x64xi32>) {transpose_rhs} -> tensor<16x64xi32>
  %y = quant.rescale %b row_scale(%s : tensor<f32>) {zero_point = 0 : i32, range = array<i64: -128, 127>}
         : tensor<16x64xi32> -> tensor<16x64xi8>
  return %y : tensor<16x64xi8>
}

// 2 x 2 tiles are carried over K; 2 loads of each operand for 4 products. Each
// step asks for a share of the next panels, and of the lines that are stored
// when the loop ends.
// TARGET-LABEL: func.func private @quant_amx_matmul_0(
// TARGET-SAME: passthrough = ["noinline"]
// TARGET-COUNT-4: amx.tile_zero : !amx.tile<16x16xi32>
// TARGET: scf.for {{.*}} iter_args({{.*}}) -> (!amx.tile<16x16xi32>, !amx.tile<16x16xi32>, !amx.tile<16x16xi32>, !amx.tile<16x16xi32>)
// TARGET-COUNT-8: memref.prefetch {{.*}}, read, locality<2>, data : memref<6x1024x64xi8>
// TARGET-COUNT-2: memref.prefetch {{.*}}, write, locality<2>, data : memref<128x96xf32>
// TARGET-NOT: memref.prefetch
// TARGET-COUNT-4: amx.tile_muli
// TARGET: scf.yield
// TARGET-COUNT-4: amx.tile_store
// TARGET: vector.store {{.*}} : memref<128x96xf32>, vector<16xf32>

// Two rows of tiles ask for their own panels, two steps ahead, into L1.
// TARGET-LABEL: func.func private @quant_amx_matmul_1(
// TARGET-COUNT-32: memref.prefetch {{.*}}, read, locality<3>, data : memref<2x32x64xi8>
// TARGET-NOT: read, locality
// TARGET: !amx.tile<10x64xi8>

// A zero point starts the tiles, by a load of stride 0.
// TARGET-LABEL: func.func private @quant_amx_matmul_2(
// TARGET: amx.tile_load {{.*}}, %{{.*}} : memref<2x16xi32> into !amx.tile<16x16xi32>

// The loop over K is 4 loads and 4 products, and what leaves the tiles are the
// accumulators, once for each block.
// ASM-LABEL: linear:
// ASM: callq quant_amx_matmul_0
// ASM-LABEL: quant_amx_matmul_0:
// ASM-NOT: {{tileload|tdpb}}
// ASM: ldtilecfg
// ASM-NOT: {{ldtilecfg|tdpb|tileload}}
// ASM-COUNT-4: tilezero
// ASM: Inner Loop Header
// ASM: prefetchw
// ASM-NOT: {{Spill|Reload|tilezero|tilestore|ldtilecfg|tdpb}}
// ASM-COUNT-2: tileloadd
// ASM-NOT: {{Spill|Reload|tilezero|tilestore|ldtilecfg}}
// ASM: tdpbssd
// ASM-NOT: {{Spill|Reload|tilezero|tilestore|ldtilecfg|tdpb}}
// ASM: tileloadd
// ASM-NOT: {{Spill|Reload|tilezero|tilestore|ldtilecfg}}
// ASM: tdpbssd
// ASM-NOT: {{Spill|Reload|tilezero|tilestore|ldtilecfg|tdpb}}
// ASM: tileloadd
// ASM-NOT: {{Spill|Reload|tilezero|tilestore|ldtilecfg|tileload}}
// ASM: tdpbssd
// ASM-NOT: {{Spill|Reload|tilezero|tilestore|ldtilecfg|tileload}}
// ASM: tdpbssd
// ASM-NOT: {{Spill|Reload|tilezero|tilestore|ldtilecfg|tileload|tdpb}}
// ASM: jb
// ASM-COUNT-4: tilestored
// ASM-NOT: {{tilestored|ldtilecfg|tileload}}
// ASM: Inner Loop Header
// ASM-NOT: ldtilecfg
// ASM: tilerelease
