//===- Passes.td - from qtarget.packed_matmul to GPU kernels -*- tablegen -*-===//

#ifndef QUANT_TARGET_NVVM_PASSES_TD
#define QUANT_TARGET_NVVM_PASSES_TD

include "mlir/Pass/PassBase.td"

def QuantSetNVVMTargetPass : Pass<"quant-set-nvvm-target", "::mlir::ModuleOp"> {
  let summary = "Describe the NVIDIA chip to compile for on the module";
  let description = [{
    Attaches `qtarget.target` for `chip`: the integer instructions it has, the
    shared memory of one block as its first-level memory, its L2 and its number
    of multiprocessors as cores. An unknown chip is an error that lists the
    known ones.

    Example: `quant-set-nvvm-target{chip=sm_80}` gives

    ```mlir
    module attributes {qtarget.target = #qtarget.target<cpu = "sm_80",
      features = ["cp.async", "dp4a", "mma.m16n8k32.s8", ...], ...>}
    ```
  }];
  let options = [
    Option<"chip", "chip", "std::string", "\"sm_80\"", "sm_61, sm_75, ...">
  ];
  let dependentDialects = ["::quantmlir::qtarget::QTargetDialect"];
}

def ConvertQuantToNVVMPass : Pass<"convert-quant-to-nvvm", "::mlir::ModuleOp"> {
  let summary = "Make GPU kernels and their launches of ops of the packed stage";
  let description = [{
    Each bufferized `qtarget.packed_matmul` and `quant.quantize_rows` becomes `gpu.launch_func` of a kernel
    in the `gpu.module @quant_kernels`. Kernels are specialised for N, K, the
    instruction and the epilogue, and take M at run time; equal ones are shared.
    Where M is not known, the host picks: up to 4 rows take the `dp4a` kernel
    that is bound by memory, more take tiles of `mma.sync`, in kernels for up to
    32, up to 128, and more. Operands are copied
    to the GPU by calls of the project's runtime library; constants once.

    Example:

    ```mlir
    qtarget.packed_matmul #qtarget.nvvm<mma_m16n8k32_s8> ins(%a, %w : memref<?x64x1x64xi8>,
        memref<512x64x8x64xi8>) ... outs(%y : memref<?x4096xf32>)
    // becomes
    gpu.launch_func @quant_kernels::@gemm_0 blocks in (%gx, %gy, %c1)
        threads in (%c128, %c1, %c1) dynamic_shared_memory_size %smem
        args(%m : i32, %pa : i64, %pw : i64, ...)
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::func::FuncDialect", "::mlir::gpu::GPUDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

#endif // QUANT_TARGET_NVVM_PASSES_TD
