/*===- Memory.h - the program's working memory --------------------*- C -*-===*\
|*                                                                            *|
|* Blocks that one call frees wait for the next one: asking the system for    *|
|* pages, which it fills with zeros, takes a small model a fifth of its time. *|
|* Nobody waits for the lists: a thread that finds one taken asks the system. *|
|* A process that was forked while a thread had one finds it taken for good.  *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef QUANT_SUPPORT_MEMORY_H
#define QUANT_SUPPORT_MEMORY_H

#include "System.h"

/** Before each block; keeps what follows aligned as it was. */
typedef struct Block {
  size_t capacity;
  struct Block *next;
  char padding[48];
} Block;

/** Blocks that wait. All zeros are a pthread_mutex_t that is not locked. */
typedef struct {
  int64_t mutex[8];
  Block *first;
} Waiting;

/** Blocks of more than 1 KiB wait; each doubling of sizes has four classes. */
enum { LEAST_LOG = 10, NUM_CLASSES = 128 };
static Waiting waiting[NUM_CLASSES];

/** The class of `size` and, by `capacity`, its largest size; -1: it has none.
 */
static int getClass(size_t size, size_t *capacity) {
  *capacity = size;
  if (size <= (size_t)1 << LEAST_LOG)
    return -1;
  int top = 63 - __builtin_clzll(size - 1);
  size_t step = (size_t)1 << (top - 2);
  *capacity = (size + step - 1) & ~(step - 1);
  int which = (top - LEAST_LOG) * 4 + (int)((*capacity - 1) >> (top - 2)) - 4;
  return which < NUM_CLASSES ? which : -1;
}

/** Called instead of malloc(). */
__attribute__((malloc, alloc_size(1), noinline)) void *
quantAllocate(size_t size) {
  size_t capacity = 0;
  int which = getClass(size, &capacity);
  Block *block = 0;
  if (which >= 0 && pthread_mutex_trylock(waiting[which].mutex) == 0) {
    block = waiting[which].first;
    if (block)
      waiting[which].first = block->next;
    pthread_mutex_unlock(waiting[which].mutex);
  }
  if (!block && capacity <= SIZE_MAX - sizeof(Block))
    block = malloc(capacity + sizeof(Block));
  if (!block)
    return 0;
  block->capacity = capacity;
  return block + 1;
}

/** Called instead of free(). */
__attribute__((noinline)) void quantFree(void *memory) {
  if (!memory)
    return;
  Block *block = (Block *)memory - 1;
  size_t capacity = 0;
  int which = getClass(block->capacity, &capacity);
  if (which < 0 || pthread_mutex_trylock(waiting[which].mutex) != 0) {
    free(block);
    return;
  }
  block->next = waiting[which].first;
  waiting[which].first = block;
  pthread_mutex_unlock(waiting[which].mutex);
}

static void forgetMemory(void) {
  for (int which = 0; which < NUM_CLASSES; ++which)
    while (waiting[which].first) {
      Block *block = waiting[which].first;
      waiting[which].first = block->next;
      free(block);
    }
}

#endif /* QUANT_SUPPORT_MEMORY_H */
