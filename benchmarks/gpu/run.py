#!/usr/bin/env python3
"""Runs what prepare.py made, on a GPU: exactness on random shapes, the chip's
own peaks, then kernels beside cuBLASLt's integer matmul (or torch._int_mm).
Writes DIR/results.json as well.

Expects test/lib in PYTHONPATH, as run.sh sets it.

usage: run.py DIR [--exact-only] [--only=REGEX] [--scale=1]"""

import argparse
import json
import os
import re
import sys
import time

import numpy as np

import exact
import peaks
import rival
from cuda import Cuda
from ptxsim.gemm import get_grid, get_workspace_bytes, order_arguments
from ptxsim.scaled import order_arguments as order_scaled

# Weights are read from memory, not from L2: copies of them take turns.
COLD_BYTES = 256 << 20
MOST_COPIES = 32
REPEATS = 10


def cycle(values):
    while True:
        yield from values


class Kernel:
    """A kernel of the folder: run(rows, pointers)."""

    def __init__(self, cuda, folder, entry, grid):
        self.cuda = cuda
        self.module = cuda.load(os.path.join(folder, entry["file"]))
        (name, self.launch), = entry["kernels"].items()
        self.function = cuda.function(self.module, name, self.launch[3])
        self.grid = grid(self.launch)

    def run(self, rows, pointers):
        self.cuda.launch(self.function, self.grid, self.launch[2],
                         self.launch[3], rows, pointers)


class Bench:
    """Operands of M x N x K on the GPU and what is timed on them."""

    def __init__(self, cuda, folder, manifest, lt, options):
        self.cuda, self.folder, self.lt = cuda, folder, lt
        self.rng = np.random.default_rng(3)
        self.options = options
        self.wrong = 0
        self.quantizers = {e["k"]: e for e in manifest["kernels"]
                           if e["purpose"] == "quantize"}
        module = cuda.load(os.path.join(folder, manifest["dequantize"]))
        self.dequantize = cuda.function(module, "dequantize", 0)

    def _time(self, work):
        return self.cuda.median_time(work, self.options.rounds,
                                     20.0 * self.options.scale)

    def _bytes(self, size):
        """Random bytes: a block of them again and again."""
        part = self.rng.integers(-128, 128, min(size, 1 << 20)).astype(np.int8)
        return self.cuda.upload(np.resize(part, size))

    def operands(self, m, n, k):
        """Addresses that the packed layouts and cuBLAS's agree on in size."""
        copies = 1 + int(COLD_BYTES * self.options.scale) // (n * k)
        self.x = self.cuda.upload(self.rng.normal(size=(m, k)).astype(
            np.float32))
        self.lhs, self.out = self._bytes(m * k), self.cuda.allocate(m * n * 4)
        self.sums = self.cuda.allocate(m * n * 4)
        self.weights = [self._bytes(n * k)
                        for _ in range(min(copies, MOST_COPIES))]
        self.scales = [self.cuda.upload(
            self.rng.uniform(.01, 1, size).astype(np.float32))
            for size in (m, n)]
        # As many as groups of 32 have.
        self.group_scales = self._bytes(4 * n * -(-k // 32))
        self.all = [self.x, self.lhs, self.out, self.sums, *self.weights,
                    *self.scales, self.group_scales]

    def free(self):
        self.cuda.free(*self.all)

    def ours(self, entry):
        """Milliseconds of the kernel, and with quantization before it."""
        m, n, k = entry["m"], entry["n"], entry["k"]
        kernel = Kernel(self.cuda, self.folder, entry,
                        lambda launch: get_grid(launch, m, n))
        weights = cycle(self.weights)
        size = get_workspace_bytes(kernel.launch, m, n)
        workspace = self.cuda.allocate(size)
        self.cuda.zero(workspace, size)

        def work(weight=None):
            weight = weight or next(weights)
            if entry["purpose"].endswith("_scaled"):
                return kernel.run(m, order_scaled(self.lhs, {
                    "w": weight, "y": self.out, "s": self.group_scales,
                    "rs": self.scales[0]}))
            scales = dict(zip(("rs", "cs"), self.scales))
            return kernel.run(m, order_arguments(
                self.lhs, weight, self.out, workspace, scales))

        alone, both = self._time(work), None
        if entry["purpose"] in ("gemm", "fused", "gemv"):
            work(self.weights[0])
            self._check(entry)
        if entry["purpose"] == "fused":
            quantize = self._quantizer(m, k)

            def both_kernels():
                quantize()
                work()
            both = self._time(both_kernels)
        self.cuda.free(workspace)
        self.cuda.unload(kernel.module)
        return alone, both

    def _check(self, entry):
        """Some rows times the first and the last panel of weights[0]: what is
        timed was compiled for its M, and is not what exact.py ran."""
        m, n, k, kr = (entry[key] for key in ("m", "n", "k", "kr"))
        if kr != 64:
            return
        size, panel = -(-k // kr) * kr, min(8, n)
        dtype = np.int32 if entry["result"] == "i32" else np.float32
        scales = [self.cuda.download(pointer, (count,), np.float32)
                  for pointer, count in zip(self.scales, (m, n))]
        for row in {0, m // 2, m - 1}:
            x = self.cuda.download(self.lhs + row * size, (size,), np.int8)
            got = self.cuda.download(self.out + 4 * row * n, (n,), dtype)
            for first in {0, (n - 1) // 8 * 8}:
                w = self.cuda.download(self.weights[0] + first * size,
                                       (size // kr, 8, kr), np.int8)
                w = w.transpose(1, 0, 2).reshape(8, size)[:min(panel, n - first)]
                want = (w.astype(np.int64) @ x).astype(np.int32)
                columns = slice(first, first + len(w))
                if dtype == np.float32:
                    want = want.astype(np.float32) * (
                        scales[0][row] * scales[1][columns])
                if not np.array_equal(got[columns], want):
                    self.wrong += 1
                    return print(f"FAILED {entry['purpose']} {m}x{n}x{k}: row {row}, "
                                 f"columns {first}...", flush=True)

    def _quantizer(self, m, k):
        kernel = Kernel(self.cuda, self.folder, self.quantizers[k],
                        lambda launch: (m, 1, 1))
        return lambda: kernel.run(m, [self.x, self.lhs, self.scales[0]])

    def theirs(self, m, n, k):
        """Milliseconds of cuBLASLt, and between kernels that quantize (the
        same as ours) and dequantize."""
        if isinstance(self.lt, rival.Torch):
            return self.lt.time(m, n, k)
        weights = cycle(self.weights)
        work = self.lt.plan(m, n, k, (self.lhs, self.weights[0], self.sums))
        alone = self._time(lambda: work(self.lhs, next(weights), self.sums))
        quantize = self._quantizer(m, k)
        grid = rival.get_dequantize_grid(m, n)

        def separate():
            quantize()
            work(self.lhs, next(weights), self.sums)
            self.cuda.launch(self.dequantize, grid, rival.THREADS, 0, n,
                             [self.sums, *self.scales, self.out])
        return alone, self._time(separate)


def describe(entry, ms, both, theirs, top):
    """A line: time, speed, how it compares."""
    m, n, k = entry["m"], entry["n"], entry["k"]
    tops = 2 * m * n * k / ms / 1e9
    bits = entry.get("bits") or (4 if entry["kr"] == 128 else 8)
    size = n * k * bits / 8
    name = entry["purpose"]
    if "group" in entry:
        size += 4 * n * -(-k // entry["group"])
        name = f"{name.split('_')[0]} int{bits} g{entry['group']}"
    weights = size / ms / 1e6
    line = f"{name:5} {m:5} x {n:5} x {k:5}: {ms:9.4f} ms {tops:8.1f} TOPS"
    if entry["purpose"].startswith("gemv"):
        line += (f" {weights:8.1f} GB/s of weights, "
                 f"{weights / top['read_gbs']:.2f} of reading")
    else:
        peak = top.get("mma_tops", top["dp4a_tops"])
        line += f", {tops / peak:.2f} of the peak"
    if both:
        line += f"; with quantize {both:9.4f} ms"
    if theirs:
        mine = both or ms
        other = theirs[1] if both else theirs[0]
        line += f"; rival {other:9.4f} ms, {other / mine:.2f}x"
    return line, {"ms": ms, "with_quantize_ms": both, "tops": tops,
                  "weights_gbs": weights, "rival_ms": theirs}


def name_of(entry):
    """What --only is compared with."""
    words = [entry[key] for key in ("purpose", "m", "n", "k")]
    return " ".join(map(str, words + ([entry["group"]] if "group" in entry else [])))


def run_timed(bench, entries, top):
    results, shape, rivals = [], None, {}
    for entry in sorted(entries, key=lambda e: (e["n"], e["k"], e["m"])):
        m, n, k = entry["m"], entry["n"], entry["k"]
        if shape != (m, n, k):
            if shape:
                bench.free()
            shape = m, n, k
            bench.operands(m, n, k)
        ms, both = bench.ours(entry)
        if bench.lt and not entry["purpose"].startswith("gemv") and \
                shape not in rivals:
            try:
                rivals[shape] = bench.theirs(m, n, k)
            except OSError as error:
                print(f"rival: {error}", flush=True)
                rivals[shape] = None
        line, numbers = describe(entry, ms, both, rivals.get(shape), top)
        print(line, flush=True)
        results.append({"purpose": entry["purpose"], "m": m, "n": n, "k": k,
                        "row": entry["row"], **numbers})
    if shape:
        bench.free()
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--exact-only", action="store_true")
    parser.add_argument("--only", help="time kernels whose name, like `fused 512 "
                        "4096 4096`, has this; check nothing")
    parser.add_argument("--scale", type=float, default=1,
                        help="less than 1 does less, for trying it out")
    options = parser.parse_args()
    options.rounds = 5 if options.scale == 1 else 1
    with open(os.path.join(options.folder, "manifest.json")) as f:
        manifest = json.load(f)
    cuda = Cuda()
    print(f"{cuda.name()}, {cuda.multiprocessors()} multiprocessors; kernels "
          f"for {manifest['chip']}", flush=True)
    begin = time.time()
    small = options.scale < 1
    counts = exact.run_all(
        cuda, options.folder,
        [e for e in manifest["kernels"] if e["purpose"].startswith("exact")
         and not options.only],
        np.random.default_rng(7), 1 if small else REPEATS, 40 if small else 400)
    failed = sum(count[1] for count in counts.values())
    print(f"exactness took {time.time() - begin:.0f} s", flush=True)
    top, results = {}, []
    if not options.exact_only:
        top = peaks.measure(cuda, os.path.join(options.folder,
                                               manifest["peaks"]["file"]),
                            manifest["peaks"]["work"], options.rounds,
                            options.scale)
        print("peaks of this chip: " + ", ".join(
            f"{key} {value:.1f}" for key, value in top.items()), flush=True)
        lt, why = rival.find(cuda)
        print(f"rival: {lt.name if lt else 'none: ' + why}", flush=True)
        bench = Bench(cuda, options.folder, manifest, lt, options)
        results = run_timed(
            bench,
            [e for e in manifest["kernels"]
             if not e["purpose"].startswith(("exact", "quantize"))
             and re.search(options.only or "", name_of(e))], top)
        failed += bench.wrong
        print(f"timed kernels that are wrong: {bench.wrong}")
    print(f"all of it took {time.time() - begin:.0f} s", flush=True)
    with open(os.path.join(options.folder, "results.json"), "w") as f:
        json.dump({"chip": manifest["chip"], "exact": counts, "peaks": top,
                   "results": results}, f, indent=1)
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
