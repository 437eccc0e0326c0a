// RUN: quant-opt %s | quant-opt | FileCheck %s

// CHECK-LABEL: func @tensors
// CHECK: quant.float_attention query(%{{.*}} : tensor<2x3x?x64xf32>) past(%{{.*}}, %{{.*}} : tensor<2x64x?xf32>, tensor<2x?x64xf32>) new(%{{.*}}, %{{.*}} : tensor<2x64x?xf32>, tensor<2x?x64xf32>) outs(%{{.*}} : tensor<?x2x3x64xf32>) scale = 1.250000e-01 -> tensor<?x2x3x64xf32>
func.func @tensors(%q: tensor<2x3x?x64xf32>, %pk: tensor<2x64x?xf32>, %pv: tensor<2x?x64xf32>,
                   %nk: tensor<2x64x?xf32>, %nv: tensor<2x?x64xf32>,
                   %y: tensor<?x2x3x64xf32>) -> tensor<?x2x3x64xf32> {
  %0 = quant.float_attention query(%q : tensor<2x3x?x64xf32>)
    past(%pk, %pv : tensor<2x64x?xf32>, tensor<2x?x64xf32>)
    new(%nk, %nv : tensor<2x64x?xf32>, tensor<2x?x64xf32>)
    outs(%y : tensor<?x2x3x64xf32>) scale = 0.125 -> tensor<?x2x3x64xf32>
  return %0 : tensor<?x2x3x64xf32>
}

// CHECK-LABEL: func @memrefs
// CHECK: quant.float_attention {{.*}} outs(%{{.*}} : memref<1x1x1x6xf32>) scale = 1.000000e+00{{$}}
func.func @memrefs(%q: memref<1x1x1x6xf32>, %pk: memref<1x6x7xf32>, %pv: memref<1x7x6xf32>,
                   %nk: memref<1x6x1xf32>, %nv: memref<1x1x6xf32>, %y: memref<1x1x1x6xf32>) {
  quant.float_attention query(%q : memref<1x1x1x6xf32>)
    past(%pk, %pv : memref<1x6x7xf32>, memref<1x7x6xf32>)
    new(%nk, %nv : memref<1x6x1xf32>, memref<1x1x6xf32>)
    outs(%y : memref<1x1x1x6xf32>) scale = 1.0
  return
}
