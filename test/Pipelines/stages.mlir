// Each stage can be stopped at; its form is what the stage promises.

// RUN: quant-opt --quant-to-generic="stop-after=quant quantize=weights=channel" %s | FileCheck %s --check-prefix=QUANT
// RUN: quant-opt --quant-to-generic="stop-after=packed quantize=weights=channel" %s | FileCheck %s --check-prefix=QUANT
// RUN: quant-opt --quant-to-generic="stop-after=target quantize=weights=channel" %s | FileCheck %s --check-prefix=GTARGET
// RUN: quant-opt --quant-to-generic="quantize=weights=channel" %s | FileCheck %s --check-prefix=LLVM
// RUN: quant-opt --quant-to-x86="cpu=icelake-server stop-after=packed quantize=weights=channel" %s | FileCheck %s --check-prefix=PACKED
// RUN: quant-opt --quant-to-x86="cpu=icelake-server stop-after=target quantize=weights=channel" %s | FileCheck %s --check-prefix=XTARGET
// RUN: quant-opt --quant-to-x86="cpu=icelake-server quantize=weights=channel" %s | FileCheck %s --check-prefix=LLVM
// RUN: quant-opt --quant-to-x86="cpu=icelake-server" %s | FileCheck %s --check-prefix=FLOAT

// QUANT-NOT: linalg.matmul
// QUANT: quant.matmul
// QUANT: quant.rescale

// PACKED: #qtarget.target<arch = "x86_64", cpu = "icelake-server"
// PACKED-NOT: quant.matmul
// PACKED: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout
// PACKED-NOT: quant.rescale

// GTARGET-NOT: tensor<
// GTARGET-NOT: quant.
// GTARGET: arith.extsi

// XTARGET-NOT: tensor<
// XTARGET-NOT: {{qtarget|quant\.}}
// XTARGET: vpdpbusd

// LLVM-NOT: {{memref|quant\.|arith\.|scf\.|qtarget}}
// LLVM: llvm.func @_mlir_ciface_main
// LLVM-NOT: {{memref\.|quant\.|arith\.|scf\.|qtarget}}

// Without `quantize` a float matmul stays float.
// FLOAT-NOT: vpdpbusd
// FLOAT: llvm.fmul
func.func @main(%x: tensor<8x16xf32>) -> tensor<8x4xf32> {
  %w = arith.constant dense<0.5> : tensor<16x4xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<8x4xf32>) -> tensor<8x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<8x16xf32>, tensor<16x4xf32>) outs(%init : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}
