/* Calls a compiled model; docs/artifacts.md makes model.so, model.h and
 * model.weights. Reads a matrix of f32 from a file and prints the result.
 *
 *   cc main.c model.so -Wl,-rpath,'$ORIGIN' -o main && ./main x.bin rows
 */

#include "model.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  const QuantArtifact *model = model_artifact();
  char message[512];
  int64_t inputShape[2], resultShape[2];
  QuantTensor input = {0}, result = {0};
  FILE *file;
  float *x;
  int64_t i, j;

  if (argc != 3) {
    fprintf(stderr, "usage: %s FILE ROWS\n", argv[0]);
    return 2;
  }
  /* The shape of the input: any number of rows, and the model's columns. */
  inputShape[0] = atoll(argv[2]);
  inputShape[1] = model->inputs[0].shape[1];
  input.size = (size_t)(inputShape[0] * inputShape[1]) * sizeof(float);
  input.element = QUANT_F32;
  input.rank = 2;
  input.shape = inputShape;
  input.data = x = (float *)malloc(input.size);
  file = fopen(argv[1], "rb");
  if (!file || !x || fread(x, 1, input.size, file) != input.size) {
    fprintf(stderr, "%s: cannot be read\n", argv[1]);
    return 1;
  }
  fclose(file);

  /* The model allocates the result, whose shape it says. */
  result.element = QUANT_F32;
  result.rank = 2;
  result.shape = resultShape;
  if (model->run(&input, 1, &result, 1, message, sizeof(message)) != QUANT_OK) {
    fprintf(stderr, "%s\n", message);
    return 1;
  }
  for (i = 0; i < resultShape[0]; ++i) {
    for (j = 0; j < resultShape[1]; ++j)
      printf("%.9g ", ((float *)result.data)[i * resultShape[1] + j]);
    printf("\n");
  }
  model->release(result.data);
  free(x);
  return 0;
}
