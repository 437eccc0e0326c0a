// RUN: quant-opt --split-input-file --quant-import-tosa %s | FileCheck %s
// RUN: quant-opt --split-input-file --quant-import-tosa --quant-convolution-to-matmul --quant-import %s \
// RUN:   | FileCheck %s --check-prefix=IMPORT

// A convolution of stored integers and its rescale: one integer matmul, the
// bias with the rescale, nothing of float type.
// CHECK-LABEL: func.func @convolution
// CHECK: linalg.conv_2d_nhwc_{{.*}}_q
// CHECK: quant.rescale_fixed_point %{{.*}} multiplier(%{{.*}} : tensor<2xi32>) shift(%{{.*}} : tensor<2xi8>) rounding(DOUBLE_ROUND)
// CHECK-SAME: output_zero_point = -7 : i32, range = array<i64: -128, 127>
// IMPORT-LABEL: func.func @convolution
// IMPORT-NOT: f32
// IMPORT: %[[ACC:.*]] = quant.matmul ins(%{{.*}} : tensor<16x36xi8>, tensor<2x36xi8>)
// IMPORT-SAME: lhs_zero_point
// IMPORT: quant.rescale_fixed_point %[[ACC]]
// IMPORT-SAME: bias(%{{.*}} : tensor<2xi32>)
// IMPORT-NOT: tosa
func.func @convolution(%x: tensor<1x4x4x4xi8>) -> tensor<1x4x4x2xi8> {
  %w = "tosa.const"() <{values = dense<3> : tensor<2x3x3x4xi8>}> : () -> tensor<2x3x3x4xi8>
  %b = "tosa.const"() <{values = dense<[5, -9]> : tensor<2xi32>}> : () -> tensor<2xi32>
  %zx = "tosa.const"() <{values = dense<-128> : tensor<1xi8>}> : () -> tensor<1xi8>
  %zw = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %acc = tosa.conv2d %x, %w, %b, %zx, %zw {acc_type = i32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>}
    : (tensor<1x4x4x4xi8>, tensor<2x3x3x4xi8>, tensor<2xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x4x4x2xi32>
  %m = "tosa.const"() <{values = dense<[1340695955, 1335985708]> : tensor<2xi32>}> : () -> tensor<2xi32>
  %s = "tosa.const"() <{values = dense<[37, 36]> : tensor<2xi8>}> : () -> tensor<2xi8>
  %zi = "tosa.const"() <{values = dense<0> : tensor<1xi32>}> : () -> tensor<1xi32>
  %zo = "tosa.const"() <{values = dense<-7> : tensor<1xi8>}> : () -> tensor<1xi8>
  %y = tosa.rescale %acc, %m, %s, %zi, %zo {input_unsigned = false, output_unsigned = false, per_channel = true, rounding_mode = DOUBLE_ROUND, scale32 = true}
    : (tensor<1x4x4x2xi32>, tensor<2xi32>, tensor<2xi8>, tensor<1xi32>, tensor<1xi8>) -> tensor<1x4x4x2xi8>
  return %y : tensor<1x4x4x2xi8>
}

// -----

// A matmul of a constant [1, K, N].
// CHECK-LABEL: func.func @matmul
// CHECK: quant.rescale_fixed_point %{{.*}} multiplier(%{{.*}} : tensor<i32>) shift(%{{.*}} : tensor<i8>) rounding(SINGLE_ROUND)
// CHECK-SAME: unsigned
// CHECK-SAME: output_zero_point = 131 : i32, range = array<i64: 0, 255>
// IMPORT-LABEL: func.func @matmul
// IMPORT: quant.matmul ins(%{{.*}} : tensor<{{.*}}6x8xi8>, tensor<{{.*}}8x3xi8>)
// IMPORT: quant.rescale_fixed_point
func.func @matmul(%x: tensor<1x6x8xi8>) -> tensor<1x6x3xi8> {
  %w = "tosa.const"() <{values = dense<3> : tensor<1x8x3xi8>}> : () -> tensor<1x8x3xi8>
  %zx = "tosa.const"() <{values = dense<4> : tensor<1xi8>}> : () -> tensor<1xi8>
  %zw = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %acc = tosa.matmul %x, %w, %zx, %zw : (tensor<1x6x8xi8>, tensor<1x8x3xi8>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x6x3xi32>
  %m = "tosa.const"() <{values = dense<1340695955> : tensor<1xi32>}> : () -> tensor<1xi32>
  %s = "tosa.const"() <{values = dense<37> : tensor<1xi8>}> : () -> tensor<1xi8>
  %zi = "tosa.const"() <{values = dense<0> : tensor<1xi32>}> : () -> tensor<1xi32>
  %zo = "tosa.const"() <{values = dense<131> : tensor<1xi8>}> : () -> tensor<1xi8>
  %y = tosa.rescale %acc, %m, %s, %zi, %zo {input_unsigned = false, output_unsigned = true, per_channel = false, rounding_mode = SINGLE_ROUND, scale32 = true}
    : (tensor<1x6x3xi32>, tensor<1xi32>, tensor<1xi8>, tensor<1xi32>, tensor<1xi8>) -> tensor<1x6x3xi8>
  return %y : tensor<1x6x3xi8>
}

// -----

// Narrow inputs are widened, as unsigned ones if the op says so.
// CHECK-LABEL: func.func @narrow
// CHECK: arith.extui %{{.*}} : i8 to i32
// CHECK: quant.rescale_fixed_point %{{.*}}input_zero_point = 128 : i32
func.func @narrow(%x: tensor<4x5xi8>) -> tensor<4x5xi8> {
  %m = "tosa.const"() <{values = dense<1073741824> : tensor<1xi32>}> : () -> tensor<1xi32>
  %s = "tosa.const"() <{values = dense<30> : tensor<1xi8>}> : () -> tensor<1xi8>
  %zi = "tosa.const"() <{values = dense<128> : tensor<1xi8>}> : () -> tensor<1xi8>
  %zo = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %y = tosa.rescale %x, %m, %s, %zi, %zo {input_unsigned = true, output_unsigned = false, per_channel = false, rounding_mode = SINGLE_ROUND, scale32 = true}
    : (tensor<4x5xi8>, tensor<1xi32>, tensor<1xi8>, tensor<1xi8>, tensor<1xi8>) -> tensor<4x5xi8>
  return %y : tensor<4x5xi8>
}

// -----

// ONNX's DequantizeLinear: a cast, a subtraction and a multiplication.
// CHECK-LABEL: func.func @dequantize
// CHECK: quant.dequantize %{{.*}} scale(%{{.*}} : tensor<f32>) zero_point(%{{.*}} : tensor<i32>)
// CHECK: quant.dequantize %{{.*}} scale(%{{.*}} : tensor<3xf32>) axes = [1]
// IMPORT-LABEL: func.func @dequantize
// IMPORT: quant.matmul
// IMPORT: quant.rescale %{{.*}} row_scale(%{{.*}} : tensor<f32>) channel_scale(%{{.*}} : tensor<3xf32>)
func.func @dequantize(%x: tensor<1x6x8xi8>) -> tensor<1x6x3xf32> {
  %none = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %zx = "tosa.const"() <{values = dense<-21> : tensor<1x1x1xi32>}> : () -> tensor<1x1x1xi32>
  %sx = "tosa.const"() <{values = dense<0.25> : tensor<1x1x1xf32>}> : () -> tensor<1x1x1xf32>
  %x32 = tosa.cast %x : (tensor<1x6x8xi8>) -> tensor<1x6x8xi32>
  %xs = tosa.sub %x32, %zx : (tensor<1x6x8xi32>, tensor<1x1x1xi32>) -> tensor<1x6x8xi32>
  %xf = tosa.cast %xs : (tensor<1x6x8xi32>) -> tensor<1x6x8xf32>
  %xd = tosa.mul %xf, %sx, %none : (tensor<1x6x8xf32>, tensor<1x1x1xf32>, tensor<1xi8>) -> tensor<1x6x8xf32>
  %w = "tosa.const"() <{values = dense<[[1, 2, 3], [4, 5, 6], [7, 8, 9], [-1, -2, -3], [-4, -5, -6], [-7, -8, -9], [10, 11, 12], [-10, -11, -12]]> : tensor<8x3xi8>}> : () -> tensor<8x3xi8>
  %sw = "tosa.const"() <{values = dense<[[0.5, 0.25, 0.125]]> : tensor<1x3xf32>}> : () -> tensor<1x3xf32>
  %wf = tosa.cast %w : (tensor<8x3xi8>) -> tensor<8x3xf32>
  %wd = tosa.mul %wf, %sw, %none : (tensor<8x3xf32>, tensor<1x3xf32>, tensor<1xi8>) -> tensor<8x3xf32>
  %shape = tosa.const_shape {values = dense<[1, 8, 3]> : tensor<3xindex>} : () -> !tosa.shape<3>
  %wr = tosa.reshape %wd, %shape : (tensor<8x3xf32>, !tosa.shape<3>) -> tensor<1x8x3xf32>
  %z = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %y = tosa.matmul %xd, %wr, %z, %z : (tensor<1x6x8xf32>, tensor<1x8x3xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x6x3xf32>
  return %y : tensor<1x6x3xf32>
}

// -----

// A variable is a global; one without a value starts with zeros.
// CHECK-DAG: ml_program.global private mutable @state(dense<-128> : tensor<1x4xi8>) : tensor<1x4xi8>
// CHECK-DAG: ml_program.global private mutable @empty(dense<0> : tensor<1x2xi8>) : tensor<1x2xi8>
// CHECK-LABEL: func.func @variable
// CHECK-SAME: %[[X:.*]]: tensor<1x2xi8>
// CHECK: ml_program.global_load @state : tensor<1x4xi8>
// CHECK: tensor.insert_slice
// CHECK: ml_program.global_store @empty = %[[X]] : tensor<1x2xi8>
tosa.variable @state = dense<-128> : tensor<1x4xi8>
tosa.variable @empty : tensor<1x2xi8>
func.func @variable(%x: tensor<1x2xi8>) -> tensor<1x6xi8> {
  %0 = tosa.variable_read @state : tensor<1x4xi8>
  %1 = tosa.concat %0, %x {axis = 1 : i32} : (tensor<1x4xi8>, tensor<1x2xi8>) -> tensor<1x6xi8>
  tosa.variable_write @empty, %x : tensor<1x2xi8>
  return %1 : tensor<1x6xi8>
}

// -----

// What is quantized beside TOSA's ops stays so: upstream folds a dcast of a qcast.
// CHECK-LABEL: @casts_beside_tosa
func.func @casts_beside_tosa(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK: %[[Q:.*]] = quant.quantize %arg0
  // CHECK: %[[D:.*]] = quant.dequantize %[[Q]]
  // CHECK: ins(%[[D]], %[[D]] : tensor<4x8xf32>, tensor<4x8xf32>)
  %q = quant.qcast %x : tensor<4x8xf32> to tensor<4x8x!quant.uniform<i8:f32, 0.1>>
  %d = quant.dcast %q : tensor<4x8x!quant.uniform<i8:f32, 0.1>> to tensor<4x8xf32>
  %y = tosa.add %d, %d : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}
