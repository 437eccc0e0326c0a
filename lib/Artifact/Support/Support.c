/*===- Support.c - what stands around the code of a compiled model --------===*\
|*                                                                            *|
|* The functions of QuantArtifact, compiled to LLVM IR when this project is   *|
|* built and linked into each model (ObjectCode.cpp), so that an object needs *|
|* nothing but libc, for any 64-bit little-endian target. That is why no      *|
|* system header is included: what it says of one machine would be in the IR  *|
|* of all. What is declared here is the same on every Linux.                  *|
|*                                                                            *|
|* Everything is internal to a model but quantGetArtifact, which is renamed.  *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#include "quant/CAPI/Artifact.h"

/*===----------------------------------------------------------------------===*\
|* Of the C library
\*===----------------------------------------------------------------------===*/

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
int pthread_once(int *, void (*)(void));
int pthread_key_create(unsigned *, void (*)(void *));
int pthread_key_delete(unsigned);
int pthread_setspecific(unsigned, const void *);
void *pthread_getspecific(unsigned);
/** Of an address: file, base, symbol, symbol's address. */
typedef struct {
  const char *file;
  void *base;
  const char *symbol;
  void *address;
} AddressInfo;
int dladdr(const void *, AddressInfo *);

enum { READ_ONLY = 0, CLOSE_ON_EXEC = 02000000, FROM_END = 2 };
enum { PROTECT_READ = 1, MAP_SHARED = 1, PATH_SIZE = 4096 };
#define MAP_FAILED ((void *)-1)

/*===----------------------------------------------------------------------===*\
|* Of the model
\*===----------------------------------------------------------------------===*/

/** What it says of itself; made by ObjectCode.cpp. */
extern const QuantArtifact quantArtifact;
/** Its program; made by ObjectCode.cpp. Each tensor is a descriptor of words:
 *  allocated, aligned, offset, sizes[rank], strides[rank]. */
void quantCallProgram(int64_t *results, int64_t **inputs);

/** Where the weights are; the program's code reads it. */
const char *quantWeights = 0;
/** Those of them that load() mapped. */
static void *mapped = 0;

const QuantArtifact *quantGetArtifact(void) { return &quantArtifact; }

/*===----------------------------------------------------------------------===*\
|* Text
\*===----------------------------------------------------------------------===*/

/** A buffer that is written to as long as there is room. */
typedef struct {
  char *data;
  size_t size, used;
} Text;

static Text start(char *data, size_t size) {
  Text text = {data, data ? size : 0, 0};
  if (text.size)
    data[0] = 0;
  return text;
}

static void add(Text *text, const char *more) {
  size_t length = strlen(more);
  size_t room = text->size > text->used ? text->size - text->used - 1 : 0;
  if (text->size == 0)
    return;
  if (length > room)
    length = room;
  memcpy(text->data + text->used, more, length);
  text->used += length;
  text->data[text->used] = 0;
}

static void addNumber(Text *text, int64_t number) {
  char digits[32];
  snprintf(digits, sizeof digits, "%lld", (long long)number);
  add(text, digits);
}

static const char *const elementNames[] = {"i1",  "i4",  "i8",   "i16", "i32",
                                           "i64", "f16", "bf16", "f32", "f64"};
static const uint8_t elementWidths[] = {1, 1, 1, 2, 4, 8, 2, 2, 4, 8};
enum { NUM_ELEMENTS = 10 };

/** `tensor<2x?xf32>` */
static void addType(Text *text, int32_t element, int32_t rank,
                    const int64_t *shape) {
  add(text, "tensor<");
  for (int32_t i = 0; i < rank && shape; ++i) {
    if (shape[i] < 0)
      add(text, "?");
    else
      addNumber(text, shape[i]);
    add(text, "x");
  }
  if (element >= 0 && element < NUM_ELEMENTS)
    add(text, elementNames[element]);
  else
    addNumber(text, element);
  add(text, ">");
}

static int32_t fail(Text *text, int32_t status, const char *why) {
  add(text, why);
  return status;
}

/** `input 1: ` */
static void addPlace(Text *text, const char *role, size_t i) {
  add(text, role);
  add(text, " ");
  addNumber(text, (int64_t)i);
  add(text, ": ");
}

/*===----------------------------------------------------------------------===*\
|* Weights
\*===----------------------------------------------------------------------===*/

/** How a file of weights begins; the constants follow from byte 64 on, each at
 *  a multiple of 64 (WeightsFile.cpp). */
typedef struct {
  char magic[8];
  uint32_t version, reserved;
  uint64_t size;
  uint8_t hash[16];
} WeightsHeader;

enum { WEIGHTS_VERSION = 1 };

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

/** Linux: arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA). */
static void requestTiles(void) { syscall(158, 0x1023, 18); }

/** What is done before the first call. */
static void prepare(void);

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

/*===----------------------------------------------------------------------===*\
|* Programs that stop themselves
\*===----------------------------------------------------------------------===*/

/** One call of a thread. */
typedef struct {
  /** A jmp_buf of any target. */
  _Alignas(16) char jump[1024];
  char said[512];
} Call;

static unsigned callKey;
static int once = 0;
static int hasKey = 0;

static void prepareOnce(void) {
  hasKey = pthread_key_create(&callKey, 0) == 0;
  if (quantArtifact.flags & QUANT_USES_TILES)
    requestTiles();
}

static void prepare(void) { pthread_once(&once, prepareOnce); }

/** Called instead of abort(), by the calling thread or another of its team. */
_Noreturn void quantStop(void) {
  Call *call = hasKey ? pthread_getspecific(callKey) : 0;
  if (call)
    longjmp(call->jump, 1);
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
  pthread_setspecific(callKey, call);
  if (_setjmp(call->jump) == 0) {
    quantCallProgram(results, inputs);
    done = 1;
  }
  pthread_setspecific(callKey, outer);
  return done;
}

/*===----------------------------------------------------------------------===*\
|* Tensors
\*===----------------------------------------------------------------------===*/

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

/** Checks that the memory of a tensor holds it. */
static int32_t checkMemory(Text *text, const char *role, size_t i,
                           const QuantTensor *tensor, const int64_t *shape) {
  int64_t bytes = getExtent(shape, tensor->strides, tensor->rank,
                            elementWidths[tensor->element]);
  if (bytes >= 0 && (uint64_t)bytes <= tensor->size &&
      (tensor->data || bytes == 0))
    return QUANT_OK;
  addPlace(text, role, i);
  addType(text, tensor->element, tensor->rank, shape);
  if (bytes < 0)
    return fail(text, QUANT_INVALID,
                " has a negative size or stride, or is too large");
  if (!tensor->data)
    return fail(text, QUANT_INVALID, " has no memory (data is null)");
  add(text, " takes ");
  addNumber(text, bytes);
  add(text, " bytes, the memory has ");
  addNumber(text, (int64_t)tensor->size);
  return QUANT_INVALID;
}

static int32_t checkType(Text *text, const char *role, size_t i,
                         const QuantTensorType *type, const QuantTensor *tensor,
                         int withShape) {
  int fits = tensor->element == type->element && tensor->rank == type->rank &&
             (tensor->shape || type->rank == 0);
  for (int32_t d = 0; withShape && fits && d < type->rank; ++d)
    fits = tensor->shape[d] == type->shape[d] ||
           (type->shape[d] < 0 && tensor->shape[d] >= 0);
  if (fits)
    return QUANT_OK;
  addPlace(text, role, i);
  add(text, "expected ");
  addType(text, type->element, type->rank, type->shape);
  if (type->rank > 0 && tensor->rank == type->rank && !tensor->shape)
    return fail(text, QUANT_INVALID, ", found no shape (null)");
  add(text, ", found ");
  if (withShape) {
    addType(text, tensor->element, tensor->rank, tensor->shape);
  } else {
    addType(text, tensor->element, 0, 0);
    add(text, " of rank ");
    addNumber(text, tensor->rank);
  }
  return QUANT_INVALID;
}

static int32_t checkCount(Text *text, const char *role, size_t expected,
                          size_t found) {
  if (expected == found)
    return QUANT_OK;
  add(text, "expected ");
  addNumber(text, (int64_t)expected);
  add(text, role);
  add(text, ", found ");
  addNumber(text, (int64_t)found);
  return QUANT_INVALID;
}

static int isStatic(const QuantTensorType *type) {
  for (int32_t i = 0; i < type->rank; ++i)
    if (type->shape[i] < 0)
      return 0;
  return 1;
}

/** Everything that can be said before the program runs. */
static int32_t checkCall(Text *text, const QuantTensor *inputs,
                         size_t numInputs, const QuantTensor *results,
                         size_t numResults) {
  const QuantArtifact *model = &quantArtifact;
  int32_t status = checkCount(text, " inputs", model->numInputs, numInputs);
  if (!status)
    status = checkCount(text, " results", model->numResults, numResults);
  for (size_t i = 0; !status && i < numInputs; ++i) {
    status = checkType(text, "input", i, &model->inputs[i], &inputs[i], 1);
    if (!status)
      status = checkMemory(text, "input", i, &inputs[i], inputs[i].shape);
  }
  for (size_t i = 0; !status && i < numResults; ++i) {
    const QuantTensorType *type = &model->results[i];
    status = checkType(text, "result", i, type, &results[i], 0);
    if (!status && results[i].data && isStatic(type))
      status = checkMemory(text, "result", i, &results[i], type->shape);
  }
  return status;
}

/** Words of a descriptor. */
static size_t getNumWords(const QuantTensorType *type) {
  return 3 + 2 * (size_t)type->rank;
}

/** Fills a descriptor; `owned` is the copy that was made, or null. */
static int32_t passInput(int64_t *words, const QuantTensor *input,
                         void **owned) {
  int32_t rank = input->rank;
  int64_t width = elementWidths[input->element];
  int64_t *strides = words + 3 + rank;
  char *data = input->data;
  setContiguous(strides, input->shape, rank);
  int inOrder =
      !input->strides || isContiguous(input->shape, input->strides, rank);
  int64_t bytes = countElements(input->shape, rank) * width;
  *owned = 0;
  if (bytes > 0 && (!inOrder || (uintptr_t)data % (uintptr_t)width != 0)) {
    *owned = malloc((size_t)bytes);
    if (!*owned)
      return QUANT_NO_MEMORY;
    copy(*owned, strides, data, input->strides ? input->strides : strides,
         input->shape, rank, width);
    data = *owned;
  }
  words[0] = words[1] = (int64_t)data;
  words[2] = 0;
  for (int32_t i = 0; i < rank; ++i)
    words[3 + i] = input->shape[i];
  return QUANT_OK;
}

/** The upper bits of an i4 are not the program's. */
static void extendNibbles(char *data, const int64_t *shape,
                          const int64_t *strides, int32_t rank) {
  if (rank == 0) {
    data[0] = (char)((((unsigned char)data[0] & 15) ^ 8) - 8);
    return;
  }
  for (int64_t i = 0; i < shape[0]; ++i)
    extendNibbles(data + i * strides[0], shape + 1, strides + 1, rank - 1);
}

/** Gives a result to the caller. `taken` says that its memory now is the
 *  caller's; it can be if `free` says that nobody else needs it. */
static int32_t giveResult(Text *text, size_t i, const int64_t *words,
                          QuantTensor *result, int isFree, int *taken) {
  const QuantTensorType *type = &quantArtifact.results[i];
  int32_t rank = type->rank;
  const int64_t *shape = words + 3, *from = words + 3 + rank;
  int64_t width = elementWidths[type->element];
  int64_t bytes = countElements(shape, rank) * width;
  int64_t strides[rank + 1];
  for (int32_t d = 0; d < rank; ++d)
    result->shape[d] = shape[d];
  setContiguous(strides, shape, rank);
  *taken = 0;
  if (!result->data) {
    if (isFree && words[0] == words[1] && words[2] == 0 &&
        isContiguous(shape, from, rank)) {
      result->data = (void *)words[0];
      *taken = 1;
    } else {
      result->data = malloc(bytes > 0 ? (size_t)bytes : 1);
    }
    if (!result->data)
      return fail(text, QUANT_NO_MEMORY, "not enough memory for a result");
    result->size = (size_t)bytes;
  } else {
    int32_t status = checkMemory(text, "result", i, result, shape);
    if (status)
      return status;
    for (int32_t d = 0; result->strides && d < rank; ++d)
      strides[d] = result->strides[d];
  }
  if (bytes <= 0)
    return QUANT_OK;
  if (!*taken)
    copy(result->data, strides, (const char *)words[1] + words[2] * width, from,
         shape, rank, width);
  if (type->element == QUANT_I4)
    extendNibbles(result->data, shape, strides, rank);
  return QUANT_OK;
}

/** Whether a result's memory is an input's. */
static int isInput(int64_t pointer, int64_t **inputs) {
  for (size_t i = 0; i < quantArtifact.numInputs; ++i)
    if (inputs[i][0] == pointer)
      return 1;
  return 0;
}

/** Gives all results, and back what the program allocated for others. */
static int32_t giveResults(Text *text, int64_t *words, int64_t **inputs,
                           QuantTensor *results) {
  const QuantArtifact *model = &quantArtifact;
  int64_t *at[model->numResults + 1];
  int taken[model->numResults + 1];
  int32_t status = QUANT_OK;
  for (size_t i = 0; i < model->numResults; ++i) {
    at[i] = words;
    words += getNumWords(&model->results[i]);
  }
  for (size_t i = 0; i < model->numResults; ++i) {
    int isFree = !isInput(at[i][0], inputs);
    for (size_t j = 0; j < model->numResults; ++j)
      isFree &= i == j || at[i][0] != at[j][0];
    void *callers = results[i].data;
    taken[i] = 0;
    if (!status)
      status = giveResult(text, i, at[i], &results[i], isFree, &taken[i]);
    /* The caller of a call that failed has nothing to give back. */
    if (status && !callers && !taken[i])
      results[i].data = 0;
  }
  for (size_t i = 0; i < model->numResults; ++i) {
    int seen = taken[i] || isInput(at[i][0], inputs);
    for (size_t j = 0; j < i; ++j)
      seen |= at[i][0] == at[j][0];
    if (!seen)
      free((void *)at[i][0]);
  }
  return status;
}

/*===----------------------------------------------------------------------===*\
|* The call
\*===----------------------------------------------------------------------===*/

static int32_t runChecked(Text *text, const QuantTensor *inputs,
                          QuantTensor *results) {
  const QuantArtifact *model = &quantArtifact;
  size_t numInputWords = 0, numResultWords = 0;
  for (size_t i = 0; i < model->numInputs; ++i)
    numInputWords += getNumWords(&model->inputs[i]);
  for (size_t i = 0; i < model->numResults; ++i)
    numResultWords += getNumWords(&model->results[i]);
  int64_t inputWords[numInputWords + 1], resultWords[numResultWords + 1];
  int64_t *descriptors[model->numInputs + 1];
  void *owned[model->numInputs + 1];
  Call call;
  int32_t status = QUANT_OK;
  int64_t *next = inputWords;
  for (size_t i = 0; i < model->numInputs; ++i) {
    owned[i] = 0;
    descriptors[i] = next;
    next += getNumWords(&model->inputs[i]);
    if (!status)
      status = passInput(descriptors[i], &inputs[i], &owned[i]);
  }
  if (status) {
    add(text, "not enough memory for a copy of an input");
  } else if (!callProgram(&call, resultWords, descriptors)) {
    status = QUANT_STOPPED;
    add(text, "the model does not accept these inputs: ");
    size_t length = strlen(call.said);
    while (length > 0 && call.said[length - 1] == '\n')
      call.said[--length] = 0;
    add(text, length ? call.said : "it stopped");
  } else {
    status = giveResults(text, resultWords, descriptors, results);
  }
  for (size_t i = 0; i < model->numInputs; ++i)
    free(owned[i]);
  return status;
}

int32_t quantRun(const QuantTensor *inputs, size_t numInputs,
                 QuantTensor *results, size_t numResults, char *message,
                 size_t messageSize) {
  Text text = start(message, messageSize);
  int32_t status = quantLoad(0, message, messageSize);
  if (status)
    return status;
  if (!hasKey)
    return fail(&text, QUANT_NO_MEMORY, "the process has too many thread keys");
  status = checkCall(&text, inputs, numInputs, results, numResults);
  return status ? status : runChecked(&text, inputs, results);
}

void quantRelease(void *data) { free(data); }

void quantUnload(void) {
  if (mapped)
    munmap(mapped, quantArtifact.weightsSize);
  if (hasKey)
    pthread_key_delete(callKey);
  mapped = 0;
  quantWeights = 0;
  hasKey = once = 0;
}

/*===----------------------------------------------------------------------===*\
|* What compiled code calls
\*===----------------------------------------------------------------------===*/

/** A memref of any rank, as the lowering of memref.copy passes it. */
typedef struct {
  int64_t rank;
  int64_t *words;
} AnyMemRef;

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

void memrefCopy(int64_t width, const AnyMemRef *from, const AnyMemRef *to) {
  int32_t rank = (int32_t)from->rank;
  const int64_t *shape = from->words + 3;
  if (countElements(shape, rank) == 0)
    return;
  copy((char *)to->words[1] + to->words[2] * width, to->words + 3 + rank,
       (const char *)from->words[1] + from->words[2] * width, shape + rank,
       shape, rank, width);
}
