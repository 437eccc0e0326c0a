// The machine code of the inner loop: the target's own dot product, every
// accumulator in a register, nothing spilled.

// RUN: quant-opt --quant-to-x86="cpu=icelake-server" %s | mlir-translate --mlir-to-llvmir \
// RUN:   | opt -O3 -mcpu=icelake-server | llc -O3 -mcpu=icelake-server | FileCheck %s --check-prefix=VNNI512
// RUN: quant-opt --quant-to-x86="cpu=alderlake" %s | mlir-translate --mlir-to-llvmir \
// RUN:   | opt -O3 -mcpu=alderlake | llc -O3 -mcpu=alderlake | FileCheck %s --check-prefix=VNNI256
// RUN: quant-opt --quant-to-x86="cpu=haswell" %s | mlir-translate --mlir-to-llvmir \
// RUN:   | opt -O3 -mcpu=haswell | llc -O3 -mcpu=haswell | FileCheck %s --check-prefix=AVX2
// RUN: quant-opt --quant-to-x86="cpu=skylake-avx512" %s | mlir-translate --mlir-to-llvmir \
// RUN:   | opt -O3 -mcpu=skylake-avx512 | llc -O3 -mcpu=skylake-avx512 | FileCheck %s --check-prefix=AVX512BW
// RUN: quant-opt --quant-to-x86="cpu=x86-64" %s | mlir-translate --mlir-to-llvmir \
// RUN:   | opt -O3 | llc -O3 | FileCheck %s --check-prefix=SSE2

// 8 rows x 48 columns: 24 accumulators, 3 loads of the right operand, two steps
// in an iteration; no address is computed in the loop.
// VNNI512-LABEL: linear:
// VNNI512: Inner Loop Header: Depth=3
// VNNI512-NOT: {{Spill|Reload|%bb}}
// VNNI512-COUNT-48: vpdpbusd {{.*}}%zmm
// VNNI512-NOT: vpdpbusd
// VNNI512-NOT: {{Spill|Reload}}
// VNNI512: cmpq
// VNNI512-NEXT: j
// VNNI512-NOT: vpdpbusd

// 4 rows x 24 columns: 12 accumulators of 256 bits.
// VNNI256-LABEL: linear:
// VNNI256: Inner Loop Header: Depth=3
// VNNI256-NOT: {{Spill|Reload|%bb}}
// VNNI256-COUNT-24: vpdpbusd {{.*}}%ymm
// VNNI256-NOT: {{vpdpbusd|Spill|Reload}}
// VNNI256: cmpq
// VNNI256-NOT: vpdpbusd

// Exact products of 16-bit operands; never the saturating vpmaddubsw.
// AVX2-LABEL: linear:
// AVX2-NOT: vpmaddubsw
// AVX2: Inner Loop Header: Depth=3
// AVX2-NOT: {{Spill|Reload|%bb}}
// AVX2-COUNT-16: vpmaddwd {{.*}}%ymm
// AVX2-NOT: {{vpmaddwd|vpmaddubsw|Spill|Reload}}
// AVX2: cmpq

// AVX512BW-LABEL: linear:
// AVX512BW: Inner Loop Header: Depth=3
// AVX512BW-COUNT-48: vpmaddwd {{.*}}%zmm
// AVX512BW-NOT: vpmaddubsw

// SSE2-LABEL: linear:
// SSE2: Inner Loop Header: Depth=3
// SSE2: pmaddwd
// SSE2-NOT: pmaddubsw

func.func @linear(%q: tensor<64x256xi8>, %w: tensor<96x256xi8>, %sx: tensor<64xf32>,
                  %sw: tensor<96xf32>) -> tensor<64x96xf32> {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<64x96xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<64x96xi32>) -> tensor<64x96xi32>
  %acc = quant.matmul ins(%q, %w : tensor<64x256xi8>, tensor<96x256xi8>)
           outs(%init : tensor<64x96xi32>) {transpose_rhs, lhs_unsigned} -> tensor<64x96xi32>
  %y = quant.rescale %acc row_scale(%sx : tensor<64xf32>) channel_scale(%sw : tensor<96xf32>)
         : tensor<64x96xi32> -> tensor<64x96xf32>
  return %y : tensor<64x96xf32>
}
