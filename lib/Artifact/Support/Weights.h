/*===- Weights.h - the file of the weights ------------------------*- C -*-===*\
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef QUANT_SUPPORT_WEIGHTS_H
#define QUANT_SUPPORT_WEIGHTS_H

#include "Stops.h"

/** How a file of weights begins; the constants follow from byte 64 on, each at
 *  a multiple of 64 (WeightsFile.cpp). */
typedef struct {
  char magic[8];
  uint32_t version, reserved;
  uint64_t size;
  uint8_t hash[16];
} WeightsHeader;

enum { WEIGHTS_VERSION = 1 };

/** The weights that load() mapped. */
static void *mapped = 0;

/** Whether these are the weights that the code was compiled with. */
static const char *findFault(const void *weights, uint64_t size) {
  const WeightsHeader *header = weights;
  if (size < sizeof *header || memcmp(header->magic, "QUANTWTS", 8) != 0)
    return "something else";
  if (header->version != WEIGHTS_VERSION)
    return "weights in another version's format";
  if (memcmp(header->hash, quantArtifact.weightsHash, 16) != 0)
    return "those of another model, or of this one compiled otherwise";
  if (size != quantArtifact.weightsSize || size != header->size)
    return "only a part of them";
  return 0;
}

static void addExpected(Text *text) {
  add(text, "expected the weights of '");
  add(text, quantArtifact.name);
  add(text, "', found ");
}

/** Makes `weights` the model's; false if it has others already. */
static int publish(const char *weights) {
  const char *none = 0;
  return __atomic_compare_exchange_n(&quantWeights, &none, weights, 0,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

int32_t quantUse(const void *weights, size_t size, char *message,
                 size_t messageSize) {
  Text text = start(message, messageSize);
  const char *fault = 0;
  prepare();
  if (quantArtifact.weightsSize == 0)
    return QUANT_OK;
  fault = weights ? findFault(weights, size) : "no address";
  if (!fault && (uintptr_t)weights % 64 != 0)
    fault = "an address that is not a multiple of 64";
  if (fault) {
    addExpected(&text);
    return fail(&text, QUANT_INVALID, fault);
  }
  publish(weights);
  return QUANT_OK;
}

/** Writes the path of the weights' file: for NAME.so NAME.weights beside it,
 *  elsewhere the name that the model knows, beside the program. */
static void addDefaultPath(Text *path) {
  AddressInfo info;
  const char *file =
      dladdr(&quantArtifact, &info) && info.file ? info.file : "";
  size_t folder = 0, length = strlen(file);
  for (size_t i = 0; i < length; ++i)
    if (file[i] == '/')
      folder = i + 1;
  if (length > folder + 3 && memcmp(file + length - 3, ".so", 3) == 0) {
    add(path, file);
    path->used -= 3;
    add(path, ".weights");
    return;
  }
  add(path, file);
  path->used = folder < path->size ? folder : 0;
  /* A program that was found by PATH does not know its folder. */
  if (folder == 0) {
    int64_t self = readlink("/proc/self/exe", path->data, path->size - 1);
    while (self > 0 && path->data[self - 1] != '/')
      --self;
    path->used = self > 0 ? (size_t)self : 0;
  }
  add(path, quantArtifact.weightsFile);
}

int32_t quantLoad(const char *path, char *message, size_t messageSize) {
  Text text = start(message, messageSize);
  char buffer[PATH_SIZE];
  Text found = start(buffer, sizeof buffer);
  prepare();
  if (quantArtifact.weightsSize == 0 ||
      __atomic_load_n(&quantWeights, __ATOMIC_ACQUIRE))
    return QUANT_OK;
  if (!path) {
    addDefaultPath(&found);
    path = buffer;
  }
  add(&text, path);
  add(&text, ": ");
  int file = open(path, READ_ONLY | CLOSE_ON_EXEC);
  if (file < 0)
    return fail(&text, QUANT_FILE, "cannot be opened");
  int64_t size = lseek(file, 0, FROM_END);
  void *weights = size > 0
                      ? mmap(0, (size_t)size, PROTECT_READ, MAP_SHARED, file, 0)
                      : MAP_FAILED;
  close(file);
  if (weights == MAP_FAILED)
    return fail(&text, QUANT_FILE,
                size == 0 ? "the file is empty"
                          : "cannot be mapped into memory");
  const char *fault = findFault(weights, (uint64_t)size);
  if (fault) {
    munmap(weights, (size_t)size);
    addExpected(&text);
    return fail(&text, QUANT_FILE, fault);
  }
  if (publish(weights))
    mapped = weights;
  else
    munmap(weights, (size_t)size);
  start(message, messageSize);
  return QUANT_OK;
}

static void forgetWeights(void) {
  if (mapped)
    munmap(mapped, quantArtifact.weightsSize);
  mapped = 0;
  quantWeights = 0;
}

#endif /* QUANT_SUPPORT_WEIGHTS_H */
