"""Programs compiled for AArch64 and run by an emulator of the user mode,
qemu-aarch64."""

import os
import struct

import numpy as np

from quantcheck.matmul_cases import run

QEMU = ["qemu-aarch64-static", "-cpu", "max"]
# What calls functions with descriptors that it reads, and writes what they
# return; `call` and `functions` are generated.
DRIVER = r"""
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RANK = 8 };
typedef struct { char *base, *data; int64_t offset, sizes[2 * RANK]; } MemRef;

/* What MLIR's C runner library has. */
void memrefCopy(int64_t size, void *from, void *to) {
  struct { int64_t rank; MemRef *ref; } *s = from, *d = to;
  int64_t index[RANK] = {0}, at[2] = {0, 0}, rank = s->rank;
  char *read = s->ref->data + s->ref->offset * size;
  char *write = d->ref->data + d->ref->offset * size;
  for (int64_t i = 0; i < rank; ++i)
    if (s->ref->sizes[i] == 0) return;
  for (;;) {
    memcpy(write + at[1] * size, read + at[0] * size, size);
    int64_t dim = rank - 1;
    for (; dim >= 0; --dim) {
      at[0] += s->ref->sizes[rank + dim];
      at[1] += d->ref->sizes[rank + dim];
      if (++index[dim] < s->ref->sizes[dim]) break;
      at[0] -= s->ref->sizes[rank + dim] * index[dim];
      at[1] -= d->ref->sizes[rank + dim] * index[dim];
      index[dim] = 0;
    }
    if (dim < 0) return;
  }
}

static void call(int64_t function, void *result, MemRef *a);

static int64_t number(FILE *f) {
  int64_t v;
  if (fread(&v, 8, 1, f) != 1) exit(3);
  return v;
}

static void readArgument(FILE *in, MemRef *m) {
  int64_t rank = number(in), element = number(in), elements = 1;
  for (int64_t i = 0; i < rank; ++i) elements *= m->sizes[i] = number(in);
  for (int64_t i = rank - 1, stride = 1; i >= 0; --i) {
    m->sizes[rank + i] = stride;
    stride *= m->sizes[i];
  }
  m->base = m->data = aligned_alloc(64, (elements * element + 127) / 64 * 64);
  if (elements && fread(m->data, element, elements, in) != (size_t)elements)
    exit(3);
}

static void writeElements(FILE *out, MemRef *m, int64_t rank, int64_t bytes,
                          int64_t dim, int64_t at) {
  if (dim == rank) {
    fwrite(m->data + at * bytes, bytes, 1, out);
    return;
  }
  for (int64_t i = 0; i < m->sizes[dim]; ++i)
    writeElements(out, m, rank, bytes, dim + 1, at + i * m->sizes[rank + dim]);
}

int main(int argc, char **argv) {
  FILE *in = fopen(argv[1], "rb"), *out = fopen(argv[2], "wb");
  int64_t count = number(in);
  for (int64_t f = 0; f < count; ++f) {
    int64_t results = number(in), arguments = number(in);
    int64_t *form = calloc(2 * results + 1, 8);
    for (int64_t i = 0; i < 2 * results; ++i) form[i] = number(in);
    MemRef *a = calloc(arguments + 1, sizeof(MemRef));
    for (int64_t i = 0; i < arguments; ++i) readArgument(in, &a[i]);
    char *result = calloc(results + 1, sizeof(MemRef)), *next = result;
    call(f, result, a);
    /* Descriptors follow each other, each as long as its rank says. */
    for (int64_t i = 0; i < results; ++i) {
      int64_t rank = form[2 * i], bytes = form[2 * i + 1];
      MemRef *m = (MemRef *)next;
      fwrite(m->sizes, 8, rank, out);
      writeElements(out, m, rank, bytes, 0, m->offset);
      next += 24 + 16 * rank;
    }
  }
  return fclose(out);
}
"""


class Call:
    """A function, its arguments, and [(dtype, rank)] of its results."""

    def __init__(self, name, arguments, results):
        self.name, self.results = name, results
        self.arguments = [np.ascontiguousarray(a) for a in arguments]

    def dispatch(self, number):
        """C that calls it with its number of arguments."""
        passed = "".join(f", &a[{i}]" for i in range(len(self.arguments)))
        return f"  case {number}: _mlir_ciface_{self.name}(r{passed}); break;\n"


def compile_for(cpu, path, folder, calls, quantize=None, optimize=True):
    """(The packed stage, an executable that does `calls` in order.) `cpu` is a
    processor's name and what is added to it: neoverse-n1+i8mm. Without `optimize`
    the kernels are what they are before LLVM, and their numbers, too."""
    stem = os.path.join(folder, cpu)
    name, *features = cpu.split("+")
    target, machine = f"cpu={name}", [f"-mcpu={name}"]
    if features:
        listed = ",".join("+" + feature for feature in features)
        target += f" features={listed}"
        machine.append(f"-mattr={listed}")
    if quantize:
        target += f' quantize="{quantize}"'
    packed = run("quant-opt", path,
                 f"--quant-to-arm={target} stop-after=packed").decode()
    # Verifying after each pass takes as long as the passes.
    run("quant-opt", path, f"--quant-to-arm={target}", f"--verify-each={optimize:d}",
        "-o", stem + ".mlir")
    run("mlir-translate", "--mlir-to-llvmir", stem + ".mlir", "-o",
        stem + ".ll")
    triple = "-mtriple=aarch64-linux-gnu"
    made = stem + ".ll"
    if optimize:
        made = stem + ".bc"
        run("opt", "-O2", triple, *machine, stem + ".ll", "-o", made)
    run("llc", "-O2" if optimize else "-O0", triple, *machine, "-filetype=obj", made,
        "-o", stem + ".o")
    # A program's own main is not the process's.
    run("llvm-objcopy", "--redefine-sym=main=program_main", stem + ".o")
    with open(stem + ".c", "w") as f:
        f.write(DRIVER)
        for name in sorted({call.name for call in calls}):
            f.write(f"extern void _mlir_ciface_{name}();\n")
        f.write("static void call(int64_t function, void *r, MemRef *a) {\n"
                "  switch (function) {\n" +
                "".join(c.dispatch(i) for i, c in enumerate(calls)) +
                "  }\n}\n")
    run("aarch64-linux-gnu-gcc", "-O1", "-w", "-static", stem + ".c",
        stem + ".o", "-o", stem + ".exe", "-lm")
    return packed, stem + ".exe"


def call_all(executable, calls):
    """The results of each of `calls`, in order."""
    stem = os.path.splitext(executable)[0]
    with open(stem + ".in", "wb") as f:
        f.write(struct.pack("<q", len(calls)))
        for call in calls:
            f.write(struct.pack("<2q", len(call.results),
                                len(call.arguments)))
            for dtype, rank in call.results:
                f.write(struct.pack("<2q", rank, np.dtype(dtype).itemsize))
            for array in call.arguments:
                f.write(struct.pack(f"<{2 + array.ndim}q", array.ndim,
                                    array.itemsize, *array.shape))
                f.write(array.tobytes())
    run(*QEMU, executable, stem + ".in", stem + ".out")
    returned = []
    with open(stem + ".out", "rb") as f:
        for call in calls:
            results = []
            for dtype, rank in call.results:
                shape = struct.unpack(f"<{rank}q", f.read(8 * rank))
                raw = f.read(int(np.prod(shape)) * np.dtype(dtype).itemsize)
                results.append(np.frombuffer(raw, dtype).reshape(shape))
            returned.append(results)
    return returned
