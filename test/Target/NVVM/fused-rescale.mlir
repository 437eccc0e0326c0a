// A fixed-point rescale and a residual are part of the kernel: between two
// matmuls of integers there are no sums, only what the first one's kernel stores.
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_80 quantize=weights=channel stop-after=packed" | FileCheck %s
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_80 quantize=weights=channel stop-after=target" | FileCheck %s --check-prefix=TARGET
// RUN: quant-opt %s --quant-to-nvvm="chip=sm_80 quantize=weights=channel format=isa" | FileCheck %s --check-prefix=PTX

// The same integers and floats as on the CPU, for few rows and many.
// DEFINE: %{gpu} = env QUANT_CUDA_DRIVER=%shlib_dir/libemulated-cuda.so QUANT_PTXSIM_PYTHON=%python quant-run %s --target=nvvm --quantize=weights=channel --random-inputs=1
// RUN: %{gpu} --chip=sm_61 --entry=fixed_point --dims=3 --outputs=%t.gpu > /dev/null
// RUN: quant-run %s --quantize=weights=channel --random-inputs=1 --entry=fixed_point --dims=3 --outputs=%t.cpu > /dev/null
// RUN: cmp %t.gpu/out0.npy %t.cpu/out0.npy
// RUN: %{gpu} --chip=sm_80 --entry=fixed_point --dims=18 --outputs=%t.gpu > /dev/null
// RUN: quant-run %s --quantize=weights=channel --random-inputs=1 --entry=fixed_point --dims=18 --outputs=%t.cpu > /dev/null
// RUN: cmp %t.gpu/out0.npy %t.cpu/out0.npy
// RUN: %{gpu} --chip=sm_75 --entry=residual --dims=2 --outputs=%t.gpu > /dev/null
// RUN: quant-run %s --quantize=weights=channel --random-inputs=1 --entry=residual --dims=2 --outputs=%t.cpu > /dev/null
// RUN: cmp %t.gpu/out0.npy %t.cpu/out0.npy
// RUN: %{gpu} --chip=sm_90a --entry=residual --dims=9 --outputs=%t.gpu > /dev/null
// RUN: quant-run %s --quantize=weights=channel --random-inputs=1 --entry=residual --dims=9 --outputs=%t.cpu > /dev/null
// RUN: cmp %t.gpu/out0.npy %t.cpu/out0.npy

// CHECK-LABEL: @fixed_point
// CHECK: %[[Q:.*]] = qtarget.packed_matmul {{.*}} col_bias({{.*}} multiplier({{.*}} : tensor<i32>) shift({{.*}} : tensor<i8>) rounding(DOUBLE_ROUND) {{.*}} {range = array<i64: -128, 127>, zero_point = 3 : i32} -> tensor<?x17xi8>
// CHECK-NOT: tensor<?x17xi32>
// CHECK: qtarget.packed_matmul {{.*}} multiplier({{.*}} : tensor<2x8xi32>) shift({{.*}} : tensor<2x8xi8>) rounding(SINGLE_ROUND) {{.*}} {range = array<i64: -127, 127>} -> tensor<?x9xi8>
// TARGET-LABEL: func.func @fixed_point
// TARGET: gpu.launch_func @quant_kernels::@gemv
// TARGET-NOT: memref<?x17xi32>
// TARGET: gpu.launch_func @quant_kernels::@gemv
// The product of a sum and its multiplier has 64 bits.
// PTX: .entry gemm
// PTX: mul.wide.s32
// PTX: shr.s64
func.func @fixed_point(%x: tensor<?x33xi8>, %w: tensor<33x17xi8>, %v: tensor<17x9xi8>) -> tensor<?x9xi8> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i32
  %m = tensor.dim %x, %c0 : tensor<?x33xi8>
  %bias = arith.constant dense<[5, -900, 30, 77, -4000, 8, 900, 1, 2, -3, 44, 55, 6666, 7, -88, 99, 10]> : tensor<17xi32>
  %z = arith.constant dense<3> : tensor<i32>
  %mul = arith.constant dense<1518500250> : tensor<i32>
  %shift = arith.constant dense<38> : tensor<i8>
  %muls = arith.constant dense<[1073741824, 2147483647, 1518500250, 1200000000, 1999999999, 1300000001, 1073741825, 1600000000, 1700000003]> : tensor<9xi32>
  %shifts = arith.constant dense<[37, 38, 39, 40, 31, 37, 36, 41, 38]> : tensor<9xi8>
  %e0 = tensor.empty(%m) : tensor<?x17xi32>
  %i0 = linalg.fill ins(%zero : i32) outs(%e0 : tensor<?x17xi32>) -> tensor<?x17xi32>
  %e1 = tensor.empty(%m) : tensor<?x9xi32>
  %i1 = linalg.fill ins(%zero : i32) outs(%e1 : tensor<?x9xi32>) -> tensor<?x9xi32>
  %acc = quant.matmul ins(%x, %w : tensor<?x33xi8>, tensor<33x17xi8>) outs(%i0 : tensor<?x17xi32>) -> tensor<?x17xi32>
  %q = quant.rescale_fixed_point %acc multiplier(%mul : tensor<i32>) shift(%shift : tensor<i8>) rounding(DOUBLE_ROUND) bias(%bias : tensor<17xi32>)
         {output_zero_point = 3 : i32, range = array<i64: -128, 127>} : tensor<?x17xi32> -> tensor<?x17xi8>
  %acc1 = quant.matmul ins(%q, %v : tensor<?x17xi8>, tensor<17x9xi8>) lhs_zero_point(%z : tensor<i32>)
            outs(%i1 : tensor<?x9xi32>) -> tensor<?x9xi32>
  %y = quant.rescale_fixed_point %acc1 multiplier(%muls : tensor<9xi32>) shift(%shifts : tensor<9xi8>) rounding(SINGLE_ROUND)
         {range = array<i64: -127, 127>} : tensor<?x9xi32> -> tensor<?x9xi8>
  return %y : tensor<?x9xi8>
}

// An addition of floats, in the program's own words, is taken into the rescale.
// CHECK-LABEL: @residual
// CHECK: qtarget.packed_matmul {{.*}} row_scale({{.*}} residual(%{{.*}} : tensor<?x17xf32>) {{.*}} -> tensor<?x17xf32>
// CHECK-NOT: arith.addf
// CHECK: return
// TARGET-LABEL: func.func @residual
// TARGET: gpu.launch_func @quant_kernels::@gemv
// TARGET-NOT: arith.addf
// TARGET: return
func.func @residual(%x: tensor<?x70xf32>, %w: tensor<70x17xf32>, %r: tensor<?x17xf32>) -> tensor<?x17xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x70xf32>
  %e = tensor.empty(%m) : tensor<?x17xf32>
  %init = linalg.fill ins(%zero : f32) outs(%e : tensor<?x17xf32>) -> tensor<?x17xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x70xf32>, tensor<70x17xf32>) outs(%init : tensor<?x17xf32>) -> tensor<?x17xf32>
  %sum = linalg.add ins(%y, %r : tensor<?x17xf32>, tensor<?x17xf32>) outs(%e : tensor<?x17xf32>) -> tensor<?x17xf32>
  return %sum : tensor<?x17xf32>
}
