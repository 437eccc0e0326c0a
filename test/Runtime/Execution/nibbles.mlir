// Weights of 4 bits with a scale for each column, packed two in a byte: the
// reference lowering of the packed form, its kernels on every kind of vector and
// the unpacked program give the same bits.

// REQUIRES: cpu-avx2
// RUN: quant-run %s --target=generic --random-inputs=3 --outputs=%t.plain > /dev/null
// RUN: quant-opt %s --quant-set-target=cpu=icelake-server --quant-pack-matmul --canonicalize > %t.packed.mlir
// RUN: FileCheck %s --input-file=%t.packed.mlir
// RUN: quant-opt %t.packed.mlir --convert-quant-to-linalg --quant-lower-pack --canonicalize > %t.packed1.mlir
// RUN: quant-run %t.packed1.mlir --target=generic --random-inputs=3 --outputs=%t.packed > /dev/null
// RUN: cmp %t.plain/out0.npy %t.packed/out0.npy
// RUN: quant-opt %s --quant-set-target=cpu=haswell --quant-pack-matmul --convert-quant-to-linalg --quant-lower-pack --canonicalize > %t.packed2.mlir
// RUN: quant-run %t.packed2.mlir --target=generic --random-inputs=3 --outputs=%t.packed > /dev/null
// RUN: cmp %t.plain/out0.npy %t.packed/out0.npy
// RUN: quant-run %s --target=x86 --random-inputs=3 --outputs=%t.x86 > /dev/null
// RUN: cmp %t.plain/out0.npy %t.x86/out0.npy
// RUN: quant-run %s --target=x86 --cpu=haswell --random-inputs=3 --outputs=%t.x86 > /dev/null
// RUN: cmp %t.plain/out0.npy %t.x86/out0.npy
// RUN: quant-run %s --target=x86 --cpu=x86-64 --random-inputs=3 --outputs=%t.x86 > /dev/null
// RUN: cmp %t.plain/out0.npy %t.x86/out0.npy

// CHECK: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = u8, rhs = s4 16x8>
func.func @main(%x: tensor<13x22xf32>) -> tensor<13x3xf32> {
  %p = arith.constant dense<"0x10325476987654321032FEDCBA1032547698765432FEDCBA103254769876543210"> : tensor<3x11xi8>
  %w = quant.unpack_int4 %p : tensor<3x11xi8> -> tensor<3x22xi4>
  %sw = arith.constant dense<[0.5, 0.25, 3.0]> : tensor<3xf32>
  %i = arith.constant dense<0> : tensor<13x3xi32>
  %sx = quant.choose_qparams %x axes = [0] range = [-127, 127] : tensor<13x22xf32> -> tensor<13xf32>
  %q = quant.quantize %x scale(%sx : tensor<13xf32>) axes = [0] range = [-127, 127] : tensor<13x22xf32> -> tensor<13x22xi8>
  %acc = quant.matmul ins(%q, %w : tensor<13x22xi8>, tensor<3x22xi4>) outs(%i : tensor<13x3xi32>) {transpose_rhs} -> tensor<13x3xi32>
  %y = quant.rescale %acc row_scale(%sx : tensor<13xf32>) channel_scale(%sw : tensor<3xf32>) : tensor<13x3xi32> -> tensor<13x3xf32>
  return %y : tensor<13x3xf32>
}
