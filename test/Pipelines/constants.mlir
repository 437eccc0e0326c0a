// Constants that a program cannot hold, or does not. A splat stays one number;
// the memory limit is what the test is about.
// RUN: split-file %s %t
// RUN: %limited quant-opt %t/weight.mlir --quant-to-generic='quantize="weights=channel activations=dynamic-token" stop-after=quant' | FileCheck %t/weight.mlir
// RUN: %limited quant-opt %t/weight.mlir --quant-to-x86='cpu=x86-64 quantize="weights=channel weight-bits=4 activation-bits=4 activations=dynamic-token" stop-after=quant' | FileCheck %t/weight.mlir
// As a program they are filled when it runs: LLVM IR lists every element.
// RUN: %limited quant-opt %t/weight.mlir --quant-to-generic | %limited mlir-translate --mlir-to-llvmir | FileCheck %t/weight.mlir --check-prefix=IR
// RUN: %limited quant-opt %t/weight.mlir --quant-to-generic='quantize="weights=channel activations=dynamic-token"' | %limited mlir-translate --mlir-to-llvmir | FileCheck %t/weight.mlir --check-prefix=IR
// RUN: %limited quant-opt %t/weight.mlir --quant-to-x86='cpu=icelake-server quantize="weights=channel activations=dynamic-token"' | %limited mlir-translate --mlir-to-llvmir | FileCheck %t/weight.mlir --check-prefix=IR
// RUN: %limited not quant-opt %t/state.mlir --quant-to-generic 2>&1 | FileCheck %t/state.mlir
// RUN: %limited not quant-opt %t/state.mlir --quant-to-x86=cpu=x86-64 2>&1 | FileCheck %t/state.mlir
// RUN: %limited quant-opt %t/zeros.mlir --quant-to-generic | %limited mlir-translate --mlir-to-llvmir | FileCheck %t/zeros.mlir
// RUN: %limited not quant-opt %t/overflow.mlir --quant-to-x86='cpu=x86-64 quantize="weights=tensor weight-bits=4 activations=dynamic-tensor symmetric=false"' 2>&1 | FileCheck %t/overflow.mlir
// RUN: not quant-opt %t/dim.mlir --quant-to-generic 2>&1 | FileCheck %t/dim.mlir
// RUN: not quant-opt %t/dim.mlir --quant-to-x86=cpu=x86-64 2>&1 | FileCheck %t/dim.mlir
// RUN: not quant-opt %t/missing.mlir --quant-to-generic 2>&1 | FileCheck %t/missing.mlir
// RUN: not quant-opt %t/missing.mlir --quant-to-nvvm=stop-after=quant 2>&1 | FileCheck %t/missing.mlir
// RUN: not quant-opt %t/short.mlir --quant-to-generic 2>&1 | FileCheck %t/short.mlir
// RUN: not quant-opt %t/short.mlir --quant-to-x86=cpu=x86-64 2>&1 | FileCheck %t/short.mlir

//--- weight.mlir
// CHECK: arith.constant dense<5.000000e-01> : tensor<3x2147483648xf32>
// CHECK: quant.matmul
// IR-NOT: x float]
// IR: define {{.*}} @main
// IR-NOT: x float]
func.func @main(%q: tensor<5x3xi8>, %init: tensor<5x2147483648xf32>) -> tensor<5x2147483648xf32> {
  %s = arith.constant dense<0.25> : tensor<f32>
  %w = arith.constant dense<0.5> : tensor<3x2147483648xf32>
  %x = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<5x3xi8> -> tensor<5x3xf32>
  %y = linalg.matmul ins(%x, %w : tensor<5x3xf32>, tensor<3x2147483648xf32>) outs(%init : tensor<5x2147483648xf32>) -> tensor<5x2147483648xf32>
  return %y : tensor<5x2147483648xf32>
}

//--- state.mlir
// A state has to start as data.
// CHECK: state.mlir:[[#@LINE+1]]:1: error: 'llvm.mlir.global' op expected at most 16777216 equal elements, which LLVM IR lists one by one, found 16777217; fill them when the program runs
ml_program.global private mutable @state(dense<0.5> : tensor<16777217xf32>) : tensor<16777217xf32>
func.func @main(%x: tensor<16777217xf32>) -> tensor<16777217xf32> {
  %0 = ml_program.global_load @state : tensor<16777217xf32>
  ml_program.global_store @state = %x : tensor<16777217xf32>
  return %0 : tensor<16777217xf32>
}

//--- zeros.mlir
// CHECK: @state = {{.*}} [16777217 x float] zeroinitializer
ml_program.global private mutable @state(dense<0.0> : tensor<16777217xf32>) : tensor<16777217xf32>
func.func @main(%x: tensor<16777217xf32>) -> tensor<16777217xf32> {
  %0 = ml_program.global_load @state : tensor<16777217xf32>
  ml_program.global_store @state = %x : tensor<16777217xf32>
  return %0 : tensor<16777217xf32>
}

//--- overflow.mlir
// CHECK: overflow.mlir:[[#@LINE+2]]:8: error: 'arith.constant' op expected a tensor of less than 2^63 bytes, but got 'tensor<8x9223372036854775807xi8>'
func.func @main(%x: tensor<5x8xf32>, %s: tensor<f32>, %init: tensor<5x9223372036854775807xf32>) -> tensor<5x9223372036854775807xf32> {
  %q = arith.constant dense<3> : tensor<8x9223372036854775807xi8>
  %w = quant.dequantize %q scale(%s : tensor<f32>) axes = [] : tensor<8x9223372036854775807xi8> -> tensor<8x9223372036854775807xf32>
  %y = linalg.matmul ins(%x, %w : tensor<5x8xf32>, tensor<8x9223372036854775807xf32>) outs(%init : tensor<5x9223372036854775807xf32>) -> tensor<5x9223372036854775807xf32>
  return %y : tensor<5x9223372036854775807xf32>
}

//--- dim.mlir
// CHECK: dim.mlir:[[#@LINE+3]]:8: error: 'tensor.dim' op expected a dimension of 'tensor<?x8xf32>', found 127
func.func @main(%x: tensor<?x8xf32>) -> index {
  %c127 = arith.constant 127 : index
  %m = tensor.dim %x, %c127 : tensor<?x8xf32>
  return %m : index
}

//--- missing.mlir
// CHECK: missing.mlir:[[#@LINE+3]]:8: error: the constant has no data: the file does not hold the resource 'w' (utils/attach-weights.py puts it in)
func.func @main(%x: tensor<3x8xf32>) -> tensor<3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  %w = arith.constant dense_resource<w> : tensor<8x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

//--- short.mlir
// CHECK: short.mlir:[[#@LINE+3]]:8: error: resource 'w': expected 128 bytes for 'tensor<8x4xf32>', found 8
func.func @main(%x: tensor<3x8xf32>) -> tensor<3x4xf32> {
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  %w = arith.constant dense_resource<w> : tensor<8x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<3x8xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}
{-#
  dialect_resources: { builtin: { w: "0x040000000000803F00000040" } }
#-}
