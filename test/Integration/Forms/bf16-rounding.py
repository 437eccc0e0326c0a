# RUN: %python %s %build | FileCheck %s
"""float32 to bfloat16 and arithmetic on bfloat16, denormals and ties included,
bit for bit on every processor: LLVM takes VCVTNEPS2BF16 where there is one, and
that instruction takes denormals for zero (quant-expand-bf16)."""

import sys

import numpy as np
from quantcheck import module
from quantcheck.program import Case, to_bf16, to_float


def equal_bits(expected):
    """A rule: the same bits, but for which NaN it is."""
    def judge(got):
        same = (got.view(np.uint16) == expected.view(np.uint16)) | (
            np.isnan(to_float(got)) & np.isnan(to_float(expected)))
        if same.all():
            return None
        at = int(np.argmin(same))
        return (f"{(~same).sum()} of {got.size} differ, first at {at}: expected "
                f"{expected.view(np.uint16)[at]:#06x}, found "
                f"{got.view(np.uint16)[at]:#06x}")
    return judge


def edges(rng):
    """Every exponent and sign, halves and what is next to them, and NaN."""
    upper = np.arange(1 << 9, dtype=np.uint32)[:, None] << 23
    lower = np.array([0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF, 0x10000, 0x17FFF,
                      0x18000, 0x18001, 0x7F7FFF, 0x7F8000, 0x7FFFFF], np.uint32)
    some = rng.integers(0, 1 << 23, (1 << 9, 3), dtype=np.uint32)
    return (upper | np.concatenate([np.tile(lower, (1 << 9, 1)), some], 1)).ravel()


def rounding(x):
    case = Case("truncf")
    value, n = case.argument(x), x.size
    case.result(case.line(f"arith.truncf {value[0]} : {value[1]} to tensor<{n}xbf16>",
                          f"tensor<{n}xbf16>"), x.shape, equal_bits(to_bf16(x)))
    return case


def arithmetic(op, compute, x, y):
    """One rounding to float32, which two bf16 hide from bf16's, and one to bf16."""
    case = Case(op)
    a, b = case.argument(x), case.argument(y)
    with np.errstate(all="ignore"):
        exact = compute(to_float(x).astype(np.float32), to_float(y).astype(np.float32))
    case.result(case.line(f"{op} {a[0]}, {b[0]} : {a[1]}", a[1]), x.shape,
                equal_bits(to_bf16(exact)))
    return case


rng = np.random.default_rng(5)
floats = edges(rng).view(np.float32)
halves = [to_bf16(rng.permutation(floats)) for _ in range(2)]
cases = [rounding(floats), arithmetic("arith.addf", np.add, *halves),
         arithmetic("arith.subf", np.subtract, *halves),
         arithmetic("arith.mulf", np.multiply, *halves),
         arithmetic("arith.divf", np.divide, *halves)]
wrong = 0
for target in ("generic", "x86"):
    found = module.check(cases, [f"--target={target}"],
                         f"{sys.argv[1]}/bin/quant-run")
    wrong += len(found)
    for i, text in found.items():
        print(f"{target}: {cases[i].name}: {text}")
# CHECK-NOT: differ
# CHECK: 5 programs of 8192 elements, 0 wrong
print(f"{len(cases)} programs of {floats.size} elements, {wrong} wrong")
