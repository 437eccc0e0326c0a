"""Kernels on random operands and shapes, compared with NumPy to the last bit."""

import collections
import os

import numpy as np

from ptxsim.gemm import (get_grid, get_workspace_bytes, order_arguments, pack_columns,
                         pack_nibbles, pack_rows)
from ptxsim.scaled import ScaledSpec, order_arguments as order_scaled

GEMV_ROWS = 4


def product(a, w):
    """a[M][K] w[N][K]^T: exact in float64 below 2^53, and fast."""
    return (a.astype(np.float64) @ w.astype(np.float64).T).astype(np.int64)


class Operand:
    """Random integers on the GPU, packed as the kernels read them."""

    def __init__(self, cuda, values, pack, kr):
        packed = pack(values, kr)
        self.pointer = cuda.upload(pack_nibbles(packed) if kr == 128
                                   else packed)


def draw_rows(name, rng, most):
    return int(rng.integers(1, (GEMV_ROWS if name.startswith("gemv")
                                else most) + 1))


def run_module(cuda, folder, entry, rng, repeats, most_rows):
    """Every kernel of a module on random rows: {path: [passed, failed]}."""
    n, k, kr = entry["n"], entry["k"], entry["kr"]
    low = 8 if kr == 128 else 128
    counts = collections.defaultdict(lambda: [0, 0])
    w = rng.integers(-low, low, (n, k)).astype(np.int8)
    module = cuda.load(os.path.join(folder, entry["file"]))
    weights = Operand(cuda, w, pack_columns, kr).pointer
    for name, launch in entry["kernels"].items():
        path = f"{entry['row']} {name.split('_')[0]}"
        times = repeats
        if launch[5] > 1:
            path += ", K shared out"
            times = 2 * repeats
        function = cuda.function(module, name, launch[3])
        for _ in range(times):
            m = draw_rows(name, rng, most_rows)
            a = rng.integers(-low, low, (m, k)).astype(np.int8)
            lhs = Operand(cuda, a, pack_rows, kr).pointer
            bytes_ = get_workspace_bytes(launch, m, n)
            workspace = cuda.allocate(bytes_)
            cuda.zero(workspace, bytes_)
            out = cuda.allocate(m * n * 4)
            cuda.launch(function, get_grid(launch, m, n), launch[2], launch[3],
                        m, order_arguments(lhs, weights, out, workspace))
            got = cuda.download(out, (m, n), np.int32)
            cuda.free(lhs, out, workspace)
            different = int((got != product(a, w)).sum())
            counts[path][different != 0] += 1
            if different:
                print(f"FAILED {path} {m}x{n}x{k}: {different} of {got.size} "
                      "differ", flush=True)
    cuda.free(weights)
    cuda.unload(module)
    return counts


def run_scaled_module(cuda, folder, entry, rng, repeats, most_rows):
    """The same for kernels with group scales, whose results are floats."""
    zeros = entry["zero_points"]
    spec = ScaledSpec("?", entry["n"], entry["k"], entry["bits"], entry["group"],
                      group_zero_point=zeros, row_zero_point="rows" if zeros else None)
    counts = collections.defaultdict(lambda: [0, 0])
    module = cuda.load(os.path.join(folder, entry["file"]))
    w, scales = spec.draw_weight(rng)
    groups, _ = spec.draw_zero_points(rng, rows=0)
    weights = {"w": cuda.upload(spec.pack_weight(w)),
               "s": cuda.upload(spec.pack_columns(scales))}
    if zeros:
        weights["gz"] = cuda.upload(spec.pack_columns(groups))
        weights["gs"] = cuda.upload(spec.pack_columns(spec.sum_groups(w, groups)))
    for name, launch in entry["kernels"].items():
        tiled = "mma" in name
        path = (f"int{spec.bits} with group scales{' and zero points' if zeros else ''}"
                f"{', tiles' if tiled else ''}")
        function = cuda.function(module, name, launch[3])
        # A few rows are checked at once.
        for _ in range(repeats if tiled else 2 * repeats):
            m = int(rng.integers(1, (most_rows if tiled else min(most_rows, 40)) + 1))
            different = _count_different(cuda, spec, function, launch, m, rng,
                                         (w, scales, groups), weights)
            counts[path][different != 0] += 1
            if different:
                print(f"FAILED {path}, groups of {spec.group}, {m}x{spec.n}x{spec.k}: "
                      f"{different} differ", flush=True)
    cuda.free(*weights.values())
    cuda.unload(module)
    return counts


def _count_different(cuda, spec, function, launch, m, rng, numbers, weights):
    """Results of one launch on `m` rows that are not those of NumPy."""
    a = rng.integers(-128, 128, (m, spec.k)).astype(np.int8)
    rows = rng.uniform(.01, 1, m).astype(np.float32)
    w, scales, groups = numbers
    _, zeros = spec.draw_zero_points(rng, m)
    lhs, row_scale = cuda.upload(pack_rows(a, 64)), cuda.upload(rows)
    out = cuda.allocate(m * spec.n * 4)
    row_zeros = cuda.upload(np.zeros(m, np.int32) if zeros is None else zeros)
    cuda.launch(function, get_grid(launch, m, spec.n), launch[2], launch[3], m,
                order_scaled(lhs, {"y": out, "rs": row_scale, "rz": row_zeros, **weights}))
    got = cuda.download(out, (m, spec.n), np.float32)
    cuda.free(lhs, row_scale, row_zeros, out)
    expected = spec.multiply(a, w, scales, rows, group_zeros=groups,
                             row_zeros=0 if zeros is None else zeros)
    return int((got != expected).sum())


def run_all(cuda, folder, entries, rng, repeats, most_rows):
    total = collections.defaultdict(lambda: [0, 0])
    for entry in entries:
        run = run_scaled_module if entry["purpose"] == "exact_scaled" else run_module
        for path, (passed, failed) in run(cuda, folder, entry, rng, repeats,
                                          most_rows).items():
            total[path][0] += passed
            total[path][1] += failed
    for path, (passed, failed) in sorted(total.items()):
        print(f"exact: {path}: {passed} shapes passed, {failed} failed",
              flush=True)
    return total
