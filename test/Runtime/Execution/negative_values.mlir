// Inputs that a program itself refuses, or that lead it out of its memory, end
// in a message and leave nothing behind.
// RUN: rm -rf %t && mkdir %t
// RUN: %make-npy %t/good.npy "np.int64([2, 0])"
// RUN: %make-npy %t/far.npy "np.int64([2, 1 << 50])"
// RUN: quant-run %s --entry=asserts --inputs=%t/good.npy | FileCheck %s --check-prefix=GOOD
// RUN: not quant-run %s --entry=asserts --inputs=%t/far.npy --outputs=%t/out 2>&1 | FileCheck %s --check-prefix=ASSERT
// RUN: not quant-run %s --entry=trusts --inputs=%t/far.npy --outputs=%t/out 2>&1 | FileCheck %s --check-prefix=SEGV
// RUN: not ls %t/out

// GOOD: result0: tensor<2xf32> = [3, 1]
// ASSERT-NOT: Stack dump
// ASSERT: error: 'asserts' does not accept these inputs: assertion failed: index must be smaller than dim size
func.func @asserts(%ids: tensor<2xi64>) -> tensor<2xf32> {
  %t = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %e = tensor.empty() : tensor<2xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%ids : tensor<2xi64>) outs(%e : tensor<2xf32>) {
  ^bb0(%a: i64, %b: f32):
    %size = arith.constant 3 : i64
    %ok = arith.cmpi ult, %a, %size : i64
    cf.assert %ok, "index must be smaller than dim size"
    %i = arith.index_cast %a : i64 to index
    %v = tensor.extract %t[%i] : tensor<3xf32>
    linalg.yield %v : f32
  } -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// SEGV-NOT: Stack dump
// SEGV: error: 'trusts' does not accept these inputs: it reads or writes outside of its memory (an index that is out of range?)
func.func @trusts(%ids: tensor<2xi64>) -> tensor<2xf32> {
  %t = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %e = tensor.empty() : tensor<2xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%ids : tensor<2xi64>) outs(%e : tensor<2xf32>) {
  ^bb0(%a: i64, %b: f32):
    %i = arith.index_cast %a : i64 to index
    %v = tensor.extract %t[%i] : tensor<3xf32>
    linalg.yield %v : f32
  } -> tensor<2xf32>
  return %y : tensor<2xf32>
}
