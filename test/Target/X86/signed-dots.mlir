// Dot products of a signed left operand: no shift by 128, no correction, and the
// instruction of the signs in the machine code.
// RUN: quant-opt %s --quant-to-x86="cpu=sierraforest stop-after=packed" | FileCheck %s --check-prefixes=PACKED,NARROW
// RUN: quant-opt %s --quant-to-x86="cpu=icelake-server features=+avx10.2 stop-after=packed" | FileCheck %s --check-prefixes=PACKED,WIDE
// RUN: quant-opt %s --quant-to-x86=cpu=sierraforest | mlir-translate --mlir-to-llvmir | opt -O3 -mcpu=sierraforest | llc -O3 -mcpu=sierraforest | FileCheck %s --check-prefix=ASM256
// RUN: quant-opt %s --quant-to-x86="cpu=icelake-server features=+avx10.2" | mlir-translate --mlir-to-llvmir | opt -O3 -mcpu=icelake-server -mattr=+avx10.2 | llc -O3 -mcpu=icelake-server -mattr=+avx10.2 | FileCheck %s --check-prefix=ASM512

// PACKED-LABEL: func.func @signs
// PACKED-NOT: col_bias
// NARROW: qtarget.packed_matmul #qtarget.x86<vpdpbssd_256> layout{{.*}} ins(%arg0,
// NARROW: qtarget.packed_matmul #qtarget.x86<vpdpbsud_256> layout{{.*}} ins(%arg0,
// WIDE: qtarget.packed_matmul #qtarget.x86<vpdpbssd_512> layout{{.*}} ins(%arg0,
// WIDE: qtarget.packed_matmul #qtarget.x86<vpdpbsud_512> layout{{.*}} ins(%arg0,
// An unsigned one has vpdpbusd.
// NARROW: qtarget.packed_matmul #qtarget.x86<vpdpbusd_256> layout
// WIDE: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout

// ASM256-LABEL: signs:
// ASM256-DAG: vpdpbssd {{.*}}%ymm
// ASM256-DAG: vpdpbsud {{.*}}%ymm
// ASM256-DAG: vpdpbusd {{.*}}%ymm
// ASM512-LABEL: signs:
// ASM512-DAG: vpdpbssd {{.*}}%zmm
// ASM512-DAG: vpdpbsud {{.*}}%zmm
// ASM512-DAG: vpdpbusd {{.*}}%zmm
func.func @signs(%x: tensor<8x64xi8>, %w: tensor<64x64xi8>) -> (tensor<8x64xi32>, tensor<8x64xi32>, tensor<8x64xi32>) {
  %c = arith.constant 0 : i32
  %e = tensor.empty() : tensor<8x64xi32>
  %i = linalg.fill ins(%c : i32) outs(%e : tensor<8x64xi32>) -> tensor<8x64xi32>
  %0 = quant.matmul ins(%x, %w : tensor<8x64xi8>, tensor<64x64xi8>) outs(%i : tensor<8x64xi32>) {transpose_rhs} -> tensor<8x64xi32>
  %1 = quant.matmul ins(%x, %w : tensor<8x64xi8>, tensor<64x64xi8>) outs(%i : tensor<8x64xi32>) {transpose_rhs, rhs_unsigned} -> tensor<8x64xi32>
  %2 = quant.matmul ins(%x, %w : tensor<8x64xi8>, tensor<64x64xi8>) outs(%i : tensor<8x64xi32>) {transpose_rhs, lhs_unsigned} -> tensor<8x64xi32>
  return %0, %1, %2 : tensor<8x64xi32>, tensor<8x64xi32>, tensor<8x64xi32>
}
