//===- AMXEmulator.cpp - run newer machine code on any x86-64 -------------===//
//
// A library to preload into a process. A machine without AMX, and one with it
// whose kernel was not asked for permission, raises SIGILL on tile
// instructions, one without AVX-VNNI-INT8 or AVX10.2 on dot products of bytes
// that vpdpbusd of AVX-512 has not; the handler here decodes and executes them,
// and lets all others go to the handler that the program has installed. Three
// things of libc are interposed:
//
//   sigaction, signal   a program's handler of SIGILL is kept aside, so that it
//                       does not displace this one;
//   syscall             the request for permission is answered with success and
//                       not passed on, so that the instructions fault on
//                       machines that have them as well.
//
// A processor that has AMX executes LDTILECFG, STTILECFG and TILERELEASE even
// so (they are not counted then); the emulator finds their effect in the state
// that the kernel saved. Elsewhere they fault like the others.
//
// `amx_emulator_counts` copies how often each instruction ran, in the order of
// emulator::Opcode, and with AMX_EMULATOR_COUNTS=FILE in the environment they
// are written there when the process ends.
//
//===----------------------------------------------------------------------===//

#include "Decode.h"
#include "Tiles.h"
#include "VectorDot.h"
#include "VectorState.h"

#include <atomic>
#include <cerrno>
#include <cpuid.h>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace emulator;

static constexpr unsigned kNumOpcodes = static_cast<unsigned>(Opcode::Count);
static const char *const kNames[kNumOpcodes] = {
    "ldtilecfg", "sttilecfg",   "tileloadd", "tileloaddt1", "tilestored",
    "tilezero",  "tilerelease", "tdpbssd",   "tdpbsud",     "tdpbusd",
    "tdpbuud",   "vpdpbuud",    "vpdpbusd",  "vpdpbsud",    "vpdpbssd"};

static std::atomic<uint64_t> counts[kNumOpcodes];
/// Tile registers are per thread. Set up with the thread: a signal handler must
/// not allocate.
static thread_local Tiles tiles __attribute__((tls_model("initial-exec")));

/// The component of XSAVE that is TILECFG, and where it is in the saved state:
/// 0 on processors without it.
static constexpr unsigned kTileCfg = 17;
static unsigned configOffset;

/// What the program wants to be done on SIGILL.
static struct sigaction programAction;

using SigactionFn = int (*)(int, const struct sigaction *, struct sigaction *);

static SigactionFn realSigaction() {
  static auto function =
      reinterpret_cast<SigactionFn>(dlsym(RTLD_NEXT, "sigaction"));
  return function;
}

static void say(const char *text) {
  ssize_t written = write(STDERR_FILENO, text, std::strlen(text));
  (void)written;
}

/// A processor that has AMX executes LDTILECFG, STTILECFG and TILERELEASE
/// without permission: only TILEDATA is guarded. Then the configuration is in
/// the state that the kernel saved with the signal's frame (not compacted;
/// XSTATE_BV at byte 512, the component where CPUID says). Returns false if the
/// frame has no such component.
static bool readProcessorConfig(const ucontext_t &context, TileConfig &config) {
  constexpr unsigned swReserved = 464, header = 512;
  constexpr uint32_t magic = 0x46505853;
  auto *state = reinterpret_cast<const uint8_t *>(context.uc_mcontext.fpregs);
  uint32_t found = 0;
  if (state && configOffset)
    std::memcpy(&found, state + swReserved, sizeof(found));
  if (found != magic)
    return false;
  uint64_t present;
  std::memcpy(&present, state + header, sizeof(present));
  config = TileConfig{};
  if (present >> kTileCfg & 1)
    std::memcpy(&config, state + configOffset, sizeof(config));
  return true;
}

/// What would have happened without this library.
static void passOn(int signal, siginfo_t *info, void *context) {
  if (programAction.sa_flags & SA_SIGINFO && programAction.sa_sigaction)
    return programAction.sa_sigaction(signal, info, context);
  if (programAction.sa_handler == SIG_DFL ||
      programAction.sa_handler == SIG_IGN) {
    realSigaction()(SIGILL, &programAction, nullptr);
    raise(SIGILL);
    return;
  }
  programAction.sa_handler(signal);
}

static const char *executeTile(const ucontext_t &context,
                               const Instruction &inst) {
  TileConfig config;
  const char *problem = nullptr;
  if (readProcessorConfig(context, config))
    problem = tiles.adopt(config);
  return problem ? problem : tiles.execute(inst);
}

static void handle(int signal, siginfo_t *info, void *raw) {
  auto *context = static_cast<ucontext_t *>(raw);
  int saved = errno;
  Instruction tile;
  VectorDot dot;
  const char *problem = nullptr;
  unsigned length = 0;
  Opcode opcode;
  if (decode(*context, tile)) {
    problem = executeTile(*context, tile);
    opcode = tile.opcode;
    length = tile.length;
  } else if (decode(*context, dot)) {
    problem = execute(*context, dot);
    opcode = dot.opcode;
    length = dot.length;
  } else {
    return passOn(signal, info, raw);
  }
  if (problem) {
    say("AMX emulator: ");
    say(problem);
    say("\n");
    _exit(99);
  }
  counts[static_cast<unsigned>(opcode)].fetch_add(1, std::memory_order_relaxed);
  context->uc_mcontext.gregs[REG_RIP] += length;
  errno = saved;
}

__attribute__((constructor)) static void install() {
  unsigned size = 0, offset = 0, ecx = 0, edx = 0;
  if (__get_cpuid_count(0xd, kTileCfg, &size, &offset, &ecx, &edx) &&
      size == sizeof(TileConfig))
    configOffset = offset;
  findVectorComponents();
  struct sigaction action = {};
  action.sa_sigaction = handle;
  // A guard page under a tile may raise SIGSEGV inside the handler.
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  realSigaction()(SIGILL, &action, nullptr);
}

__attribute__((destructor)) static void writeCounts() {
  const char *path = std::getenv("AMX_EMULATOR_COUNTS");
  FILE *file = path ? std::fopen(path, "w") : nullptr;
  if (!file)
    return;
  for (unsigned i = 0; i < kNumOpcodes; ++i)
    std::fprintf(file, "%s %llu\n", kNames[i],
                 static_cast<unsigned long long>(counts[i].load()));
  std::fclose(file);
}

//===----------------------------------------------------------------------===//
// What the library exports
//===----------------------------------------------------------------------===//

extern "C" {

void amx_emulator_counts(uint64_t *out) {
  for (unsigned i = 0; i < kNumOpcodes; ++i)
    out[i] = counts[i].load();
}

int sigaction(int signal, const struct sigaction *action,
              struct sigaction *old) noexcept {
  if (signal != SIGILL)
    return realSigaction()(signal, action, old);
  if (old)
    *old = programAction;
  if (action)
    programAction = *action;
  return 0;
}

sighandler_t signal(int number, sighandler_t handler) noexcept {
  struct sigaction action = {}, old = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  if (sigaction(number, &action, &old) != 0)
    return SIG_ERR;
  return old.sa_handler;
}

long syscall(long number, ...) noexcept {
  long args[6];
  va_list list;
  va_start(list, number);
  for (long &arg : args)
    arg = va_arg(list, long);
  va_end(list);
  constexpr long requestPermission = 0x1023;
  if (number == SYS_arch_prctl && args[0] == requestPermission)
    return 0;
  long result;
  register long r10 asm("r10") = args[3];
  register long r8 asm("r8") = args[4];
  register long r9 asm("r9") = args[5];
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(args[0]), "S"(args[1]), "d"(args[2]),
                 "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  if (result < 0 && result > -4096) {
    errno = static_cast<int>(-result);
    return -1;
  }
  return result;
}

} // extern "C"
