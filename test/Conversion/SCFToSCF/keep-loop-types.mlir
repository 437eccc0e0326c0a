// RUN: quant-opt %s --quant-keep-loop-types --canonicalize | FileCheck %s
// Upstream alone casts what has grown to the sizes of the start. Once this
// fails, the pass can go.
// RUN: quant-opt %s --canonicalize | FileCheck %s --check-prefix=UPSTREAM

// CHECK-LABEL: func @grow
// CHECK: %[[C:.*]] = tensor.cast %{{.*}} : tensor<1x8xf32> to tensor<?x8xf32>
// CHECK: %[[S:.*]] = bufferization.alloc_tensor() copy(%[[C]]) : tensor<?x8xf32>
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[S]]) -> (tensor<?x8xf32>)
// CHECK: scf.yield %{{.*}} : tensor<?x8xf32>
// UPSTREAM-LABEL: func @grow
// UPSTREAM: scf.for {{.*}} -> (tensor<1x8xf32>)
// UPSTREAM: tensor.cast %{{.*}} : tensor<?x8xf32> to tensor<1x8xf32>
func.func @grow(%x: tensor<1x8xf32>, %n: index) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %first = tensor.cast %x : tensor<1x8xf32> to tensor<?x8xf32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%c = %first) -> (tensor<?x8xf32>) {
    %both = tensor.concat dim(0) %c, %x : (tensor<?x8xf32>, tensor<1x8xf32>) -> tensor<?x8xf32>
    scf.yield %both : tensor<?x8xf32>
  }
  return %r : tensor<?x8xf32>
}

// Where each turn has the same static type, upstream's is the better one.
// CHECK-LABEL: func @negative_same_type
// CHECK-NOT: alloc_tensor
// CHECK: scf.for {{.*}} -> (tensor<1x8xf32>)
func.func @negative_same_type(%x: tensor<1x8xf32>, %n: index) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %first = tensor.cast %x : tensor<1x8xf32> to tensor<?x8xf32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%c = %first) -> (tensor<?x8xf32>) {
    %s = tensor.cast %c : tensor<?x8xf32> to tensor<1x8xf32>
    %y = arith.addf %s, %x : tensor<1x8xf32>
    %d = tensor.cast %y : tensor<1x8xf32> to tensor<?x8xf32>
    scf.yield %d : tensor<?x8xf32>
  }
  return %r : tensor<?x8xf32>
}
