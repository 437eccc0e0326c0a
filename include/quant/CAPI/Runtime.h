/*===- Runtime.h - quantize, compile and run models from C --------*- C -*-===*\
|*                                                                            *|
|* The library libquantmlir: a program in MLIR goes in, a model that can be   *|
|* called comes out. Nothing of MLIR or LLVM is needed to use this header,    *|
|* and the library shows none of their symbols.                               *|
|*                                                                            *|
|*   QuantLog *log = quantLogCreate();                                        *|
|*   QuantProgram *program;                                                   *|
|*   QuantModel *model;                                                       *|
|*   if (quantProgramLoadFile("m.mlir", NULL, log, &program) == QUANT_OK &&   *|
|*       quantProgramQuantize(program, "weights=channel", 0, log) ==       *|
|*           QUANT_OK &&                                                      *|
|*       quantProgramCompile(program, NULL, log, &model) == QUANT_OK)         *|
|*     quantModelRun(model, inputs, 1, results, 1, log);                      *|
|*   puts(quantLogText(log));                                                 *|
|*                                                                            *|
|* Status, element types and tensors are those of compiled models             *|
|* (quant/CAPI/Artifact.h). Objects of different programs are independent; one*|
|* program or log is used by one thread at a time, a model by any number.     *|
|* docs/artifacts.md is the guide.                                            *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#ifndef QUANT_CAPI_RUNTIME_H
#define QUANT_CAPI_RUNTIME_H

#include "quant/CAPI/Artifact.h"

#if defined(__GNUC__)
#define QUANT_EXPORT __attribute__((visibility("default")))
#else
#define QUANT_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** The version of this interface. What is there stays as it is while the number
 *  is the same; fields of options are only added at their end. */
#define QUANT_RUNTIME_VERSION 1

/** QUANT_RUNTIME_VERSION of the library. */
QUANT_EXPORT uint32_t quantRuntimeVersion(void);
/** `QuantMLIR 0.1.0 (LLVM 22.1.8)` */
QUANT_EXPORT const char *quantVersionText(void);

/*===----------------------------------------------------------------------===*\
|* Diagnostics
\*===----------------------------------------------------------------------===*/

enum QuantSeverity {
  QUANT_NOTE = 0,
  QUANT_REMARK = 1,
  QUANT_WARNING = 2,
  QUANT_ERROR = 3
};

/** What the compiler has to say: one entry a diagnostic, in order. Functions
 *  that take a log add to it; it may be null. */
typedef struct QuantLog QuantLog;

QUANT_EXPORT QuantLog *quantLogCreate(void);
QUANT_EXPORT void quantLogDestroy(QuantLog *log);
/** Forgets the entries. */
QUANT_EXPORT void quantLogClear(QuantLog *log);
QUANT_EXPORT size_t quantLogSize(const QuantLog *log);
/** `enum QuantSeverity` of entry `i`. */
QUANT_EXPORT int32_t quantLogSeverity(const QuantLog *log, size_t i);
/** `file:line:column: error: text` of entry `i`, until the log changes. */
QUANT_EXPORT const char *quantLogEntry(const QuantLog *log, size_t i);
/** All entries, a line each, until the log changes. */
QUANT_EXPORT const char *quantLogText(const QuantLog *log);

/*===----------------------------------------------------------------------===*\
|* Programs
\*===----------------------------------------------------------------------===*/

/** An MLIR program on its way, as text, integers, or whatever it was given as.
 */
typedef struct QuantProgram QuantProgram;

/** Reads text or bytecode. `entry` is the function that is meant; null: `main`
 *  or the only public one. */
QUANT_EXPORT int32_t quantProgramLoadFile(const char *path, const char *entry,
                                          QuantLog *log,
                                          QuantProgram **program);
/** The same from memory, which is copied; `name` stands for the file's in
 *  diagnostics and may be null. */
QUANT_EXPORT int32_t quantProgramLoadMemory(const void *bytes, size_t size,
                                            const char *name, const char *entry,
                                            QuantLog *log,
                                            QuantProgram **program);
QUANT_EXPORT void quantProgramDestroy(QuantProgram *program);

/** Writes a program that is given as text to `path` as bytecode. Constants are
 *  not looked at: their data may be put into the file later (the Python package
 *  streams a checkpoint's weights so). */
QUANT_EXPORT int32_t quantProgramWriteBytecode(const void *bytes, size_t size,
                                               const char *name,
                                               const char *path, QuantLog *log);

/** Quantizes float matmuls by options of quant-quantize-matmul
 * (docs/schemes.md: "weights=channel activations=dynamic-token"). At most once,
 * before the program is compiled. What stays in float is said by remarks; with
 * `strict` it is an error where the options ask for more. */
QUANT_EXPORT int32_t quantProgramQuantize(QuantProgram *program,
                                          const char *options, int32_t strict,
                                          QuantLog *log);

/** Quantizes one weight, row-major [n, k], as quantProgramQuantize() does: by
 *  the options that are about weights ("weight-bits=4 weights=group").
 * `moments` is null or the mean of x x^T over what the weight is multiplied by,
 * [k, k], which "rounding=error-compensated" needs. Written are `ints`, a byte
 * for each of n * k elements (of a code book: its number, the 4 bits as two's
 * complement), and scales and, where the options ask for them, zero points,
 * `numScales` each: one, one a row, or one for each group of a row. */
QUANT_EXPORT int32_t quantWeightQuantize(const float *weight, int64_t n,
                                         int64_t k, const char *options,
                                         const float *moments, int8_t *ints,
                                         float *scales, int32_t *zeroPoints,
                                         size_t numScales, QuantLog *log);

/** The types of the function, which stay what they are. */
QUANT_EXPORT uint32_t quantProgramNumInputs(const QuantProgram *program);
QUANT_EXPORT uint32_t quantProgramNumResults(const QuantProgram *program);
QUANT_EXPORT const QuantTensorType *
quantProgramInput(const QuantProgram *program, uint32_t i);
QUANT_EXPORT const QuantTensorType *
quantProgramResult(const QuantProgram *program, uint32_t i);

/** How a program is compiled. All zeros are the defaults; where `size` is less
    than that of the struct, fields from `optimize` on are not read. */
typedef struct QuantCompileOptions {
  size_t size;           /**< sizeof(QuantCompileOptions) */
  const char *target;    /**< "generic" (default), "x86" or "arm" */
  const char *cpu;       /**< LLVM's name; null or "host": this machine's */
  const char *features;  /**< "+x,-y"; null: the CPU's */
  const char *triple;    /**< null: this machine's; another only for saving */
  const char *name;      /**< of the model's symbol; null: "model" */
  const char *schedules; /**< file of quant-run --tune; null: none */
  int32_t threads;       /**< x86, arm: of large matmuls; 0: 1 */
  int32_t strict;        /**< not 0: fail where there is no kernel */
  const char *optimize;  /**< LLVM's level, "0" (quickly compiled) to "3"; the
                              same integers, last bits of floats may differ
                              (docs/testing.md); null: "2" */
} QuantCompileOptions;

/*===----------------------------------------------------------------------===*\
|* Models
\*===----------------------------------------------------------------------===*/

/** A compiled model. It needs no program, and holds its own weights. */
typedef struct QuantModel QuantModel;

/** Compiles. The program stays as it is, and may be compiled again. */
QUANT_EXPORT int32_t quantProgramCompile(QuantProgram *program,
                                         const QuantCompileOptions *options,
                                         QuantLog *log, QuantModel **model);
/** Loads NAME.so or NAME.o, whose weights are in `weights`; null: in the file
 *  beside it. The weights are mapped, and shared between processes. */
QUANT_EXPORT int32_t quantModelLoad(const char *path, const char *weights,
                                    QuantLog *log, QuantModel **model);
/** No call may be running, and what quantModelArtifact() gave dies too; memory
 *  of results stays the caller's. */
QUANT_EXPORT void quantModelDestroy(QuantModel *model);

/** Types of inputs and results, name, CPU and so on; null for a model that was
 *  compiled for another machine. */
QUANT_EXPORT const QuantArtifact *quantModelArtifact(const QuantModel *model);

/** Computes the results, as `run` of quant/CAPI/Artifact.h has it. Threads may
 *  call at once; calls of a model that keeps state wait for each other. */
QUANT_EXPORT int32_t quantModelRun(QuantModel *model, const QuantTensor *inputs,
                                   size_t numInputs, QuantTensor *results,
                                   size_t numResults, QuantLog *log);

/** Gives memory of a result back. */
QUANT_EXPORT void quantRelease(void *data);

/** Writes NAME.so or NAME.o, NAME.h and NAME.weights, all of them or none. A
 *  shared library is linked by `linker`, a compiler driver; null: cc. */
QUANT_EXPORT int32_t quantModelSave(const QuantModel *model, const char *path,
                                    const char *linker, QuantLog *log);

#ifdef __cplusplus
}
#endif

#endif /* QUANT_CAPI_RUNTIME_H */
