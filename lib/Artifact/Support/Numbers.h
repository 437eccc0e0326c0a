/*===- Numbers.h - conversions that not every target has ----------*- C -*-===*\
|*                                                                            *|
|* Calls of these appear when code is selected; libgcc has them from 13 on.   *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef QUANT_SUPPORT_NUMBERS_H
#define QUANT_SUPPORT_NUMBERS_H

#include "System.h"

/** Rounds to nearest, ties to even; for targets without an instruction. */
static __bf16 roundToBF16(float value) {
  uint32_t bits = 0;
  memcpy(&bits, &value, sizeof bits);
  uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  uint16_t upper =
      value != value ? (uint16_t)(bits >> 16 | 0x40) : (uint16_t)rounded;
  __bf16 result;
  memcpy(&result, &upper, sizeof result);
  return result;
}

__attribute__((weak, used, visibility("hidden"))) __bf16
__truncsfbf2(float value) {
  return roundToBF16(value);
}

/** Rounds once: the float in between is rounded to odd, which says that bits
 *  were lost. */
__attribute__((weak, used, visibility("hidden"))) __bf16
__truncdfbf2(double value) {
  float near = (float)value;
  uint32_t bits = 0;
  memcpy(&bits, &near, sizeof bits);
  if (near == near && (double)near != value) {
    if (__builtin_fabs((double)near) > __builtin_fabs(value))
      --bits;
    bits |= 1;
  }
  memcpy(&near, &bits, sizeof near);
  return roundToBF16(near);
}

#endif /* QUANT_SUPPORT_NUMBERS_H */
