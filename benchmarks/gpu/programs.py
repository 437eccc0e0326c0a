#!/usr/bin/env python3
"""Whole programs on a GPU: host code and kernels compiled ahead of time, run
through the project's CUDA runtime, and compared with the CPU's results to the
last bit.

usage: programs.py make BUILD CHIP DIR NAME[:SCHEME]...
       programs.py run DIR

`make` runs where the compiler is (models of test/lib/quantsim/catalog.py, one
shared library each); `run` needs DIR, a GPU, Python and NumPy.
QUANT_CUDA_DRIVER names another driver. Expects benchmarks, test/lib and python
in PYTHONPATH."""

import ctypes
import json
import os
import pathlib
import sys
import tempfile
import time

import numpy as np

import contender
from quantsim import catalog

ROOT = pathlib.Path(__file__).resolve().parents[2]

SCHEME = "weights=channel attention=true"
# The machine that has the GPU need not have this one's processor.
HOST_CPU = "x86-64-v3"
REPEATS = 10


def compile_library(build, chip, program, scheme, library):
    """Host code with the kernels in it and the runtime, as one library."""
    stem = str(library.with_suffix(""))
    text = stem + ".llvm.mlir"
    contender.run_tool(
        str(build / "bin" / "quant-opt"), str(program), "-o", text,
        f"--quant-to-nvvm=chip={chip} format=isa quantize={{{scheme}}}")
    data = contender.split_constants(stem, alignment=64)
    contender.run_tool(contender.tool("mlir-translate"), "--mlir-to-llvmir", text,
                       "-o", stem + ".ll")
    contender.generate_code(stem, cpu=HOST_CPU)
    contender.run_tool("c++", "-O2", "-fPIC", "-shared", f"-I{ROOT}/include",
                       str(ROOT / "lib/Runtime/Cuda/CudaRuntime.cpp"), stem + ".o", stem + ".s",
                       "-o", str(library), "-Wl,-z,defs", "-static-libstdc++",
                       "-static-libgcc", "-ldl", "-lm")
    for path in [stem + e for e in (".llvm.mlir", ".ll", ".bc", ".o", ".s")] + data:
        os.remove(path)


def run_reference(build, program, scheme, inputs):
    """The same program's results on this machine's CPU."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for i, array in enumerate(inputs):
            paths.append(f"{folder}/in{i}.npy")
            np.save(paths[-1], array)
        contender.run_tool(str(build / "bin" / "quant-run"), str(program), "--target=generic",
                           f"--quantize={scheme}", "--print=false", f"--outputs={folder}",
                           "--inputs=" + ",".join(paths))
        count = len(list(pathlib.Path(folder).glob("out*.npy")))
        return [np.load(f"{folder}/out{i}.npy") for i in range(count)]


def make(build, chip, out, names):
    out.mkdir(parents=True, exist_ok=True)
    entries = []
    for number, name in enumerate(names):
        name, _, scheme = name.partition(":")
        scheme = scheme.replace(",", " ") or SCHEME
        program = catalog.attached(name, build, build / "bin" / "quant-opt")
        inputs, _ = catalog.inputs_and_results(name)
        library = out / f"program{number}.so"
        compile_library(build, chip, program, scheme, library)
        results = run_reference(build, program, scheme, inputs)
        np.savez(library.with_suffix(".npz"),
                 **{f"in{i}": a for i, a in enumerate(inputs)},
                 **{f"out{i}": a for i, a in enumerate(results)})
        entries.append({"name": name, "scheme": scheme, "library": library.name})
        print(f"{name}: {library.stat().st_size / 1e6:.1f} MB", flush=True)
    (out / "programs.json").write_text(json.dumps(entries, indent=1) + "\n")


class Program:
    """A compiled program, bound to inputs; calling it returns its results."""

    def __init__(self, path, inputs, results):
        self.function = ctypes.CDLL(str(path))._mlir_ciface_main
        self.function.restype = None
        self.inputs = [np.ascontiguousarray(a) for a in inputs]
        self.descriptors = [contender.descriptor(a) for a in self.inputs]
        self.results = results
        self.words = [3 + 2 * a.ndim for a in results]
        self.free = ctypes.CDLL(None).free
        self.free.argtypes = [ctypes.c_void_p]

    def __call__(self):
        found = (ctypes.c_int64 * sum(self.words))()
        self.function(ctypes.byref(found), *map(ctypes.byref, self.descriptors))
        arrays, begin, allocated = [], 0, set()
        for words, like in zip(self.words, self.results):
            base, data, offset = found[begin:begin + 3]
            size = int(np.prod(like.shape)) * like.itemsize
            text = ctypes.string_at(data + offset * like.itemsize, size)
            arrays.append(np.frombuffer(text, like.dtype).reshape(like.shape))
            allocated.add(base)
            begin += words
        for base in allocated:
            self.free(base)
        return arrays


def run(folder):
    """How many programs differ from the CPU."""
    entries, failed = json.loads((folder / "programs.json").read_text()), 0
    for entry in entries:
        path = folder / entry["library"]
        with np.load(path.with_suffix(".npz")) as archive:
            arrays = {key: archive[key] for key in archive.files}
        inputs = [arrays[f"in{i}"] for i in range(len(arrays)) if f"in{i}" in arrays]
        expected = [arrays[f"out{i}"] for i in range(len(arrays)) if f"out{i}" in arrays]
        program = Program(path, inputs, expected)
        got = program()
        different = sum(int((a != b).sum()) for a, b in zip(got, expected))
        begin = time.perf_counter()
        for _ in range(REPEATS):
            again = program()
        ms = (time.perf_counter() - begin) / REPEATS * 1e3
        different += sum(int((a != b).sum()) for a, b in zip(again, expected))
        failed += different != 0
        print(f"program: {entry['name']}, {entry['scheme']}: {different} of "
              f"{2 * sum(a.size for a in expected)} results differ, {ms:.2f} ms a call",
              flush=True)
    print(f"programs: {len(entries) - failed} passed, {failed} failed", flush=True)
    return failed


def main():
    if sys.argv[1:2] == ["make"] and len(sys.argv) > 5:
        return make(pathlib.Path(sys.argv[2]), sys.argv[3], pathlib.Path(sys.argv[4]),
                    sys.argv[5:])
    if sys.argv[1:2] == ["run"] and len(sys.argv) == 3:
        return sys.exit(run(pathlib.Path(sys.argv[2])) != 0)
    return sys.exit(__doc__)


if __name__ == "__main__":
    main()
