"""Programs of cases compiled for AArch64 and run by an emulator of the user
mode, qemu-aarch64."""

import os
import struct

import numpy as np

from quantcheck.matmul_cases import run

QEMU = ["qemu-aarch64-static", "-cpu", "max"]
# Calls every function of a table with descriptors that it reads, and writes what
# they return. More arguments than a function has do no harm (AAPCS64).
DRIVER = r"""
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 15, RANK = 8 };
typedef struct { char *base, *data; int64_t offset, sizes[2 * RANK]; } MemRef;
typedef void *P;
typedef void (*Function)(P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P);
extern const Function functions[];

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

static int64_t number(FILE *f) {
  int64_t v;
  if (fread(&v, 8, 1, f) != 1) exit(3);
  return v;
}

int main(int argc, char **argv) {
  FILE *in = fopen(argv[1], "rb"), *out = fopen(argv[2], "wb");
  int64_t count = number(in);
  for (int64_t f = 0; f < count; ++f) {
    MemRef arguments[MOST] = {0}, result = {0};
    int64_t rank = number(in), bytes = number(in), n = number(in);
    P p[MOST + 1] = {&result};
    for (int64_t a = 0; a < n; ++a) {
      MemRef *m = &arguments[a];
      int64_t r = number(in), element = number(in), elements = 1;
      for (int64_t i = 0; i < r; ++i) elements *= m->sizes[i] = number(in);
      for (int64_t i = r - 1, stride = 1; i >= 0; --i) {
        m->sizes[r + i] = stride;
        stride *= m->sizes[i];
      }
      m->base = m->data = aligned_alloc(64, (elements * element + 127) / 64 * 64);
      if (elements && fread(m->data, element, elements, in) != (size_t)elements)
        exit(3);
      p[a + 1] = m;
    }
    functions[f](p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9],
                 p[10], p[11], p[12], p[13], p[14], p[15]);
    int64_t elements = 1;
    for (int64_t i = 0; i < rank; ++i) elements *= result.sizes[i];
    fwrite(result.sizes, 8, rank, out);
    fwrite(result.data + result.offset * bytes, bytes, elements, out);
  }
  return fclose(out);
}
"""


def compile_for(cpu, path, folder, names, pipeline="quant-to-arm"):
    """(The packed stage, an executable that calls the functions `names`.)"""
    stem = os.path.join(folder, cpu)
    name, *features = cpu.split("+")
    target, machine = f"cpu={name}", [f"-mcpu={name}"]
    if features:
        listed = ",".join("+" + feature for feature in features)
        target += f" features={listed}"
        machine.append(f"-mattr={listed}")
    if pipeline == "quant-to-generic":
        target = ""
    packed = run("quant-opt", path,
                 f"--{pipeline}={target} stop-after=packed").decode()
    run("quant-opt", path, f"--{pipeline}={target}", "-o", stem + ".mlir")
    run("mlir-translate", "--mlir-to-llvmir", stem + ".mlir", "-o",
        stem + ".ll")
    triple = "-mtriple=aarch64-linux-gnu"
    run("opt", "-O2", triple, *machine, stem + ".ll", "-o", stem + ".bc")
    for kind in ("obj", "asm"):
        run("llc", "-O2", triple, *machine, f"-filetype={kind}",
            stem + ".bc", "-o", stem + (".o" if kind == "obj" else ".s"))
    with open(stem + ".c", "w") as f:
        f.write(DRIVER)
        for function in names:
            f.write(f"extern void _mlir_ciface_{function}();\n")
        f.write("const Function functions[] = {" + ", ".join(
            f"(Function)_mlir_ciface_{n}" for n in names) + "};\n")
    run("aarch64-linux-gnu-gcc", "-O1", "-w", "-static", stem + ".c",
        stem + ".o", "-o", stem + ".exe", "-lm")
    return packed, stem + ".exe"


def call_all(executable, cases):
    """What the functions of `cases` return, in order."""
    stem = os.path.splitext(executable)[0]
    with open(stem + ".in", "wb") as f:
        f.write(struct.pack("<q", len(cases)))
        for case in cases:
            f.write(struct.pack("<3q", case.expected.ndim,
                                case.expected.itemsize, len(case.args)))
            for _, _, array in case.args:
                f.write(struct.pack(f"<{2 + array.ndim}q", array.ndim,
                                    array.itemsize, *array.shape))
                f.write(np.ascontiguousarray(array).tobytes())
    run(*QEMU, executable, stem + ".in", stem + ".out")
    results = []
    with open(stem + ".out", "rb") as f:
        for case in cases:
            shape = struct.unpack(f"<{case.expected.ndim}q",
                                  f.read(8 * case.expected.ndim))
            count = int(np.prod(shape))
            raw = f.read(count * case.expected.itemsize)
            results.append(np.frombuffer(raw, case.expected.dtype)
                           .reshape(shape))
    return results
