// RUN: quant-opt --quant-simplify-sizes --canonicalize --cse %s | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>

// What torch-mlir asks of a batch: whether it is negative, and whether it is 1 and
// wants broadcasting.
// CHECK-LABEL: func @batch
// CHECK-SAME: (%[[X:.*]]: tensor<?x12xf32>)
// CHECK-NEXT: return %[[X]]
func.func @batch(%x: tensor<?x12xf32>) -> tensor<?x12xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i64
  %twelve = arith.constant 12 : index
  %dim = tensor.dim %x, %c0 : tensor<?x12xf32>
  %wide = arith.index_cast %dim : index to i64
  %is_negative = arith.cmpi slt, %wide, %zero : i64
  %inferred = arith.select %is_negative, %zero, %wide : i64
  %n = arith.index_cast %inferred : i64 to index
  %all = affine.apply affine_map<()[s0] -> (s0 * 12)>()[%n]
  %part = arith.divsi %all, %twelve : index
  %is_size = arith.cmpi sge, %wide, %zero : i64
  cf.assert %is_size, "negative"
  %e = tensor.empty(%part) : tensor<?x12xf32>
  %y = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]}
      outs(%e : tensor<?x12xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %is_one = arith.cmpi eq, %n, %c1 : index
    %k = arith.select %is_one, %c0, %i : index
    %v = tensor.extract %x[%k, %j] : tensor<?x12xf32>
    linalg.yield %v : f32
  } -> tensor<?x12xf32>
  return %y : tensor<?x12xf32>
}

// A size that a reshape is given is one of the sizes that it is read off.
// CHECK-LABEL: func @reshaped
// CHECK: %[[N:.*]] = tensor.dim %arg0, %c0
// CHECK: return %[[N]]
func.func @reshaped(%x: tensor<?x12xf32>) -> index {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %four = arith.constant 4 : i64
  %three = arith.constant 3 : i64
  %dim = tensor.dim %x, %c0 : tensor<?x12xf32>
  %n = arith.index_cast %dim : index to i64
  %shape = tensor.from_elements %n, %four, %three : tensor<3xi64>
  %y = tensor.reshape %x(%shape) : (tensor<?x12xf32>, tensor<3xi64>) -> tensor<?x4x3xf32>
  %m = tensor.dim %y, %c0 : tensor<?x4x3xf32>
  %all = arith.muli %m, %c4 : index
  %part = arith.divsi %all, %c4 : index
  return %part : index
}

// Numbers that are no sizes may be negative and overflow; what does not divide; a
// copy from another size, of a broadcast size, and of transposed positions.
// CHECK-LABEL: func @negative
// CHECK: arith.cmpi slt
// CHECK: arith.muli
// CHECK: arith.divsi
// CHECK: arith.divsi
// CHECK-COUNT-3: tensor.extract
func.func @negative(%x: tensor<?x?xf32>, %y: tensor<?x?xf32>, %n: i64)
    -> (i1, i64, index, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0 : i64
  %three = arith.constant 3 : i64
  %is_negative = arith.cmpi slt, %n, %zero : i64
  %many = arith.muli %n, %three : i64
  %part = arith.divsi %many, %three : i64
  %rows = tensor.dim %x, %c0 : tensor<?x?xf32>
  %columns = tensor.dim %x, %c1 : tensor<?x?xf32>
  %third = arith.divsi %rows, %c3 : index
  %e = tensor.empty(%rows, %columns) : tensor<?x?xf32>
  %a = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]}
      outs(%e : tensor<?x?xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %v = tensor.extract %y[%i, %j] : tensor<?x?xf32>
    linalg.yield %v : f32
  } -> tensor<?x?xf32>
  %b = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]}
      outs(%e : tensor<?x?xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %is_one = arith.cmpi eq, %columns, %c1 : index
    %k = arith.select %is_one, %c0, %i : index
    %v = tensor.extract %x[%k, %j] : tensor<?x?xf32>
    linalg.yield %v : f32
  } -> tensor<?x?xf32>
  %c = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]}
      outs(%e : tensor<?x?xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %v = tensor.extract %x[%j, %i] : tensor<?x?xf32>
    linalg.yield %v : f32
  } -> tensor<?x?xf32>
  return %is_negative, %part, %third, %a, %b, %c
      : i1, i64, index, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>
}

// A tensor that is made within the body is nothing to read outside of it.
// CHECK-LABEL: func @negative_within
// CHECK: linalg.generic
// CHECK: tensor.extract
func.func @negative_within(%t: tensor<?xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%e : tensor<8xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %c = tensor.cast %t : tensor<?xf32> to tensor<8xf32>
    %v = tensor.extract %c[%i] : tensor<8xf32>
    linalg.yield %v : f32
  } -> tensor<8xf32>
  return %r : tensor<8xf32>
}
