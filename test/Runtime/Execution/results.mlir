// Results that are arguments, constants, given twice, empty, of rank 0, and of
// every type.
// RUN: rm -rf %t && mkdir %t
// RUN: %make-npy %t/x.npy "np.float32([[1, 2], [3, 4]])"
// RUN: %make-npy %t/none.npy "np.zeros((0, 3), np.float32)"
// RUN: quant-run %s --entry=argument --inputs=%t/x.npy --repeat=3 | FileCheck %s --check-prefix=ARGUMENT
// RUN: quant-run %s --entry=constant --repeat=3 | FileCheck %s --check-prefix=CONSTANT
// RUN: quant-run %s --entry=large_constant --repeat=3 --outputs=%t/large | FileCheck %s --check-prefix=LARGE
// RUN: %python -c "import numpy as np; a = np.load('%t/large/out0.npy'); print(a[0, :2], a.sum())" | FileCheck %s --check-prefix=SUM
// RUN: quant-run %s --entry=twice --inputs=%t/x.npy --repeat=3 | FileCheck %s --check-prefix=TWICE
// RUN: quant-run %s --entry=in_place --inputs=%t/x.npy --repeat=3 --outputs=%t/again | FileCheck %s --check-prefix=INPLACE
// RUN: quant-run %s --entry=empty --inputs=%t/none.npy --outputs=%t/empty | FileCheck %s --check-prefix=EMPTY
// RUN: %python -c "import numpy as np; a = np.load('%t/empty/out0.npy'); print(a.shape, a.dtype)" | FileCheck %s --check-prefix=SHAPE
// RUN: quant-run %s --entry=nothing | FileCheck %s --check-prefix=NOTHING --allow-empty
// RUN: quant-run %s --entry=rank0 | FileCheck %s --check-prefix=RANK0
// RUN: quant-run %s --entry=argument --inputs=%t/x.npy --print=false | FileCheck %s --check-prefix=QUIET
// RUN: quant-run %s --entry=argument --inputs=%t/x.npy --progress 2>&1 | FileCheck %s --check-prefix=PROGRESS

// ARGUMENT: result0: tensor<2x2xf32> = {{\[\[}}1, 2], [3, 4]]
// ARGUMENT: result1: tensor<2x2xf32> = {{\[\[}}1, 2], [3, 4]]
// QUIET: result0: tensor<2x2xf32>{{$}}
// PROGRESS: quant-run: reading {{.*}}results.mlir ...
// PROGRESS: quant-run: running, generic: {{.*}} s
func.func @argument(%x: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  return %x, %x : tensor<2x2xf32>, tensor<2x2xf32>
}

// CONSTANT: result0: tensor<3xi16> = [1, -2, 300]
// CONSTANT: result1: tensor<2xi1> = [1, 0]
// CONSTANT: result2: tensor<2xi64> = [9223372036854775807, -9223372036854775808]
// CONSTANT: result3: tensor<3xf64> = [0.1, inf, nan]
// CONSTANT: result4: tensor<2xf16> = [0.5, 65504]
// CONSTANT: result5: tensor<2xbf16> = [-1.5, 256]
func.func @constant() -> (tensor<3xi16>, tensor<2xi1>, tensor<2xi64>, tensor<3xf64>, tensor<2xf16>, tensor<2xbf16>) {
  %0 = arith.constant dense<[1, -2, 300]> : tensor<3xi16>
  %1 = arith.constant dense<[true, false]> : tensor<2xi1>
  %2 = arith.constant dense<[9223372036854775807, -9223372036854775808]> : tensor<2xi64>
  %3 = arith.constant dense<[0.1, 0x7FF0000000000000, 0x7FF8000000000000]> : tensor<3xf64>
  %4 = arith.constant dense<[0.5, 65504.0]> : tensor<2xf16>
  %5 = arith.constant dense<[-1.5, 256.0]> : tensor<2xbf16>
  return %0, %1, %2, %3, %4, %5 : tensor<3xi16>, tensor<2xi1>, tensor<2xi64>, tensor<3xf64>, tensor<2xf16>, tensor<2xbf16>
}

// A constant that the code refers to by address must come out as a copy.
// LARGE: result0: tensor<64x64xf32>{{$}}
// SUM: [0. 1.] 8386560.0
func.func @large_constant() -> tensor<64x64xf32> {
  %0 = tensor.generate {
  ^bb0(%i: index, %j: index):
    %c64 = arith.constant 64 : index
    %r = arith.muli %i, %c64 : index
    %n = arith.addi %r, %j : index
    %k = arith.index_cast %n : index to i32
    %f = arith.sitofp %k : i32 to f32
    tensor.yield %f : f32
  } : tensor<64x64xf32>
  return %0 : tensor<64x64xf32>
}

// TWICE: result0: tensor<2x2xf32> = {{\[\[}}2, 4], [6, 8]]
// TWICE: result1: tensor<2x2xf32> = {{\[\[}}2, 4], [6, 8]]
func.func @twice(%x: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %e = tensor.empty() : tensor<2x2xf32>
  %y = linalg.add ins(%x, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y, %y : tensor<2x2xf32>, tensor<2x2xf32>
}

// The program may overwrite its argument, and each run starts from the file's.
// INPLACE: result0: tensor<2x2xf32> = {{\[\[}}2, 4], [6, 8]]
func.func @in_place(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %y = linalg.add ins(%x, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// EMPTY: result0: tensor<0x3xf32> = []
// SHAPE: (0, 3) float32
func.func @empty(%x: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %c0 = arith.constant 0 : index
  %d = tensor.dim %x, %c0 : tensor<?x3xf32>
  %e = tensor.empty(%d) : tensor<?x3xf32>
  %y = linalg.add ins(%x, %x : tensor<?x3xf32>, tensor<?x3xf32>) outs(%e : tensor<?x3xf32>) -> tensor<?x3xf32>
  return %y : tensor<?x3xf32>
}

// NOTHING-NOT: result
func.func @nothing() {
  return
}

// RANK0: result0: tensor<f32> = 0.25
func.func @rank0() -> tensor<f32> {
  %0 = arith.constant dense<0.25> : tensor<f32>
  return %0 : tensor<f32>
}
