//===- CudaRuntime.cpp - what compiled programs call on a GPU -------------===//
//
// The few entry points of the CUDA driver API that are needed are declared
// here, after NVIDIA's documentation of the API, and looked up at run time.
//
//===----------------------------------------------------------------------===//

#include "quant/Runtime/Cuda/CudaRuntime.h"

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <map>
#include <mutex>
#include <string>

namespace {

using Result = int;
using DevicePtr = unsigned long long;
constexpr Result kSuccess = 0;
/// CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES.
constexpr int kMaxDynamicSharedBytes = 8;
/// What every chip grants without asking.
constexpr int32_t kSharedWithoutAsking = 48 * 1024;

struct Driver {
  Result (*init)(unsigned) = nullptr;
  Result (*deviceGet)(int *, int) = nullptr;
  Result (*primaryCtxRetain)(void **, int) = nullptr;
  Result (*ctxSetCurrent)(void *) = nullptr;
  Result (*ctxSynchronize)() = nullptr;
  Result (*moduleLoadData)(void **, const void *) = nullptr;
  Result (*moduleUnload)(void *) = nullptr;
  Result (*moduleGetFunction)(void **, void *, const char *) = nullptr;
  Result (*funcSetAttribute)(void *, int, int) = nullptr;
  Result (*launchKernel)(void *, unsigned, unsigned, unsigned, unsigned,
                         unsigned, unsigned, unsigned, void *, void **,
                         void **) = nullptr;
  Result (*memAlloc)(DevicePtr *, size_t) = nullptr;
  Result (*memFree)(DevicePtr) = nullptr;
  Result (*memset)(DevicePtr, unsigned char, size_t) = nullptr;
  Result (*copyHtoD)(DevicePtr, const void *, size_t) = nullptr;
  Result (*copyDtoH)(void *, DevicePtr, size_t) = nullptr;
  Result (*getErrorString)(Result, const char **) = nullptr;

  /// Empty when a GPU is ready.
  std::string problem;
  void *context = nullptr;
  std::mutex mutex;
  std::map<std::pair<int64_t, int64_t>, int64_t> constants;
  int64_t workspace = 0, workspaceBytes = 0;

  Driver() { problem = open(); }

  std::string describe(Result result) const {
    const char *text = nullptr;
    if (getErrorString && getErrorString(result, &text) == kSuccess && text)
      return text;
    return "CUDA error " + std::to_string(result);
  }

private:
  std::string open();
};

template <typename Function>
bool lookUp(void *library, const char *name, Function &function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

} // namespace

std::string Driver::open() {
  const char *path = std::getenv("QUANT_CUDA_DRIVER");
  if (!path)
    path = "libcuda.so.1";
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return std::string("no CUDA driver: ") + dlerror();
  bool complete =
      lookUp(library, "cuInit", init) &&
      lookUp(library, "cuDeviceGet", deviceGet) &&
      lookUp(library, "cuDevicePrimaryCtxRetain", primaryCtxRetain) &&
      lookUp(library, "cuCtxSetCurrent", ctxSetCurrent) &&
      lookUp(library, "cuCtxSynchronize", ctxSynchronize) &&
      lookUp(library, "cuModuleLoadData", moduleLoadData) &&
      lookUp(library, "cuModuleUnload", moduleUnload) &&
      lookUp(library, "cuModuleGetFunction", moduleGetFunction) &&
      lookUp(library, "cuFuncSetAttribute", funcSetAttribute) &&
      lookUp(library, "cuLaunchKernel", launchKernel) &&
      lookUp(library, "cuMemAlloc_v2", memAlloc) &&
      lookUp(library, "cuMemFree_v2", memFree) &&
      lookUp(library, "cuMemsetD8_v2", memset) &&
      lookUp(library, "cuMemcpyHtoD_v2", copyHtoD) &&
      lookUp(library, "cuMemcpyDtoH_v2", copyDtoH) &&
      lookUp(library, "cuGetErrorString", getErrorString);
  if (!complete)
    return std::string(path) + " lacks functions of the CUDA driver API";
  int device = 0;
  for (Result result :
       {init(0), deviceGet(&device, 0), primaryCtxRetain(&context, device),
        ctxSetCurrent(context)})
    if (result != kSuccess)
      return "no GPU: " + describe(result);
  return "";
}

static Driver &getDriver() {
  static Driver driver;
  return driver;
}

/// Ends the process when `result` is an error.
static void check(Result result, const char *what) {
  if (result == kSuccess)
    return;
  std::fprintf(stderr, "error: %s: %s\n", what,
               getDriver().describe(result).c_str());
  std::abort();
}

/// The driver, with its context current on this thread.
static Driver &use() {
  Driver &driver = getDriver();
  if (!driver.problem.empty()) {
    std::fprintf(stderr, "error: %s\n", driver.problem.c_str());
    std::abort();
  }
  check(driver.ctxSetCurrent(driver.context), "cuCtxSetCurrent");
  return driver;
}

const char *quantGpuProblem() {
  const std::string &problem = getDriver().problem;
  return problem.empty() ? nullptr : problem.c_str();
}

int64_t quantGpuAllocate(int64_t bytes) {
  DevicePtr pointer = 0;
  // The driver refuses to allocate nothing.
  check(use().memAlloc(&pointer, bytes > 0 ? bytes : 1), "cuMemAlloc");
  return static_cast<int64_t>(pointer);
}

int64_t quantGpuUpload(int64_t host, int64_t bytes) {
  int64_t device = quantGpuAllocate(bytes);
  if (bytes > 0)
    check(use().copyHtoD(device, reinterpret_cast<const void *>(host), bytes),
          "cuMemcpyHtoD");
  return device;
}

int64_t quantGpuConstant(int64_t host, int64_t bytes) {
  Driver &driver = use();
  std::lock_guard<std::mutex> lock(driver.mutex);
  int64_t &device = driver.constants[{host, bytes}];
  if (device == 0)
    device = quantGpuUpload(host, bytes);
  return device;
}

int64_t quantGpuWorkspace(int64_t bytes) {
  Driver &driver = use();
  std::lock_guard<std::mutex> lock(driver.mutex);
  if (bytes <= driver.workspaceBytes)
    return driver.workspace;
  // Freeing waits for the kernels that use it.
  if (driver.workspace != 0)
    quantGpuFree(driver.workspace);
  driver.workspace = quantGpuAllocate(bytes);
  driver.workspaceBytes = bytes;
  check(driver.memset(driver.workspace, 0, bytes), "cuMemsetD8");
  return driver.workspace;
}

void quantGpuDownload(int64_t device, int64_t host, int64_t bytes) {
  Driver &driver = use();
  check(driver.ctxSynchronize(), "a kernel");
  if (bytes > 0)
    check(driver.copyDtoH(reinterpret_cast<void *>(host), device, bytes),
          "cuMemcpyDtoH");
}

void quantGpuFree(int64_t device) { check(use().memFree(device), "cuMemFree"); }

void *mgpuModuleLoad(void *data, uint64_t) {
  void *module = nullptr;
  check(use().moduleLoadData(&module, data), "cuModuleLoadData");
  return module;
}

void *mgpuModuleLoadJIT(void *data, int, uint64_t size) {
  return mgpuModuleLoad(data, size);
}

void mgpuModuleUnload(void *module) {
  check(use().moduleUnload(module), "cuModuleUnload");
}

void *mgpuModuleGetFunction(void *module, const char *name) {
  void *function = nullptr;
  check(use().moduleGetFunction(&function, module, name),
        "cuModuleGetFunction");
  return function;
}

void mgpuLaunchKernel(void *function, intptr_t gridX, intptr_t gridY,
                      intptr_t gridZ, intptr_t blockX, intptr_t blockY,
                      intptr_t blockZ, int32_t sharedBytes, void *stream,
                      void **params, void **extra, uint64_t) {
  Driver &driver = use();
  if (sharedBytes > kSharedWithoutAsking)
    check(
        driver.funcSetAttribute(function, kMaxDynamicSharedBytes, sharedBytes),
        "cuFuncSetAttribute");
  check(driver.launchKernel(function, gridX, gridY, gridZ, blockX, blockY,
                            blockZ, sharedBytes, stream, params, extra),
        "cuLaunchKernel");
}

// One stream, the default one: launches follow each other, and a download
// waits for all of them.
void *mgpuStreamCreate() { return nullptr; }
void mgpuStreamDestroy(void *) {}
void mgpuStreamSynchronize(void *) {}
