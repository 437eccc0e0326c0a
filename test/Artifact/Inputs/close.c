/* Opens a model's library, calls it and closes it again, more often than a
 * process has thread keys; ends while a thread calls. */

#include "model.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile int calls = 0;

static const QuantArtifact *open_model(const char *path, void **library) {
  const QuantArtifact *(*get)(void);
  *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!*library)
    exit((puts(dlerror()), 1));
  *(void **)&get = dlsym(*library, "model_artifact");
  return get();
}

static void call(const QuantArtifact *model) {
  static float x[64];
  float y[32];
  int64_t in[2] = {1, 64}, out[2];
  QuantTensor input = {x, sizeof x, QUANT_F32, 2, in, NULL};
  QuantTensor result = {y, sizeof y, QUANT_F32, 2, out, NULL};
  char message[256] = "";
  if (model->run(&input, 1, &result, 1, message, sizeof message))
    exit((printf("call %d: %s\n", calls, message), 1));
  ++calls;
}

static void *call_forever(void *model) {
  for (;;)
    call(model);
  return NULL;
}

/** How much address space the process has, in pages. */
static long count_pages(void) {
  long pages = -1;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%ld", &pages) != 1)
    exit((puts("no /proc"), 1));
  fclose(file);
  return pages;
}

int main(int argc, char **argv) {
  if (argc != 2)
    return 1;
  long before = 0;
  pthread_t thread;
  void *library;
  for (int i = 0; i < 1100; ++i) {
    if (i == 100)
      before = count_pages();
    call(open_model(argv[1], &library));
    dlclose(library);
  }
  if (count_pages() - before >= 1000)
    return printf("%ld pages more\n", count_pages() - before), 1;
  const QuantArtifact *model = open_model(argv[1], &library);
  if (pthread_create(&thread, NULL, call_forever, (void *)model))
    return puts("no thread"), 1;
  while (calls < 1110)
    usleep(100);
  return 0;
}
