// RUN: quant-opt %s --quant-fill-splats | FileCheck %s

// CHECK-LABEL: func.func @large
// CHECK: %[[C:.*]] = arith.constant 5.000000e-01 : f32
// CHECK: %[[E:.*]] = tensor.empty() : tensor<1024x1024xf32>
// CHECK: %[[W:.*]] = linalg.fill ins(%[[C]] : f32) outs(%[[E]] : tensor<1024x1024xf32>)
// CHECK: %[[I:.*]] = arith.constant -3 : i8
// CHECK: linalg.fill ins(%[[I]] : i8)
// CHECK: return %[[W]]
func.func @large() -> (tensor<1024x1024xf32>, tensor<1048577xi8>) {
  %0 = arith.constant dense<0.5> : tensor<1024x1024xf32>
  %1 = arith.constant dense<-3> : tensor<1048577xi8>
  return %0, %1 : tensor<1024x1024xf32>, tensor<1048577xi8>
}

// Fewer elements are data, and so is what no fill takes.
// CHECK-LABEL: func.func @others
// CHECK: arith.constant dense<5.000000e-01> : tensor<1048575xf32>
// CHECK: arith.constant dense<(1.000000e+00,2.000000e+00)> : tensor<1048576xcomplex<f32>>
// CHECK-NOT: linalg.fill
// CHECK: return
func.func @others() -> (tensor<1048575xf32>, tensor<1048576xcomplex<f32>>) {
  %0 = arith.constant dense<0.5> : tensor<1048575xf32>
  %1 = arith.constant dense<(1.0, 2.0)> : tensor<1048576xcomplex<f32>>
  return %0, %1 : tensor<1048575xf32>, tensor<1048576xcomplex<f32>>
}

// Two ops that write over a fill have one each, where they stand; who reads it,
// and a fill of what is no empty tensor, are left alone.
// CHECK-LABEL: func @fills
// CHECK: %[[READ:.*]] = linalg.fill
// CHECK: linalg.fill ins(%{{.*}} : f32) outs(%arg3 : tensor<?x4xf32>)
// CHECK: %[[EMPTY:.*]] = tensor.empty(%arg2)
// CHECK: %[[FIRST:.*]] = linalg.fill {{.*}} outs(%[[EMPTY]]
// CHECK: linalg.matmul {{.*}} outs(%[[FIRST]]
// CHECK: %[[SECOND:.*]] = linalg.fill
// CHECK: linalg.matmul {{.*}} outs(%[[SECOND]]
// CHECK: linalg.matmul ins(%[[READ]],
func.func @fills(%a: tensor<?x4xf32>, %b: tensor<4x4xf32>, %n: index, %old: tensor<?x4xf32>)
    -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  %g = linalg.fill ins(%zero : f32) outs(%old : tensor<?x4xf32>) -> tensor<?x4xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<?x4xf32>, tensor<4x4xf32>) outs(%f : tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = linalg.matmul ins(%0, %b : tensor<?x4xf32>, tensor<4x4xf32>) outs(%f : tensor<?x4xf32>) -> tensor<?x4xf32>
  %2 = linalg.matmul ins(%f, %b : tensor<?x4xf32>, tensor<4x4xf32>) outs(%g : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0, %1, %2 : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
}
