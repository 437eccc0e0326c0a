/*===- System.h - what a model calls of the C library -------------*- C -*-===*\
|*                                                                            *|
|* No system header is included: what it says of one machine would be in the  *|
|* IR of all. What is declared here is the same on every Linux.               *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef QUANT_SUPPORT_SYSTEM_H
#define QUANT_SUPPORT_SYSTEM_H

#include "quant/CAPI/Artifact.h"

void *malloc(size_t);
void free(void *);
void *memcpy(void *, const void *, size_t);
int memcmp(const void *, const void *, size_t);
size_t strlen(const char *);
int snprintf(char *, size_t, const char *, ...);
_Noreturn void abort(void);
int open(const char *, int, ...);
int close(int);
int64_t lseek(int, int64_t, int);
void *mmap(void *, size_t, int, int, int, int64_t);
int munmap(void *, size_t);
int64_t readlink(const char *, char *, size_t);
long syscall(long, ...);
int _setjmp(void *) __attribute__((returns_twice));
_Noreturn void longjmp(void *, int);
int pthread_mutex_lock(void *);
int pthread_mutex_trylock(void *);
int pthread_mutex_unlock(void *);
int pthread_rwlock_rdlock(void *);
int pthread_rwlock_trywrlock(void *);
int pthread_rwlock_unlock(void *);
int pthread_once(int *, void (*)(void));
int pthread_key_create(unsigned *, void (*)(void *));
int pthread_key_delete(unsigned);
int pthread_setspecific(unsigned, const void *);
void *pthread_getspecific(unsigned);
int pthread_create(uint64_t *, const void *, void *(*)(void *), void *);
int pthread_join(uint64_t, void **);
int pthread_cond_wait(void *, void *);
int pthread_cond_broadcast(void *);
int pthread_sigmask(int, const void *, void *);
int sched_getaffinity(int, size_t, void *);
int sched_yield(void);
int getpid(void);
int clock_gettime(int, void *);
int fegetenv(void *);
int fesetenv(const void *);
void *aligned_alloc(size_t, size_t);
/** Of an address: file, base, symbol, symbol's address. */
typedef struct {
  const char *file;
  void *base;
  const char *symbol;
  void *address;
} AddressInfo;
int dladdr(const void *, AddressInfo *);

enum { READ_ONLY = 0, CLOSE_ON_EXEC = 02000000, FROM_END = 2 };
enum { SET_MASK = 2, CLOCK_MONOTONIC = 1 };
enum { PROTECT_READ = 1, MAP_SHARED = 1, PATH_SIZE = 4096 };
#define MAP_FAILED ((void *)-1)

#endif /* QUANT_SUPPORT_SYSTEM_H */
