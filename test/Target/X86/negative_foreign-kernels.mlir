// Operands that were packed for an instruction of another kind of machine.
// RUN: quant-opt %s -quant-set-target=cpu=icelake-server -convert-quant-to-cpu -split-input-file -verify-diagnostics

func.func @matmul(%a: memref<5x1x1x64xi8>, %w: memref<2x1x8x64xi8>, %o: memref<5x9xi32>) {
  // expected-error@+1 {{expected operands packed for an instruction of a CPU, found some for}}
  qtarget.packed_matmul #qtarget.nvvm<dp4a> layout<lhs = s8 1x64, rhs = s8 8x64> ins(%a, %w : memref<5x1x1x64xi8>, memref<2x1x8x64xi8>) outs(%o : memref<5x9xi32>)
  return
}

// -----

func.func @scaled(%x: memref<3x1x1x64xi8>, %w: memref<1x2x8x8x4xi8>, %s: memref<1x2x8xf32>, %y: memref<3x8xf32>) {
  // expected-error@+1 {{expected operands packed for an instruction of a CPU, found some for}}
  qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s8 8x4, group = 32> ins(%x, %w : memref<3x1x1x64xi8>, memref<1x2x8x8x4xi8>) rhs_scale(%s : memref<1x2x8xf32>) outs(%y : memref<3x8xf32>)
  return
}
