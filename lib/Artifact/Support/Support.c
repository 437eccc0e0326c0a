/*===- Support.c - what stands around the code of a compiled model --------===*\
|*                                                                            *|
|* The functions of QuantArtifact, compiled to LLVM IR when this project is   *|
|* built and linked into each model (ModelCode.cpp), so that an object needs  *|
|* nothing but libc, for any 64-bit little-endian target. Everything is       *|
|* internal to a model but quantGetArtifact, which is renamed.                *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#include "Checks.h"
#include "Memory.h"
#include "Numbers.h"
#include "Stops.h"
#include "Team.h"
#include "Weights.h"

const QuantArtifact *quantGetArtifact(void) { return &quantArtifact; }

/*===----------------------------------------------------------------------===*\
|* Tensors in and out
\*===----------------------------------------------------------------------===*/

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

/** Gives a result to the caller. */
static int32_t giveResult(Text *text, size_t i, const int64_t *words,
                          QuantTensor *result) {
  const QuantTensorType *type = &quantArtifact.results[i];
  int32_t rank = type->rank;
  const int64_t *shape = words + 3, *from = words + 3 + rank;
  int64_t width = elementWidths[type->element];
  int64_t bytes = countElements(shape, rank) * width;
  int64_t strides[rank + 1];
  for (int32_t d = 0; d < rank; ++d)
    result->shape[d] = shape[d];
  setContiguous(strides, shape, rank);
  if (!result->data) {
    result->data = malloc(bytes > 0 ? (size_t)bytes : 1);
    if (!result->data)
      return fail(text, QUANT_NO_MEMORY, "not enough memory for a result");
    result->size = (size_t)bytes;
  } else {
    int32_t status = checkResult(text, i, result, shape);
    if (status)
      return status;
    for (int32_t d = 0; result->strides && d < rank; ++d)
      strides[d] = result->strides[d];
  }
  if (bytes <= 0)
    return QUANT_OK;
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

/** Gives all results, and back what the program allocated for them. */
static int32_t giveResults(Text *text, int64_t *words, int64_t **inputs,
                           QuantTensor *results) {
  const QuantArtifact *model = &quantArtifact;
  int64_t *at[model->numResults + 1];
  int own[model->numResults + 1];
  int32_t status = QUANT_OK;
  for (size_t i = 0; i < model->numResults; ++i) {
    at[i] = words;
    words += getNumWords(&model->results[i]);
    own[i] = !results[i].data;
    if (!status)
      status = giveResult(text, i, at[i], &results[i]);
  }
  for (size_t i = 0; i < model->numResults; ++i) {
    /* A result that is no input was allocated, and may be given twice. */
    int seen = isInput(at[i][0], inputs);
    for (size_t j = 0; j < i; ++j)
      seen |= at[i][0] == at[j][0];
    if (!seen)
      quantFree((void *)at[i][0]);
    /* The caller of a call that failed has nothing to give back. */
    if (status && own[i]) {
      free(results[i].data);
      results[i].data = 0;
    }
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

static int32_t loadAndRun(const QuantTensor *inputs, size_t numInputs,
                          QuantTensor *results, size_t numResults,
                          char *message, size_t messageSize) {
  Text text = start(message, messageSize);
  int32_t status = quantLoad(0, message, messageSize);
  if (status)
    return status;
  if (!hasKey)
    return fail(&text, QUANT_NO_MEMORY, "the process has too many thread keys");
  status = checkCall(&text, inputs, numInputs, results, numResults);
  return status ? status : runChecked(&text, inputs, results);
}

/** Whom calls that run have. All zeros are a pthread_rwlock_t that is free. */
static int64_t running[8];

int32_t quantRun(const QuantTensor *inputs, size_t numInputs,
                 QuantTensor *results, size_t numResults, char *message,
                 size_t messageSize) {
  pthread_rwlock_rdlock(running);
  int32_t status =
      loadAndRun(inputs, numInputs, results, numResults, message, messageSize);
  pthread_rwlock_unlock(running);
  return status;
}

void quantRelease(void *data) { free(data); }

void quantUnload(void) {
  quantForgetTeams();
  forgetWeights();
  forgetCalls();
  forgetMemory();
}

/** Before the code goes. At the end of a process threads may still call: what
 *  they use stays. */
void quantClose(void) {
  quantForgetTeams();
  if (pthread_rwlock_trywrlock(running) != 0)
    return;
  quantUnload();
  pthread_rwlock_unlock(running);
}

/*===----------------------------------------------------------------------===*\
|* What compiled code calls
\*===----------------------------------------------------------------------===*/

/** A memref of any rank, as the lowering of memref.copy passes it. */
typedef struct {
  int64_t rank;
  int64_t *words;
} AnyMemRef;

void memrefCopy(int64_t width, const AnyMemRef *from, const AnyMemRef *to) {
  int32_t rank = (int32_t)from->rank;
  const int64_t *shape = from->words + 3;
  if (countElements(shape, rank) == 0)
    return;
  copy((char *)to->words[1] + to->words[2] * width, to->words + 3 + rank,
       (const char *)from->words[1] + from->words[2] * width, shape + rank,
       shape, rank, width);
}
