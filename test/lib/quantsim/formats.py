"""Formats of weights whose elements are in a table, or whose scales are not any
floats, written from their definitions: OCP Microscaling Formats 1.0 (MXFP4,
MXINT8), NVIDIA's NVFP4, ggml's IQ4_NL, and QLoRA's NF4 in steps of 1/127.

An element of a table is an integer; what the table is multiplied by, the scale
is divided by.
"""

from dataclasses import dataclass

import numpy as np

from quantsim import arith, blocks

F32 = np.float32

_E2M1 = [0, .5, 1, 1.5, 2, 3, 4, 6]
_NF4 = [-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453,
        -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0,
        0.07958029955625534, 0.16093020141124725, 0.24611230194568634,
        0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
        0.7229568362236023, 1.0]


@dataclass(frozen=True)
class Format:
    bits: int
    group: int
    scales: str
    codes: tuple = ()  # none: integers of `bits`

    @property
    def limits(self):
        return (min(self.codes), max(self.codes)) if self.codes else (-127, 127)


FORMATS = {
    "mxfp4": Format(4, 32, "e8m0", tuple(int(2 * v) for v in _E2M1) +
                    tuple(int(-2 * v) for v in _E2M1)),
    "nvfp4": Format(4, 16, "e4m3", tuple(int(2 * v) for v in _E2M1) +
                    tuple(int(-2 * v) for v in _E2M1)),
    "mxint8": Format(8, 32, "e8m0"),
    "iq4_nl": Format(4, 32, "f16", (-127, -104, -83, -65, -49, -35, -22, -10, 1,
                                    13, 25, 38, 53, 69, 89, 113)),
    "nf4": Format(4, 64, "f32", tuple(int(np.rint(127 * v)) for v in _NF4))}

# The values of E4M3 from 0 on by their bits; 0x7F is NaN.
_BITS = np.arange(0x7F)
E4M3 = np.where(_BITS < 8, _BITS / 8 * 2.0**-6,
                (1 + _BITS % 8 / 8) * 2.0**(_BITS // 8 - 7))


def to_e4m3(x):
    """Nearest, ties to even bits, at most 448; x >= 0."""
    x = np.minimum(np.asarray(x, np.float64), E4M3[-1])
    above = np.clip(np.searchsorted(E4M3, x), 1, len(E4M3) - 1)
    low, high = x - E4M3[above - 1], E4M3[above] - x
    up = (high < low) | (high == low) & (above % 2 == 0)
    return np.where(up, E4M3[above], E4M3[above - 1]).astype(F32)


def nearest_codes(v, codes):
    """The number of the nearest of `codes`, of two equally near ones the even
    number."""
    codes = np.asarray(codes, np.float64)
    order = np.concatenate([np.arange(0, 16, 2), np.arange(1, 16, 2)])
    v = np.clip(np.nan_to_num(np.asarray(v, np.float64), nan=0.0), codes.min(), codes.max())
    return order[np.abs(v[..., None] - codes[order]).argmin(-1)]


def round_scale(s, kind, tensor_scale):
    """`s` as a scale of the format, for integer elements."""
    s = np.asarray(s, F32)
    if kind == "f16":
        return np.minimum(s, F32(65504)).astype(np.float16).astype(F32)
    if kind == "e4m3":
        relative = np.maximum(to_e4m3(s / (F32(.5) * tensor_scale)), F32(2.0**-9))
        return relative * tensor_scale * F32(.5)
    return s


def absmax_scales(parts, fmt, tensor_scale):
    """One for each row of `parts`, values that share it."""
    x = np.where(np.isfinite(parts), parts, F32(0))
    low, high = x.min(1, initial=0).astype(F32), x.max(1, initial=0).astype(F32)
    least, most = map(F32, fmt.limits)
    with np.errstate(all="ignore"):
        if fmt.scales == "e8m0":
            scale = blocks.power_of_two(np.maximum(high, -low), int(most))
            empty = F32(1)
        else:
            scale = round_scale(np.maximum(low / least, high / most), fmt.scales,
                                tensor_scale)
            empty = round_scale(1, fmt.scales, tensor_scale)
    if fmt.codes and 0 not in fmt.codes:
        empty = F32(0)
    return np.where((low == 0) & (high == 0), empty, scale).astype(F32)


def quantize(w, fmt, group=None):
    """(elements as integers, numbers of 4 bits or the same integers, scales) of
    w [N, K], scales by the largest magnitude."""
    w, group = np.asarray(w, F32), group or fmt.group
    finite = np.where(np.isfinite(w), np.abs(w), F32(0))
    largest = finite.max(initial=0)
    tensor_scale = F32(1)
    if largest > 0:
        tensor_scale = max(F32(largest) / F32(6 * 448), np.finfo(F32).tiny)
    numbers, scales = [np.zeros((len(w), 0), np.int64)], []
    for begin in range(0, w.shape[1], group):
        part = w[:, begin:begin + group]
        scale = absmax_scales(part, fmt, tensor_scale)
        scales.append(scale)
        if not fmt.codes:
            numbers.append(arith.quantize(part, scale, 0, (0,)))
            continue
        with np.errstate(all="ignore"):
            numbers.append(nearest_codes(part / scale[:, None], fmt.codes))
    numbers = np.concatenate(numbers, 1)
    elements = np.asarray(fmt.codes)[numbers] if fmt.codes else numbers
    return elements, numbers, np.stack(scales, 1)
