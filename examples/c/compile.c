/* From MLIR to a model that runs and is saved, in C.
 *
 *   cc compile.c -lquantmlir -o compile && ./compile model.mlir out/model.so
 */

#include "quant/CAPI/Runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void printType(const char *role, const QuantTensorType *type) {
  int32_t i;
  printf("%s: element type %d, shape [", role, type->element);
  for (i = 0; i < type->rank; ++i)
    printf("%s%lld", i ? ", " : "", (long long)type->shape[i]);
  printf("]\n");
}

/* Runs the model on four rows of numbers that are easy to check. */
static int32_t runOnce(QuantModel *model, QuantLog *log) {
  const QuantArtifact *facts = quantModelArtifact(model);
  int64_t columns = facts->inputs[0].shape[1];
  int64_t inputShape[2], resultShape[2], i;
  QuantTensor input, result;
  int32_t status;
  inputShape[0] = 4;
  inputShape[1] = columns;
  memset(&input, 0, sizeof(input));
  input.size = (size_t)(4 * columns) * sizeof(float);
  input.data = malloc(input.size);
  input.element = QUANT_F32;
  input.rank = 2;
  input.shape = inputShape;
  for (i = 0; i < 4 * columns; ++i)
    ((float *)input.data)[i] = (float)(i % 7) - 3;
  memset(&result, 0, sizeof(result));
  result.element = QUANT_F32;
  result.rank = 2;
  result.shape = resultShape;
  status = quantModelRun(model, &input, 1, &result, 1, log);
  if (status == QUANT_OK)
    for (i = 0; i < resultShape[0] * resultShape[1]; ++i)
      printf("%.9g\n", ((float *)result.data)[i]);
  free(input.data);
  quantRelease(result.data);
  return status;
}

int main(int argc, char **argv) {
  QuantLog *log = quantLogCreate();
  QuantProgram *program = NULL;
  QuantModel *model = NULL;
  QuantCompileOptions options;
  int32_t status;
  if (argc < 3) {
    fprintf(stderr, "usage: %s MODEL.mlir NAME.so [SCHEME]\n", argv[0]);
    return 2;
  }
  memset(&options, 0, sizeof(options));
  options.size = sizeof(options);
  options.target = "generic";
  status = quantProgramLoadFile(argv[1], NULL, log, &program);
  if (status == QUANT_OK) {
    printType("input", quantProgramInput(program, 0));
    printType("result", quantProgramResult(program, 0));
  }
  if (status == QUANT_OK && argc > 3)
    status = quantProgramQuantize(program, argv[3], 0, log);
  if (status == QUANT_OK)
    status = quantProgramCompile(program, &options, log, &model);
  if (status == QUANT_OK)
    status = runOnce(model, log);
  if (status == QUANT_OK)
    status = quantModelSave(model, argv[2], NULL, log);
  fputs(quantLogText(log), stderr);
  quantModelDestroy(model);
  quantProgramDestroy(program);
  quantLogDestroy(log);
  return status;
}
