/*===- Stops.h - programs that stop themselves --------------------*- C -*-===*\
|*                                                                            *|
|* What a program prints before it aborts is kept for the caller, and the call*|
|* returns by longjmp.                                                        *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef QUANT_SUPPORT_STOPS_H
#define QUANT_SUPPORT_STOPS_H

#include "Model.h"
#include "Text.h"

/** One call of a thread, or a thread that takes part in calls. */
typedef struct {
  /** A jmp_buf of any target. */
  _Alignas(16) char jump[1024];
  char said[512];
  /** Who shares its loops, or null (Team.h). */
  struct Team *team;
  /** Which part of how many of a loop is computed; 0: outside of loops. */
  int32_t part, parts;
  /** Threads that the program asks for. */
  int32_t threads;
  int32_t isWorker;
  /** The run of the team whose rounding this thread has. */
  uint32_t run;
  /** Whether it found no team. */
  int32_t isAlone;
} Call;

static unsigned callKey;
static int once = 0;
static int hasKey = 0;

/** Linux: arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA). */
static void requestTiles(void) { syscall(158, 0x1023, 18); }

static void prepareOnce(void) {
  hasKey = pthread_key_create(&callKey, 0) == 0;
  if (quantArtifact.flags & QUANT_USES_TILES)
    requestTiles();
}

/** What is done before the first call. */
static void prepare(void) { pthread_once(&once, prepareOnce); }

static void leaveLoop(Call *call);
static void leaveTeam(Call *call);

/** Called instead of abort(), by the calling thread or another of its team. */
_Noreturn void quantStop(void) {
  Call *call = hasKey ? pthread_getspecific(callKey) : 0;
  if (call) {
    leaveLoop(call);
    longjmp(call->jump, 1);
  }
  abort();
}

/** Where the program writes what it stops for, and how much fits there. */
char *quantGetSaid(void) {
  static char lost[512];
  Call *call = hasKey ? pthread_getspecific(callKey) : 0;
  return call ? call->said : lost;
}

/** Called instead of puts(). */
int quantSay(const char *what) {
  Text text = start(quantGetSaid(), sizeof((Call *)0)->said);
  add(&text, what);
  return 0;
}

/** Whether the program came to its end. */
static int __attribute__((noinline))
callProgram(Call *call, int64_t *results, int64_t **inputs) {
  const void *outer = pthread_getspecific(callKey);
  volatile int done = 0;
  call->said[0] = 0;
  call->team = 0;
  call->part = call->parts = call->isWorker = call->isAlone = 0;
  call->threads = 1;
  pthread_setspecific(callKey, call);
  if (_setjmp(call->jump) == 0) {
    quantCallProgram(results, inputs);
    done = 1;
  }
  leaveTeam(call);
  pthread_setspecific(callKey, outer);
  return done;
}

static void forgetCalls(void) {
  if (hasKey)
    pthread_key_delete(callKey);
  hasKey = once = 0;
}

#endif /* QUANT_SUPPORT_STOPS_H */
