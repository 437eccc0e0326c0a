// The worked examples of the arithmetic, from values that are known at run time
// only: stored integers, accumulators and floats.
// RUN: rm -rf %t && mkdir %t
// RUN: %make-npy %t/s.npy "np.float32(0.1)"
// RUN: %make-npy %t/x1.npy "np.float32([[0.5, -0.2]])"
// RUN: %make-npy %t/w1.npy "np.float32([[0.8, -0.6]])"
// RUN: %make-npy %t/x2.npy "np.float32([[0.3, -0.2, 0.1], [-0.5, 0.4, 0.2]])"
// RUN: %make-npy %t/w2.npy "np.float32([[0.6, -0.1, 0.3], [-0.4, 0.7, -0.2]])"
// RUN: quant-run %s --entry=vector_i8 --inputs=%t/x1.npy,%t/w1.npy,%t/s.npy | FileCheck %s --check-prefix=VEC8
// RUN: quant-run %s --entry=vector_i4 --inputs=%t/x1.npy,%t/w1.npy,%t/s.npy | FileCheck %s --check-prefix=VEC4
// RUN: quant-run %s --entry=matrix_i8 --inputs=%t/x2.npy,%t/w2.npy,%t/s.npy | FileCheck %s --check-prefix=MAT8
// RUN: quant-run %s --entry=matrix_i4 --inputs=%t/x2.npy,%t/w2.npy,%t/s.npy | FileCheck %s --check-prefix=MAT4
// RUN: quant-run %s --entry=matrix_constant_i8 --inputs=%t/x2.npy | FileCheck %s --check-prefix=MAT
// RUN: quant-run %s --entry=matrix_constant_i4 --inputs=%t/x2.npy | FileCheck %s --check-prefix=MAT
// RUN: quant-run %s --entry=vector_i8 --target=x86 --inputs=%t/x1.npy,%t/w1.npy,%t/s.npy | FileCheck %s --check-prefix=VEC8
// RUN: quant-run %s --entry=vector_i4 --target=x86 --inputs=%t/x1.npy,%t/w1.npy,%t/s.npy | FileCheck %s --check-prefix=VEC4
// RUN: quant-run %s --entry=matrix_i8 --target=x86 --inputs=%t/x2.npy,%t/w2.npy,%t/s.npy | FileCheck %s --check-prefix=MAT8
// RUN: quant-run %s --entry=matrix_i4 --target=x86 --inputs=%t/x2.npy,%t/w2.npy,%t/s.npy | FileCheck %s --check-prefix=MAT4
// RUN: quant-run %s --entry=matrix_constant_i8 --target=x86 --inputs=%t/x2.npy | FileCheck %s --check-prefix=MAT
// RUN: quant-run %s --entry=matrix_constant_i4 --target=x86 --inputs=%t/x2.npy | FileCheck %s --check-prefix=MAT

// On an emulated GPU, every chip's own kernels; no float is multiplied on the
// host.
// DEFINE: %{gpu} = env QUANT_CUDA_DRIVER=%shlib_dir/libemulated-cuda.so QUANT_PTXSIM_PYTHON=%python quant-run %s --target=nvvm
// RUN: %{gpu} --chip=sm_61 --entry=vector_i8 --inputs=%t/x1.npy,%t/w1.npy,%t/s.npy | FileCheck %s --check-prefix=VEC8
// RUN: %{gpu} --chip=sm_80 --entry=vector_i4 --inputs=%t/x1.npy,%t/w1.npy,%t/s.npy | FileCheck %s --check-prefix=VEC4
// RUN: %{gpu} --chip=sm_75 --entry=matrix_i8 --inputs=%t/x2.npy,%t/w2.npy,%t/s.npy | FileCheck %s --check-prefix=MAT8
// RUN: %{gpu} --chip=sm_86 --entry=matrix_i4 --inputs=%t/x2.npy,%t/w2.npy,%t/s.npy | FileCheck %s --check-prefix=MAT4
// RUN: %{gpu} --chip=sm_90a --entry=matrix_constant_i8 --inputs=%t/x2.npy | FileCheck %s --check-prefix=MAT
// RUN: %{gpu} --chip=sm_100 --entry=matrix_constant_i4 --inputs=%t/x2.npy | FileCheck %s --check-prefix=MAT
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_80 stop-after=packed" | FileCheck %s --check-prefix=PACKED --implicit-check-not="linalg.{{[a-z_]*}}matmul" --implicit-check-not=quant.matmul
// PACKED-COUNT-6: qtarget.packed_matmul

// VEC8: result0: tensor<1x2xi8> = {{\[\[}}5, -2]]
// VEC8: result1: tensor<1x1xi32> = {{\[\[}}52]]
// VEC8: result2: tensor<1x1xf32> = {{\[\[}}0.52]]
func.func @vector_i8(%x: tensor<1x2xf32>, %w: tensor<1x2xf32>, %s: tensor<f32>)
    -> (tensor<1x2xi8>, tensor<1x1xi32>, tensor<1x1xf32>) {
  %init = arith.constant dense<0> : tensor<1x1xi32>
  %qx = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<1x2xf32> -> tensor<1x2xi8>
  %qw = quant.quantize %w scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<1x2xf32> -> tensor<1x2xi8>
  %acc = quant.matmul ins(%qx, %qw : tensor<1x2xi8>, tensor<1x2xi8>) outs(%init : tensor<1x1xi32>) {transpose_rhs} -> tensor<1x1xi32>
  %y = quant.rescale %acc row_scale(%s : tensor<f32>) channel_scale(%s : tensor<f32>) : tensor<1x1xi32> -> tensor<1x1xf32>
  return %qx, %acc, %y : tensor<1x2xi8>, tensor<1x1xi32>, tensor<1x1xf32>
}

// 4-bit values cross the boundary packed: 5 and -2 are 0xe5, that is -27; 8
// is clipped to 7, so the sum is 35 + 12.
// VEC4: result0: tensor<1x1xi8> = {{\[\[}}-27]]
// VEC4: result1: tensor<1x1xi32> = {{\[\[}}47]]
func.func @vector_i4(%x: tensor<1x2xf32>, %w: tensor<1x2xf32>, %s: tensor<f32>)
    -> (tensor<1x1xi8>, tensor<1x1xi32>) {
  %init = arith.constant dense<0> : tensor<1x1xi32>
  %qx = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-8, 7] : tensor<1x2xf32> -> tensor<1x2xi4>
  %qw = quant.quantize %w scale(%s : tensor<f32>) axes = [] range = [-8, 7] : tensor<1x2xf32> -> tensor<1x2xi4>
  %p = quant.pack_int4 %qx : tensor<1x2xi4> -> tensor<1x1xi8>
  %acc = quant.matmul ins(%qx, %qw : tensor<1x2xi4>, tensor<1x2xi4>) outs(%init : tensor<1x1xi32>) {transpose_rhs} -> tensor<1x1xi32>
  return %p, %acc : tensor<1x1xi8>, tensor<1x1xi32>
}

// MAT8: result0: tensor<2x3xi8> = {{\[\[}}3, -2, 1], [-5, 4, 2]]
// MAT8: result1: tensor<2x3xi8> = {{\[\[}}6, -1, 3], [-4, 7, -2]]
// MAT8: result2: tensor<2x2xi32> = {{\[\[}}23, -28], [-28, 44]]
// MAT8: result3: tensor<2x2xf32> = {{\[\[}}0.23, -0.28], [-0.28, 0.44]]
func.func @matrix_i8(%x: tensor<2x3xf32>, %w: tensor<2x3xf32>, %s: tensor<f32>)
    -> (tensor<2x3xi8>, tensor<2x3xi8>, tensor<2x2xi32>, tensor<2x2xf32>) {
  %init = arith.constant dense<0> : tensor<2x2xi32>
  %qx = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<2x3xf32> -> tensor<2x3xi8>
  %qw = quant.quantize %w scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<2x3xf32> -> tensor<2x3xi8>
  %acc = quant.matmul ins(%qx, %qw : tensor<2x3xi8>, tensor<2x3xi8>) outs(%init : tensor<2x2xi32>) {transpose_rhs} -> tensor<2x2xi32>
  %y = quant.rescale %acc row_scale(%s : tensor<f32>) channel_scale(%s : tensor<f32>) : tensor<2x2xi32> -> tensor<2x2xf32>
  return %qx, %qw, %acc, %y : tensor<2x3xi8>, tensor<2x3xi8>, tensor<2x2xi32>, tensor<2x2xf32>
}

// Quantized, packed two in a byte, unpacked, multiplied.
// MAT4: result0: tensor<2x2xi8> = {{\[\[}}-29, 1], [75, 2]]
// MAT4: result1: tensor<2x2xi8> = {{\[\[}}-10, 3], [124, 14]]
// MAT4: result2: tensor<2x2xi32> = {{\[\[}}23, -28], [-28, 44]]
// MAT4: result3: tensor<2x2xf32> = {{\[\[}}0.23, -0.28], [-0.28, 0.44]]
func.func @matrix_i4(%x: tensor<2x3xf32>, %w: tensor<2x3xf32>, %s: tensor<f32>)
    -> (tensor<2x2xi8>, tensor<2x2xi8>, tensor<2x2xi32>, tensor<2x2xf32>) {
  %init = arith.constant dense<0> : tensor<2x2xi32>
  %qx = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-8, 7] : tensor<2x3xf32> -> tensor<2x3xi4>
  %qw = quant.quantize %w scale(%s : tensor<f32>) axes = [] range = [-8, 7] : tensor<2x3xf32> -> tensor<2x3xi4>
  %px = quant.pack_int4 %qx : tensor<2x3xi4> -> tensor<2x2xi8>
  %pw = quant.pack_int4 %qw : tensor<2x3xi4> -> tensor<2x2xi8>
  %ux = quant.unpack_int4 %px : tensor<2x2xi8> -> tensor<2x3xi4>
  %uw = quant.unpack_int4 %pw : tensor<2x2xi8> -> tensor<2x3xi4>
  %acc = quant.matmul ins(%ux, %uw : tensor<2x3xi4>, tensor<2x3xi4>) outs(%init : tensor<2x2xi32>) {transpose_rhs} -> tensor<2x2xi32>
  %y = quant.rescale %acc row_scale(%s : tensor<f32>) channel_scale(%s : tensor<f32>) : tensor<2x2xi32> -> tensor<2x2xf32>
  return %px, %pw, %acc, %y : tensor<2x2xi8>, tensor<2x2xi8>, tensor<2x2xi32>, tensor<2x2xf32>
}

// MAT: result0: tensor<2x2xi32> = {{\[\[}}23, -28], [-28, 44]]
// MAT: result1: tensor<2x2xf32> = {{\[\[}}0.23, -0.28], [-0.28, 0.44]]
func.func @matrix_constant_i8(%x: tensor<2x3xf32>) -> (tensor<2x2xi32>, tensor<2x2xf32>) {
  %w = arith.constant dense<[[0.6, -0.1, 0.3], [-0.4, 0.7, -0.2]]> : tensor<2x3xf32>
  %s = arith.constant dense<0.1> : tensor<f32>
  %init = arith.constant dense<0> : tensor<2x2xi32>
  %qx = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<2x3xf32> -> tensor<2x3xi8>
  %qw = quant.quantize %w scale(%s : tensor<f32>) axes = [] range = [-128, 127] : tensor<2x3xf32> -> tensor<2x3xi8>
  %acc = quant.matmul ins(%qx, %qw : tensor<2x3xi8>, tensor<2x3xi8>) outs(%init : tensor<2x2xi32>) {transpose_rhs} -> tensor<2x2xi32>
  %y = quant.rescale %acc row_scale(%s : tensor<f32>) channel_scale(%s : tensor<f32>) : tensor<2x2xi32> -> tensor<2x2xf32>
  return %acc, %y : tensor<2x2xi32>, tensor<2x2xf32>
}

func.func @matrix_constant_i4(%x: tensor<2x3xf32>) -> (tensor<2x2xi32>, tensor<2x2xf32>) {
  %w = arith.constant dense<[[0.6, -0.1, 0.3], [-0.4, 0.7, -0.2]]> : tensor<2x3xf32>
  %s = arith.constant dense<0.1> : tensor<f32>
  %init = arith.constant dense<0> : tensor<2x2xi32>
  %qx = quant.quantize %x scale(%s : tensor<f32>) axes = [] range = [-8, 7] : tensor<2x3xf32> -> tensor<2x3xi4>
  %qw = quant.quantize %w scale(%s : tensor<f32>) axes = [] range = [-8, 7] : tensor<2x3xf32> -> tensor<2x3xi4>
  %acc = quant.matmul ins(%qx, %qw : tensor<2x3xi4>, tensor<2x3xi4>) outs(%init : tensor<2x2xi32>) {transpose_rhs} -> tensor<2x2xi32>
  %y = quant.rescale %acc row_scale(%s : tensor<f32>) channel_scale(%s : tensor<f32>) : tensor<2x2xi32> -> tensor<2x2xf32>
  return %acc, %y : tensor<2x2xi32>, tensor<2x2xf32>
}
