# RUN: %python %s
"""The oracle itself: the worked examples of the semantics, and its edges."""

import numpy as np

from quantsim import arith


def equal(got, expected):
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.shape == expected.shape and (got == expected).all(), (
        got, expected)


# x = [0.5, -0.2], w = [0.8, -0.6], scale 0.1: acc 52, y 0.52.
qx = arith.quantize([0.5, -0.2], 0.1)
qw = arith.quantize([0.8, -0.6], 0.1)
equal(qx, [5, -2])
equal(qw, [8, -6])
acc = arith.matmul_i32(qx[None], qw[None], transpose_rhs=True)
equal(acc, [[52]])
# 0.1f * 0.1f is rounded before it meets the accumulator: 52 times it is one
# step of float32 above 0.52.
y = arith.rescale(acc, np.float32(0.1), np.float32(0.1))
equal(y, np.nextafter(np.float32([[0.52]]), np.float32(1)))

# The matrix example, int8 and int4, the latter through packed storage.
X = [[0.3, -0.2, 0.1], [-0.5, 0.4, 0.2]]
W = [[0.6, -0.1, 0.3], [-0.4, 0.7, -0.2]]
for qrange in ((-128, 127), (-8, 7)):
    qx = arith.quantize(X, 0.1, qrange=qrange)
    qw = arith.quantize(W, 0.1, qrange=qrange)
    equal(qx, [[3, -2, 1], [-5, 4, 2]])
    equal(qw, [[6, -1, 3], [-4, 7, -2]])
    equal(arith.unpack_int4(arith.pack_int4(qw), 3), qw)
    acc = arith.matmul_i32(qx, qw, transpose_rhs=True)
    equal(acc, [[23, -28], [-28, 44]])
equal(arith.pack_int4(qw).view(np.uint8), [[0xF6, 0x03], [0x7C, 0x0E]])

# Ties to even, the clamp in the float domain, and what is not finite.
equal(arith.quantize([0.5, 1.5, -0.5, 0.35, 1e30, -1e30], [1.0][0]),
      [0, 2, 0, 0, 127, -128])
equal(arith.quantize([np.inf, -np.inf, np.nan], 0.5, 3), [127, -128, 3])
# The zero point is added after rounding: 2.5 rounds to 2, then 5.
equal(arith.quantize([2.5], 1.0, 3), [5])

# Scales: zeros give 1; NaN and infinities never reach a scale.
scale, zero = arith.choose_qparams(
    [[0, 0], [254, np.inf], [np.nan, -2]], (0,), (-128, 127))
equal(scale, np.float32([1, 2, np.float32(2) / np.float32(127)]))
equal(zero, [0, 0, 0])
scale, zero = arith.choose_qparams([1.0, 256.0], (), (0, 255), False)
equal(scale, np.float32(256) / np.float32(255))
equal(zero, 0)
scale, zero = arith.choose_qparams([-255.0, 0.0], (), (-128, 127), False)
equal((scale, zero), (1, 127))

# Zero points: the expanded form of the definition.
rng = np.random.default_rng(1)
a = rng.integers(-128, 128, (5, 37))
b = rng.integers(-128, 128, (9, 37))
za, zb = rng.integers(-128, 128, 5), rng.integers(-128, 128, 9)
expanded = (a @ b.T - za[:, None] * b.sum(1) - a.sum(1)[:, None] * zb +
            37 * za[:, None] * zb)
equal(arith.matmul_i32(a, b, za, zb, True), expanded)

try:
    arith.matmul_i32(np.full((1, 140000), -128), np.full((140000, 1), -128))
    raise AssertionError("an overflow went unnoticed")
except OverflowError:
    pass

# gemmlowp's multiplier: M = 0.25 exactly, and one that rounds up to 2^31.
assert arith.quantize_multiplier(0.25) == (1 << 30, 32)
assert arith.quantize_multiplier(1 - 2.0**-40) == (1 << 30, 30)
equal(arith.rescale_fixed_point([2, 3, -2, -3], *arith.quantize_multiplier(
    0.25)), [1, 1, 0, -1])
equal(arith.rescale_fixed_point([2, 3, -2, -3], *arith.quantize_multiplier(
    0.25), double_round=True), [1, 1, -1, -1])
