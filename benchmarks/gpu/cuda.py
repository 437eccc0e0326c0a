"""The CUDA driver by ctypes: memory, modules, launches, events."""

import ctypes
import os
import statistics

import numpy as np


class CudaError(Exception):
    pass


class Cuda:
    def __init__(self):
        self.lib = ctypes.CDLL(os.environ.get("QUANT_CUDA_DRIVER",
                                              "libcuda.so.1"))
        self.call("cuInit", 0)
        context = ctypes.c_void_p()
        self.device = ctypes.c_int()
        self.call("cuDeviceGet", ctypes.byref(self.device), 0)
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context),
                  self.device)
        self.call("cuCtxSetCurrent", context)
        # The emulated driver has neither streams nor graphs.
        self.stream = None
        if hasattr(self.lib, "cuGraphLaunch"):
            self.stream = ctypes.c_void_p()
            self.call("cuStreamCreate", ctypes.byref(self.stream), 0)

    def call(self, name, *arguments):
        result = getattr(self.lib, name)(*arguments)
        if result:
            text = ctypes.c_char_p()
            self.lib.cuGetErrorString(result, ctypes.byref(text))
            raise CudaError(f"{name}: {result} {text.value}")

    def name(self):
        text = ctypes.create_string_buffer(256)
        self.call("cuDeviceGetName", text, len(text), self.device)
        return text.value.decode()

    def multiprocessors(self):
        value = ctypes.c_int()
        self.call("cuDeviceGetAttribute", ctypes.byref(value), 16, self.device)
        return value.value

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
            return self.load_data(f.read())

    def load_data(self, image):
        image += b"\0"
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

    def zero(self, pointer, size):
        self.call("cuMemsetD8_v2", ctypes.c_uint64(pointer), ctypes.c_ubyte(0),
                  ctypes.c_size_t(size))

    def launch(self, function, grid, threads, shared_bytes, rows, pointers):
        """A kernel of ours: M as i32, then addresses."""
        values = [ctypes.c_int32(rows)] + [ctypes.c_uint64(p)
                                           for p in pointers]
        params = (ctypes.c_void_p * len(values))(
            *(ctypes.cast(ctypes.byref(v), ctypes.c_void_p) for v in values))
        self.call("cuLaunchKernel", function, *grid, threads, 1, 1,
                  shared_bytes, self.stream, params, None)

    def _capture(self, work, count):
        """`count` times `work()` as a graph: the GPU goes from one kernel to the
        next without waiting for Python. Everything has to be on the stream."""
        graph, executable = ctypes.c_void_p(), ctypes.c_void_p()
        relaxed = 2
        self.call("cuStreamBeginCapture_v2", self.stream, relaxed)
        for _ in range(count):
            work()
        self.call("cuStreamEndCapture", self.stream, ctypes.byref(graph))
        self.call("cuGraphInstantiateWithFlags", ctypes.byref(executable), graph,
                  ctypes.c_ulonglong(0))
        self.call("cuGraphDestroy", graph)
        return executable

    def _elapsed(self, run):
        """Milliseconds between events before and after what `run` starts."""
        start, stop = ctypes.c_void_p(), ctypes.c_void_p()
        for event in (start, stop):
            self.call("cuEventCreate", ctypes.byref(event), 0)
        self.call("cuEventRecord", start, self.stream)
        run()
        self.call("cuEventRecord", stop, self.stream)
        self.call("cuEventSynchronize", stop)
        elapsed = ctypes.c_float()
        self.call("cuEventElapsedTime", ctypes.byref(elapsed), start, stop)
        for event in (start, stop):
            self.call("cuEventDestroy_v2", event)
        return elapsed.value

    def time(self, work, repeats):
        """Milliseconds of one `work()`, the mean of `repeats` in a row."""
        work()
        self.call("cuCtxSynchronize")
        return self._elapsed(lambda: [work() for _ in range(repeats)]) / repeats

    def median_time(self, work, rounds=5, round_ms=20.0):
        """Milliseconds of one `work()`: the median of `rounds` rounds of about
        `round_ms` each."""
        once = max(self.time(work, 3), 1e-3)
        repeats = min(max(3, int(round_ms / once)), 2000)
        if self.stream is None:
            return statistics.median(self.time(work, repeats)
                                     for _ in range(rounds))
        graph = self._capture(work, repeats)

        def launch():
            self.call("cuGraphLaunch", graph, self.stream)
        launch()
        self.call("cuCtxSynchronize")
        times = [self._elapsed(launch) / repeats for _ in range(rounds)]
        self.call("cuGraphExecDestroy", graph)
        return statistics.median(times)
