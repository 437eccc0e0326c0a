/*===- Team.h - threads that share the loops of a call ------------*- C -*-===*\
|*                                                                            *|
|* Loops over threads arrive as calls of OpenMP's library, and those are      *|
|* answered here: OpenMP's threads divide a loop among them before it begins, *|
|* so that all wait for one that the system does not run. Here a loop has     *|
|* parts, more than threads, and who has time takes the next. A call is never *|
|* slower than alone, by much, on a machine that has work of its own; and a   *|
|* model needs no library.                                                    *|
|*                                                                            *|
|* A team belongs to one call at a time. Calls that overlap have teams of     *|
|* their own, as long as there are processors, and are alone then. What a     *|
|* part computes does not depend on who computes it.                          *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef QUANT_SUPPORT_TEAM_H
#define QUANT_SUPPORT_TEAM_H

#include "Stops.h"

/** Parts of a loop for each thread: what one is late by, others take. */
enum { PARTS_PER_THREAD = 2 };
/** SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV and SIGSYS of Linux. */
#define RAISED_SIGNALS                                                         \
  ((uint64_t)(1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 10 |     \
              1u << 30))
/** How long a thread looks for work before it sleeps: longer than what a model
 *  computes between two loops, shorter than anybody would notice. */
enum { SPIN_NANOSECONDS = 100000, SPINS_PER_LOOK = 64 };

typedef void (*Task)(int32_t *, int32_t *, void *);

typedef struct Team {
  /** The number of the loop, and in the lower 16 bits how many of its parts
   *  nobody has taken. */
  uint64_t ticket;
  Task task;
  void *argument;
  uint64_t parts;
  /** Whether the threads shall end. */
  int32_t ends;
  /** Counts calls: threads take over the caller's rounding and flushing. */
  uint32_t run;
  char padding[24];
  /** Parts that are not computed. */
  uint64_t unfinished;
  /** Whether a thread sleeps. */
  int32_t sleeps;
  /** Whether a part stopped the program. */
  int32_t stopped;
  char padding2[48];
  /** An fenv_t of any target. */
  int64_t environment[16];
  int64_t mutex[8], condition[8];
  char said[sizeof((Call *)0)->said];
  struct Team *next;
  uint32_t numWorkers;
  uint64_t workers[];
} Team;

_Static_assert(__builtin_offsetof(Team, unfinished) == 64,
               "what threads write is not in the line that all read");

/** Teams that no call has. */
static struct {
  int64_t mutex[8];
  Team *first;
  /** Threads of all teams, and of which process. */
  uint32_t numWorkers;
  int32_t process;
} teams;

/** Defined for each target: what a loop that waits does (ModelCode.cpp). */
void quantPause(void);

static int64_t getNanoseconds(void) {
  int64_t time[2] = {0, 0};
  clock_gettime(CLOCK_MONOTONIC, time);
  return time[0] * 1000000000 + time[1];
}

static Call *getCall(void) { return pthread_getspecific(callKey); }

/*===----------------------------------------------------------------------===*\
|* Parts
\*===----------------------------------------------------------------------===*/

static void finishPart(Team *team) {
  __atomic_fetch_sub(&team->unfinished, 1, __ATOMIC_RELEASE);
}

/** Computes parts of loop `number` as long as there are any. */
static void computeParts(Team *team, Call *call, uint64_t number) {
  for (;;) {
    uint64_t ticket = __atomic_load_n(&team->ticket, __ATOMIC_ACQUIRE);
    uint64_t left = ticket & 0xffff;
    if (ticket >> 16 != number || left == 0)
      return;
    if (!__atomic_compare_exchange_n(&team->ticket, &ticket, ticket - 1, 0,
                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
      continue;
    // From here on the loop does not end before this part does.
    if (call->run != team->run) {
      call->run = team->run;
      call->said[0] = 0;
      fesetenv(team->environment);
    }
    call->parts = (int32_t)team->parts;
    call->part = call->parts - (int32_t)left;
    int32_t thread = call->part, zero = 0;
    team->task(&thread, &zero, team->argument);
    call->parts = 0;
    finishPart(team);
  }
}

/** Waits for parts that others compute. */
static void waitForParts(Team *team) {
  for (uint32_t spins = 1;
       __atomic_load_n(&team->unfinished, __ATOMIC_ACQUIRE) != 0; ++spins) {
    // The other thread may wait for this processor.
    if (spins % (16 * SPINS_PER_LOOK) == 0)
      sched_yield();
    else
      quantPause();
  }
}

/** Takes what nobody has taken; those parts are not computed. */
static void dropParts(Team *team) {
  uint64_t ticket = __atomic_load_n(&team->ticket, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(&team->ticket, &ticket,
                                      ticket & ~(uint64_t)0xffff, 0,
                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    ;
  __atomic_fetch_sub(&team->unfinished, ticket & 0xffff, __ATOMIC_RELEASE);
}

/*===----------------------------------------------------------------------===*\
|* Threads of a team
\*===----------------------------------------------------------------------===*/

/** The ticket of a loop after `number`; sleeps after a while. */
static uint64_t waitForLoop(Team *team, uint64_t number) {
  int64_t begin = getNanoseconds();
  for (uint32_t spins = 1;; ++spins) {
    uint64_t ticket = __atomic_load_n(&team->ticket, __ATOMIC_ACQUIRE);
    if (ticket >> 16 != number)
      return ticket;
    quantPause();
    if (spins % SPINS_PER_LOOK == 0 &&
        getNanoseconds() - begin > SPIN_NANOSECONDS)
      break;
  }
  pthread_mutex_lock(team->mutex);
  uint64_t ticket;
  for (;;) {
    // Who begins a loop writes the ticket first, and reads this then.
    __atomic_store_n(&team->sleeps, 1, __ATOMIC_SEQ_CST);
    ticket = __atomic_load_n(&team->ticket, __ATOMIC_SEQ_CST);
    if (ticket >> 16 != number)
      break;
    pthread_cond_wait(team->condition, team->mutex);
  }
  pthread_mutex_unlock(team->mutex);
  return ticket;
}

static void wake(Team *team) {
  if (!__atomic_load_n(&team->sleeps, __ATOMIC_SEQ_CST))
    return;
  pthread_mutex_lock(team->mutex);
  __atomic_store_n(&team->sleeps, 0, __ATOMIC_SEQ_CST);
  pthread_cond_broadcast(team->condition);
  pthread_mutex_unlock(team->mutex);
}

/** A loop of `parts` parts begins. */
static uint64_t beginLoop(Team *team, Task task, void *argument,
                          uint64_t parts) {
  uint64_t number =
      (__atomic_load_n(&team->ticket, __ATOMIC_RELAXED) >> 16) + 1;
  team->task = task;
  team->argument = argument;
  team->parts = parts;
  __atomic_store_n(&team->unfinished, parts, __ATOMIC_RELAXED);
  __atomic_store_n(&team->ticket, number << 16 | parts, __ATOMIC_SEQ_CST);
  wake(team);
  return number;
}

static void *__attribute__((noinline)) work(void *argument) {
  Team *team = argument;
  volatile uint64_t number = 0;
  Call call;
  call.team = team;
  call.isWorker = 1;
  call.part = 0;
  call.threads = 1;
  call.run = 0;
  call.said[0] = 0;
  call.parts = 0;
  pthread_setspecific(callKey, &call);
  // A part that stops the program goes on here.
  (void)_setjmp(call.jump);
  for (;;) {
    number = waitForLoop(team, number) >> 16;
    if (__atomic_load_n(&team->ends, __ATOMIC_RELAXED))
      return 0;
    computeParts(team, &call, number);
  }
}

/** Processors that this thread may use. */
static uint32_t countProcessors(void) {
  uint64_t mask[128];
  uint32_t count = 0;
  for (int i = 0; i < 128; ++i)
    mask[i] = 0;
  if (sched_getaffinity(0, sizeof(mask), mask) != 0)
    return 1;
  for (int i = 0; i < 128; ++i)
    count += (uint32_t)__builtin_popcountll(mask[i]);
  return count;
}

static Team *makeTeam(uint32_t numWorkers) {
  uint64_t all[16], old[16];
  size_t size = sizeof(Team) + numWorkers * sizeof(uint64_t);
  Team *team = aligned_alloc(64, (size + 63) / 64 * 64);
  if (!team)
    return 0;
  for (size_t i = 0; i < sizeof(Team) / 8; ++i)
    ((uint64_t *)team)[i] = 0;
  for (int i = 0; i < 16; ++i)
    all[i] = ~(uint64_t)0;
  // Signals are for the threads of the process itself, but for those that an
  // instruction raises: a handler of the process may know what to do.
  all[0] &= ~RAISED_SIGNALS;
  pthread_sigmask(SET_MASK, all, old);
  while (team->numWorkers < numWorkers &&
         pthread_create(&team->workers[team->numWorkers], 0, work, team) == 0)
    ++team->numWorkers;
  pthread_sigmask(SET_MASK, old, 0);
  if (team->numWorkers)
    return team;
  free(team);
  return 0;
}

/*===----------------------------------------------------------------------===*\
|* Teams
\*===----------------------------------------------------------------------===*/

/** In a process that was forked the threads of its parent do not exist. */
static void forgetParentsTeams(void) {
  int32_t process = getpid();
  if (teams.process == process)
    return;
  __atomic_store_n(&teams.process, process, __ATOMIC_RELAXED);
  teams.first = 0;
  teams.numWorkers = 0;
}

/** The largest team that waits, or null. */
static Team *takeWaitingTeam(void) {
  Team **largest = &teams.first;
  for (Team **at = largest; *at; at = &(*at)->next)
    if ((*at)->numWorkers > (*largest)->numWorkers)
      largest = at;
  Team *team = *largest;
  if (team)
    *largest = team->next;
  return team;
}

/** Ends the threads of a team that no call has. */
static void endTeam(Team *team) {
  __atomic_store_n(&team->ends, 1, __ATOMIC_RELAXED);
  beginLoop(team, 0, 0, 0);
  for (uint32_t i = 0; i < team->numWorkers; ++i)
    pthread_join(team->workers[i], 0);
  teams.numWorkers -= team->numWorkers;
  free(team);
}

/** A team of up to `wanted` threads for the caller's processors, or null. The
 *  mutex is the caller's. */
static Team *findTeam(uint32_t wanted) {
  uint32_t most = countProcessors();
  Team *team = takeWaitingTeam();
  uint32_t others = teams.numWorkers - (team ? team->numWorkers : 0);
  uint32_t room = most > others + 1 ? most - others - 1 : 0;
  uint32_t size = wanted < room ? wanted : room;
  if (team && team->numWorkers >= size)
    return team;
  // Made when there were fewer processors.
  if (team)
    endTeam(team);
  team = size ? makeTeam(size) : 0;
  if (team)
    teams.numWorkers += team->numWorkers;
  return team;
}

/** Takes the mutex; false if a thread had it when this process was forked: it
 * is never given back then, and no call has a team. Also false, once, if
 * another thread makes the first call of this process at the same time. */
static int lockTeams(void) {
  if (pthread_mutex_trylock(teams.mutex) != 0) {
    if (__atomic_load_n(&teams.process, __ATOMIC_RELAXED) != getpid())
      return 0;
    pthread_mutex_lock(teams.mutex);
  }
  forgetParentsTeams();
  return 1;
}

/** Gives `call` a team, if there are processors for it. */
static void joinTeam(Call *call) {
  call->isAlone = 1;
  if (!lockTeams())
    return;
  Team *team = findTeam((uint32_t)call->threads - 1);
  pthread_mutex_unlock(teams.mutex);
  if (!team)
    return;
  call->isAlone = 0;
  call->team = team;
  fegetenv(team->environment);
  call->run = ++team->run;
  team->stopped = 0;
}

static void leaveTeam(Call *call) {
  Team *team = call->team;
  if (!team)
    return;
  call->team = 0;
  pthread_mutex_lock(teams.mutex);
  team->next = teams.first;
  teams.first = team;
  pthread_mutex_unlock(teams.mutex);
}

/** Ends the threads of teams that no call has: also before the code goes. Who
 *  has the mutex calls the model, or did when this process was forked. */
void quantForgetTeams(void) {
  if (pthread_mutex_trylock(teams.mutex) != 0)
    return;
  forgetParentsTeams();
  Team *team = teams.first;
  teams.first = 0;
  while (team) {
    Team *next = team->next;
    endTeam(team);
    team = next;
  }
  pthread_mutex_unlock(teams.mutex);
}

/** A program stops: nobody computes for it afterwards. Does not return to a
 *  thread of the team. */
static void leaveLoop(Call *call) {
  Team *team = call->team;
  if (!team || !call->parts)
    return;
  call->parts = 0;
  dropParts(team);
  if (call->isWorker) {
    if (!__atomic_exchange_n(&team->stopped, 1, __ATOMIC_ACQ_REL))
      memcpy(team->said, call->said, sizeof(call->said));
    finishPart(team);
    longjmp(call->jump, 1);
  }
  finishPart(team);
  waitForParts(team);
}

/*===----------------------------------------------------------------------===*\
|* What compiled code calls in place of OpenMP's library
\*===----------------------------------------------------------------------===*/

void quantPushThreads(const void *where, int32_t thread, int32_t threads) {
  (void)where, (void)thread;
  getCall()->threads = threads;
}

int32_t quantGetThread(const void *where) {
  (void)where;
  return getCall()->part;
}

void quantDivided(const void *where, int32_t thread) {
  (void)where, (void)thread;
}

/** Who forks waits for all parts. */
void quantBarrier(const void *where, int32_t thread) {
  (void)where, (void)thread;
}

/** A loop in a part of a loop has one part, as has one of a call without a
 *  team. */
void quantFork(Task task, void *argument) {
  Call *call = getCall();
  if (!call->team && !call->isAlone && !call->parts)
    joinTeam(call);
  if (!call->team || call->parts) {
    int32_t part = call->part, parts = call->parts, thread = 0, zero = 0;
    call->part = 0;
    call->parts = 1;
    task(&thread, &zero, argument);
    call->part = part;
    call->parts = parts;
    return;
  }
  Team *team = call->team;
  uint64_t number = beginLoop(team, task, argument,
                              (uint64_t)call->threads * PARTS_PER_THREAD);
  computeParts(team, call, number);
  call->part = 0;
  waitForParts(team);
  if (team->stopped) {
    memcpy(call->said, team->said, sizeof(call->said));
    quantStop();
  }
}

/** The iterations of this part, of those from *first to *last. */
void quantDivide(const void *where, int32_t thread, int32_t schedule,
                 int32_t *isLast, uint64_t *first, uint64_t *last,
                 int64_t *stride, int64_t step, int64_t chunk) {
  (void)where, (void)thread, (void)schedule, (void)step, (void)chunk;
  Call *call = getCall();
  uint64_t parts = call->parts ? (uint64_t)call->parts : 1;
  uint64_t part = call->parts ? (uint64_t)call->part : 0;
  // There may be none: `last` is before `first` then.
  uint64_t trips = *last - *first + 1;
  uint64_t each = trips / parts, more = trips % parts;
  *first += part * each + (part < more ? part : more);
  *last = *first + each + (part < more) - 1;
  *isLast = part + 1 == parts;
  *stride = (int64_t)trips;
}

#endif /* QUANT_SUPPORT_TEAM_H */
