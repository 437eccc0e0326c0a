// Four dot products of a vector of the weight: three shifts of words, four masks.
// RUN: quant-opt %s --quant-to-x86=cpu=icelake-server | FileCheck %s
// RUN: quant-opt %s --quant-to-x86=cpu=icelake-server | mlir-translate --mlir-to-llvmir | llc -O3 -mcpu=icelake-server -o - | FileCheck %s --check-prefix=ASM
// RUN: quant-opt %s --quant-to-x86=cpu=alderlake | FileCheck %s --check-prefix=VEX

// CHECK-COUNT-3: llvm.lshr %{{.*}} : vector<32xi16>
// CHECK-NOT: llvm.lshr
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: vpdpbusd
// ASM-COUNT-4: vpdpbusd {{.*}}%zmm
// ASM-NOT: vpdpbusd
// VEX-COUNT-3: llvm.lshr %{{.*}} : vector<16xi16>
// VEX-COUNT-4: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"
func.func @int2(%x: tensor<1x16xi8>) -> tensor<1x8xf32> {
  %w = arith.constant dense<-1> : tensor<8x16xi2>
  %s = arith.constant dense<1.0> : tensor<8x1xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<1x16xi8>, tensor<8x16xi2>)
      rhs_scale(%s : tensor<8x1xf32>) {group_size = 16 : i64} -> tensor<1x8xf32>
  return %y : tensor<1x8xf32>
}
