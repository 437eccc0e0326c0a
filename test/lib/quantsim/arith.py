"""The integer arithmetic, written from its definition and nothing else.

Floats are float32 with one rounding an operation: every array here is float32
and every scalar is made float32 before it is used. Integers are computed in
int64 and checked to fit in the type that the definition names.
"""

import numpy as np

F32 = np.float32
INT32 = np.iinfo(np.int32)


def as_f32(x):
    return np.asarray(x, dtype=F32)


def _along(param, rank, axes):
    """A parameter over `axes` of a rank-`rank` tensor, shaped to broadcast."""
    param = np.asarray(param)
    if not axes:
        return param.reshape((1,) * rank)
    shape = [1] * rank
    for size, axis in zip(param.shape, axes):
        shape[axis] = size
    return param.reshape(shape)


def choose_qparams(x, axes, qrange, symmetric=True):
    """Scale and zero point from the data, over finite elements only.

    Returns `(scale, zero_point)` with the shape of the dimensions in `axes`;
    the zero point of a symmetric choice is 0.
    """
    x = as_f32(x)
    qmin, qmax = qrange
    reduced = tuple(d for d in range(x.ndim) if d not in axes)
    x = np.where(np.isfinite(x), x, F32(0))
    with np.errstate(over="ignore", under="ignore", divide="ignore",
                     invalid="ignore"):
        if symmetric:
            top = np.abs(x).max(axis=reduced, initial=0)
            scale = as_f32(top) / F32(qmax)
        else:
            low = np.minimum(x.min(axis=reduced, initial=0), F32(0))
            high = np.maximum(x.max(axis=reduced, initial=0), F32(0))
            span = np.minimum(as_f32(high) - as_f32(low), np.finfo(F32).max)
            scale = as_f32(span) / F32(qmax - qmin)
        scale = np.where(scale > 0, scale, F32(1)).astype(F32)
        zero = np.zeros(scale.shape, np.int32)
        if not symmetric:
            steps = F32(qmin) - np.rint(as_f32(low) / scale)
            zero = np.clip(steps, qmin, qmax).astype(np.int32)
    return scale, zero


def choose_full_range(x, axes, qrange):
    """Scale and zero point 0 or -1: the largest magnitude is -qmin steps, on
    the side of its sign (ties: below 0)."""
    x = as_f32(x)
    x = np.where(np.isfinite(x), x, F32(0))
    reduced = tuple(d for d in range(x.ndim) if d not in axes)
    scale, _ = choose_qparams(x, axes, (None, -qrange[0]))
    positive = x.max(axis=reduced, initial=0) > -x.min(axis=reduced, initial=0)
    return scale, -positive.astype(np.int32)


def narrow_scale(scale, kind):
    """The nearest number > 0 and finite of f16 or bf16, ties to even."""
    scale = as_f32(scale)
    if kind == "f16":
        near = np.minimum(scale, F32(65504)).astype(np.float16).astype(F32)
        return np.maximum(near, F32(2.0**-24))
    if kind == "bf16":
        bits = np.atleast_1d(scale).view(np.uint32)
        bits = (bits + 0x7FFF + (bits >> 16 & 1)) & np.uint32(0xFFFF0000)
        bits = np.clip(bits, 0x00010000, 0x7F7F0000).astype(np.uint32)
        return bits.view(F32).reshape(scale.shape)
    return scale


def choose_absmean(x, axes):
    """The mean magnitude (BitNet b1.58), 1 where that is 0."""
    x = np.abs(as_f32(x)).astype(np.float64)
    reduced = tuple(d for d in range(x.ndim) if d not in axes)
    scale = as_f32(x.mean(axis=reduced))
    scale = np.where(scale > 0, scale, F32(1)).astype(F32)
    return scale, np.zeros(scale.shape, np.int32)


def quantize(x, scale, zero_point=0, axes=(), qrange=(-128, 127)):
    """clamp(roundeven(x / s) + z, qmin, qmax), clamped in the float domain."""
    x = as_f32(x)
    qmin, qmax = qrange
    s = _along(as_f32(scale), x.ndim, axes)
    z = _along(np.asarray(zero_point), x.ndim, axes if np.ndim(zero_point)
               else ())
    with np.errstate(over="ignore", invalid="ignore"):
        q = np.rint(x / s) + z.astype(F32)
    q = np.where(np.isnan(q), z.astype(F32), np.clip(q, F32(qmin), F32(qmax)))
    return q.astype(np.int64)


def dequantize(q, scale, zero_point=0, axes=()):
    """s * (q - z): the difference is exact, the product is rounded once."""
    q = np.asarray(q, np.int64)
    z = _along(np.asarray(zero_point, np.int64), q.ndim,
               axes if np.ndim(zero_point) else ())
    return as_f32(q - z) * _along(as_f32(scale), q.ndim, axes)


def matmul_i32(lhs, rhs, lhs_zero_point=0, rhs_zero_point=0,
               transpose_rhs=False):
    """Exact integer matmul; an accumulator past i32 is an OverflowError.

    `lhs_zero_point` is a number or one for each row (`[B.., M]`),
    `rhs_zero_point` a number or one for each column (`[N]`).
    """
    lhs = np.asarray(lhs, np.int64)
    rhs = np.asarray(rhs, np.int64)
    if transpose_rhs:
        rhs = np.swapaxes(rhs, -1, -2)
    zl = np.asarray(lhs_zero_point, np.int64)
    zr = np.asarray(rhs_zero_point, np.int64)
    lhs = lhs - (zl[..., None] if zl.ndim else zl)
    rhs = rhs - (zr[..., None, :] if zr.ndim else zr)
    # Sums of products of 9-bit integers are exact in float64, which NumPy
    # multiplies much faster than int64.
    acc = np.matmul(lhs.astype(np.float64), rhs.astype(np.float64))
    bound = lhs.shape[-1] * (np.abs(lhs).max(initial=0) *
                             np.abs(rhs).max(initial=0))
    if bound >= 2**53:
        raise OverflowError(f"sum may reach {bound}, inexact in float64")
    if acc.size and (acc.max() > INT32.max or acc.min() < INT32.min):
        raise OverflowError("accumulator does not fit in i32")
    return acc.astype(np.int64)


def rescale(acc, row_scale=None, channel_scale=None, bias=None,
            zero_point=None, qrange=None, clamp=None):
    """i32 accumulator to float32, or to integers when `qrange` is given.

    The order of the roundings is that of `quant.rescale`: the two scales are
    multiplied first, then the accumulator with them, then the bias is added.
    """
    t = np.asarray(acc, np.int64)
    if bias is not None and np.issubdtype(np.asarray(bias).dtype, np.integer):
        t = wrap_i32(t + np.asarray(bias, np.int64))
        bias = None
    scale = F32(1)
    if row_scale is not None:
        scale = as_f32(row_scale)
        scale = scale[..., None] if scale.ndim else scale
    if channel_scale is not None:
        channel = as_f32(channel_scale)
        scale = channel if row_scale is None else scale * channel
    y = t.astype(F32) * scale
    if bias is not None:
        y = y + as_f32(bias)
    if clamp is not None:
        y = np.clip(y, F32(clamp[0]), F32(clamp[1]))
    if qrange is None:
        return y
    q = np.rint(y) + F32(zero_point or 0)
    return np.clip(q, F32(qrange[0]), F32(qrange[1])).astype(np.int64)


def wrap_i32(v):
    """Modulo 2^32, into i32's range."""
    return (np.asarray(v, np.int64) + 2**31) % 2**32 - 2**31


def quantize_multiplier(m):
    """(multiplier, shift) for a float M, as gemmlowp derives them.

    M is multiplier * 2^-shift with the multiplier in [2^30, 2^31).
    """
    mantissa, exponent = np.frexp(float(m))
    multiplier = int(np.floor(mantissa * 2**31 + 0.5))
    if multiplier == 2**31:
        multiplier //= 2
        exponent += 1
    return multiplier, 31 - int(exponent)


def rescale_fixed_point(acc, multiplier, shift, double_round=False,
                        input_zero_point=0, output_zero_point=0, bias=None,
                        qrange=(-128, 127)):
    """TOSA 1.0 RESCALE with scale32, bit for bit."""
    v = np.asarray(acc, np.int64) - input_zero_point
    if bias is not None:
        v = v + np.asarray(bias, np.int64)
    v = wrap_i32(v)
    shift = np.asarray(shift, np.int64)
    r = v * np.asarray(multiplier, np.int64) + (np.int64(1) << (shift - 1))
    if double_round:
        nudge = np.where(v >= 0, np.int64(1) << 30, -(np.int64(1) << 30))
        r = r + np.where(shift > 31, nudge, 0)
    return np.clip((r >> shift) + output_zero_point, *qrange)


def pack_int4(q):
    """Element 2i in the low nibble, 2i+1 in the high one, rows padded by 0."""
    q = np.asarray(q, np.int64)
    if q.shape[-1] % 2:
        q = np.concatenate([q, np.zeros(q.shape[:-1] + (1,), np.int64)], -1)
    packed = (q[..., 0::2] & 15) | ((q[..., 1::2] & 15) << 4)
    return packed.astype(np.uint8).view(np.int8)


def unpack_int4(packed, length):
    """The inverse of `pack_int4` for rows of `length` elements."""
    b = np.asarray(packed, np.int8).view(np.uint8).astype(np.int64)
    both = np.stack([b & 15, b >> 4], -1).reshape(
        b.shape[:-1] + (2 * b.shape[-1],))
    return np.where(both > 7, both - 16, both)[..., :length]


def pack_int2(q):
    """Element 4i + j in the bits 2j and 2j+1 of byte i, rows padded by 0."""
    q = np.asarray(q, np.int64)
    rest = np.zeros(q.shape[:-1] + (-q.shape[-1] % 4,), np.int64)
    q = np.concatenate([q, rest], -1)
    packed = sum((q[..., j::4] & 3) << 2 * j for j in range(4))
    return packed.astype(np.uint8).view(np.int8)


def unpack_int2(packed, length):
    """The inverse of `pack_int2` for rows of `length` elements."""
    b = np.asarray(packed, np.int8).view(np.uint8).astype(np.int64)
    parts = np.stack([b >> 2 * j & 3 for j in range(4)], -1).reshape(
        b.shape[:-1] + (4 * b.shape[-1],))
    return np.where(parts > 1, parts - 4, parts)[..., :length]


def fma32(a, b, c):
    """float32 a * b + c with one rounding.

    The product is exact in float64. The sum is rounded there to odd, which
    makes the second rounding, to float32, that of the exact sum.
    """
    p = as_f32(a).astype(np.float64) * as_f32(b).astype(np.float64)
    c = as_f32(c).astype(np.float64)
    s = np.asarray(p + c)
    with np.errstate(invalid="ignore"):
        v = s - p
        error = (p - (s - v)) + (c - v)
    inexact = np.isfinite(s) & (error != 0) & (s.view(np.int64) & 1 == 0)
    toward = np.nextafter(s, np.where(error > 0, np.inf, -np.inf))
    return np.where(inexact, toward, s).astype(F32)


def scaled_matmul(lhs, rhs, rhs_scale, group_size, lhs_zero_point=0,
                  row_scale=None, rhs_zero_point=None, rhs_offset=None,
                  bias=None, lhs_scale=None, lhs_group_size=None):
    """`quant.scaled_matmul` of integers: `rhs` is [N, K], its parameters
    [N, ceil(K / group_size)], those of `lhs` [.., M, ceil(K / lhs_group_size)].
    Exact to the bit."""
    lhs, rhs = np.asarray(lhs, np.int64), np.asarray(rhs, np.int64)
    zl = np.asarray(lhs_zero_point, np.int64)
    lhs = lhs - (zl[..., None] if zl.ndim else zl)
    t = np.zeros(lhs.shape[:-1] + rhs.shape[:1], F32)
    block = min(group_size, lhs_group_size or group_size)
    for begin in range(0, lhs.shape[-1], block):
        g = begin // group_size
        scale = F32(1) if lhs_scale is None else \
            as_f32(lhs_scale)[..., begin // lhs_group_size, None]
        x = lhs[..., begin:begin + block]
        zw = 0 if rhs_zero_point is None else rhs_zero_point[:, g]
        acc = matmul_i32(x, rhs[:, begin:begin + block], 0, zw,
                         transpose_rhs=True)
        t = fma32(acc.astype(F32), scale * as_f32(rhs_scale)[:, g], t)
        if rhs_offset is not None:
            sums = x.sum(-1)[..., None].astype(F32)
            t = fma32(sums, scale * as_f32(rhs_offset)[:, g], t)
    if row_scale is not None:
        row = as_f32(row_scale)
        t = t * (row[..., None] if row.ndim else row)
    return t if bias is None else t + as_f32(bias)


def dequantize_groups(rhs, scale, group_size, zero_point=None, offset=None):
    """The float64 weight [N, K] that a grouped integer one stands for."""
    rhs = np.asarray(rhs, np.float64)
    each = lambda v: np.repeat(np.asarray(v, np.float64), group_size,
                               axis=1)[:, :rhs.shape[1]]
    w = rhs if zero_point is None else rhs - each(zero_point)
    w = each(scale) * w
    return w if offset is None else w + each(offset)


def dequantize_weight(weight):
    """The float64 values of a quantmlir.blocks.Grouped, as the activations'
    columns want them."""
    q = weight.q if weight.codebook is None else np.array(weight.codebook)[weight.q]
    w = dequantize_groups(q, weight.scale, weight.group, weight.zero_point,
                          weight.offset)
    if weight.order is None:
        return w
    used = weight.order < weight.columns
    plain = np.zeros((w.shape[0], weight.columns))
    plain[:, weight.order[used]] = w[:, used]
    return plain
