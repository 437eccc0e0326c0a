/*===- CudaRuntime.h - what compiled programs call on a GPU --------*- C -*-===*\
|*                                                                            *|
|* Programs of `quant-to-nvvm` call two sets of C functions: upstream's GPU    *|
|* runtime ABI (`mgpu*`, from gpu-to-llvm) and `quantGpu*`, which move         *|
|* operands. Both stand on the CUDA driver API, whose library is opened at run *|
|* time: nothing links CUDA. The environment variable QUANT_CUDA_DRIVER names  *|
|* another library than libcuda.so.1.                                          *|
|*                                                                            *|
|* An error of the driver prints what failed to standard error and aborts the  *|
|* process: compiled code has no way to go on. Ask quantGpuProblem() first.    *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef QUANT_RUNTIME_CUDA_CUDARUNTIME_H
#define QUANT_RUNTIME_CUDA_CUDARUNTIME_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Null when a GPU can be used; else why not, a string that stays valid. */
const char *quantGpuProblem(void);

/** A copy of `bytes` bytes at `host` in the GPU's memory; its address. */
int64_t quantGpuUpload(int64_t host, int64_t bytes);
/** The same for memory that never changes: one copy for each address. */
int64_t quantGpuConstant(int64_t host, int64_t bytes);
/** `bytes` bytes of the GPU's memory, not initialized. */
int64_t quantGpuAllocate(int64_t bytes);
/** At least `bytes` bytes of zeros, which kernels leave as zeros: one buffer for
 *  all launches, which follow each other. Stays valid until more is asked for. */
int64_t quantGpuWorkspace(int64_t bytes);
/** Waits for all kernels, then copies `bytes` bytes to `host`. */
void quantGpuDownload(int64_t device, int64_t host, int64_t bytes);
/** Gives back what quantGpuUpload or quantGpuAllocate took. */
void quantGpuFree(int64_t device);

/* Upstream's ABI, as far as gpu.launch_func needs it. */
void *mgpuModuleLoad(void *data, uint64_t size);
void *mgpuModuleLoadJIT(void *data, int optLevel, uint64_t size);
void mgpuModuleUnload(void *module);
void *mgpuModuleGetFunction(void *module, const char *name);
void mgpuLaunchKernel(void *function, intptr_t gridX, intptr_t gridY,
                      intptr_t gridZ, intptr_t blockX, intptr_t blockY,
                      intptr_t blockZ, int32_t sharedBytes, void *stream,
                      void **params, void **extra, uint64_t paramsCount);
void *mgpuStreamCreate(void);
void mgpuStreamDestroy(void *stream);
void mgpuStreamSynchronize(void *stream);

#ifdef __cplusplus
}
#endif

#endif /* QUANT_RUNTIME_CUDA_CUDARUNTIME_H */
