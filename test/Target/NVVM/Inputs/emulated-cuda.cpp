//===- emulated-cuda.cpp - the CUDA driver API on a machine without a GPU -===//
//
// As much of the driver as the project's runtime calls. Memory is a file that
// is mapped here and by `python -m ptxsim.server`, which executes the kernels'
// PTX; requests and answers are lines over a pair of pipes. Named by
// QUANT_CUDA_DRIVER in tests; QUANT_PTXSIM_PYTHON is the interpreter.
//
//===----------------------------------------------------------------------===//

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr size_t kMemoryBytes = size_t(1) << 30;
constexpr uint64_t kBase = uint64_t(1) << 32;
/// Between allocations, so that an access past one is in none.
constexpr size_t kGap = 4096;

struct Function {
  std::string module, name;
  std::vector<int> paramBytes;
};

struct Emulator {
  char *memory = nullptr;
  size_t used = 0;
  FILE *requests = nullptr, *answers = nullptr;
  std::map<std::string, Function> functions;
  std::string lastError = "no error";

  bool start();
  /// Sends a line; the answer's rest after `ok`, or false.
  bool ask(const std::string &request, std::string &answer);
};

Emulator &emulator() {
  static Emulator instance;
  return instance;
}

} // namespace

bool Emulator::start() {
  char path[] = "/tmp/emulated-cuda-XXXXXX";
  int file = mkstemp(path);
  if (file < 0 || ftruncate(file, kMemoryBytes) != 0)
    return false;
  memory = static_cast<char *>(
      mmap(nullptr, kMemoryBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
  int toChild[2], fromChild[2];
  if (memory == MAP_FAILED || pipe(toChild) != 0 || pipe(fromChild) != 0)
    return false;
  const char *python = std::getenv("QUANT_PTXSIM_PYTHON");
  if (fork() == 0) {
    dup2(toChild[0], 0);
    dup2(fromChild[1], 1);
    for (int fd : {toChild[0], toChild[1], fromChild[0], fromChild[1]})
      close(fd);
    // Where ptxsim is, whoever starts this and from wherever.
    const char *known = std::getenv("PYTHONPATH");
    std::string folders = PTXSIM_FOLDER;
    if (known && *known)
      folders += std::string(":") + known;
    setenv("PYTHONPATH", folders.c_str(), /*overwrite=*/1);
    execlp(python ? python : "python3", "python3", "-m", "ptxsim.server", path,
           static_cast<char *>(nullptr));
    _exit(127);
  }
  close(toChild[0]);
  close(fromChild[1]);
  requests = fdopen(toChild[1], "w");
  answers = fdopen(fromChild[0], "r");
  std::string answer;
  // The child has mapped the file when it answers.
  bool ready = ask("hello", answer);
  unlink(path);
  return ready;
}

bool Emulator::ask(const std::string &request, std::string &answer) {
  std::fprintf(requests, "%s\n", request.c_str());
  std::fflush(requests);
  char *line = nullptr;
  size_t capacity = 0;
  ssize_t length = getline(&line, &capacity, answers);
  answer = length > 0 ? std::string(line, length - 1) : "error it has ended";
  std::free(line);
  if (answer.compare(0, 2, "ok") == 0) {
    answer = answer.size() > 3 ? answer.substr(3) : "";
    return true;
  }
  lastError = answer;
  return false;
}

extern "C" {

int cuInit(unsigned) { return emulator().start() ? 0 : 100; }
int cuDeviceGet(int *device, int) {
  *device = 0;
  return 0;
}
int cuDeviceGetName(char *name, int length, int) {
  std::snprintf(name, length, "emulated");
  return 0;
}
/// The number of multiprocessors is all that is asked for.
int cuDeviceGetAttribute(int *value, int, int) {
  *value = 2;
  return 0;
}
int cuDevicePrimaryCtxRetain(void **context, int) {
  *context = &emulator();
  return 0;
}
int cuCtxSetCurrent(void *) { return 0; }
int cuCtxSynchronize() { return 0; }

int cuModuleLoadData(void **module, const void *image) {
  // PTX text, terminated.
  char path[] = "/tmp/emulated-cuda-XXXXXX";
  int file = mkstemp(path);
  const char *text = static_cast<const char *>(image);
  size_t length = std::strlen(text);
  bool written =
      file >= 0 && write(file, text, length) == static_cast<ssize_t>(length);
  close(file);
  std::string answer;
  bool loaded =
      written && emulator().ask(std::string("module ") + path, answer);
  unlink(path);
  if (!loaded)
    return 200;
  *module = new std::string(path);
  return 0;
}
int cuModuleUnload(void *module) {
  delete static_cast<std::string *>(module);
  return 0;
}

int cuModuleGetFunction(void **function, void *module, const char *name) {
  const std::string &path = *static_cast<std::string *>(module);
  Function &entry = emulator().functions[path + " " + name];
  if (entry.name.empty()) {
    std::string answer;
    if (!emulator().ask("function " + path + " " + name, answer))
      return 500;
    entry = {path, name, {}};
    for (char *at = answer.data(); *at;)
      entry.paramBytes.push_back(std::strtol(at, &at, 10));
  }
  *function = &entry;
  return 0;
}
int cuFuncSetAttribute(void *, int, int) { return 0; }

int cuLaunchKernel(void *function, unsigned gridX, unsigned gridY,
                   unsigned gridZ, unsigned blockX, unsigned, unsigned,
                   unsigned sharedBytes, void *, void **params, void **) {
  auto &entry = *static_cast<Function *>(function);
  std::string request = "launch " + entry.module + " " + entry.name;
  for (unsigned number : {gridX, gridY, gridZ, blockX, sharedBytes})
    request += " " + std::to_string(number);
  for (size_t i = 0; i < entry.paramBytes.size(); ++i) {
    uint64_t value = 0;
    std::memcpy(&value, params[i], entry.paramBytes[i]);
    request += " " + std::to_string(value);
  }
  std::string answer;
  return emulator().ask(request, answer) ? 0 : 700;
}

int cuMemAlloc_v2(unsigned long long *pointer, size_t bytes) {
  Emulator &e = emulator();
  size_t padded = (bytes + kGap + 255) / 256 * 256;
  if (e.used + padded > kMemoryBytes)
    return 2;
  *pointer = kBase + e.used;
  e.used += padded;
  std::string answer;
  return e.ask("allocate " + std::to_string(*pointer) + " " +
                   std::to_string(bytes),
               answer)
             ? 0
             : 2;
}
int cuMemFree_v2(unsigned long long pointer) {
  std::string answer;
  return emulator().ask("free " + std::to_string(pointer), answer) ? 0 : 1;
}
int cuMemcpyHtoD_v2(unsigned long long to, const void *from, size_t bytes) {
  std::memcpy(emulator().memory + (to - kBase), from, bytes);
  return 0;
}
int cuMemcpyDtoH_v2(void *to, unsigned long long from, size_t bytes) {
  std::memcpy(to, emulator().memory + (from - kBase), bytes);
  return 0;
}
int cuMemsetD8_v2(unsigned long long to, unsigned char value, size_t bytes) {
  std::memset(emulator().memory + (to - kBase), value, bytes);
  return 0;
}

// Events are times of this machine: launches have ended when they return.
using Clock = std::chrono::steady_clock;
int cuEventCreate(void **event, unsigned) {
  *event = new Clock::time_point;
  return 0;
}
int cuEventRecord(void *event, void *) {
  *static_cast<Clock::time_point *>(event) = Clock::now();
  return 0;
}
int cuEventSynchronize(void *) { return 0; }
int cuEventElapsedTime(float *ms, void *start, void *stop) {
  *ms = std::chrono::duration<float, std::milli>(
            *static_cast<Clock::time_point *>(stop) -
            *static_cast<Clock::time_point *>(start))
            .count();
  return 0;
}
int cuEventDestroy_v2(void *event) {
  delete static_cast<Clock::time_point *>(event);
  return 0;
}

int cuGetErrorString(int, const char **text) {
  *text = emulator().lastError.c_str();
  return 0;
}

} // extern "C"
