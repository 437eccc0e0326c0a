"""Activations in blocks of K, written from the definition of
`quant.quantize_blocks` and, for `q8_0`, from ggml's `quantize_row_q8_0_ref`; `mlas`
is what ONNX Runtime was seen to do.
"""

import numpy as np

F32 = np.float32


def to_bf16(x):
    """Nearest, ties to even, at most the largest finite one; x is finite."""
    most = np.array(0x7F7F0000, np.uint32).view(F32)
    bits = np.minimum(np.asarray(x, F32), most).view(np.uint32)
    bits = bits + np.uint32(0x7FFF) + (bits >> 16 & 1)
    return (bits & np.uint32(0xFFFF0000)).view(F32)


def power_of_two(largest, qmax):
    """OCP MX's: 2^floor(log2(largest)) by the power of two not above qmax."""
    _, exponent = np.frexp(np.asarray(largest, np.float64))
    steps = int(qmax).bit_length() - 1
    return np.ldexp(1.0, np.maximum(exponent - 1 - steps, -126)).astype(F32)


def stored_scale(largest, qmax, scales):
    d = np.asarray(largest, F32) / F32(qmax)
    if scales == "e8m0":
        d = np.where(largest > 0, power_of_two(largest, qmax), F32(0))
    elif scales == "bf16":
        d = to_bf16(d)
    elif scales not in ("f32", "mlas"):
        d = np.minimum(d, F32(65504)).astype(np.float16).astype(F32)
    return np.where(d > 0, d, F32(1)).astype(F32)


def half_away(x):
    """C's roundf."""
    a = np.abs(x)
    whole = np.floor(a)
    up = np.where(np.isfinite(a), np.floor(2 * (a - whole)), 0)
    return np.copysign(whole + up, x)


def factor_q8_0(largest, qmax):
    """1 / d, and 0 where the scale that ggml stores is 0."""
    with np.errstate(divide="ignore"):
        d = np.asarray(largest, F32) / F32(qmax)
        return np.where(d.astype(np.float16) > 0, F32(1) / d, F32(0)).astype(F32)


def factor_mlas(largest, qmax):
    """qmax / largest, and 0 where the scale is 0."""
    with np.errstate(all="ignore"):
        largest = np.asarray(largest, F32)
        return np.where(largest / F32(qmax) > 0, F32(qmax) / largest, F32(0)).astype(F32)


def quantize_blocks(x, block, qmax=127, scales="f32", qmin=None):
    """(integers as int64, scales [.., M, ceil(K / block)]) of x [.., M, K]."""
    qmin = -qmax if qmin is None else qmin
    x = np.asarray(x, F32)
    ints, found = [np.zeros(x.shape[:-1] + (0,), np.int64)], []
    for begin in range(0, x.shape[-1], block):
        part = x[..., begin:begin + block]
        largest = np.where(np.isfinite(part), np.abs(part), F32(0)).max(-1)
        with np.errstate(all="ignore"):
            scale = stored_scale(largest, qmax, scales)
            if scales == "q8_0":
                q = half_away(part * factor_q8_0(largest, qmax)[..., None])
            elif scales == "mlas":
                q = np.rint(part * factor_mlas(largest, qmax)[..., None])
            else:
                q = np.rint(part / scale[..., None])
        q = np.where(np.isnan(q), 0, np.clip(q, qmin, qmax))
        ints.append(q.astype(np.int64))
        found.append(scale)
    return np.concatenate(ints, -1), np.stack(found, -1)
