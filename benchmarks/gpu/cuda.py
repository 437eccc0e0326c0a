"""The CUDA driver by ctypes: memory, modules, launches, events."""

import ctypes
import os

import numpy as np


class CudaError(Exception):
    pass


class Cuda:
    def __init__(self):
        self.lib = ctypes.CDLL(os.environ.get("QUANT_CUDA_DRIVER",
                                              "libcuda.so.1"))
        self.call("cuInit", 0)
        device, context = ctypes.c_int(), ctypes.c_void_p()
        self.call("cuDeviceGet", ctypes.byref(device), 0)
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self.call("cuCtxSetCurrent", context)

    def call(self, name, *arguments):
        result = getattr(self.lib, name)(*arguments)
        if result:
            text = ctypes.c_char_p()
            self.lib.cuGetErrorString(result, ctypes.byref(text))
            raise CudaError(f"{name}: {result} {text.value}")

    def allocate(self, size):
        pointer = ctypes.c_uint64()
        self.call("cuMemAlloc_v2", ctypes.byref(pointer),
                  ctypes.c_size_t(max(size, 1)))
        return pointer.value

    def free(self, *pointers):
        for pointer in pointers:
            self.call("cuMemFree_v2", ctypes.c_uint64(pointer))

    def upload(self, array):
        array = np.ascontiguousarray(array)
        pointer = self.allocate(array.nbytes)
        self.call("cuMemcpyHtoD_v2", ctypes.c_uint64(pointer),
                  array.ctypes.data_as(ctypes.c_void_p),
                  ctypes.c_size_t(array.nbytes))
        return pointer

    def download(self, pointer, shape, dtype):
        self.call("cuCtxSynchronize")
        array = np.empty(shape, dtype)
        self.call("cuMemcpyDtoH_v2", array.ctypes.data_as(ctypes.c_void_p),
                  ctypes.c_uint64(pointer), ctypes.c_size_t(array.nbytes))
        return array

    def load(self, path):
        with open(path, "rb") as f:
            image = f.read() + b"\0"
        module = ctypes.c_void_p()
        self.call("cuModuleLoadData", ctypes.byref(module), image)
        return module

    def unload(self, module):
        self.call("cuModuleUnload", module)

    def function(self, module, name, shared_bytes):
        function = ctypes.c_void_p()
        self.call("cuModuleGetFunction", ctypes.byref(function), module,
                  name.encode())
        if shared_bytes > 48 * 1024:
            self.call("cuFuncSetAttribute", function, 8, shared_bytes)
        return function

    def launch(self, function, grid, threads, shared_bytes, rows, pointers):
        """A kernel of ours: M as i32, then addresses."""
        values = [ctypes.c_int32(rows)] + [ctypes.c_uint64(p)
                                           for p in pointers]
        params = (ctypes.c_void_p * len(values))(
            *(ctypes.cast(ctypes.byref(v), ctypes.c_void_p) for v in values))
        self.call("cuLaunchKernel", function, *grid, threads, 1, 1,
                  shared_bytes, None, params, None)

    def time(self, work, repeats):
        """Milliseconds of one `work()`, the mean of `repeats` in a row."""
        start, stop = ctypes.c_void_p(), ctypes.c_void_p()
        for event in (start, stop):
            self.call("cuEventCreate", ctypes.byref(event), 0)
        work()
        self.call("cuCtxSynchronize")
        self.call("cuEventRecord", start, None)
        for _ in range(repeats):
            work()
        self.call("cuEventRecord", stop, None)
        self.call("cuEventSynchronize", stop)
        elapsed = ctypes.c_float()
        self.call("cuEventElapsedTime", ctypes.byref(elapsed), start, stop)
        return elapsed.value / repeats
