/*===- AMX.h - ask the kernel for tile registers ------------------*- C -*-===*\
|*                                                                            *|
|* For whoever runs compiled programs: quant-run, and a library that loads    *|
|* code made with --quant-to-x86 for a CPU with AMX. The library that defines *|
|* this (libQuantAMX) depends on libc only.                                   *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef QUANT_CAPI_AMX_H
#define QUANT_CAPI_AMX_H

#ifdef __cplusplus
extern "C" {
#endif

/// Asks the kernel to let this process use the AMX tile registers, 8 KiB of
/// state that Linux (5.16 and later) gives to who asks:
/// arch_prctl(ARCH_REQ_XCOMP_PERM, 18). Without it the first tile instruction
/// raises SIGILL. Threads inherit the permission: call this before they start.
/// Returns 1 if it was given, 0 if not (no AMX, an older kernel, another
/// system). Asking again is cheap.
int quantRequestAMXPermission(void);

#ifdef __cplusplus
}
#endif

#endif /* QUANT_CAPI_AMX_H */
