/*===- Artifact.h - the interface of a compiled model -------------*- C -*-===*\
|*                                                                            *|
|* What a model that quant-compile, quantModelSave() or quantmlir's save()    *|
|* wrote offers its callers. It is plain C and needs no library: each model   *|
|* has one visible symbol, NAME_artifact(), and the header that is written    *|
|* beside it holds this text.                                                 *|
|*                                                                            *|
|*   const QuantArtifact *model = model_artifact();                           *|
|*   if (model->run(inputs, 1, results, 1, message, sizeof message))          *|
|*     puts(message);                                                         *|
|*                                                                            *|
|* Any number of threads may call any number of models at once.               *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef QUANT_ARTIFACT_ABI
/** Changes when a caller would have to: fields are only added at the end. */
#define QUANT_ARTIFACT_ABI 1

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Element types. i1 and i4 take a whole byte: 0 and 1, and -8 to 7. */
enum QuantElement {
  QUANT_I1 = 0,
  QUANT_I4 = 1,
  QUANT_I8 = 2,
  QUANT_I16 = 3,
  QUANT_I32 = 4,
  QUANT_I64 = 5,
  QUANT_F16 = 6,
  QUANT_BF16 = 7,
  QUANT_F32 = 8,
  QUANT_F64 = 9
};

/** What functions return. */
enum QuantStatus {
  QUANT_OK = 0,
  /** A tensor, a name or an option is not what was expected. */
  QUANT_INVALID = 1,
  /** A file cannot be read or written, or is not what it has to be. */
  QUANT_FILE = 2,
  /** The model stopped itself: sizes do not fit each other. */
  QUANT_STOPPED = 3,
  QUANT_NO_MEMORY = 4,
  /** The compiler does not accept the program. */
  QUANT_NOT_COMPILED = 5
};

/** The type of an input or a result. */
typedef struct QuantTensorType {
  int32_t element; /**< enum QuantElement */
  int32_t rank;
  const int64_t *shape; /**< `rank` sizes; -1: any */
} QuantTensorType;

/** A tensor in the caller's memory. */
typedef struct QuantTensor {
  /** The first element. Of a result: null asks the model for memory, which then
   *  is the caller's, who gives it back by release(). */
  void *data;
  /** How many bytes from `data` on may be read or written. */
  size_t size;
  int32_t element; /**< enum QuantElement */
  int32_t rank;
  /** `rank` sizes. Of a result: the model writes them. */
  int64_t *shape;
  /** `rank` distances of elements that follow each other, in elements, none of
   *  them negative; null: C order. */
  const int64_t *strides;
} QuantTensor;

/** `flags` of an artifact. */
enum QuantArtifactFlags {
  /** The model keeps variables from call to call: calls must not overlap. */
  QUANT_KEEPS_STATE = 1,
  /** Its code uses AMX tiles, for which it asks the kernel when it is loaded. */
  QUANT_USES_TILES = 2
};

/** A compiled model. */
typedef struct QuantArtifact {
  uint32_t abi;   /**< QUANT_ARTIFACT_ABI of the model */
  uint32_t flags; /**< of enum QuantArtifactFlags */
  const char *name;
  const char *producer; /**< the compiler and its version */
  const char *scheme;   /**< as it was quantized; empty: as it was written */
  const char *target, *triple, *cpu, *features;
  uint32_t numInputs, numResults;
  const QuantTensorType *inputs, *results;
  /** The file of the weights, sought in the folder of the program; a shared
   *  library X.so seeks X.weights beside itself. Empty: the model has no large
   *  constants and needs no file. */
  const char *weightsFile;
  uint64_t weightsSize;    /**< bytes of that file */
  uint8_t weightsHash[16]; /**< stands in that file too */

  /** Maps the weights, read-only and shared between processes, from `path`;
   *  null: from where they are written. run() does it where nobody did. What
   *  is mapped stays, and mapping again does nothing. */
  int32_t (*load)(const char *path, char *message, size_t messageSize);

  /** Takes the bytes of a weights file from memory that is aligned to 64 bytes
   *  and stays as long as the model is called. */
  int32_t (*use)(const void *weights, size_t size, char *message,
                 size_t messageSize);

  /** Computes the results. The inputs are only read; one that is not in C order
   *  is copied first. Results are written, in C order or by their strides, to
   *  the memory that the caller gave; what is said of them is checked before
   *  the model runs where their sizes are known, and after it where not.
   *  Returns QUANT_OK or why not (enum QuantStatus), and then up to
   *  `messageSize` bytes of text in `message`, which may be null. Memory of a
   *  model that stopped itself (QUANT_STOPPED) is lost. An index among the
   *  inputs that lies outside of what it indexes is not found out. Working
   *  memory is kept for the next call. */
  int32_t (*run)(const QuantTensor *inputs, size_t numInputs,
                 QuantTensor *results, size_t numResults, char *message,
                 size_t messageSize);

  /** Gives memory of a result back; the same as free(). */
  void (*release)(void *data);

  /** Gives back what load() mapped, and the working memory and threads that
   *  calls keep for the next ones, for who will not call for long. Closing the
   *  library of the model does, too. No call may be running. */
  void (*unload)(void);
} QuantArtifact;

#ifdef __cplusplus
}
#endif

#endif /* QUANT_ARTIFACT_ABI */
