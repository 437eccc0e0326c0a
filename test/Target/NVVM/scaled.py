# RUN: %python %s quant-opt

"""Runs the PTX of matmuls with group scales, thread by thread, without a GPU
(test/lib/ptxsim), and compares with NumPy to the bit."""

import sys

import numpy as np

from ptxsim.gemm import compile_programs
from ptxsim.scaled import ScaledSpec, run_compiled

OPT = sys.argv[1]
# (M, N, K), bits, group: groups shorter than a warp's load, as long, longer, no
# divisor of it, one for all of K; a shorter last group; tails of every size; more
# groups than shared memory holds the scales of.
FEW = [((1, 8, 64), 4, 32), ((3, 17, 130), 4, 32), ((4, 9, 256), 4, 128),
       ((2, 33, 600), 4, 256), ((5, 24, 96), 4, 24), ((1, 1, 1), 4, 1),
       ((2, 7, 4095), 4, 4095), ((9, 16, 200), 4, 16), ((1, 12, 3000), 4, 32),
       ((3, 17, 130), 8, 32), ((2, 8, 300), 8, 64), ((6, 5, 77), 8, 100),
       ((1, 8, 16000), 4, 8)]
# The same for tiles: a group is half of a block along K (whose number is even or
# odd), a block, several of which the last group has fewer, all of them.
MANY = [((5, 9, 96), 4, 32), ((17, 33, 320), 4, 32), ((70, 65, 200), 8, 32),
        ((33, 130, 192), 4, 64), ((16, 40, 130), 8, 64), ((129, 24, 300), 4, 128),
        ((200, 17, 640), 4, 128), ((40, 7, 400), 8, 256), ((7, 70, 700), 4, 512),
        ((5, 8, 1), 4, 1), ((21, 31, 333), 4, 333), ((65, 11, 100), 8, 100),
        ((6, 10, 1000), 8, 1000)]
# Zero points of groups, of rows or of all activations. The first two weights
# have steps behind the rows of activations, which count for no sum.
ZERO_POINTS = [(True, None), (False, "rows"), (True, "one"), (True, "rows")]
FEW_ZEROS = [((2, 7, 320), 4, 256), ((2, 33, 600), 4, 256), ((3, 17, 130), 4, 32),
             ((5, 24, 96), 4, 24), ((9, 16, 200), 4, 16), ((1, 9, 4095), 4, 4095),
             ((2, 8, 300), 8, 64), ((6, 5, 77), 8, 100), ((1, 1, 1), 8, 1)]
MANY_ZEROS = [((5, 9, 96), 4, 32), ((17, 33, 320), 4, 32), ((70, 65, 200), 8, 32),
              ((33, 130, 192), 4, 64), ((129, 24, 300), 4, 128), ((40, 7, 400), 8, 256),
              ((5, 8, 1), 4, 1), ((21, 31, 333), 4, 333), ((65, 11, 100), 8, 100),
              ((200, 17, 640), 4, 128)]
TILED = {"sm_61": False, "sm_75": True, "sm_80": True, "sm_90a": True}
rng = np.random.default_rng(3)
passed = failed = 0
# Of each chip, whose programs are compiled at once.
cases = {}


def check(chip, spec, rows=None, kernels=("scaled",), extreme=False):
    """`kernels`: the names, without number, of those that the program has."""
    cases.setdefault(chip, []).append((spec, rows, kernels, extreme))


def run(chip, spec, rows, kernels, extreme, compiled):
    global passed, failed
    results = run_compiled(spec, *compiled, rng, rows, extreme)
    what = (f"{chip} {rows or spec.m}x{spec.n}x{spec.k}, {spec.bits} bits, groups of "
            f"{spec.group}, zero points {spec.group_zero_point, spec.row_zero_point}")
    names = {name.rsplit("_", 1)[0] for name in results}
    if names != set(kernels):
        failed += 1
        print(f"FAILED: {what}: kernels {sorted(results)}")
    for name, (expected, found, machine) in results.items():
        # Lanes of dp4a's kernel store the same sums; tiles have no excuse.
        free = "mma" not in name or machine.passes == machine.least_passes
        if expected.tobytes() == found.tobytes() and free:
            passed += 1
            continue
        failed += 1
        print(f"FAILED: {what}: {name}: {(expected != found).sum()} of {found.size} differ, "
              f"{machine.passes} passes of shared memory, {machine.least_passes} needed")


def with_zeros(shapes):
    for i, ((m, n, k), bits, group) in enumerate(shapes):
        of_groups, of_rows = ZERO_POINTS[i % len(ZERO_POINTS)]
        yield ScaledSpec(m, n, k, bits, group, group_zero_point=of_groups,
                         row_zero_point=of_rows, bias=i % 2)


for chip, tiled in TILED.items():
    mma = ("scaled_mma",) if tiled else ("scaled",)
    if chip != "sm_75":
        few = [ScaledSpec(*sizes, bits, group) for sizes, bits, group in FEW]
        for spec in [*few, *with_zeros(FEW_ZEROS)]:
            single = spec.group >= spec.k or spec.group % 64 == 0 or spec.group == 32
            check(chip, spec, kernels=mma if spec.m > 4 and single else ("scaled",))
    check(chip, ScaledSpec(3, 20, 96, bias=True))
    check(chip, ScaledSpec(2, 20, 96, row_scale="one", bias=True, result="f16"))
    check(chip, ScaledSpec(2, 20, 96, row_scale=None))
    # So many groups that fewer rows fit beside each other; and M known only now.
    check(chip, ScaledSpec(3, 8, 800 * 8, group=8))
    check(chip, ScaledSpec(3, 8, 700 * 8, group=8, group_zero_point=True,
                           row_zero_point="rows"))
    for rows in (1, 4, 6):
        check(chip, ScaledSpec("?", 10, 160, group=64), rows,
              {"scaled", *mma})
    if not tiled:
        continue
    many = [ScaledSpec(*sizes, bits, group) for sizes, bits, group in MANY]
    for spec in [*many, *with_zeros(MANY_ZEROS)]:
        check(chip, spec, kernels=mma)
    check(chip, ScaledSpec(130, 21, 96, bias=True), kernels=mma)
    check(chip, ScaledSpec(20, 20, 96, row_scale="one", bias=True, result="f16"),
          kernels=mma)
    check(chip, ScaledSpec(9, 20, 128, group=64, row_scale=None), kernels=mma)
    # The largest sums that are made floats by a subtraction, and larger ones.
    for bits in (4, 8):
        for group in (256, 320):
            check(chip, ScaledSpec(9, 16, 2 * group, bits, group), kernels=mma,
                  extreme=True)
        for group in (64, 128):
            check(chip, ScaledSpec(9, 16, 2 * group, bits, group,
                                   group_zero_point=True, row_zero_point="rows"),
                  kernels=mma, extreme=True)
    # Tiles of every size: N and K are those of a small matmul, M is not known.
    check(chip, ScaledSpec("?", 40, 256, group=128), 150, {"scaled", *mma})
    # Columns enough for every multiprocessor.
    check(chip, ScaledSpec(64, 8 * 64 * 3, 64, group=32), kernels=mma)
# Chips with the same instruction and other schedules; sm_100 has floats in pairs.
for chip in ("sm_86", "sm_89", "sm_100"):
    for (m, n, k), bits, group in MANY[1:7:2]:
        check(chip, ScaledSpec(m, n, k, bits, group), kernels=("scaled_mma",))
    for spec in with_zeros(MANY_ZEROS[:4]):
        check(chip, spec, kernels=("scaled_mma",))
    check(chip, ScaledSpec(3, 17, 130, row_scale="one", bias=True))
for chip, of_chip in cases.items():
    programs = compile_programs(OPT, [spec.mlir() for spec, *_ in of_chip], chip)
    for case, compiled in zip(of_chip, programs):
        run(chip, *case, compiled)
print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
