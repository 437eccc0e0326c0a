# REQUIRES: cpu-avx2
# RUN: %python %s %t | FileCheck %s
# CHECK: bounds: 28 of 28 results
# CHECK: special: 10 of 10 results
"""Floats by a weight of few bits where activations are split in two bf16 (few rows,
AVX512-BF16; elsewhere the same bounds hold of themselves): each element of the result
is within (K + 8) 2^-24 sum |x| |w| of f64's, as that of a sum in f32 is (2^-16 of the
largest numbers), where no other bound helps: of outliers by weights that are 0, of the
largest and of small numbers; infinities and NaN go where they go in f64.

split-floats.py FOLDER
"""

import os
import subprocess
import sys

import numpy as np
from Integration.Generic.Inputs.batch import Batch
from Integration.Generic.Inputs.cases import constant_parameter
from Integration.Generic.scaled_matmul import weight
from quantsim import arith

F32 = np.float32
GREATEST = np.finfo(F32).max


def add(batch, x, q, scale, group, zero=None, codes=None, dynamic=False):
    lhs, type_ = batch.argument(x, dynamic=dynamic)
    sizes = type_[len("tensor<"):].rsplit("x", 2)[0]
    rhs = weight(batch, q, 4, is_constant=True)
    text = (f"quant.scaled_matmul ins({lhs}, {rhs[0]} : {type_}, {rhs[1]}) "
            f"rhs_scale" + constant_parameter(batch, scale))
    if zero is not None:
        text += " rhs_zero_point" + constant_parameter(batch, zero.astype(np.int32))
    flags = f"group_size = {group} : i64"
    if codes is not None:
        flags += f", rhs_codebook = array<i8: {', '.join(map(str, codes))}>"
        q = codes[q & 15]
    type_ = f"tensor<{sizes}x{len(q)}xf32>"
    y = batch.line(f"{text} {{{flags}}} -> {type_}", type_)
    real = arith.dequantize_groups(q, scale, group, zero, None).astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        part = 2.0 ** -16 if np.nanmax(np.abs(x)) > 3.38e38 else 0
        bound = (part + (x.shape[1] + 8) * 2.0 ** -24) * (
            np.abs(x.astype(np.float64)) @ np.abs(real).T)
        batch.expect(y, x.astype(np.float64) @ real.T, "", bound)


def bounds(rng):
    batch = Batch()
    for i in range(24):
        m, n, k = [1, 2, 3, 4, 5, 7, 8, 9][i % 8], int(rng.integers(1, 40)), \
            int(rng.integers(200, 400))
        group = [32, 16, k][i % 3]
        groups = -(-k // group)
        q = rng.integers(-8, 8, (n, k))
        codes = rng.integers(-128, 128, 16) if i % 5 == 0 else None
        zero = None
        if codes is None and i % 2:
            zero = np.full((n, groups), rng.integers(-8, 8)) if i % 4 == 1 else \
                rng.integers(-8, 8, (n, groups))
        x = rng.standard_normal((m, k)) * 10.0 ** rng.integers(-6, 7, (m, k))
        # An outlier by what is 0.
        x[:, 0] = 1e12
        q[::2, 0] = zero[::2, 0] if zero is not None else \
            q[0, 0] if codes is not None else 0
        if codes is not None:
            codes[q[0, 0] & 15] = 0
        add(batch, x.astype(F32), q, rng.uniform(0.001, 0.1, (n, groups)).astype(F32), group,
            zero, codes, dynamic=i % 4 > 1)
    # Each activation loses 2^-17 where it is split, all to one side.
    for k, group in [(65, 64), (129, 128), (257, 257), (289, 32)]:
        x = np.full((1, k), np.uint32(0x3f804040).view(F32))
        add(batch, x, np.full((17, k), 3), np.full((17, -(-k // group)), 0.1, F32), group)
    return batch


def special(rng):
    """One number in a row of small ones, by weights of -1, 0 and 1."""
    batch = Batch()
    for i, value in enumerate([np.inf, -np.inf, np.nan, GREATEST, -GREATEST, 3.39e38,
                               1e-30, np.uint32(0x7f800001).view(F32),
                               np.uint32(0xffffffff).view(F32), 0.0]):
        k, n = 288, 20
        x = (rng.standard_normal((1 + i % 3, k)) * 1e-3).astype(F32)
        x[0, 37] = value
        q = rng.integers(-1, 2, (n, k))
        add(batch, x, q, np.full((n, 9), 0.25, F32), 32, dynamic=i % 2 == 1)
    return batch


def check(folder, name, batch):
    folder = os.path.join(folder, name)
    done = subprocess.run(["quant-run", *batch.write(folder), "--target=x86", "--print=false",
                           "-O0"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]
    assert "portable" not in done.stdout + done.stderr, done.stdout + done.stderr
    right = 0
    for i, (_, exact, _, bound) in enumerate(batch.results):
        y = np.load(os.path.join(folder, f"out{i}.npy")).astype(np.float64)
        whole = np.isfinite(exact)
        same = np.array_equal(y[~whole], exact[~whole], equal_nan=True)
        error = np.abs(y - exact)[whole] - bound[whole]
        right += bool(same and (error <= 0).all())
        if not same or not (error <= 0).all():
            print(f"{name} {i}: over the bound by {error.max()}, rest the same: {same}")
    print(f"{name}: {right} of {len(batch.results)} results are within the bound")
    return right == len(batch.results)


if __name__ == "__main__":
    rng = np.random.default_rng(16)
    sys.exit(not all([check(sys.argv[1], "bounds", bounds(rng)),
                      check(sys.argv[1], "special", special(rng))]))
