// RUN: quant-opt %s | quant-opt | FileCheck %s

!words = tensor<2x16x?xi32>

// CHECK-LABEL: func @tensors
// CHECK: quant.cached_attention query(%{{.*}}, %{{.*}} : tensor<2x3x?x64xi8>, tensor<2x3x?xf32>) past(%{{.*}} : tensor<2x16x?xi32>, tensor<2x?xf32>, tensor<2x?x16xi32>, tensor<2x?xf32>) new(%{{.*}} : tensor<2x16x?xi32>, tensor<2x?xf32>, tensor<2x?x16xi32>, tensor<2x?xf32>) outs(%{{.*}} : tensor<?x2x3x64xf32>) bits = 8 -> tensor<?x2x3x64xf32>
func.func @tensors(%q: tensor<2x3x?x64xi8>, %qs: tensor<2x3x?xf32>,
                   %pk: !words, %ps: tensor<2x?xf32>, %pv: tensor<2x?x16xi32>,
                   %nk: !words, %ns: tensor<2x?xf32>, %nv: tensor<2x?x16xi32>,
                   %y: tensor<?x2x3x64xf32>) -> tensor<?x2x3x64xf32> {
  %0 = quant.cached_attention query(%q, %qs : tensor<2x3x?x64xi8>, tensor<2x3x?xf32>)
    past(%pk, %ps, %pv, %ps : !words, tensor<2x?xf32>, tensor<2x?x16xi32>, tensor<2x?xf32>)
    new(%nk, %ns, %nv, %ns : !words, tensor<2x?xf32>, tensor<2x?x16xi32>, tensor<2x?xf32>)
    outs(%y : tensor<?x2x3x64xf32>) bits = 8 -> tensor<?x2x3x64xf32>
  return %0 : tensor<?x2x3x64xf32>
}

// CHECK-LABEL: func @memrefs
// CHECK: quant.cached_attention {{.*}} outs(%{{.*}} : memref<1x1x1x32xf32>) bits = 4{{$}}
func.func @memrefs(%q: memref<1x1x1x32xi8>, %qs: memref<1x1x1xf32>,
                   %pk: memref<1x4x7xi32>, %ps: memref<1x7xf32>, %pv: memref<1x7x4xi32>,
                   %nk: memref<1x4x1xi32>, %ns: memref<1x1xf32>, %nv: memref<1x1x4xi32>,
                   %y: memref<1x1x1x32xf32>) {
  quant.cached_attention query(%q, %qs : memref<1x1x1x32xi8>, memref<1x1x1xf32>)
    past(%pk, %ps, %pv, %ps : memref<1x4x7xi32>, memref<1x7xf32>, memref<1x7x4xi32>, memref<1x7xf32>)
    new(%nk, %ns, %nv, %ns : memref<1x4x1xi32>, memref<1x1xf32>, memref<1x1x4xi32>, memref<1x1xf32>)
    outs(%y : memref<1x1x1x32xf32>) bits = 4
  return
}
