// A pipeline goes on from every stage that it stops at, as if it had not.

// RUN: quant-opt %s --quant-to-generic="quantize=weights=channel" -o %t.whole
// RUN: quant-opt %s --quant-to-generic="stop-after=quant quantize=weights=channel" | quant-opt --quant-to-generic="start-after=quant" | diff %t.whole -
// RUN: quant-opt %s --quant-to-generic="stop-after=packed quantize=weights=channel" | quant-opt --quant-to-generic="start-after=packed" | diff %t.whole -
// RUN: quant-opt %s --quant-to-generic="stop-after=target quantize=weights=channel" | quant-opt --quant-to-generic="start-after=target" | diff %t.whole -

// RUN: quant-opt %s --quant-to-x86="cpu=icelake-server threads=2 quantize=weights=channel" -o %t.whole
// RUN: quant-opt %s --quant-to-x86="stop-after=quant quantize=weights=channel" | quant-opt --quant-to-x86="cpu=icelake-server threads=2 start-after=quant" | diff %t.whole -
// RUN: quant-opt %s --quant-to-x86="cpu=icelake-server stop-after=packed quantize=weights=channel" | quant-opt --quant-to-x86="threads=2 start-after=packed" | diff %t.whole -
// RUN: quant-opt %s --quant-to-x86="cpu=icelake-server threads=2 stop-after=target quantize=weights=channel" | quant-opt --quant-to-x86="threads=2 start-after=target" | diff %t.whole -
// RUN: FileCheck %s --check-prefix=DOT --input-file=%t.whole
// DOT: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"

// RUN: quant-opt %s --quant-to-arm="cpu=neoverse-n1 quantize=weights=channel" -o %t.whole
// RUN: quant-opt %s --quant-to-arm="cpu=neoverse-n1 stop-after=packed quantize=weights=channel" | quant-opt --quant-to-arm="start-after=packed" | diff %t.whole -

// RUN: quant-opt %s --quant-to-nvvm="chip=sm_80 format=llvm quantize=weights=channel" -o %t.whole
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_80 stop-after=packed quantize=weights=channel" | quant-opt --quant-to-nvvm="chip=sm_80 format=llvm start-after=packed" | diff %t.whole -
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_80 stop-after=target quantize=weights=channel" | quant-opt --quant-to-nvvm="chip=sm_80 format=llvm start-after=target" | diff %t.whole -

// What the program has been brought to is proven, not believed.
// RUN: quant-opt %s --quant-to-x86="stop-after=quant quantize=weights=channel" | not quant-opt --quant-to-x86="start-after=packed" 2>&1 | FileCheck %s --check-prefix=FORM
// FORM: error: 'quant.matmul' op expected no quant.matmul after packing

// RUN: not quant-opt %s --quant-to-generic="start-after=target stop-after=target" 2>&1 | FileCheck %s --check-prefix=ORDER
// RUN: not quant-opt %s --quant-to-nvvm="start-after=target stop-after=quant" 2>&1 | FileCheck %s --check-prefix=ORDER
// ORDER: error: expected a stage in `start-after` that comes before that in `stop-after`
// RUN: not quant-opt %s --quant-to-generic="start-after=llvm" 2>&1 | FileCheck %s --check-prefix=LAST
// LAST: error: cannot read `start-after=llvm`; the options are
func.func @main(%x: tensor<8x64xf32>) -> tensor<8x32xf32> {
  %w = arith.constant dense<0.5> : tensor<64x32xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x32xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<8x32xf32>) -> tensor<8x32xf32>
  %y = linalg.matmul ins(%x, %w : tensor<8x64xf32>, tensor<64x32xf32>) outs(%init : tensor<8x32xf32>) -> tensor<8x32xf32>
  return %y : tensor<8x32xf32>
}
