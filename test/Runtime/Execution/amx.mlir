// --cpu=sapphirerapids takes the AMX path on any host: the emulator executes
// its tile instructions, and results are those of portable loops to the bit.

// REQUIRES: amx-emulator
// RUN: quant-run %s --random-inputs=3 --print=false --outputs=%t.generic
// RUN: env LD_PRELOAD=%emulator quant-run %s --random-inputs=3 --print=false --outputs=%t.amx \
// RUN:   --target=x86 --cpu=sapphirerapids
// RUN: cmp %t.generic/out0.npy %t.amx/out0.npy
// RUN: cmp %t.generic/out1.npy %t.amx/out1.npy
// RUN: env LD_PRELOAD=%emulator quant-run %s --random-inputs=3 --print=false --outputs=%t.two \
// RUN:   --target=x86 --cpu=sapphirerapids --threads=2
// RUN: cmp %t.generic/out0.npy %t.two/out0.npy
// RUN: quant-opt %s --quant-to-x86="cpu=sapphirerapids stop-after=packed" | FileCheck %s

// CHECK-COUNT-2: qtarget.packed_matmul #qtarget.x86<amx_tdpbssd> layout

func.func @main(%x: tensor<520x264xi8>, %w: tensor<544x264xi8>, %v: tensor<21x264xi8>)
    -> (tensor<520x544xi32>, tensor<520x21xf32>) {
  %zero = arith.constant 0 : i32
  %scale = arith.constant dense<0.125> : tensor<f32>
  %empty = tensor.empty() : tensor<520x544xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<520x544xi32>) -> tensor<520x544xi32>
  %y = quant.matmul ins(%x, %w : tensor<520x264xi8>, tensor<544x264xi8>)
         outs(%init : tensor<520x544xi32>) {transpose_rhs} -> tensor<520x544xi32>
  %small = tensor.empty() : tensor<520x21xi32>
  %start = linalg.fill ins(%zero : i32) outs(%small : tensor<520x21xi32>) -> tensor<520x21xi32>
  %z = quant.matmul ins(%x, %v : tensor<520x264xi8>, tensor<21x264xi8>)
         outs(%start : tensor<520x21xi32>) {transpose_rhs} -> tensor<520x21xi32>
  %f = quant.rescale %z row_scale(%scale : tensor<f32>)
         : tensor<520x21xi32> -> tensor<520x21xf32>
  return %y, %f : tensor<520x544xi32>, tensor<520x21xf32>
}
