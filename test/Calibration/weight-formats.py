# RUN: %python %s weight-driver %t | FileCheck %s
"""Weights in formats of tables and of scales that are not any floats, against
NumPy: every element and scale of `absmax`, the least error of `mse`, and error
compensation.

weight-formats.py DRIVER TEMP
"""

import itertools
import sys

import numpy as np

from Calibration.Inputs import weight_driver
from quantsim import arith, formats
from quantsim.formats import FORMATS

DRIVER, TEMP = sys.argv[1:3]
RNG = np.random.default_rng(5)
F32 = np.float32


def quantize(w, moments=None, **options):
    return weight_driver.quantize(DRIVER, TEMP, w, moments, **options)


def weights(fmt):
    yield RNG.normal(size=(5, 70)).astype(F32)
    # Halfway between elements: 448 * 6 makes the tensor's scale of NVFP4 1.
    codes = np.array(sorted(set(fmt.codes or range(-127, 128))))
    steps = np.concatenate([codes, (codes[1:] + codes[:-1]) / 2])
    ties = RNG.choice(steps, (6, 64)).astype(F32) / 2
    ties[:, ::16] = codes[0 if -codes[0] >= codes[-1] else -1] / 2
    yield ties
    ties[0, 0] = 448 * 6
    yield ties
    # Scales halfway between those of E4M3, and past both of its ends.
    scales = np.concatenate([(formats.E4M3[:-1] + formats.E4M3[1:]) / 2, formats.E4M3])
    many = (np.resize(scales, (4, 64)).repeat(16, 1) * 6).astype(F32)
    many[0, 0] = 448 * 6
    yield many * RNG.choice([-1, 1], many.shape).astype(F32)
    ends = RNG.normal(size=(5, 33)).astype(F32)
    ends[0] = 0
    ends[1, 3], ends[2, 5], ends[2, 31], ends[3, 32] = np.nan, np.inf, -np.inf, 1e38
    ends[4] *= 1e-30
    yield ends
    yield (RNG.normal(size=(2, 40)) * 1e-42).astype(F32)
    yield np.zeros((2, 48), F32)
    yield (1 + RNG.random(size=(2, 48))).astype(F32)


count = 0
for name, fmt in FORMATS.items():
    for i, w in enumerate(weights(fmt)):
        ints, scales, zeros = quantize(w, format=name)
        _, numbers, wanted = formats.quantize(w, fmt)
        numbers = numbers if fmt.bits == 8 else (numbers + 8) % 16 - 8
        assert np.array_equal(ints, numbers), (name, i, ints, numbers)
        assert np.array_equal(scales, wanted.ravel()), (name, i, scales, wanted)
        assert not len(zeros)
        count += 1
ints, scales, _ = quantize(w, format="nf4", group=40)
assert np.array_equal(scales, formats.quantize(w, FORMATS["nf4"], 40)[2].ravel())
# CHECK: 40 weights equal
print(count, "weights equal")

# MSE: nearly the least error of all scales that the format has nearby.
W = (RNG.standard_t(5, size=(24, 200)) * 0.05).astype(F32)
X = RNG.normal(size=(1000, 40)) @ RNG.normal(size=(40, 200))
X = (X + RNG.normal(size=(1000, 200))) * np.exp(RNG.normal(size=200) / 2)
H = (X.T @ X / len(X)).astype(F32)


def dequantize(result, fmt):
    ints, scales, _ = result
    elements = np.asarray(fmt.codes)[ints & 15] if fmt.codes else ints
    each = scales.reshape(len(W), -1).repeat(fmt.group, 1)[:, :W.shape[1]]
    return elements * each.astype(np.float64)


def least_error(fmt, importance):
    tensor = F32(np.abs(W).max()) / F32(6 * 448)
    total = 0
    for begin in range(0, W.shape[1], fmt.group):
        part, weight = W[:, begin:begin + fmt.group], importance[begin:begin + fmt.group]
        top = formats.absmax_scales(part, fmt, tensor)
        errors = []
        for f in (.25, .5, 1, 2) if fmt.scales == "e8m0" else np.linspace(.5, 1.6, 221):
            s = formats.round_scale(top * F32(f), fmt.scales, tensor)[:, None]
            if fmt.codes:
                q = np.asarray(fmt.codes)[formats.nearest_codes(part / s, fmt.codes)]
            else:
                q = np.clip(np.rint(part / s), -128, 127)
            errors.append((weight * (part - q * s.astype(np.float64)) ** 2).sum(1))
        total += np.min(errors, axis=0).sum()
    return total


for (name, fmt), moments in itertools.product(FORMATS.items(), (None, H)):
    importance = np.ones(len(H)) if moments is None else np.diag(H).astype(np.float64)
    error = lambda search: (importance * (W - dequantize(
        quantize(W, moments, format=name, scale=search), fmt)) ** 2).sum()
    best = least_error(fmt, importance)
    assert error("mse") < 1.005 * best, (name, error("mse"), best)
    assert error("mse") <= error("absmax"), name
# CHECK-NEXT: scale search finds the least error
print("scale search finds the least error")

for (name, fmt), order in itertools.product(FORMATS.items(), (0, 1)):
    def output_error(rounding):
        e = W - dequantize(quantize(W, H, format=name, scale="mse", rounding=rounding,
                                    order=order), fmt)
        return np.einsum("nk,kj,nj->", e, H.astype(np.float64), e)
    nearest, compensated = output_error("nearest"), output_error("error-compensated")
    assert compensated < 0.75 * nearest, (name, order, compensated, nearest)
# CHECK-NEXT: compensation lowers the output's error
print("compensation lowers the output's error")

# Ternary weights: the mean magnitude, of all weights, a row or a group.
for granularity, axes in ("tensor", ()), ("channel", (0,)), ("group", (0,)):
    for w in W, np.zeros_like(W), W * F32(1e-30):
        ints, scales, zeros = quantize(w, format="ternary", granularity=granularity, group=64)
        step = 64 if granularity == "group" else w.shape[1]
        parts = [w[:, b:b + step] for b in range(0, w.shape[1], step)]
        wanted = [arith.choose_absmean(part, axes)[0] for part in parts]
        q = [arith.quantize(part, s, 0, axes, (-1, 1)) for part, s in zip(parts, wanted)]
        assert np.array_equal(ints, np.concatenate(q, 1)) and not len(zeros)
        assert np.array_equal(scales, np.stack(wanted, -1).ravel()), (granularity, scales)
# Of the least error: better than the mean, near the best of many.
ints, scales, _ = quantize(W, format="ternary", scale="mse")
error = lambda s: ((W - arith.quantize(W, F32(s), 0, (), (-1, 1)) * F32(s)) ** 2).sum()
best = min(map(error, np.linspace(.5, 3, 401) * np.abs(W).mean()))
assert error(scales[0]) < 1.002 * best < error(np.abs(W).mean()), (error(scales[0]), best)
# CHECK-NEXT: ternary weights equal
print("ternary weights equal")
def ternary_error(rounding):
    ints, scales, _ = quantize(W, H, format="ternary", rounding=rounding)
    e = W - ints * scales[0].astype(np.float64)
    return np.einsum("nk,kj,nj->", e, H.astype(np.float64), e)


assert ternary_error("error-compensated") < 0.75 * ternary_error("nearest")

# CHECK-NEXT: error: expected scales by the mean magnitude, or by the least squared error, for ternary weights
print(quantize(W, format="ternary", scale="absmax"))
# CHECK-NEXT: error: expected ternary weights for scales by the mean magnitude
print(quantize(W, scale="absmean"))
# CHECK-NEXT: error: expected 2 bits for ternary weights, found 4
print(quantize(W, format="ternary", bits=4))
# CHECK-NEXT: error: expected 4 bits in groups of 16, as the format has them, found 4 and 32
print(quantize(W, format="nvfp4", group=32))
# CHECK-NEXT: error: expected 8 bits in groups of 32, as the format has them, found 4 and 32
print(quantize(W, format="mxint8", bits=4))
# CHECK-NEXT: error: expected a symmetric scheme without full-range scales for a format that is not of integers
print(quantize(W, format="mxfp4", scale="full-range"))
