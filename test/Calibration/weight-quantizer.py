# RUN: %python %s weight-driver %t | FileCheck %s
"""The plain weight quantizer against NumPy, every element."""

import itertools
import sys

import numpy as np

from Calibration.Inputs import weight_driver
from quantsim import arith

DRIVER, TEMP = sys.argv[1:3]


def quantize(w, **options):
    return weight_driver.quantize(DRIVER, TEMP, w, **options)


def expected(w, bits, granularity, group, symmetric, unsigned,
             full_range=False):
    """The same by the oracle, one run of elements after the other."""
    qrange = ((0, 2**bits - 1) if unsigned else
              (-2**(bits - 1), 2**(bits - 1) - 1))
    if granularity == "tensor":
        runs = [w.reshape(-1)]
    else:
        size = w.shape[1] if granularity == "channel" else group
        runs = [row[i:i + size] for row in w
                for i in range(0, max(len(row), 1), size)]
    ints, scales, zeros = [], [], []
    for run in runs:
        scale, zero = (arith.choose_full_range(run, (), qrange) if full_range
                       else arith.choose_qparams(run, (), qrange, symmetric))
        ints.append(arith.quantize(run, scale, zero, (), qrange))
        scales.append(scale)
        zeros.append(zero)
    ints = np.concatenate(ints).reshape(w.shape).astype(np.uint8).view(np.int8)
    return (ints, np.array(scales, np.float32),
            np.array([] if symmetric and not full_range else zeros, np.int32))


def weights():
    rng = np.random.default_rng(7)
    yield "normal", rng.normal(size=(5, 70)).astype(np.float32)
    # Multiples of half a step: every tie goes to the even neighbour.
    ties = rng.integers(-254, 255, size=(3, 64)).astype(np.float32) / 2
    ties[:, 0] = 127
    yield "ties", ties
    ends = rng.normal(size=(4, 33)).astype(np.float32)
    ends[0] = 0
    ends[1, 3], ends[2, 5], ends[2, 31], ends[3, 32] = np.nan, np.inf, -np.inf, 1e38
    yield "ends", ends
    yield "positive", (1 + rng.random(size=(2, 48))).astype(np.float32)
    yield "tiny", (rng.normal(size=(2, 40)) * 1e-42).astype(np.float32)


def check(name, w, **options):
    group = 16 if name != "normal" else 32
    full_range = options.pop("full_range", False)
    got = quantize(w, group=group, scale="full-range" if full_range
                   else "absmax", **options)
    want = expected(w, group=group, full_range=full_range, **options)
    for part, g, e in zip(("ints", "scales", "zero points"), got, want):
        assert np.array_equal(g, e), (name, options, full_range, part, g, e)


count = 0
for (name, w), bits, granularity, symmetric, unsigned in itertools.product(
        weights(), (8, 6, 4, 3, 2), ("tensor", "channel", "group"), (1, 0), (1, 0)):
    if symmetric and unsigned:
        continue
    check(name, w, bits=bits, granularity=granularity, symmetric=symmetric,
          unsigned=unsigned)
    count += 1
# CHECK: 225 schemes equal
print(count, "schemes equal")

count = 0
for (name, w), bits, granularity in itertools.product(
        weights(), (8, 6, 4, 3, 2), ("tensor", "channel", "group")):
    check(name, w, bits=bits, granularity=granularity, symmetric=1,
          unsigned=0, full_range=True)
    count += 1
# CHECK-NEXT: 75 full-range schemes equal
print(count, "full-range schemes equal")

# The grid is that of a scale of either sign, d = extreme / -8 (MatMulNBits,
# GGUF's Q4_0): only ties round to the other side.
W = np.random.default_rng(3).normal(size=(40, 32)).astype(np.float32)
extreme = np.take_along_axis(W, np.abs(W).argmax(1)[:, None], 1)
d = extreme / np.float32(-8)
signed = np.clip(np.rint(W / d), -8, 7) * d
q, s, z = quantize(W, bits=4, scale="full-range")
assert set(z) == {0, -1}
assert np.array_equal((q - z[:, None]).astype(np.float32) * s[:, None], signed)
# CHECK-NEXT: scales of either sign give the same weights
print("scales of either sign give the same weights")

W = np.ones((2, 4), np.float32)
# CHECK: error: expected weights of 8, 6, 4, 3 or 2 bits, found 5
print(quantize(W, bits=5))
# CHECK: error: expected a group size above 0, found 0
print(quantize(W, granularity="group"))
# CHECK: error: expected a zero point for unsigned integers: the scheme is symmetric
print(quantize(W, unsigned=1))
# CHECK: error: expected a symmetric scheme for full-range scales: they choose the zero points themselves
print(quantize(W, symmetric=0, scale="full-range"))
# CHECK: error: error-compensated rounding needs the second moments of the calibration inputs
print(quantize(W, rounding="error-compensated"))
# CHECK: error: expected second moments of 4 x 4 elements, found 9
print(quantize(W, moments=np.ones(9)))
# CHECK: error: the second moments hold NaN or infinity
print(quantize(W, moments=np.full((4, 4), np.nan),
               rounding="error-compensated"))
# CHECK: error: the second moments are not positive definite, even when damped
print(quantize(W, moments=np.eye(4) - 9 * (1 - np.eye(4)),
               rounding="error-compensated"))
