// RUN: quant-opt %s --quant-inline-calls | FileCheck %s
// A constant that is passed to a function is packed like any other.
// RUN: quant-opt %s --quant-to-x86="cpu=icelake-server quantize=\"weights=channel activations=dynamic-token\" stop-after=packed" \
// RUN:   | FileCheck %s --check-prefix=PACKED

!q = !quant.uniform<i8:f32, 0.5>

// CHECK-LABEL: func @main
// CHECK: %[[W:.*]] = arith.constant
// CHECK: linalg.matmul ins(%{{.*}}, %[[W]] :
// CHECK-NOT: call @layer
// PACKED-LABEL: func.func @main
// PACKED-NOT: quant.choose_qparams {{.*}}tensor<8x16xf32>
// PACKED: qtarget.packed_matmul
func.func @main(%x: tensor<4x8xf32>) -> tensor<4x16xf32> {
  %w = arith.constant dense<0.5> : tensor<8x16xf32>
  %y = call @layer(%x, %w) : (tensor<4x8xf32>, tensor<8x16xf32>) -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

func.func private @layer(%x: tensor<4x8xf32>, %w: tensor<8x16xf32>) -> tensor<4x16xf32> {
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x16xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<4x16xf32>) -> tensor<4x16xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x16xf32>) outs(%z : tensor<4x16xf32>) -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// Nothing is folded on the way: the grid stays.
// CHECK-LABEL: func @casts
// CHECK: quant.qcast
// CHECK: quant.dcast
func.func @casts(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = call @round(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

func.func private @round(%x: tensor<4xf32>) -> tensor<4xf32> {
  %q = quant.qcast %x : tensor<4xf32> to tensor<4x!q>
  %d = quant.dcast %q : tensor<4x!q> to tensor<4xf32>
  return %d : tensor<4xf32>
}

// CHECK-LABEL: func @negative_noinline
// CHECK: call @kept
func.func @negative_noinline(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = call @kept(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

func.func private @kept(%x: tensor<4xf32>) -> tensor<4xf32>
    attributes {passthrough = ["noinline"]} {
  %y = arith.addf %x, %x : tensor<4xf32>
  return %y : tensor<4xf32>
}
