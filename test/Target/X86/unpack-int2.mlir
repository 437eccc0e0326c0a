// Four dot products of a vector of the weight. Of many rows: three shifts of words,
// four masks. Of one row: four masks, and the sums of three places are shifted.
// RUN: quant-opt %s --quant-to-x86=cpu=icelake-server | FileCheck %s
// RUN: quant-opt %s --quant-to-x86=cpu=icelake-server | mlir-translate --mlir-to-llvmir | llc -O3 -mcpu=icelake-server -o - | FileCheck %s --check-prefix=ASM
// RUN: quant-opt %s --quant-to-x86=cpu=alderlake | FileCheck %s --check-prefix=VEX

// CHECK-LABEL: llvm.func @int2(
// CHECK-NOT: llvm.lshr {{.*}}xi16>
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: vpdpbusd
// CHECK-COUNT-3: llvm.ashr %{{.*}} : vector<16xi32>
// CHECK-NOT: llvm.ashr
// ASM-LABEL: int2:
// ASM-COUNT-4: vpdpbusd {{.*}}%zmm
// ASM-NOT: vpdpbusd
// ASM-COUNT-3: vpsrad
// VEX-LABEL: llvm.func @int2(
// VEX-NOT: llvm.lshr {{.*}}xi16>
// VEX-COUNT-4: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"
// VEX: llvm.ashr %{{.*}} : vector<8xi32>
func.func @int2(%x: tensor<1x16xi8>) -> tensor<1x8xf32> {
  %w = arith.constant dense<-1> : tensor<8x16xi2>
  %s = arith.constant dense<1.0> : tensor<8x1xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<1x16xi8>, tensor<8x16xi2>)
      rhs_scale(%s : tensor<8x1xf32>) {group_size = 16 : i64} -> tensor<1x8xf32>
  return %y : tensor<1x8xf32>
}

// CHECK-LABEL: llvm.func @three_rows(
// CHECK-COUNT-3: llvm.lshr %{{.*}} : vector<32xi16>
// CHECK-NOT: llvm.lshr {{.*}}xi16>
// CHECK-COUNT-12: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: vpdpbusd
// CHECK-NOT: llvm.ashr
// ASM-LABEL: three_rows:
// ASM-COUNT-12: vpdpbusd {{.*}}%zmm
// ASM-NOT: vpdpbusd
// VEX-LABEL: llvm.func @three_rows(
// VEX-COUNT-3: llvm.lshr %{{.*}} : vector<16xi16>
func.func @three_rows(%x: tensor<3x16xi8>) -> tensor<3x8xf32> {
  %w = arith.constant dense<-1> : tensor<8x16xi2>
  %s = arith.constant dense<1.0> : tensor<8x1xf32>
  %y = quant.scaled_matmul ins(%x, %w : tensor<3x16xi8>, tensor<8x16xi2>)
      rhs_scale(%s : tensor<8x1xf32>) {group_size = 16 : i64} -> tensor<3x8xf32>
  return %y : tensor<3x8xf32>
}
