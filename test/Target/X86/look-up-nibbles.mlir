// What each machine looks both nibbles of a byte up with: as many look-ups as dot
// products of two columns of 16.
// RUN: quant-opt %s --quant-to-x86=cpu=icelake-server | FileCheck %s --check-prefix=VBMI
// RUN: quant-opt %s --quant-to-x86=cpu=cascadelake | FileCheck %s --check-prefix=BW
// RUN: quant-opt %s --quant-to-x86="cpu=cascadelake features=-avx512bw" | FileCheck %s --check-prefix=HALVES
// RUN: quant-opt %s --quant-to-x86=cpu=alderlake | FileCheck %s --check-prefix=VEX
// All of it is selected.
// RUN: quant-opt %s --quant-to-x86="cpu=cascadelake features=-avx512bw" | mlir-translate --mlir-to-llvmir | llc -mcpu=cascadelake -mattr=-avx512bw -o - | FileCheck %s --check-prefix=ASM

// VBMI-NOT: pshuf.b
// VBMI-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512.permvar.qi.512"
// VBMI: llvm.x86.avx512.vpdpbusd.512
// VBMI-NOT: pshuf.b
// BW-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512.pshuf.b.512"
// BW-NOT: permvar.qi
// HALVES-COUNT-4: llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"
// HALVES-NOT: pshuf.b.512
// VEX-COUNT-2: llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"
// VEX: llvm.x86.avx512.vpdpbusd.256
// ASM: vpshufb {{.*}}%ymm
// ASM: vpdpbusd {{.*}}%zmm
func.func @codebook(%x: tensor<1x64xi8>) -> tensor<1x16xf32> {
  %w = arith.constant dense<-1> : tensor<16x64xi4>
  %s = arith.constant dense<1.0> : tensor<16x2xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<1x64xi8>, tensor<16x64xi4>)
      rhs_scale(%s : tensor<16x2xf32>)
      {group_size = 32 : i64, rhs_codebook = array<i8: 0, 1, 2, 3, 4, 6, 8, 12,
                                              0, -1, -2, -3, -4, -6, -8, -12>}
      -> tensor<1x16xf32>
  return %y : tensor<1x16xf32>
}
