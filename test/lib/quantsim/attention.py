"""Attention over a cache of integers and of floats, written from the definitions of
`quant.cached_attention` and `quant.float_attention`, and the exponential that all
targets compute alike.
"""

import numpy as np

from .arith import fma32

F32 = np.float32
BLOCK, LANES, MOST = 64, 16, 127
LEAST = F32(2.0 ** -100)


def exp32(x):
    """Upstream's polynomial for `math.exp` of f32 (quant-approximate-math), of
    finite numbers up to 88."""
    number = lambda v: F32(v)
    x = np.maximum(np.asarray(x, F32), number(-87.8))
    k = np.floor(fma32(x, number(1.44269502), number(0.5)))
    k = np.maximum(k, number(-127))
    r = fma32(number(-0.693359375), k, x)
    r = fma32(number(2.12194442E-4), k, r)
    y = fma32(r, number(1.98756912E-4), number(0.00139819994))
    for c in (0.00833345205, 0.0416657962, 0.166666657, 0.5):
        y = fma32(y, r, number(c))
    y = F32(1) + fma32(y, r * r, r)
    power = ((k.astype(np.int32) + 127) << 23).view(F32)
    return y * power


def pack(q, bits):
    """Words [.., D * bits / 32], int32, of integers [.., D]."""
    each = 32 // bits
    q = np.asarray(q, np.int64).reshape(*q.shape[:-1], q.shape[-1] // each, each)
    words = ((q & ((1 << bits) - 1)) << (bits * np.arange(each))).sum(-1)
    return words.astype(np.uint32).view(np.int32)


def add_block(y, weight, values):
    """y [.., D] and one block: weights [.., B], integers [.., B, D]."""
    largest = weight.max(-1)
    with np.errstate(divide="ignore", over="ignore"):
        factor = np.where(largest >= LEAST, F32(MOST) / largest, F32(0))
        p = np.rint(weight * factor[..., None].astype(F32)).astype(np.int64)
    acc = (p[..., None] * values).sum(-2).astype(F32)
    scale = (largest * (F32(1) / F32(MOST)))[..., None]
    return fma32(acc, np.broadcast_to(scale, acc.shape), y)


def add_lanes(lanes):
    """Sums of [.., LANES], halves by halves: [.., 1]."""
    half = LANES // 2
    while half:
        lanes = lanes[..., :half] + lanes[..., half:]
        half //= 2
    return lanes


def cached_attention(query, query_scale, past, new):
    """[S, H, G, D] of integers [H, G, S, D] and, of past and new tokens, (keys
    [H, T, D], scales [H, T], values [H, T, D], scales [H, T])."""
    h, g, s, d = query.shape
    scores = []
    for keys, scale, _, _ in (past, new):
        acc = np.einsum("hgsd,htd->hgst", np.asarray(query, np.int64),
                        np.asarray(keys, np.int64)).astype(F32)
        scores.append(acc * (query_scale[..., None] * scale[:, None, None, :]))
    sees = np.arange(s)[None, :] <= np.arange(s)[:, None]
    scores[1] = np.where(sees, scores[1], F32(-np.inf))
    largest = np.concatenate(scores, -1).max(-1, keepdims=True)
    lanes, y = np.zeros((h, g, s, LANES), F32), np.zeros((h, g, s, d), F32)
    for score, (_, _, values, scale), is_new in zip(scores, (past, new), (0, 1)):
        power = exp32(score - largest)
        if is_new:
            power = np.where(sees, power, F32(0))
        for t in range(power.shape[-1]):
            lanes[..., t % LANES] += power[..., t]
        weight = power * scale[:, None, None, :]
        for at in range(0, power.shape[-1], BLOCK):
            block = np.asarray(values[:, at:at + BLOCK], np.int64)
            y = add_block(y, weight[..., at:at + BLOCK], block[:, None, None])
    return np.moveaxis((y / add_lanes(lanes)).astype(F32), 2, 0)


def float_attention(query, past, new, scale):
    """[S, H, G, D] of floats [H, G, S, D] and, of past and new tokens, (keys
    [H, T, D], values [H, T, D])."""
    h, g, s, d = query.shape
    keys, values = (np.concatenate(parts, 1)[:, None, None] for parts in zip(past, new))
    p = past[0].shape[1]
    shape = (h, g, s, p + s)
    dot = np.zeros(shape, F32)
    for i in range(d):
        dot = fma32(np.broadcast_to(query[..., i, None], shape),
                    np.broadcast_to(keys[..., i], shape), dot)
    sees = np.arange(p + s)[None, :] <= p + np.arange(s)[:, None]
    score = np.where(sees, dot * F32(scale), F32(-np.inf))
    power = np.where(sees, exp32(score - score.max(-1, keepdims=True)), F32(0))
    lanes, y = np.zeros((h, g, s, LANES), F32), np.zeros((h, g, s, d), F32)
    for t in range(p + s):
        lanes[..., (t if t < p else t - p) % LANES] += power[..., t]
        weight = np.broadcast_to(power[..., t, None], y.shape)
        added = fma32(weight, np.broadcast_to(values[..., t, :], y.shape), y)
        y = np.where(sees[:, t, None], added, y)
    return np.moveaxis((y / add_lanes(lanes)).astype(F32), 2, 0)
