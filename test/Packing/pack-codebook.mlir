// RUN: quant-opt %s -quant-set-target=cpu=icelake-server -quant-pack-matmul | FileCheck %s --check-prefix=X86
// RUN: quant-opt %s -quant-set-target=cpu=icelake-server -quant-pack-matmul | quant-opt | FileCheck %s --check-prefix=X86
// RUN: quant-opt %s --quant-to-arm="cpu=neoverse-v1 stop-after=packed" | FileCheck %s --check-prefix=ARM
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_80 stop-after=packed" | FileCheck %s --check-prefix=NVVM

// Stored nibbles stay as they are: the layout has the code book, of bytes that
// the kernel multiplies (unsigned: 128 more). The bits are indices, so -1 is 15.
// X86: arith.constant dense<"0x{{(F{8}0{120}){8}"}}> : tensor<1x2x4x16x4xi8>
// X86: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout<lhs = s8, rhs = u4 16x8, group = 32, codebook = [128, 129, 130, 131, 132, 134, 136, 140, 128, 127, 126, 125, 124, 122, 120, 116]> {{.*}} row_bias(

// Signed entries need no correction, for which unsigned nibbles have usdot.
// ARM: qtarget.packed_matmul #qtarget.arm<sdot_128> layout<lhs = s8, rhs = u4 4x8, group = 32, codebook = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]>
// ARM-NOT: row_bias
// ARM-SAME: outs(

// Who does not look up has entries as bytes: -12.
// NVVM: arith.constant dense<"0x{{((F4){4}0{56}){16}"}}>
// NVVM: qtarget.packed_matmul #qtarget.nvvm<grouped_s8> layout<lhs = s8 1x64, rhs = s8 8x4, group = 32>
func.func @codebook(%x: tensor<3x64xi8>) -> tensor<3x1xf32> {
  %w = arith.constant dense<-1> : tensor<1x64xi4>
  %s = arith.constant dense<1.0> : tensor<1x2xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x64xi8>, tensor<1x64xi4>)
      rhs_scale(%s : tensor<1x2xf32>)
      {group_size = 32 : i64, rhs_codebook = array<i8: 0, 1, 2, 3, 4, 6, 8, 12,
                                              0, -1, -2, -3, -4, -6, -8, -12>}
      -> tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}
