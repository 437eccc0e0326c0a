# RUN: %python %s %t generic 1
# RUN: %python %s %t generic 3 -O0
"""Every op against NumPy: edge values, random shapes, exact results.

ops.py FOLDER TARGET SEEDS [quant-run options...]
"""

import sys

import numpy as np

from Integration.Generic.Inputs import cases
from Integration.Generic.Inputs.batch import Batch, report


def elementwise_batch(rng):
    batch = Batch()
    for bits in (8, 4):
        for unsigned in (False, True):
            for axes in ([], [0], [1], [0, 1]):
                cases.quantize_case(batch, rng, bits, unsigned, axes,
                                    bool(rng.integers(2)))
            cases.quantize_case(batch, rng, bits, unsigned, [], True, True)
            cases.quantize_case(batch, rng, bits, unsigned, [], False, True)
    for symmetric in (True, False):
        for axes in ([], [0], [1]):
            cases.qparams_case(batch, rng, symmetric, axes)
            cases.qparams_case(batch, rng, symmetric, axes, [0.0])
            cases.qparams_case(batch, rng, symmetric, axes,
                               [np.nan, np.inf, -np.inf, 2.5, -1.0])
            cases.qparams_case(batch, rng, symmetric, axes, [3e38, -3e38])
            cases.qparams_case(batch, rng, symmetric, axes, [1e-45])
    for length in (1, 2, 5, 8):
        cases.int4_case(batch, rng, length)
        cases.int2_case(batch, rng, length)
    for per_channel in (False, True):
        for double_round in (False, True):
            cases.fixed_point_case(batch, rng, per_channel, double_round,
                                   bool(rng.integers(2)))
    return batch


def matmul_batch(rng):
    batch = Batch()
    sizes = [1, 2, 3, 7, 15, 16, 17, 48, 63, 65, 129]
    pick = lambda: tuple(int(rng.choice(sizes)) for _ in range(3))
    for transpose in (False, True):
        for lhs_unsigned in (False, True):
            for rhs_unsigned in (False, True):
                zps = [None, "one", "each"]
                acc, values = cases.matmul_case(
                    batch, rng, pick(), transpose, lhs_unsigned, rhs_unsigned,
                    str(rng.choice(["one", "each"])), zps[int(rng.integers(3))])
        acc, values = cases.matmul_case(batch, rng, pick(), transpose)
        cases.rescale_case(batch, rng, acc, values, "each", "each", "f32")
        acc, values = cases.matmul_case(batch, rng, pick(), transpose)
        cases.rescale_case(batch, rng, acc, values, "one", "each", "i32")
        acc, values = cases.matmul_case(batch, rng, pick(), transpose)
        cases.rescale_case(batch, rng, acc, values, None, "each", None, True, 3)
        acc, values = cases.matmul_case(batch, rng, pick(), transpose)
        cases.rescale_case(batch, rng, acc, values, "one", None, "f32", True,
                           None, (0.0, 6.0))
        cases.matmul_case(batch, rng, pick(), transpose, constant_init=False)
        cases.matmul_case(batch, rng, (3, 5, 200), transpose, lhs_edge=-128)
        cases.matmul_case(batch, rng, (9, 17, 33), transpose, batched=True)
        cases.matmul_case(batch, rng, (9, 17, 33), transpose, batched="both",
                          lhs_zp="each")
    return batch


def main(folder, target, seeds, *options):
    batches = []
    for seed in range(int(seeds)):
        rng = np.random.default_rng(seed)
        for i, make in enumerate((elementwise_batch, matmul_batch)):
            batches.append((make(rng), f"{folder}/{seed}-{i}"))
    return report(batches, target, *options)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
