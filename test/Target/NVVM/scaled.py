# RUN: %python %s quant-opt

"""Runs the PTX of matmuls with group scales, thread by thread, without a GPU
(python/ptxsim), and compares with NumPy to the bit."""

import sys

import numpy as np

from ptxsim.scaled import ScaledSpec, run_scaled

OPT = sys.argv[1]
# (M, N, K), bits, group: groups shorter than a warp's load, as long, longer, no
# divisor of it, one for all of K; a shorter last group; tails of every size.
SHAPES = [((1, 8, 64), 4, 32), ((3, 17, 130), 4, 32), ((4, 9, 256), 4, 128),
          ((2, 33, 600), 4, 256), ((5, 24, 96), 4, 24), ((1, 1, 1), 4, 1),
          ((2, 7, 4095), 4, 4095), ((9, 16, 200), 4, 16), ((1, 12, 3000), 4, 32),
          ((3, 17, 130), 8, 32), ((2, 8, 300), 8, 64), ((6, 5, 77), 8, 100)]
rng = np.random.default_rng(3)
passed = failed = 0


def check(chip, spec, rows=None):
    global passed, failed
    expected, found, machine = run_scaled(OPT, spec, chip, rng, rows)
    if expected.tobytes() == found.tobytes():
        passed += 1
        return
    failed += 1
    print(f"FAILED: {chip} {rows or spec.m}x{spec.n}x{spec.k}, {spec.bits} bits, groups of "
          f"{spec.group}: {(expected != found).sum()} of {found.size} differ")


for chip in ("sm_61", "sm_80", "sm_90a"):
    for (m, n, k), bits, group in SHAPES:
        check(chip, ScaledSpec(m, n, k, bits, group))
    check(chip, ScaledSpec(3, 20, 96, bias=True))
    check(chip, ScaledSpec(2, 20, 96, row_scale="one", bias=True, result="f16"))
    check(chip, ScaledSpec(2, 20, 96, row_scale=None))
    # So many groups that fewer rows fit beside each other; and M known only now.
    check(chip, ScaledSpec(3, 8, 800 * 8, group=8))
    for rows in (1, 4, 6):
        check(chip, ScaledSpec("?", 10, 160, group=64), rows)
print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
