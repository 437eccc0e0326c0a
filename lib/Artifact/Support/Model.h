/*===- Model.h - what the compiler adds to the support ------------*- C -*-===*\
|*                                                                            *|
|* Made by ModelCode.cpp.                                                     *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef QUANT_SUPPORT_MODEL_H
#define QUANT_SUPPORT_MODEL_H

#include "System.h"

/** What it says of itself. */
extern const QuantArtifact quantArtifact;
/** Its program. Each tensor is a descriptor of words:
 *  allocated, aligned, offset, sizes[rank], strides[rank]. */
void quantCallProgram(int64_t *results, int64_t **inputs);

/** Where the weights are; the program's code reads it. */
const char *quantWeights = 0;

#endif /* QUANT_SUPPORT_MODEL_H */
