// Large constants are quantized by a pass, once, and not by whoever
// canonicalizes.
// RUN: quant-opt %s --quant-quantize-constants --canonicalize -split-input-file | FileCheck %s
// RUN: quant-opt %s --canonicalize -split-input-file | FileCheck %s --check-prefix=LEFT

// A large weight becomes a resource blob: a byte an element, or half of one.
// CHECK-LABEL: @quantize_large
// CHECK-DAG: %[[Q8:.*]] = arith.constant dense_resource<quant_weight> : tensor<33x65xi8>
// CHECK-DAG: %[[P4:.*]] = arith.constant dense_resource<quant_weight_int4> : tensor<33x33xi8>
// CHECK: %[[Q4:.*]] = quant.unpack_int4 %[[P4]] : tensor<33x33xi8> -> tensor<33x65xi4>
// CHECK: return %[[Q8]], %[[Q4]]
// CHECK-LABEL: dialect_resources
// CHECK-DAG: quant_weight: "0x40000000FBFBFB
// 0x5B would be a 5 in the high nibble; the last one of an odd row is 0.
// CHECK-DAG: quant_weight_int4: "0x40000000BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB0BBBBB
// LEFT-LABEL: @quantize_large
// LEFT: quant.quantize {{.*}} -> tensor<33x65xi8>
// LEFT: quant.quantize {{.*}} -> tensor<33x65xi4>
// LEFT-NOT: dialect_resources
func.func @quantize_large() -> (tensor<33x65xi8>, tensor<33x65xi4>) {
  %x = arith.constant dense<-0.5> : tensor<33x65xf32>
  %s = arith.constant dense<0.1> : tensor<33xf32>
  %0 = quant.quantize %x scale(%s : tensor<33xf32>) axes = [0] range = [-128, 127] : tensor<33x65xf32> -> tensor<33x65xi8>
  %1 = quant.quantize %x scale(%s : tensor<33xf32>) axes = [0] range = [-8, 7] : tensor<33x65xf32> -> tensor<33x65xi4>
  return %0, %1 : tensor<33x65xi8>, tensor<33x65xi4>
}

// -----

// 1024 elements are small, one more is large: parameters and integers, in the
// order of the program. 0.5 / 127 = 0.00393700786, and the last integer.
// CHECK-LABEL: @choose_and_quantize
// CHECK-DAG: arith.constant dense<0.00393700786> : tensor<f32>
// CHECK-DAG: arith.constant dense<127> : tensor<1024xi8>
// CHECK-DAG: arith.constant dense_resource<quant_weight> : tensor<1025xi8>
// CHECK-NOT: quant.
// LEFT-LABEL: @choose_and_quantize
// LEFT-DAG: arith.constant dense<127> : tensor<1024xi8>
// LEFT: quant.choose_qparams {{.*}} : tensor<1025xf32>
// LEFT: quant.quantize {{.*}} -> tensor<1025xi8>
func.func @choose_and_quantize() -> (tensor<f32>, tensor<1024xi8>, tensor<1025xi8>) {
  %x = arith.constant dense<0.5> : tensor<1024xf32>
  %y = arith.constant dense<0.5> : tensor<1025xf32>
  %sx = quant.choose_qparams %x axes = [] range = [-128, 127] : tensor<1024xf32> -> tensor<f32>
  %sy = quant.choose_qparams %y axes = [] range = [-128, 127] : tensor<1025xf32> -> tensor<f32>
  %0 = quant.quantize %x scale(%sx : tensor<f32>) axes = [] range = [-128, 127] : tensor<1024xf32> -> tensor<1024xi8>
  %1 = quant.quantize %y scale(%sy : tensor<f32>) axes = [] range = [-128, 127] : tensor<1025xf32> -> tensor<1025xi8>
  return %sy, %0, %1 : tensor<f32>, tensor<1024xi8>, tensor<1025xi8>
}

// -----

// What has no data stays, and so does a splat larger than any memory.
// CHECK-LABEL: @negative_no_data
// CHECK: quant.choose_qparams
// CHECK: quant.quantize
// CHECK: quant.quantize
func.func @negative_no_data() -> (tensor<2000xi8>, tensor<1000000x1000000xi8>) {
  %x = arith.constant dense_resource<missing> : tensor<2000xf32>
  %y = arith.constant dense<0.5> : tensor<1000000x1000000xf32>
  %s = quant.choose_qparams %x axes = [] range = [-8, 7] : tensor<2000xf32> -> tensor<f32>
  %0 = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<2000xf32> -> tensor<2000xi8>
  %1 = quant.quantize %y scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<1000000x1000000xf32> -> tensor<1000000x1000000xi8>
  return %0, %1 : tensor<2000xi8>, tensor<1000000x1000000xi8>
}
