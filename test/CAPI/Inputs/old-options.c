/* A caller of the first version's header: options that end before `optimize`,
   with and without their size, and one that ends within it. */
#include "quant/CAPI/Runtime.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char text[] =
    "func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {\n"
    "  return %x : tensor<2xf32>\n"
    "}\n";

int main(void) {
  const size_t first = offsetof(QuantCompileOptions, optimize);
  const size_t sizes[] = {0, first, first + 4};
  for (int i = 0; i < 3; ++i) {
    union {
      QuantCompileOptions options;
      char bytes[sizeof(QuantCompileOptions)];
    } given;
    memset(given.bytes, 0x41, sizeof(given.bytes));
    memset(given.bytes, 0, first);
    given.options.size = sizes[i];
    QuantLog *log = quantLogCreate();
    QuantProgram *program = NULL;
    QuantModel *model = NULL;
    int loaded =
        quantProgramLoadMemory(text, strlen(text), NULL, NULL, log, &program);
    int compiled = quantProgramCompile(program, &given.options, log, &model);
    printf("%d %d\n", loaded, compiled);
    quantModelDestroy(model);
    quantProgramDestroy(program);
    quantLogDestroy(log);
  }
  return 0;
}
