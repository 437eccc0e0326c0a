#!/usr/bin/env python3
"""A whole MiniLM, int8 end to end, against ONNX Runtime's int8 of the same model.

    PYTHONPATH=python:test/lib taskset -c 0 python3 benchmarks/minilm.py [--batches=1,8] [--rounds=30] [--json=FILE]

Both quantize weights per channel and activations dynamically, have one thread,
and run by turns in one process on one set of inputs, so that whatever slows the
machine slows both. Prints the median of the rounds, the ratios (of medians, and
the median of the rounds' ratios), our float path, how far each result is from
the framework's, and what compiling cost. Needs an interpreter with onnx and
onnxruntime; the tools are those of a build folder (`QUANT_BUILD`).
"""

import argparse
import ctypes
import json
import os
import pathlib
import resource
import tempfile
import time

import numpy as np

import contender
from accuracy import rival
from quantmlir import weights
from quantsim import catalog

BUILD = pathlib.Path(contender.BUILD)
QUANTIZE = "quantize={weights=channel activations=dynamic-token}"


class OnnxRuntime:
    def __init__(self, scheme, threads):
        import onnxruntime
        parameters = dict(weights.read_safetensors(catalog.minilm_weights(BUILD)))
        with tempfile.TemporaryDirectory() as folder:
            graph = rival.GRAPHS["minilm_l6_full_dynbatch_s32"](parameters)
            model = rival.quantize(graph, scheme, folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def bind(self, inputs):
        self.feed = {f"in{i}": array for i, array in enumerate(inputs)}

    def __call__(self):
        return self.session.run(None, self.feed)[0]


class Quant:
    """A program of ours as a shared library."""

    def __init__(self, name, options, folder):
        program = catalog.attached(name, BUILD, BUILD / "bin" / "quant-opt")
        stem = os.path.join(folder, "program")
        begin = time.perf_counter()
        flag = "--quant-to-x86=" + options if options else "--quant-to-x86"
        contender.run_tool(str(BUILD / "bin" / "quant-opt"), flag, str(program),
                           "-o", stem + ".llvm.mlir")
        self.lowered = time.perf_counter() - begin
        contender.split_constants(stem)
        tool = contender.tool
        contender.run_tool(tool("mlir-translate"), "--mlir-to-llvmir", stem + ".llvm.mlir",
                           "-o", stem + ".ll")
        contender.generate_code(stem)
        contender.run_tool(tool("clang") or "cc", "-shared", stem + ".o", stem + ".s",
                           "-o", stem + ".so", "-lm")
        self.compiled = time.perf_counter() - begin
        self.library = ctypes.CDLL(stem + ".so")
        self.function = self.library._mlir_ciface_main
        self.function.restype = None
        self.free = ctypes.CDLL(None).free
        self.free.argtypes = [ctypes.c_void_p]

    def bind(self, inputs):
        self.inputs = inputs
        self.descriptors = [contender.descriptor(array) for array in inputs]
        self.result = (ctypes.c_int64 * 7)()
        self.arguments = [ctypes.byref(x) for x in (self.result, *self.descriptors)]

    def __call__(self):
        self.function(*self.arguments)
        allocated, data, offset, rows, columns = self.result[:5]
        found = np.ctypeslib.as_array(
            ctypes.cast(data + 4 * offset, ctypes.POINTER(ctypes.c_float)), (rows, columns))
        found = found.copy()
        self.free(allocated)
        return found


def cosine(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    return float(((a * b).sum(1) / np.linalg.norm(a, axis=1) /
                  np.linalg.norm(b, axis=1)).min())


def measure(programs, rounds):
    """{name: seconds of each round}; one call of each program in every round."""
    times = {name: [] for name in programs}
    for program in programs.values():
        program()
    for _ in range(rounds):
        for name, program in programs.items():
            begin = time.perf_counter()
            program()
            times[name].append(time.perf_counter() - begin)
    return {name: np.array(values) for name, values in times.items()}


def report(batch, programs, expected, rounds):
    rows = {}
    times = measure(programs, rounds)
    ours = times["int8.quant"]
    print(f"\nbatch {batch}, 32 tokens: ms, median of {rounds} rounds")
    print(f"{'':14}{'median':>10}{'least':>10}{'time / ours':>14}{'min cosine':>13}")
    for name, values in times.items():
        rows[name] = {"median_ms": float(np.median(values) * 1e3),
                      "min_ms": float(values.min() * 1e3),
                      "ratio": float(np.median(values / ours)),
                      "cosine": cosine(programs[name](), expected)}
        r = rows[name]
        print(f"{name:14}{r['median_ms']:10.3f}{r['min_ms']:10.3f}{r['ratio']:14.2f}"
              f"{r['cosine']:13.5f}")
    return rows


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--batches", default="1,8")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--no-float", action="store_true")
    parser.add_argument("--json")
    args = parser.parse_args()
    results = {}
    libc = ctypes.CDLL(None)
    # The kernel wants to be asked before tiles are used.
    libc.syscall(158, 0x1023, 18)
    # Freed memory is kept for the next call (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD), as
    # ONNX Runtime's arena keeps its own.
    libc.mallopt(-1, 1 << 30)
    libc.mallopt(-3, 32 << 20)
    onnx = {"int8.ort": OnnxRuntime("w8a8", 1), "f32.ort": OnnxRuntime("float", 1)}
    with tempfile.TemporaryDirectory() as folder:
        ours = {}
        for batch in map(int, args.batches.split(",")):
            name = "minilm_l6_full_b1s32" if batch == 1 else "minilm_l6_full_dynbatch_s32"
            for kind, options in (("int8.quant", QUANTIZE), ("f32.quant", "")):
                if (kind, name) in ours or (args.no_float and kind == "f32.quant"):
                    continue
                where = os.path.join(folder, f"{kind}.{name}")
                os.mkdir(where)
                ours[kind, name] = program = Quant(name, options, where)
                print(f"{kind} of {name}: lowered in {program.lowered:.1f} s, compiled in "
                      f"{program.compiled:.1f} s")
            inputs, arrays = catalog.inputs_and_results(name)
            repeat = -(-batch // len(inputs[0]))
            inputs = [np.ascontiguousarray(np.concatenate([x] * repeat)[:batch])
                      for x in inputs]
            expected = np.concatenate([arrays["out0"]] * repeat)[:batch]
            programs = {kind: ours[kind, name] for kind in ("int8.quant", "f32.quant")
                        if (kind, name) in ours} | onnx
            for program in programs.values():
                program.bind(inputs)
            results[batch] = report(batch, programs, expected, args.rounds)
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"\nmost memory of a compiling process: {most:.2f} GiB")
    if args.json:
        results["compile_max_rss_gib"] = most
        pathlib.Path(args.json).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
