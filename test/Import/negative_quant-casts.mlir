// Casts that our ops cannot express are left, with a remark.
// RUN: quant-opt %s -quant-import -split-input-file -verify-diagnostics | FileCheck %s
// CHECK-NOT: quant.quantize

!q = !quant.uniform<i16:f32, 5.000000e-01>
// CHECK: quant.qcast
func.func @wide(%x: tensor<8xf32>) -> tensor<8x!q> {
  // expected-remark @below {{cast is not imported: expected 8 or 4 stored bits, found 16}}
  %q = quant.qcast %x : tensor<8xf32> to tensor<8x!q>
  return %q : tensor<8x!q>
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01>
func.func @scalar(%x: f32) -> !q {
  // expected-remark @below {{cast is not imported: expected a ranked tensor}}
  %q = quant.qcast %x : f32 to !q
  return %q : !q
}

// -----

!q = !quant.uniform<i8:f32:{0:1, 1:2}, {{1.0, 2.0}, {3.0, 4.0}}>
func.func @dynamic_blocks(%x: tensor<2x?xf32>) -> tensor<2x?x!q> {
  // expected-remark @below {{cast is not imported: expected static sizes for scales of blocks}}
  %q = quant.qcast %x : tensor<2x?xf32> to tensor<2x?x!q>
  return %q : tensor<2x?x!q>
}

// -----

!q = !quant.uniform<i32:f32, 5.000000e-01:3>
func.func @bias_with_zero_point(%x: tensor<4x!q>) -> tensor<4xf32> {
  // expected-remark @below {{cast is not imported: expected 32 stored bits to be signed, without zero point, and with scales for the tensor or its last dimension}}
  %d = quant.dcast %x : tensor<4x!q> to tensor<4xf32>
  return %d : tensor<4xf32>
}
