// The plugin in an unmodified mlir-opt gives the same output as quant-opt with
// the same pipeline, in both orders of the load flags.

// RUN: mlir-opt --load-dialect-plugin=%plugin --load-pass-plugin=%plugin \
// RUN:   --pass-pipeline='builtin.module(quant-to-x86{cpu=icelake-server quantize="weights=channel activations=dynamic-token"})' %s > %t.plugin
// RUN: quant-opt --pass-pipeline='builtin.module(quant-to-x86{cpu=icelake-server quantize="weights=channel activations=dynamic-token"})' %s > %t.opt
// RUN: diff %t.plugin %t.opt
// RUN: FileCheck %s < %t.plugin

// RUN: mlir-opt --load-pass-plugin=%plugin --load-dialect-plugin=%plugin \
// RUN:   --pass-pipeline='builtin.module(quant-to-generic)' %s > %t.plugin
// RUN: quant-opt --pass-pipeline='builtin.module(quant-to-generic)' %s > %t.opt
// RUN: diff %t.plugin %t.opt

// CHECK: llvm.func @linear
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
func.func @linear(%x: tensor<5x40xf32>) -> tensor<5x50xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.5> : tensor<50x40xf32>
  %e = tensor.empty() : tensor<40x50xf32>
  %t = linalg.transpose ins(%w : tensor<50x40xf32>) outs(%e : tensor<40x50xf32>) permutation = [1, 0]
  %init = tensor.empty() : tensor<5x50xf32>
  %fill = linalg.fill ins(%zero : f32) outs(%init : tensor<5x50xf32>) -> tensor<5x50xf32>
  %y = linalg.matmul ins(%x, %t : tensor<5x40xf32>, tensor<40x50xf32>)
         outs(%fill : tensor<5x50xf32>) -> tensor<5x50xf32>
  return %y : tensor<5x50xf32>
}
