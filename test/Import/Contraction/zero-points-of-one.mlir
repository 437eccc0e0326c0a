// A zero point of shape [1] or [1, 1] is one number, whatever the number of rows;
// one that lies out of its operand's range leaves the product as it is.
// RUN: quant-opt %s -quant-import -split-input-file -verify-diagnostics | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>
#zero = affine_map<(i, j) -> (0)>
// CHECK-LABEL: func.func @constant
// CHECK: %[[Z:.*]] = arith.constant dense<9> : tensor<i32>
// CHECK: quant.matmul ins(%arg0, %arg1 : tensor<?x8xi8>, tensor<8x2xi8>) lhs_zero_point(%[[Z]] : tensor<i32>) outs({{.*}} : tensor<?x2xi32>) {lhs_unsigned}
func.func @constant(%x: tensor<?x8xi8>, %w: tensor<8x2xi8>, %ex: tensor<?x8xi32>, %ew: tensor<8x2xi32>, %ey: tensor<?x2xi32>) -> tensor<?x2xi32> {
  %c0 = arith.constant 0 : i32
  %z = arith.constant dense<9> : tensor<1xi8>
  %f = linalg.fill ins(%c0 : i32) outs(%ey : tensor<?x2xi32>) -> tensor<?x2xi32>
  %xs = linalg.generic {indexing_maps = [#id, #zero, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %z : tensor<?x8xi8>, tensor<1xi8>) outs(%ex : tensor<?x8xi32>) {
  ^bb0(%in: i8, %zp: i8, %o: i32):
    %0 = arith.extui %in : i8 to i32
    %1 = arith.extui %zp : i8 to i32
    %2 = arith.subi %0, %1 : i32
    linalg.yield %2 : i32
  } -> tensor<?x8xi32>
  %ws = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%w : tensor<8x2xi8>) outs(%ew : tensor<8x2xi32>) {
  ^bb0(%in: i8, %o: i32):
    %0 = arith.extsi %in : i8 to i32
    linalg.yield %0 : i32
  } -> tensor<8x2xi32>
  %y = linalg.matmul ins(%xs, %ws : tensor<?x8xi32>, tensor<8x2xi32>) outs(%f : tensor<?x2xi32>) -> tensor<?x2xi32>
  return %y : tensor<?x2xi32>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#zeros = affine_map<(i, j) -> (0, 0)>
#row = affine_map<(i, j) -> (i, 0)>
// Of the run, and walked by the loop of rows, whose number is not known.
// CHECK-LABEL: func.func @argument
// CHECK-DAG: tensor.extract %arg2[%{{.*}}, %{{.*}}] : tensor<1x1xi8>
// CHECK-DAG: tensor.extract %arg3[%{{.*}}, %{{.*}}] : tensor<1x1xi8>
// CHECK: quant.matmul ins(%arg0, %arg1 : tensor<?x8xi8>, tensor<8x2xi8>) lhs_zero_point(%{{.*}} : tensor<i32>) rhs_zero_point(%{{.*}} : tensor<i32>)
func.func @argument(%x: tensor<?x8xi8>, %w: tensor<8x2xi8>, %zx: tensor<1x1xi8>, %zw: tensor<1x1xi8>, %ex: tensor<?x8xi32>, %ew: tensor<8x2xi32>, %f: tensor<?x2xi32>) -> tensor<?x2xi32> {
  %xs = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %zx : tensor<?x8xi8>, tensor<1x1xi8>) outs(%ex : tensor<?x8xi32>) {
  ^bb0(%in: i8, %zp: i8, %o: i32):
    %0 = arith.extsi %in : i8 to i32
    %1 = arith.extsi %zp : i8 to i32
    %2 = arith.subi %0, %1 : i32
    linalg.yield %2 : i32
  } -> tensor<?x8xi32>
  %ws = linalg.generic {indexing_maps = [#id, #zeros, #id], iterator_types = ["parallel", "parallel"]} ins(%w, %zw : tensor<8x2xi8>, tensor<1x1xi8>) outs(%ew : tensor<8x2xi32>) {
  ^bb0(%in: i8, %zp: i8, %o: i32):
    %0 = arith.extsi %in : i8 to i32
    %1 = arith.extsi %zp : i8 to i32
    %2 = arith.subi %0, %1 : i32
    linalg.yield %2 : i32
  } -> tensor<8x2xi32>
  %y = linalg.matmul ins(%xs, %ws : tensor<?x8xi32>, tensor<8x2xi32>) outs(%f : tensor<?x2xi32>) -> tensor<?x2xi32>
  return %y : tensor<?x2xi32>
}

// -----

// One scale for an axis of an unknown size.
// CHECK-LABEL: func.func @casts
// CHECK: %[[S:.*]] = arith.constant dense<5.000000e-01> : tensor<f32>
// CHECK: quant.quantize %arg0 scale(%[[S]] : tensor<f32>) axes = []
func.func @casts(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %q = quant.qcast %x : tensor<?x8xf32> to tensor<?x8x!quant.uniform<i8:f32:0, {0.5}>>
  %d = quant.dcast %q : tensor<?x8x!quant.uniform<i8:f32:0, {0.5}>> to tensor<?x8xf32>
  return %d : tensor<?x8xf32>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#none = affine_map<(i, j) -> ()>
// 200 is no zero point of signed bytes. (@below: -56 is none of unsigned ones.)
// CHECK-LABEL: func.func @above
// CHECK-NOT: quant.matmul
// CHECK: linalg.matmul
func.func @above(%x: tensor<5x8xi8>, %w: tensor<8x2xi8>, %ex: tensor<5x8xi32>, %ew: tensor<8x2xi32>, %f: tensor<5x2xi32>) -> tensor<5x2xi32> {
  %z = arith.constant dense<-56> : tensor<i8>
  %xs = linalg.generic {indexing_maps = [#id, #none, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %z : tensor<5x8xi8>, tensor<i8>) outs(%ex : tensor<5x8xi32>) {
  ^bb0(%in: i8, %zp: i8, %o: i32):
    %0 = arith.extsi %in : i8 to i32
    %1 = arith.extui %zp : i8 to i32
    %2 = arith.subi %0, %1 : i32
    linalg.yield %2 : i32
  } -> tensor<5x8xi32>
  %ws = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%w : tensor<8x2xi8>) outs(%ew : tensor<8x2xi32>) {
  ^bb0(%in: i8, %o: i32):
    %0 = arith.extsi %in : i8 to i32
    linalg.yield %0 : i32
  } -> tensor<8x2xi32>
  // expected-remark@+1 {{expected a zero point in [-128, 127], as the signed integers that it belongs to, found 200}}
  %y = linalg.matmul ins(%xs, %ws : tensor<5x8xi32>, tensor<8x2xi32>) outs(%f : tensor<5x2xi32>) -> tensor<5x2xi32>
  return %y : tensor<5x2xi32>
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#none = affine_map<(i, j) -> ()>
// Read by the run: it may be any byte.
// CHECK-LABEL: func.func @below
// CHECK-NOT: quant.matmul
// CHECK: linalg.matmul
func.func @below(%x: tensor<5x8xi8>, %w: tensor<8x2xi8>, %z: tensor<i8>, %ex: tensor<5x8xi32>, %ew: tensor<8x2xi32>, %f: tensor<5x2xi32>) -> tensor<5x2xi32> {
  %xs = linalg.generic {indexing_maps = [#id, #none, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %z : tensor<5x8xi8>, tensor<i8>) outs(%ex : tensor<5x8xi32>) {
  ^bb0(%in: i8, %zp: i8, %o: i32):
    %0 = arith.extui %in : i8 to i32
    %1 = arith.extsi %zp : i8 to i32
    %2 = arith.subi %0, %1 : i32
    linalg.yield %2 : i32
  } -> tensor<5x8xi32>
  %ws = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%w : tensor<8x2xi8>) outs(%ew : tensor<8x2xi32>) {
  ^bb0(%in: i8, %o: i32):
    %0 = arith.extsi %in : i8 to i32
    linalg.yield %0 : i32
  } -> tensor<8x2xi32>
  // expected-remark@+1 {{expected a zero point in [0, 255], as the unsigned integers that it belongs to, found a signed byte of the run time}}
  %y = linalg.matmul ins(%xs, %ws : tensor<5x8xi32>, tensor<8x2xi32>) outs(%f : tensor<5x2xi32>) -> tensor<5x2xi32>
  return %y : tensor<5x2xi32>
}
