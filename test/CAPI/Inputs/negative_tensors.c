/* Tensors that are none: each is refused, and nothing is read through them. */
#include "quant/CAPI/Runtime.h"

#include <stdio.h>
#include <string.h>

static const char text[] =
    "func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {\n"
    "  return %x : tensor<?x4xf32>\n"
    "}\n";
static QuantLog *theLog;
static QuantModel *model;

static void run(const QuantTensor *input, QuantTensor *result) {
  quantLogClear(theLog);
  int32_t status = quantModelRun(model, input, 1, result, 1, theLog);
  printf("%d %s\n", status, quantLogText(theLog));
}

int main(void) {
  theLog = quantLogCreate();
  QuantProgram *program = NULL;
  QuantCompileOptions options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.optimize = "0";
  if (quantProgramLoadMemory(text, strlen(text), NULL, NULL, theLog,
                             &program) ||
      quantProgramCompile(program, &options, theLog, &model))
    return puts(quantLogText(theLog));
  float in[8] = {0}, out[8];
  int64_t shape[2] = {2, 4}, got[2], once[2] = {0, 1};
  QuantTensor input = {in, sizeof in, QUANT_F32, 2, shape, NULL};
  QuantTensor result = {out, sizeof out, QUANT_F32, 2, got, NULL};
  run(&input, &result);
  run(NULL, &result);
  run(&input, NULL);
  input.rank = INT32_MAX;
  run(&input, &result);
  input.rank = 2;
  shape[0] = INT64_MAX;
  run(&input, &result);
  shape[0] = 2;
  input.strides = once;
  run(&input, &result);
  result.strides = once;
  run(&input, &result);
  quantModelDestroy(model);
  quantProgramDestroy(program);
  quantLogDestroy(theLog);
  return 0;
}
