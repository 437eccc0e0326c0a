// Operands that were packed for an instruction of another kind of machine.
// RUN: quant-opt %s -quant-set-nvvm-target=chip=sm_80 -convert-quant-to-nvvm -split-input-file -verify-diagnostics

func.func @matmul(%a: memref<5x8xi8>, %w: memref<1x2x16x4xi8>, %o: memref<5x9xi32>) {
  // expected-error@+1 {{expected operands packed for an instruction of "sm_80", found some for vpdpbusd_512}}
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s8 16x4> ins(%a, %w : memref<5x8xi8>, memref<1x2x16x4xi8>) outs(%o : memref<5x9xi32>)
  return
}

// -----

func.func @scaled(%x: memref<3x16xi8>, %w: memref<1x2x1x16x4xi8>, %s: memref<1x2x16xf32>, %y: memref<3x2xf32>) {
  // expected-error@+1 {{expected operands packed for an instruction of "sm_80", found some for vpdpbusd_512}}
  qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 8> ins(%x, %w : memref<3x16xi8>, memref<1x2x1x16x4xi8>) rhs_scale(%s : memref<1x2x16xf32>) outs(%y : memref<3x2xf32>)
  return
}
