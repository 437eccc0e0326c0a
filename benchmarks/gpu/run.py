#!/usr/bin/env python3
"""Runs what prepare.py made, on a GPU: exactness on random shapes, then TOPS
and bandwidth, beside cuBLASLt's integer matmul (torch._int_mm) where PyTorch is
there. Writes DIR/results.json as well.

usage: run.py DIR [--exact-only]"""

import argparse
import json
import os
import statistics
import sys
import time

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../python"))
from cuda import Cuda
from ptxsim.gemm import get_grid, pack_columns, pack_nibbles, pack_rows

ROUNDS = 5


def run_exact(cuda, folder, entry, rng):
    """Every kernel of a module on random rows; (passed, failed)."""
    n, k, kr = entry["n"], entry["k"], entry["kr"]
    low = 8 if kr == 128 else 128
    w = rng.integers(-low, low, (n, k)).astype(np.int8)
    packed = pack_columns(w, kr)
    module = cuda.load(os.path.join(folder, entry["file"]))
    weights = cuda.upload(pack_nibbles(packed) if kr == 128 else packed)
    passed = failed = 0
    for name, launch in entry["kernels"].items():
        few = name.startswith("gemv")
        function = cuda.function(module, name, launch[3])
        for m in rng.integers(1, 5 if few else 300, 7):
            m = int(m)
            a = rng.integers(-low, low, (m, k)).astype(np.int8)
            rows = pack_rows(a, kr)
            lhs = cuda.upload(pack_nibbles(rows) if kr == 128 else rows)
            out = cuda.allocate(m * n * 4)
            cuda.launch(function, get_grid(launch, m, n), launch[2], launch[3],
                        m, [lhs, weights, out] + [0] * 6)
            got = cuda.download(out, (m, n), np.int32)
            want = a.astype(np.int64) @ w.astype(np.int64).T
            if np.array_equal(got, want):
                passed += 1
            else:
                failed += 1
                print(f"FAILED {entry['row']} {name} {m}x{n}x{k}: "
                      f"{(got != want).sum()} of {got.size} differ")
            cuda.free(lhs, out)
    cuda.free(weights)
    cuda.unload(module)
    return passed, failed


class Operands:
    """Random operands of one timed kernel, on the GPU."""

    def __init__(self, cuda, entry, rng):
        m, n, k = entry["m"], entry["n"], entry["k"]
        self.cuda = cuda
        lhs = cuda.upload(rng.integers(-128, 128, (m, k)).astype(np.int8))
        rhs = cuda.upload(rng.integers(-128, 128, (n, k)).astype(np.int8))
        out = cuda.allocate(m * n * 4)
        scales = [cuda.upload(rng.uniform(.01, 1, size).astype(np.float32))
                  for size in (m, n)]
        self.pointers = [lhs, rhs, out, 0, 0, 0, *scales, 0]

    def free(self):
        self.cuda.free(*(p for p in self.pointers if p))


def time_kernel(cuda, folder, entry, rng):
    """Milliseconds, the median of rounds of at least 20 ms."""
    module = cuda.load(os.path.join(folder, entry["file"]))
    (name, launch), = entry["kernels"].items()
    function = cuda.function(module, name, launch[3])
    operands = Operands(cuda, entry, rng)
    grid = get_grid(launch, entry["m"], entry["n"])

    def work():
        cuda.launch(function, grid, launch[2], launch[3], entry["m"],
                    operands.pointers)

    repeats = max(3, int(20 / max(cuda.time(work, 3), 1e-3)))
    ms = statistics.median(cuda.time(work, repeats) for _ in range(ROUNDS))
    operands.free()
    cuda.unload(module)
    return ms


def time_rival(entry):
    """cuBLASLt through PyTorch: integer sums alone, and with quantization and
    rescaling as kernels of their own. None without PyTorch."""
    try:
        import torch
    except ImportError:
        return None
    m, n, k = entry["m"], entry["n"], entry["k"]
    device = "cuda"
    a = torch.randint(-128, 128, (max(m, 17), k), dtype=torch.int8,
                      device=device)
    w = torch.randint(-128, 128, (n, k), dtype=torch.int8, device=device).t()
    x = torch.randn(max(m, 17), k, device=device)
    sw = torch.rand(n, device=device)

    def integer():
        return torch._int_mm(a, w)

    def separate():
        s = x.abs().amax(1, keepdim=True) / 127
        q = torch.clamp(torch.round(x / s), -128, 127).to(torch.int8)
        return torch._int_mm(q, w) * s * sw

    def measure(work):
        start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        work()
        times = []
        for _ in range(ROUNDS):
            start.record()
            for _ in range(10):
                work()
            stop.record()
            torch.cuda.synchronize()
            times.append(start.elapsed_time(stop) / 10)
        return statistics.median(times)

    return measure(integer), measure(separate)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--exact-only", action="store_true")
    parser.add_argument("--limit", type=int, help="modules to run")
    options = parser.parse_args()
    with open(os.path.join(options.folder, "manifest.json")) as f:
        manifest = json.load(f)
    cuda = Cuda()
    rng = np.random.default_rng(3)
    begin = time.time()
    passed, failed, results = 0, 0, []
    for entry in manifest["kernels"][:options.limit]:
        if entry["purpose"] == "exact":
            more = run_exact(cuda, options.folder, entry, rng)
            passed, failed = passed + more[0], failed + more[1]
    print(f"exactness: {passed} passed, {failed} failed "
          f"({time.time() - begin:.0f} s)", flush=True)
    for entry in manifest["kernels"][:options.limit]:
        if options.exact_only or entry["purpose"] == "exact":
            continue
        m, n, k = entry["m"], entry["n"], entry["k"]
        ms = time_kernel(cuda, options.folder, entry, rng)
        rival = time_rival(entry) if entry["purpose"] != "gemv" else None
        tops = 2 * m * n * k / ms / 1e9
        line = (f"{entry['purpose']:5} {m:5} x {n:5} x {k:5}: {ms:8.4f} ms, "
                f"{tops:7.1f} TOPS, {n * k / ms / 1e6:7.1f} GB/s of weights")
        if rival:
            theirs = rival[1 if entry["purpose"] == "fused" else 0]
            line += f", cuBLASLt {theirs:8.4f} ms, {theirs / ms:5.2f}x"
        print(line, flush=True)
        results.append({**{key: entry[key] for key in
                           ("purpose", "m", "n", "k", "row")},
                        "ms": ms, "tops": tops, "cublaslt_ms": rival})
    with open(os.path.join(options.folder, "results.json"), "w") as f:
        json.dump({"chip": manifest["chip"], "passed": passed,
                   "failed": failed, "results": results}, f, indent=1)
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
