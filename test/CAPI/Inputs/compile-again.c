/* One program, compiled and run several times: a constant that the code reads
   as it is in the program, another that is packed for the machine. Both are
   large enough to be resources. */
#include "quant/CAPI/Runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 128 };

/* `name = dense_resource`: a matrix whose element i is (i * step) % 7 - 3. */
static char *printBlob(char *out, const char *name, int step) {
  int i, k;
  out += sprintf(out, "%s: \"0x04000000", name);
  for (i = 0; i < SIZE * SIZE; ++i) {
    float number = (float)((i * step) % 7 - 3);
    const unsigned char *bytes = (const unsigned char *)&number;
    for (k = 0; k < 4; ++k)
      out += sprintf(out, "%02X", bytes[k]);
  }
  return out + sprintf(out, "\"");
}

static const char head[] =
    "func.func @main(%x: tensor<1x128xf32>)\n"
    "    -> (tensor<1x128xf32>, tensor<1x128xf32>) {\n"
    "  %w = arith.constant dense_resource<weight> : tensor<128x128xf32>\n"
    "  %t = arith.constant dense_resource<table> : tensor<128x128xf32>\n"
    "  %zero = arith.constant 0.0 : f32\n"
    "  %two = arith.constant 2 : index\n"
    "  %e = tensor.empty() : tensor<1x128xf32>\n"
    "  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x128xf32>)\n"
    "      -> tensor<1x128xf32>\n"
    "  %y = linalg.matmul\n"
    "      ins(%x, %w : tensor<1x128xf32>, tensor<128x128xf32>)\n"
    "      outs(%f : tensor<1x128xf32>) -> tensor<1x128xf32>\n"
    "  %v = tensor.extract %x[%i, %i] : tensor<1x128xf32>\n";

static char *printProgram(void) {
  char *text = malloc(sizeof(head) + 2048 + 2 * 9 * SIZE * SIZE), *out = text;
  out += sprintf(out, "%s", head);
  out = strstr(text, "  %v = ");
  out += sprintf(out, "%s",
                 "  %i = arith.constant 0 : index\n"
                 "  %v = tensor.extract %x[%i, %i] : tensor<1x128xf32>\n"
                 "  %n = arith.fptosi %v : f32 to i32\n"
                 "  %row = arith.index_cast %n : i32 to index\n"
                 "  %z = tensor.extract_slice %t[%row, 0] [1, 128] [1, 1]\n"
                 "      : tensor<128x128xf32> to tensor<1x128xf32>\n"
                 "  return %y, %z : tensor<1x128xf32>, tensor<1x128xf32>\n"
                 "}\n"
                 "{-# dialect_resources: { builtin: {");
  out = printBlob(out, "weight", 5);
  out += sprintf(out, ", ");
  out = printBlob(out, "table", 3);
  sprintf(out, "} } #-}\n");
  return text;
}

static int run(QuantModel *model, QuantLog *log) {
  int64_t shape[2] = {1, SIZE};
  float x[SIZE], y[SIZE], z[SIZE], sum = 0;
  QuantTensor input = {0}, results[2] = {{0}};
  int i, wrong = 0;
  for (i = 0; i < SIZE; ++i)
    x[i] = i == 0 ? 9.0f : 0.0f;
  input.data = x;
  input.size = sizeof(x);
  input.element = QUANT_F32;
  input.rank = 2;
  input.shape = shape;
  for (i = 0; i < 2; ++i) {
    results[i] = input;
    results[i].data = i ? z : y;
  }
  if (quantModelRun(model, &input, 1, results, 2, log) != QUANT_OK)
    return -1;
  for (i = 0; i < SIZE; ++i) {
    wrong += z[i] != (float)(((9 * SIZE + i) * 3) % 7 - 3);
    sum += y[i] - 9.0f * (float)((i * 5) % 7 - 3);
  }
  return wrong + (sum > 1.0f || sum < -1.0f);
}

int main(void) {
  char *text = printProgram();
  const char *targets[] = {"generic", "x86", "x86", "generic"};
  QuantLog *log = quantLogCreate();
  QuantProgram *program = NULL;
  QuantModel *models[4] = {NULL};
  int i;
  if (quantProgramLoadMemory(text, strlen(text), NULL, NULL, log, &program) ||
      quantProgramQuantize(program, "weights=channel activations=dynamic-token",
                           1, log))
    puts(quantLogText(log));
  for (i = 0; i < 4; ++i) {
    QuantCompileOptions options = {0};
    options.size = sizeof(options);
    options.target = targets[i];
    if (quantProgramCompile(program, &options, log, &models[i]))
      puts(quantLogText(log));
  }
  for (i = 0; i < 4; ++i) {
    printf("%s %d\n", targets[i], run(models[i], log));
    quantModelDestroy(models[i]);
  }
  quantProgramDestroy(program);
  quantLogDestroy(log);
  free(text);
  return 0;
}
