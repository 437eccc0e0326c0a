# RUN: %python %s quant-opt

"""Runs the PTX of whole kernels, thread by thread, without a GPU
(test/lib/ptxsim), and compares with NumPy: sums exactly, floats to the bit."""

import sys

import numpy as np

from ptxsim.gemm import Spec, compile_programs, get_compiled, run_compiled
from quantsim import arith

OPT = sys.argv[1]
ROWS = {"sm_61": "dp4a", "sm_75": "mma_m8n8k16_s8", "sm_80": "mma_m16n8k32_s8",
        "sm_90a": "wgmma_s8"}
rng = np.random.default_rng(7)
# Of each chip, whose programs are compiled at once.
cases = {}


def check(chip, spec, clamp=None, zero_point=0, limits=None, splits=1,
          any_rows=False):
    low = 8 if spec.kr == 128 else 128
    a = rng.integers(-low, low, (spec.m, spec.k)).astype(np.int8)
    w = rng.integers(-low, low, (spec.n, spec.k)).astype(np.int8)
    operands = {"a": a, "w": w}
    # Exact in doubles, whose products are fast.
    acc = (a.astype(np.float64) @ w.astype(np.float64).T).astype(np.int64)
    if spec.col_bias:
        operands["cb"] = rng.integers(-9999, 9999, spec.n).astype(np.int32)
        acc = acc + operands["cb"]
    if spec.rank:
        operands["rf"] = rng.integers(-99, 99, (spec.rank, spec.m)).astype(
            np.int32)
        operands["cf"] = rng.integers(-99, 99, (spec.rank, spec.n)).astype(
            np.int32)
        acc = acc + operands["rf"].T.astype(np.int64) @ operands["cf"]
    want = acc.astype(np.int32)
    if spec.multiplier:
        shape = () if spec.multiplier == "one" else spec.n
        operands["mu"] = rng.integers(1 << 30, 1 << 31, shape).astype(np.int32)
        # Around TOSA's 31, past which DOUBLE_ROUND rounds twice; as 8 bits
        # leave most sums in range, and as the least and the greatest are.
        operands["sh"] = np.asarray(rng.choice([2, 30, 31, 32, 40, 62], shape),
                                    np.int8)
        want = arith.rescale_fixed_point(
            want, operands["mu"], operands["sh"],
            spec.rounding == "DOUBLE_ROUND", output_zero_point=zero_point,
            qrange=limits)
    elif spec.result != "i32":
        scale = None
        if spec.row_scale:
            shape = () if spec.row_scale == "one" else spec.m
            operands["rs"] = rng.uniform(.01, 1, shape).astype(np.float32)
            scale = np.reshape(operands["rs"], (-1, 1))
        if spec.channel_scale:
            shape = () if spec.channel_scale == "one" else spec.n
            operands["cs"] = rng.uniform(.01, 1, shape).astype(np.float32)
            channel = np.reshape(operands["cs"], (1, -1))
            scale = channel if scale is None else scale * channel
        want = want.astype(np.float32) * scale
        if spec.bias:
            operands["bi"] = rng.normal(size=spec.n).astype(np.float32)
            want = want + operands["bi"]
        if spec.residual:
            operands["re"] = rng.normal(size=want.shape).astype(np.float32)
            want = want + operands["re"]
        if clamp:
            want = np.clip(want, *np.float32(clamp))
        if spec.result == "i8":
            want = np.clip(np.rint(want) + np.float32(zero_point), *limits)
            want = want.astype(np.int64)
    cases.setdefault(chip, []).append((spec, any_rows, operands, want, splits))


def run(chip, spec, any_rows, operands, want, splits, compiled):
    """Whether the result is the expected one."""
    assert any_rows or len(compiled[1]) == 1, compiled[1]
    got, machine = run_compiled(spec, *compiled, operands)
    want = want.astype(got.dtype)
    name = (f"{chip} {spec.row} {spec.m}x{spec.n}x{spec.k} -> {spec.result}, "
            f"{machine.passes} passes of shared memory")
    if machine.splits != splits:
        print(f"FAILED: {name}: {machine.splits} blocks share out K, not {splits}")
        return False
    if np.array_equal(want, got) and machine.passes == machine.least_passes:
        return True
    print(f"FAILED: {name}: {(want != got).sum()} of {got.size} differ, "
          f"least passes {machine.least_passes}")
    return False


for chip, row in ROWS.items():
    # The GEMV kernel, odd tails in every dimension.
    for m, n, k in [(1, 8, 64), (4, 17, 129), (3, 1, 1), (2, 40, 600)]:
        check(chip, Spec(m, n, k, row, "i32"))
    # Tiles: one row more than the GEMV takes, more than a block, odd sizes.
    for m, n, k in [(5, 7, 3), (33, 65, 130), (129, 130, 65), (17, 9, 700),
                    (270, 200, 64)]:
        check(chip, Spec(m, n, k, row, "i32"))
    for m in (3, 40):
        check(chip, Spec(m, 70, 96, row, "f32", col_bias=True, rank=2,
                         row_scale="rows", channel_scale="columns", bias=True))
        check(chip, Spec(m, 33, 64, row, "f32", row_scale="one",
                         channel_scale="one",
                         attributes="{clamp_min = 0.0 : f32}"),
              clamp=(0, np.inf))
        check(chip, Spec(m, 24, 64, row, "i8", channel_scale="columns",
                         attributes="{zero_point = 3 : i32, "
                                    "range = array<i64: -128, 127>}"),
              zero_point=3, limits=(-128, 127))
    # A residual: rows are not padded, whatever N is. Fixed point: 8, 16 and 32
    # bits, a multiplier a column or one, either rounding.
    for m, n in ((2, 17), (4, 24), (33, 65), (70, 48)):
        check(chip, Spec(m, n, 96, row, "f32", row_scale="rows", bias=True,
                         channel_scale="columns", residual=True))
        check(chip, Spec(m, n, 70, row, "f16", row_scale="one", residual=True,
                         attributes="{clamp_min = -1.0 : f32, "
                                    "clamp_max = 100.0 : f32}"), clamp=(-1, 100))
        for bits, count, rounding in ((8, "one", "DOUBLE_ROUND"),
                                      (8, "columns", "SINGLE_ROUND"),
                                      (16, "columns", "DOUBLE_ROUND"),
                                      (32, "columns", "SINGLE_ROUND")):
            low, high = -1 << (bits - 1), (1 << (bits - 1)) - 1
            check(chip, Spec(m, n, 130, row, f"i{bits}", col_bias=True, rank=1,
                             multiplier=count, rounding=rounding,
                             attributes="{zero_point = -5 : i32, "
                                        f"range = array<i64: {low}, {high}>}}"),
                  zero_point=-5, limits=(low, high))
    check(chip, Spec(40, 33, 64, row, "i8", multiplier="columns", unsigned=True,
                     attributes="{zero_point = 128 : i32, "
                                "range = array<i64: 0, 255>}"),
          zero_point=128, limits=(0, 255))
# Chips with the same instruction and other schedules.
for chip in ("sm_86", "sm_89", "sm_100"):
    row = "mma_m16n8k32_s8"
    for m, n, k in [(3, 17, 129), (33, 65, 130), (270, 200, 64)]:
        check(chip, Spec(m, n, k, row, "f32", col_bias=True, row_scale="rows",
                         channel_scale="columns", bias=True, residual=True))
    check(chip, Spec(17, 33, 5000, row, "i32"), splits=9)
for m, n, k in [(1, 8, 64), (1, 17, 300), (3, 9, 1000), (5, 7, 3),
                (40, 65, 200), (129, 24, 300)]:
    check("sm_80", Spec(m, n, k, "mma_m16n8k64_s4", "i32"))

# K shared out: in two, in many parts, of unequal lengths, on several tiles, with
# every term of the epilogue.
for chip, m, n, k, splits in [("sm_61", 40, 100, 1100, 2),
                              ("sm_75", 20, 9, 3000, 5),
                              ("sm_80", 5, 130, 2000, 4),
                              ("sm_80", 70, 33, 1030, 2),
                              ("sm_90a", 17, 70, 5000, 9)]:
    row = ROWS[chip]
    check(chip, Spec(m, n, k, row, "i32"), splits=splits)
    check(chip, Spec(m, n, k, row, "f32", col_bias=True, rank=2,
                     row_scale="rows", channel_scale="columns", bias=True,
                     residual=True),
          splits=splits)
# The largest tile.
check("sm_75", Spec(100, 520, 3072, ROWS["sm_75"], "i32"), splits=6)
check("sm_80", Spec(9, 20, 3000, "mma_m16n8k64_s4", "i32"), splits=3)

# wgmma's tiles: the largest for any number of rows, then 128, 64 and 32 columns in
# one turn of all multiprocessors (two blocks along K a barrier, the last of an odd
# number alone), and in several.
row = ROWS["sm_90a"]
everything = dict(col_bias=True, rank=2, row_scale="rows", channel_scale="columns",
                  bias=True, residual=True)
for m, n, k in [(200, 300, 700), (5, 9, 3), (129, 260, 1090)]:
    check("sm_90a", Spec(m, n, k, row, "f32", **everything), any_rows=True)
for m, n, k in [(16, 32 * 60, 700), (9, 32 * 133, 130), (128, 128 * 40, 130), (100, 64 * 80, 200), (40, 32 * 60, 700),
                (17, 32 * 140, 130), (70, 64 * 180, 64)]:
    check("sm_90a", Spec(m, n, k, row, "i32"))

results = []
for chip, of_chip in cases.items():
    programs = compile_programs(
        OPT, [get_compiled(spec, any_rows).mlir() for spec, any_rows, *_ in of_chip],
        chip)
    results += [run(chip, *case, compiled) for case, compiled in zip(of_chip, programs)]
print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
sys.exit(not all(results))
