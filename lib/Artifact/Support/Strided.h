/*===- Strided.h - tensors as sizes and strides -------------------*- C -*-===*\
|*                                                                            *|
|* Strides are in elements.                                                   *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef QUANT_SUPPORT_STRIDED_H
#define QUANT_SUPPORT_STRIDED_H

#include "System.h"

static int64_t countElements(const int64_t *shape, int32_t rank) {
  int64_t count = 1;
  for (int32_t i = 0; i < rank; ++i)
    count *= shape[i];
  return count;
}

static int isContiguous(const int64_t *shape, const int64_t *strides,
                        int32_t rank) {
  int64_t expected = 1;
  for (int32_t i = rank - 1; i >= 0; --i) {
    if (shape[i] != 1 && strides[i] != expected)
      return 0;
    expected *= shape[i];
  }
  return 1;
}

static void setContiguous(int64_t *strides, const int64_t *shape,
                          int32_t rank) {
  int64_t stride = 1;
  for (int32_t i = rank - 1; i >= 0; --i) {
    strides[i] = stride;
    stride *= shape[i];
  }
}

/** Copies elements of two tensors of one shape. */
static void copy(char *to, const int64_t *toStrides, const char *from,
                 const int64_t *fromStrides, const int64_t *shape, int32_t rank,
                 int64_t width) {
  if (rank == 0) {
    memcpy(to, from, (size_t)width);
    return;
  }
  if (rank == 1 && toStrides[0] == 1 && fromStrides[0] == 1) {
    memcpy(to, from, (size_t)(shape[0] * width));
    return;
  }
  for (int64_t i = 0; i < shape[0]; ++i)
    copy(to + i * toStrides[0] * width, toStrides + 1,
         from + i * fromStrides[0] * width, fromStrides + 1, shape + 1,
         rank - 1, width);
}

/** Bytes from the first to the end of the last element; -1: they do not fit in
 *  64 bits, or a size or stride is negative. `strides` may be null. */
static int64_t getExtent(const int64_t *shape, const int64_t *strides,
                         int32_t rank, int64_t width) {
  int64_t last = 0, count = 1;
  int empty = 0;
  for (int32_t i = 0; i < rank; ++i) {
    if (shape[i] < 0 || (strides && strides[i] < 0))
      return -1;
    empty |= shape[i] == 0;
  }
  if (empty)
    return 0;
  for (int32_t i = rank - 1; i >= 0; --i) {
    int64_t far = 0;
    if (__builtin_mul_overflow(shape[i] - 1, strides ? strides[i] : count,
                               &far) ||
        __builtin_add_overflow(last, far, &last) ||
        __builtin_mul_overflow(count, shape[i], &count))
      return -1;
  }
  if (__builtin_add_overflow(last, 1, &last) ||
      __builtin_mul_overflow(last, width, &last))
    return -1;
  return last;
}

#endif /* QUANT_SUPPORT_STRIDED_H */
