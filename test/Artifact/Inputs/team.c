/* Loops of calls that share threads (Support/Team.h), without a model. */

#include "Team.h"
#include "Memory.h"

int printf(const char *, ...);
int fork(void);
int waitpid(int, int *, int);
_Noreturn void _exit(int);
int usleep(unsigned);
int mprotect(void *, size_t, int);
void (*signal(int, void (*)(int)))(int);
int fesetround(int);
int fegetround(void);
int sched_setaffinity(int, size_t, const void *);

enum { SIZE = 1000, THREADS = 4 };

const QuantArtifact quantArtifact;
void quantPause(void) {}

static int failures = 0;
static char *page;

static void expect(int holds, int line) {
  if (holds)
    return;
  printf("line %d: not as expected\n", line);
  __atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
}
#define EXPECT(holds) expect((holds), __LINE__)

/** What a program's loop captures: where iterations are counted, ... */
typedef struct {
  int64_t counts[SIZE];
  uint64_t trips;
  /** ..., an iteration that stops the program or -1, how many behind it do,
   *  too, ... */
  int64_t stopsAt, moreStops;
  /** ..., every which one waits so that others compute too or 0, and the
   *  roundings seen. */
  uint64_t waitsEvery;
  int64_t rounding[SIZE];
  int nests;
} Loop;

static void inner(int32_t *thread, int32_t *zero, void *argument) {
  (void)thread, (void)zero;
  uint64_t first = 0, last = 9;
  int64_t stride;
  int32_t isLast;
  quantDivide(0, quantGetThread(0), 34, &isLast, &first, &last, &stride, 1, 0);
  // All of it: a loop in a part is not divided again.
  *(int64_t *)argument += (int64_t)(last - first + 1);
}

static void body(int32_t *thread, int32_t *zero, void *argument) {
  (void)thread, (void)zero;
  Loop *loop = argument;
  uint64_t first = 0, last = loop->trips - 1;
  int64_t stride;
  int32_t isLast;
  quantDivide(0, quantGetThread(0), 34, &isLast, &first, &last, &stride, 1, 0);
  for (uint64_t i = first, left = last - first + 1; left; ++i, --left) {
    if (loop->stopsAt >= 0 && (int64_t)i >= loop->stopsAt &&
        (int64_t)i <= loop->stopsAt + loop->moreStops) {
      quantSay("iteration says why");
      quantStop();
    }
    if (loop->waitsEvery && i % loop->waitsEvery == 0)
      usleep(100);
    loop->rounding[i] = fegetround();
    if (loop->nests)
      quantFork(inner, &loop->counts[i]);
    else
      ++loop->counts[i];
  }
  quantDivided(0, 0);
  quantBarrier(0, 0);
}

/** The program: its input is a Loop, its result how often to run it. */
void quantCallProgram(int64_t *results, int64_t **inputs) {
  for (int64_t i = 0; i < results[0]; ++i) {
    quantPushThreads(0, quantGetThread(0), THREADS);
    quantFork(body, inputs[0]);
  }
}

static int callLoop(Loop *loop, int64_t times, char *said) {
  Call call;
  int64_t *input = (int64_t *)loop;
  int done = callProgram(&call, &times, &input);
  memcpy(said, call.said, sizeof(call.said));
  return done;
}

static void clear(Loop *loop, uint64_t trips) {
  for (int i = 0; i < SIZE; ++i)
    loop->counts[i] = loop->rounding[i] = 0;
  loop->trips = trips;
  loop->stopsAt = -1;
  loop->moreStops = 0;
  loop->waitsEvery = 0;
  loop->nests = 0;
}

/** Each iteration once a loop, however many there are. */
static void testCounts(int64_t times) {
  static const uint64_t trips[] = {0, 1, 3, 7, 8, 9, 64, SIZE};
  char said[512];
  Loop loop;
  for (int t = 0; t < 8; ++t)
    for (int nests = 0; nests < 2; ++nests) {
      clear(&loop, trips[t]);
      loop.nests = nests;
      EXPECT(callLoop(&loop, times, said));
      for (uint64_t i = 0; i < SIZE; ++i)
        EXPECT(loop.counts[i] == (i < trips[t] ? times * (nests ? 10 : 1) : 0));
    }
}

/** A loop ends when all of its parts have. */
static void testWaits(void) {
  char said[512];
  Loop loop;
  for (int i = 0; i < 40; ++i) {
    clear(&loop, SIZE);
    loop.waitsEvery = 100;
    EXPECT(callLoop(&loop, 1, said));
    for (int k = 0; k < SIZE; ++k)
      EXPECT(loop.counts[k] == 1);
  }
}

/** Whichever iteration stops, and all behind it if there are `more`, the caller
 *  hears why, and may call again. */
static void testStops(int64_t more) {
  char said[512];
  Loop loop;
  for (int64_t i = 0; i < 64; ++i) {
    clear(&loop, 64);
    loop.stopsAt = i;
    loop.moreStops = more;
    loop.waitsEvery = 4;
    EXPECT(!callLoop(&loop, 1, said));
    EXPECT(memcmp(said, "iteration says why", 18) == 0);
    EXPECT(loop.counts[i] == 0);
    clear(&loop, 64);
    EXPECT(callLoop(&loop, 1, said));
    for (int k = 0; k < 64; ++k)
      EXPECT(loop.counts[k] == 1);
  }
}

static void openPage(int signal) {
  (void)signal;
  mprotect(page, 4096, 3);
}

static void touch(int32_t *thread, int32_t *zero, void *argument) {
  (void)thread, (void)zero;
  usleep(2000); // Another thread takes a part, too.
  __atomic_fetch_add((int64_t *)argument, 1, __ATOMIC_RELAXED);
}

/** A handler of the process takes what an instruction of any part raises. */
static void testSignals(void) {
  Call *before = getCall();
  Call call = {0};
  page = mmap(0, 4096, 0, 0x22, -1, 0);
  signal(11, openPage);
  pthread_setspecific(callKey, &call);
  call.threads = THREADS;
  for (int i = 0; i < 4; ++i) {
    mprotect(page, 4096, 0);
    quantFork(touch, page);
  }
  leaveTeam(&call);
  pthread_setspecific(callKey, before);
  signal(11, 0);
  mprotect(page, 4096, 3);
  // Twice a thread, or once where there is no team.
  EXPECT(*(int64_t *)page == (countProcessors() > 1 ? 8 * THREADS : 4));
}

/** All parts round as the caller does, when it calls. */
static void testRounding(void) {
#ifdef __x86_64__
  static const int roundings[] = {0x400, 0, 0xc00};
#else
  static const int roundings[] = {0x400000, 0, 0xc00000};
#endif
  char said[512];
  Loop loop;
  for (int r = 0; r < 3; ++r) {
    clear(&loop, SIZE);
    loop.waitsEvery = 100;
    fesetround(roundings[r]);
    EXPECT(callLoop(&loop, 3, said));
    fesetround(0);
    for (int i = 0; i < SIZE; ++i)
      EXPECT(loop.rounding[i] == roundings[r]);
  }
}

/** A process that was forked has no threads but the one that forked. */
static void testFork(void) {
  int status = -1, child = fork();
  if (child == 0) {
    testCounts(10);
    EXPECT((teams.first != 0) == (countProcessors() > 1));
    quantForgetTeams();
    _exit(failures != 0);
  }
  waitpid(child, &status, 0);
  EXPECT(status == 0);
}

/** Nor does it wait for a thread of its parent that was about to call. */
static void testForkOfCaller(void) {
  int status = -1;
  pthread_mutex_lock(teams.mutex);
  for (int which = 0; which < NUM_CLASSES; ++which)
    pthread_mutex_lock(waiting[which].mutex);
  int child = fork();
  if (child == 0) {
    void *block = quantAllocate(5000);
    EXPECT(block != 0);
    quantFree(block);
    EXPECT(quantAllocate(5000) != 0);
    testCounts(10);
    quantForgetTeams();
    _exit(failures != 0);
  }
  for (int which = 0; which < NUM_CLASSES; ++which)
    pthread_mutex_unlock(waiting[which].mutex);
  pthread_mutex_unlock(teams.mutex);
  waitpid(child, &status, 0);
  EXPECT(status == 0);
}

static void *callOften(void *nothing) {
  for (int i = 0; i < 20; ++i)
    testCounts(3);
  return nothing;
}

static void testCallers(void) {
  uint64_t callers[10];
  for (int i = 0; i < 10; ++i)
    EXPECT(pthread_create(&callers[i], 0, callOften, 0) == 0);
  for (int i = 0; i < 10; ++i)
    pthread_join(callers[i], 0);
  EXPECT(teams.numWorkers <=
         (countProcessors() > 1 ? countProcessors() - 1 : 0));
}

/** On one processor calls are alone. */
static void testOneProcessor(void) {
  uint64_t all[128], one[128] = {0};
  sched_getaffinity(0, sizeof(all), all);
  int i = 0;
  while (!all[i])
    ++i;
  one[i] = all[i] & -all[i];
  sched_setaffinity(0, sizeof(one), one);
  testCounts(1);
  EXPECT(teams.numWorkers == 0 && !teams.first);
  sched_setaffinity(0, sizeof(all), all);
}

int main(void) {
  prepare();
  testOneProcessor();
  testCounts(50);
  EXPECT((teams.first != 0) == (countProcessors() > 1));
  testWaits();
  testStops(0);
  testStops(SIZE);
  testSignals();
  testRounding();
  usleep(2000); // Threads sleep.
  testCounts(1);
  testFork();
  testForkOfCaller();
  testCallers();
  quantForgetTeams();
  EXPECT(teams.numWorkers == 0 && !teams.first);
  testCounts(1);
  quantForgetTeams();
  printf("%d failures\n", failures);
  return failures != 0;
}
