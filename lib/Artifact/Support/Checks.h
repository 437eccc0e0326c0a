/*===- Checks.h - what can be said of a call before it ------------*- C -*-===*\
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef QUANT_SUPPORT_CHECKS_H
#define QUANT_SUPPORT_CHECKS_H

#include "Model.h"
#include "Strided.h"
#include "Text.h"

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

/** Checks the memory that a result is written to: it holds all elements, and
 * each has a place of its own. */
static int32_t checkResult(Text *text, size_t i, const QuantTensor *result,
                           const int64_t *shape) {
  for (int32_t d = 0; result->strides && d < result->rank; ++d)
    if (shape[d] > 1 && result->strides[d] == 0) {
      addPlace(text, "result", i);
      add(text,
          "expected a place for each element, found stride 0 of dimension ");
      addNumber(text, d);
      return QUANT_INVALID;
    }
  return checkMemory(text, "result", i, result, shape);
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
  if (withShape && tensor->rank == type->rank) {
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
  if (!status && ((numInputs && !inputs) || (numResults && !results)))
    return fail(text, QUANT_INVALID, "expected tensors, found a null address");
  for (size_t i = 0; !status && i < numInputs; ++i) {
    status = checkType(text, "input", i, &model->inputs[i], &inputs[i], 1);
    if (!status)
      status = checkMemory(text, "input", i, &inputs[i], inputs[i].shape);
  }
  for (size_t i = 0; !status && i < numResults; ++i) {
    const QuantTensorType *type = &model->results[i];
    status = checkType(text, "result", i, type, &results[i], 0);
    if (!status && results[i].data && isStatic(type))
      status = checkResult(text, i, &results[i], type->shape);
  }
  return status;
}

#endif /* QUANT_SUPPORT_CHECKS_H */
