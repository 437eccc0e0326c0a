//===- AMX.cpp - ask the kernel for tile registers ------------------------===//
//
// Linux, Documentation/arch/x86/xstate.rst, "Using dynamically enabled XSTATE
// features in user space applications".
//
//===----------------------------------------------------------------------===//

#include "quant/CAPI/AMX.h"

#if defined(__linux__) && defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>

/// From asm/prctl.h, and the number of XSAVE's component.
static constexpr int kRequestPermission = 0x1023;
static constexpr int kTileData = 18;

int quantRequestAMXPermission(void) {
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}
#else
int quantRequestAMXPermission(void) { return 0; }
#endif
