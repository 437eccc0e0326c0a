// Casts that have no formula are errors: what stays, upstream folds away.
// RUN: quant-opt %s -quant-import -split-input-file -verify-diagnostics

!q = !quant.uniform<i8:f32:{0:1, 1:2}, {{1.0, 2.0}, {3.0, 4.0}}>
func.func @dynamic_blocks(%x: tensor<2x?xf32>) -> tensor<2x?x!q> {
  // expected-error @below {{'quant.qcast' op is not supported: expected static sizes for scales of blocks}}
  %q = quant.qcast %x : tensor<2x?xf32> to tensor<2x?x!q>
  return %q : tensor<2x?x!q>
}

// -----

!q = !quant.uniform<i16:f32:0, {0.5, 0.25}>
func.func @dynamic_axis(%x: tensor<?x!q>) -> tensor<?xf32> {
  // expected-error @below {{'quant.dcast' op is not supported: expected a static size along the axis of the scales}}
  %d = quant.dcast %x : tensor<?x!q> to tensor<?xf32>
  return %d : tensor<?xf32>
}

// -----

!q = !quant.uniform<i8:f32, 0.5>
func.func @unranked(%x: tensor<*xf32>) -> tensor<*x!q> {
  // expected-error @below {{'quant.qcast' op is not supported: expected a scalar or a ranked tensor}}
  %q = quant.qcast %x : tensor<*xf32> to tensor<*x!q>
  return %q : tensor<*x!q>
}

// -----

!q = !quant.uniform<i8:f64, 0.5>
func.func @double(%x: tensor<4xf64>) -> tensor<4x!q> {
  // expected-error @below {{'quant.qcast' op is not supported: expected floats of f32, f16 or bf16}}
  %q = quant.qcast %x : tensor<4xf64> to tensor<4x!q>
  return %q : tensor<4x!q>
}

// -----

// Of several, each is named.
!q = !quant.any<i16:f32>
func.func @any(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{'quant.qcast' op is not supported: expected scales for the tensor, along one axis or by blocks}}
  %q = quant.qcast %x : tensor<4xf32> to tensor<4x!q>
  // expected-error @below {{'quant.dcast' op is not supported: expected scales for the tensor, along one axis or by blocks}}
  %d = quant.dcast %q : tensor<4x!q> to tensor<4xf32>
  return %d : tensor<4xf32>
}
