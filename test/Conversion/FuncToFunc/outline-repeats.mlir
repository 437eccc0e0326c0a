// Equal layers become one function. What differs from layer to layer is an
// argument, what may stand anywhere the function has of its own.
// RUN: quant-opt %s -split-input-file -quant-outline-repeats="min-ops=2 min-repeats=3" | FileCheck %s

// The result is written to a tensor of the caller's. A weight of each layer is
// an argument; the empty tensor, the fill and the scalar that all layers use
// are not. Names of products are dropped.
// CHECK-LABEL: func.func private @layers_layer
// CHECK-SAME: (%[[X:[^:]*]]: tensor<1x4xf32>, %[[W:[^:]*]]: tensor<4x4xf32>, %[[OUT:[^:]*]]: tensor<1x4xf32>)
// CHECK-SAME: -> tensor<1x4xf32> attributes {no_inline}
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-DAG: %[[EMPTY:.*]] = tensor.empty() : tensor<1x4xf32>
// CHECK-DAG: %[[FILL:.*]] = linalg.fill ins(%[[ZERO]] : f32) outs(%[[EMPTY]]
// CHECK: %[[Y:.*]] = linalg.matmul ins(%[[X]], %[[W]] : {{.*}}) outs(%[[FILL]]
// CHECK-NEXT: %[[R:.*]] = linalg.abs ins(%[[Y]]
// CHECK-NEXT: %[[STORED:.*]] = bufferization.materialize_in_destination %[[R]] in %[[OUT]]
// CHECK-NEXT: return %[[STORED]]
// CHECK-LABEL: func.func @layers
// CHECK-SAME: (%[[IN:[^:]*]]: tensor<1x4xf32>, %[[W0:[^:]*]]: tensor<4x4xf32>, %[[W1:[^:]*]]: tensor<4x4xf32>, %[[W2:[^:]*]]: tensor<4x4xf32>)
// CHECK: %[[E0:.*]] = tensor.empty
// CHECK-NEXT: %[[A:.*]] = call @layers_layer(%[[IN]], %[[W0]], %[[E0]]) {no_inline}
// CHECK: %[[B:.*]] = call @layers_layer(%[[A]], %[[W1]], %{{.*}})
// CHECK: %[[C:.*]] = call @layers_layer(%[[B]], %[[W2]], %{{.*}})
// CHECK-NEXT: return %[[C]]
func.func @layers(%x: tensor<1x4xf32>, %w0: tensor<4x4xf32>, %w1: tensor<4x4xf32>, %w2: tensor<4x4xf32>) -> tensor<1x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x4xf32>) -> tensor<1x4xf32>
  %y0 = linalg.matmul {quant.name = "a"} ins(%x, %w0 : tensor<1x4xf32>, tensor<4x4xf32>) outs(%f : tensor<1x4xf32>) -> tensor<1x4xf32>
  %r0 = linalg.abs ins(%y0 : tensor<1x4xf32>) outs(%e : tensor<1x4xf32>) -> tensor<1x4xf32>
  // Not shared, as that of the first layer is.
  %e1 = tensor.empty() : tensor<1x4xf32>
  %y1 = linalg.matmul {quant.name = "b"} ins(%r0, %w1 : tensor<1x4xf32>, tensor<4x4xf32>) outs(%f : tensor<1x4xf32>) -> tensor<1x4xf32>
  %r1 = linalg.abs ins(%y1 : tensor<1x4xf32>) outs(%e1 : tensor<1x4xf32>) -> tensor<1x4xf32>
  %y2 = linalg.matmul {quant.name = "c"} ins(%r1, %w2 : tensor<1x4xf32>, tensor<4x4xf32>) outs(%f : tensor<1x4xf32>) -> tensor<1x4xf32>
  %r2 = linalg.abs ins(%y2 : tensor<1x4xf32>) outs(%e : tensor<1x4xf32>) -> tensor<1x4xf32>
  return %r2 : tensor<1x4xf32>
}

// -----

// A cache that is changed stays the caller's; where it is changed is given. So
// is what a region uses, and a scalar that is another in each layer.
// CHECK-LABEL: func.func private @caches_layer
// CHECK-SAME: (%[[X:[^:]*]]: tensor<1x4xf32>, %[[SCALE:[^:]*]]: f32, %[[CACHE:[^:]*]]: tensor<8x4xf32>, %[[AT:[^:]*]]: index, %[[OUT:[^:]*]]: tensor<1x4xf32>)
// CHECK-SAME: -> (tensor<1x4xf32>, tensor<8x4xf32>)
// CHECK: linalg.generic
// CHECK: arith.mulf %{{.*}}, %[[SCALE]] : f32
// CHECK: %[[CHANGED:.*]] = tensor.insert_slice %{{.*}} into %[[CACHE]][%[[AT]], 0]
// CHECK: return %{{.*}}, %[[CHANGED]]
// CHECK-LABEL: func.func @caches
// CHECK-DAG: %[[S0:.*]] = arith.constant 1.0
// CHECK-DAG: %[[S1:.*]] = arith.constant 2.0
// CHECK-DAG: %[[S2:.*]] = arith.constant 3.0
// CHECK: call @caches_layer(%{{.*}}, %[[S0]], %arg1, %arg4, %{{.*}})
// CHECK: call @caches_layer(%{{.*}}, %[[S1]], %arg2, %arg4, %{{.*}})
// CHECK: call @caches_layer(%{{.*}}, %[[S2]], %arg3, %arg4, %{{.*}})
#id = affine_map<(i, j) -> (i, j)>
func.func @caches(%x: tensor<1x4xf32>, %c0: tensor<8x4xf32>, %c1: tensor<8x4xf32>, %c2: tensor<8x4xf32>, %at: index)
    -> (tensor<1x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>) {
  %s0 = arith.constant 1.0 : f32
  %s1 = arith.constant 2.0 : f32
  %s2 = arith.constant 3.0 : f32
  %e = tensor.empty() : tensor<1x4xf32>
  %y0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<1x4xf32>) outs(%e : tensor<1x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %p = arith.mulf %a, %s0 : f32
    linalg.yield %p : f32
  } -> tensor<1x4xf32>
  %d0 = tensor.insert_slice %y0 into %c0[%at, 0] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<8x4xf32>
  %y1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%y0 : tensor<1x4xf32>) outs(%e : tensor<1x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %p = arith.mulf %a, %s1 : f32
    linalg.yield %p : f32
  } -> tensor<1x4xf32>
  %d1 = tensor.insert_slice %y1 into %c1[%at, 0] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<8x4xf32>
  %y2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%y1 : tensor<1x4xf32>) outs(%e : tensor<1x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %p = arith.mulf %a, %s2 : f32
    linalg.yield %p : f32
  } -> tensor<1x4xf32>
  %d2 = tensor.insert_slice %y2 into %c2[%at, 0] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<8x4xf32>
  return %y2, %d0, %d1, %d2 : tensor<1x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>
}

// -----

// The ops are the same, but the last layer adds the input and not what the
// layer before it made: no three layers are equal.
// CHECK-LABEL: func.func @connected_otherwise
// CHECK-NOT: call
// CHECK: return
func.func @connected_otherwise(%x: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %a0 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %b0 = linalg.add ins(%a0, %a0 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %a1 = linalg.exp ins(%b0 : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %b1 = linalg.add ins(%a1, %a1 : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %a2 = linalg.exp ins(%b1 : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %b2 = linalg.add ins(%a2, %x : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %b2 : tensor<4xf32>
}

// -----

// Two inputs that are one value in the first layer, and two in the others, are
// two arguments.
// CHECK-LABEL: func.func private @one_and_two_layer
// CHECK-SAME: (%[[A:[^:]*]]: tensor<4xf32>, %[[B:[^:]*]]: tensor<4xf32>, %[[OUT:[^:]*]]: tensor<4xf32>)
// CHECK: linalg.exp ins(%[[A]] :
// CHECK: linalg.add ins(%{{.*}}, %[[B]] :
// CHECK-LABEL: func.func @one_and_two
// CHECK: call @one_and_two_layer(%arg0, %arg0, %
// CHECK: call @one_and_two_layer(%{{.*}}, %arg0, %
// CHECK: call @one_and_two_layer(%{{.*}}, %arg0, %
func.func @one_and_two(%x: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %a0 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %b0 = linalg.add ins(%a0, %x : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %a1 = linalg.exp ins(%b0 : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %b1 = linalg.add ins(%a1, %x : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %a2 = linalg.exp ins(%b1 : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %b2 = linalg.add ins(%a2, %x : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %b2 : tensor<4xf32>
}
