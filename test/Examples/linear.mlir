// The README's example, stage by stage: a torch Linear as it is exported.

// RUN: quant-opt --quant-to-x86='cpu=icelake-server stop-after=quant quantize="weights=tensor activations=dynamic-tensor"' %s | FileCheck %s --check-prefix=QUANT
// RUN: quant-opt --quant-to-x86='cpu=icelake-server stop-after=packed quantize="weights=tensor activations=dynamic-tensor"' %s | FileCheck %s --check-prefix=PACKED
// RUN: quant-opt --quant-to-x86='cpu=icelake-server stop-after=target quantize="weights=tensor activations=dynamic-tensor"' %s | FileCheck %s --check-prefix=TARGET
// RUN: quant-opt --quant-to-x86='cpu=icelake-server quantize="weights=tensor activations=dynamic-tensor"' %s | mlir-translate --mlir-to-llvmir | FileCheck %s --check-prefix=LLVM
// RUN: %python -c "import numpy as np; np.save(r'%t.npy', np.array([[0.3, -0.2, 0.1], [-0.5, 0.4, 0.2]], np.float32))"
// RUN: quant-run %s --inputs=%t.npy | FileCheck %s --check-prefix=FLOAT
// RUN: quant-run %s --inputs=%t.npy --quantize="weights=tensor activations=dynamic-tensor" --target=generic | FileCheck %s --check-prefix=INT8
// RUN: quant-run %s --inputs=%t.npy --quantize="weights=tensor activations=dynamic-tensor" --target=x86 | FileCheck %s --check-prefix=INT8

// QUANT: arith.constant dense<{{\[\[}}109, -18, 54], [-73, 127, -36]]> : tensor<2x3xi8>
// QUANT: quant.choose_qparams
// QUANT: quant.quantize
// QUANT: quant.matmul {{.*}} transpose_rhs}
// QUANT: quant.rescale

// PACKED: arith.constant dense<{{\[\[}}-18560, -2304, 0,
// PACKED: quant.quantize {{.*}} range = [0, 255] unsigned
// PACKED: qtarget.packed_matmul #qtarget.x86<vpdpbusd_512> layout

// TARGET-NOT: tensor<
// TARGET: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xi32>, vector<16xi32>)
// TARGET: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"

// LLVM: call <16 x i32> @llvm.x86.avx512.vpdpbusd.512

// FLOAT: {{\[\[}}0.23, -0.28], [-0.28, 0.44]]
// Scales come from the data (0.5 / 127 and 0.7 / 127), not from the example.
// INT8: {{\[\[}}0.228979, -0.280473], [-0.280473, 0.442442]]

func.func @main(%x: tensor<2x3xf32>) -> tensor<2x2xf32> {
  %w = arith.constant dense<[[0.6, -0.1, 0.3], [-0.4, 0.7, -0.2]]> : tensor<2x3xf32>
  %zero = arith.constant 0.0 : f32
  %e0 = tensor.empty() : tensor<3x2xf32>
  %wt = linalg.transpose ins(%w : tensor<2x3xf32>) outs(%e0 : tensor<3x2xf32>) permutation = [1, 0]
  %e1 = tensor.empty() : tensor<2x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x2xf32>) -> tensor<2x2xf32>
  %y = linalg.matmul ins(%x, %wt : tensor<2x3xf32>, tensor<3x2xf32>) outs(%init : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}
