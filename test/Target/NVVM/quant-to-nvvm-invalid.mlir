// RUN: quant-opt %s --split-input-file --verify-diagnostics --convert-quant-to-nvvm

// expected-error @+1 {{expected no function named `quantGpuFree`: names that begin with quantGpu are the runtime's}}
func.func private @quantGpuFree(f32)

// -----

// expected-error @+1 {{expected the module to have the attribute `qtarget.target`; run quant-set-nvvm-target first}}
module {
  func.func @no_target(%a: memref<8x1x1x64xi8>, %w: memref<1x1x8x64xi8>, %y: memref<8x8xi32>) {
    qtarget.packed_matmul #qtarget.nvvm<mma_m16n8k32_s8> layout<lhs = s8 1x64, rhs = s8 8x64> ins(%a, %w : memref<8x1x1x64xi8>, memref<1x1x8x64xi8>) outs(%y : memref<8x8xi32>)
    return
  }
}

// -----

module attributes {qtarget.target = #qtarget.target<arch = "nvptx64", cpu = "sm_80", features = ["dp4a", "mma.m16n8k32.s8"], l1d = 166912, l2 = 41943040, cores = 108>} {
  func.func @tensors(%a: tensor<8x1x1x64xi8>, %w: tensor<1x1x8x64xi8>, %y: tensor<8x8xi32>) -> tensor<8x8xi32> {
    // expected-error @+1 {{expected memrefs, found tensors; bufferize first}}
    %0 = qtarget.packed_matmul #qtarget.nvvm<mma_m16n8k32_s8> layout<lhs = s8 1x64, rhs = s8 8x64> ins(%a, %w : tensor<8x1x1x64xi8>, tensor<1x1x8x64xi8>) outs(%y : tensor<8x8xi32>) -> tensor<8x8xi32>
    return %0 : tensor<8x8xi32>
  }
}

// -----

module attributes {qtarget.target = #qtarget.target<arch = "nvptx64", cpu = "sm_80", features = ["dp4a", "mma.m16n8k32.s8"], l1d = 166912, l2 = 41943040, cores = 108>} {
  func.func @dynamic_n(%a: memref<8x1x1x64xi8>, %w: memref<?x1x8x64xi8>, %y: memref<8x?xi32>) {
    // expected-error @+1 {{expected static N and K for a GPU kernel, found 'memref<?x1x8x64xi8>' and 'memref<8x?xi32>'}}
    qtarget.packed_matmul #qtarget.nvvm<mma_m16n8k32_s8> layout<lhs = s8 1x64, rhs = s8 8x64> ins(%a, %w : memref<8x1x1x64xi8>, memref<?x1x8x64xi8>) outs(%y : memref<8x?xi32>)
    return
  }
}
