// RUN: quant-opt %s --quant-fuse-quantize-rows --canonicalize | FileCheck %s
// RUN: quant-opt %s --quant-fuse-quantize-rows=plain --canonicalize | FileCheck %s --check-prefix=PLAIN
// RUN: quant-opt %s --quant-fuse-quantize-rows --convert-quant-to-linalg --canonicalize | FileCheck %s --check-prefix=BACK

// CHECK-LABEL: @rows
// CHECK-NOT: quant.choose_qparams
// CHECK: %[[R:.*]]:2 = quant.quantize_rows ins(%{{.*}} : tensor<?x96xf32>)
// CHECK: return %[[R]]#0, %[[R]]#1
// BACK-LABEL: @rows
// BACK: linalg.pack
func.func @rows(%x: tensor<?x96xf32>) -> (tensor<?x2x1x64xi8>, tensor<?xf32>) {
  %zero = arith.constant 0 : i8
  %c0 = arith.constant 0 : index
  %s = quant.choose_qparams %x axes = [0] range = [-128, 127] : tensor<?x96xf32> -> tensor<?xf32>
  %q = quant.quantize %x scale(%s : tensor<?xf32>) axes = [0] range = [-128, 127] : tensor<?x96xf32> -> tensor<?x96xi8>
  %m = tensor.dim %q, %c0 : tensor<?x96xi8>
  %e = tensor.empty(%m) : tensor<?x2x1x64xi8>
  %p = linalg.pack %q padding_value(%zero : i8) inner_dims_pos = [0, 1] inner_tiles = [1, 64] into %e : tensor<?x96xi8> -> tensor<?x2x1x64xi8>
  return %p, %s : tensor<?x2x1x64xi8>, tensor<?xf32>
}

// Batches of rows, as models have them.
// CHECK-LABEL: @batch
// CHECK: %[[X:.*]] = tensor.collapse_shape %{{.*}} {{\[\[}}0, 1], [2]] : tensor<2x5x64xf32> into tensor<10x64xf32>
// CHECK: %[[R:.*]]:2 = quant.quantize_rows ins(%[[X]] : tensor<10x64xf32>)
// CHECK: return %[[R]]#0, %[[R]]#1
func.func @batch(%x: tensor<2x5x64xf32>) -> (tensor<10x1x1x64xi8>, tensor<10xf32>) {
  %s = quant.choose_qparams %x axes = [0, 1] range = [-128, 127] : tensor<2x5x64xf32> -> tensor<2x5xf32>
  %q = quant.quantize %x scale(%s : tensor<2x5xf32>) axes = [0, 1] range = [-128, 127] : tensor<2x5x64xf32> -> tensor<2x5x64xi8>
  %qc = tensor.collapse_shape %q [[0, 1], [2]] : tensor<2x5x64xi8> into tensor<10x64xi8>
  %sc = tensor.collapse_shape %s [[0, 1]] : tensor<2x5xf32> into tensor<10xf32>
  %e = tensor.empty() : tensor<10x1x1x64xi8>
  %p = linalg.pack %qc inner_dims_pos = [0, 1] inner_tiles = [1, 64] into %e : tensor<10x64xi8> -> tensor<10x1x1x64xi8>
  return %p, %sc : tensor<10x1x1x64xi8>, tensor<10xf32>
}

// The integers are used elsewhere too; another range; a scale of the program.
// CHECK-LABEL: @others
// CHECK-NOT: quant.quantize_rows
func.func @others(%x: tensor<4x64xf32>, %given: tensor<4xf32>) -> (tensor<4x1x1x64xi8>, tensor<4x64xi8>, tensor<4x1x1x64xi8>, tensor<4x1x1x64xi8>) {
  %e = tensor.empty() : tensor<4x1x1x64xi8>
  %s = quant.choose_qparams %x axes = [0] range = [-128, 127] : tensor<4x64xf32> -> tensor<4xf32>
  %q = quant.quantize %x scale(%s : tensor<4xf32>) axes = [0] range = [-128, 127] : tensor<4x64xf32> -> tensor<4x64xi8>
  %p0 = linalg.pack %q inner_dims_pos = [0, 1] inner_tiles = [1, 64] into %e : tensor<4x64xi8> -> tensor<4x1x1x64xi8>
  %r = quant.quantize %x scale(%s : tensor<4xf32>) axes = [0] range = [-127, 127] : tensor<4x64xf32> -> tensor<4x64xi8>
  %p1 = linalg.pack %r inner_dims_pos = [0, 1] inner_tiles = [1, 64] into %e : tensor<4x64xi8> -> tensor<4x1x1x64xi8>
  %t = quant.quantize %x scale(%given : tensor<4xf32>) axes = [0] range = [-128, 127] : tensor<4x64xf32> -> tensor<4x64xi8>
  %p2 = linalg.pack %t inner_dims_pos = [0, 1] inner_tiles = [1, 64] into %e : tensor<4x64xi8> -> tensor<4x1x1x64xi8>
  return %p0, %q, %p1, %p2 : tensor<4x1x1x64xi8>, tensor<4x64xi8>, tensor<4x1x1x64xi8>, tensor<4x1x1x64xi8>
}

// Rows for a CPU, which reads the signed ones moved by 128.
// CHECK-LABEL: @unsigned
// CHECK-NOT: quant.quantize_rows
// PLAIN-LABEL: @unsigned
// PLAIN: %[[R:.*]]:2 = quant.quantize_rows ins(%{{.*}} : tensor<?x96xf32>) outs(%{{.*}} : tensor<?x96xi8>, tensor<?xf32>) range = [-127, 127] unsigned
// PLAIN: return %[[R]]#0, %[[R]]#1
func.func @unsigned(%x: tensor<?x96xf32>) -> (tensor<?x96xi8>, tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x96xf32>
  %c128 = arith.constant 128 : i32
  %e = tensor.empty(%m) : tensor<?xi32>
  %z = linalg.fill ins(%c128 : i32) outs(%e : tensor<?xi32>) -> tensor<?xi32>
  %s = quant.choose_qparams %x axes = [0] range = [-127, 127] : tensor<?x96xf32> -> tensor<?xf32>
  %q = quant.quantize %x scale(%s : tensor<?xf32>) zero_point(%z : tensor<?xi32>) axes = [0] range = [1, 255] unsigned : tensor<?x96xf32> -> tensor<?x96xi8>
  return %q, %s : tensor<?x96xi8>, tensor<?xf32>
}

// Batches of them.
// PLAIN-LABEL: @unsigned_batch
// PLAIN: %[[X:.*]] = tensor.collapse_shape %{{.*}} {{\[\[}}0, 1], [2]] : tensor<2x?x64xf32> into tensor<?x64xf32>
// PLAIN: quant.quantize_rows ins(%[[X]] : tensor<?x64xf32>) {{.*}} unsigned
func.func @unsigned_batch(%x: tensor<2x?x64xf32>) -> tensor<?x64xi8> {
  %c1 = arith.constant 1 : index
  %m = tensor.dim %x, %c1 : tensor<2x?x64xf32>
  %c128 = arith.constant 128 : i32
  %e = tensor.empty(%m) : tensor<2x?xi32>
  %z = linalg.fill ins(%c128 : i32) outs(%e : tensor<2x?xi32>) -> tensor<2x?xi32>
  %s = quant.choose_qparams %x axes = [0, 1] range = [-127, 127] : tensor<2x?x64xf32> -> tensor<2x?xf32>
  %q = quant.quantize %x scale(%s : tensor<2x?xf32>) zero_point(%z : tensor<2x?xi32>) axes = [0, 1] range = [1, 255] unsigned : tensor<2x?x64xf32> -> tensor<2x?x64xi8>
  %c = tensor.collapse_shape %q [[0, 1], [2]] : tensor<2x?x64xi8> into tensor<?x64xi8>
  return %c : tensor<?x64xi8>
}

// Not moved by 128; in another range than the scale is for; by somebody else's
// scale; a narrow range on one side, which values may exceed; 4 bits; columns.
// PLAIN-LABEL: @negative_plain
// PLAIN-NOT: quant.quantize_rows
func.func @negative_plain(%x: tensor<4x96xf32>, %y: tensor<4x96xf32>)
    -> (tensor<4x96xi8>, tensor<4x96xi8>, tensor<4x96xi8>, tensor<4x96xi8>, tensor<4x96xi4>, tensor<4x96xi8>) {
  %z = arith.constant dense<127> : tensor<4xi32>
  %s = quant.choose_qparams %x axes = [0] range = [-127, 127] : tensor<4x96xf32> -> tensor<4xf32>
  %q0 = quant.quantize %x scale(%s : tensor<4xf32>) zero_point(%z : tensor<4xi32>) axes = [0] range = [1, 255] unsigned : tensor<4x96xf32> -> tensor<4x96xi8>
  %q1 = quant.quantize %x scale(%s : tensor<4xf32>) axes = [0] range = [-128, 127] : tensor<4x96xf32> -> tensor<4x96xi8>
  %q2 = quant.quantize %y scale(%s : tensor<4xf32>) axes = [0] range = [-127, 127] : tensor<4x96xf32> -> tensor<4x96xi8>
  %t = quant.choose_qparams %x axes = [0] range = [-3, 127] : tensor<4x96xf32> -> tensor<4xf32>
  %q3 = quant.quantize %x scale(%t : tensor<4xf32>) axes = [0] range = [-3, 127] : tensor<4x96xf32> -> tensor<4x96xi8>
  %u = quant.choose_qparams %x axes = [0] range = [-7, 7] : tensor<4x96xf32> -> tensor<4xf32>
  %q4 = quant.quantize %x scale(%u : tensor<4xf32>) axes = [0] range = [-7, 7] : tensor<4x96xf32> -> tensor<4x96xi4>
  %v = quant.choose_qparams %x axes = [1] range = [-127, 127] : tensor<4x96xf32> -> tensor<96xf32>
  %q5 = quant.quantize %x scale(%v : tensor<96xf32>) axes = [1] range = [-127, 127] : tensor<4x96xf32> -> tensor<4x96xi8>
  return %q0, %q1, %q2, %q3, %q4, %q5 : tensor<4x96xi8>, tensor<4x96xi8>, tensor<4x96xi8>, tensor<4x96xi8>, tensor<4x96xi4>, tensor<4x96xi8>
}
