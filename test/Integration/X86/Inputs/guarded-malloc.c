/* malloc for a compiled program under test: each block ends at a page that may
 * not be touched, and every byte before it in its pages is filled with 0xA5, so
 * that what a program writes behind an aligned buffer is seen afterwards. Hidden:
 * only the library that this is linked into calls it. Nothing is given back. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096ul
#define HIDDEN __attribute__((visibility("hidden")))

HIDDEN void *malloc(size_t size) {
  size_t pages = (size + PAGE - 1) / PAGE;
  char *start = mmap(0, (pages + 1) * PAGE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED || mprotect(start + pages * PAGE, PAGE, PROT_NONE))
    return 0;
  memset(start, 0xA5, pages * PAGE);
  return start + pages * PAGE - size;
}

HIDDEN void *calloc(size_t count, size_t size) {
  void *block = malloc(count * size);
  return block ? memset(block, 0, count * size) : 0;
}

HIDDEN void free(void *block) { (void)block; }
