# RUN: %python %s %t 8 generic -O0
# RUN: %python %s %t 8 x86 --threads=2
# RUN: %python %s %t 3 x86 --cpu=x86-64-v3 -O0
"""quant.cached_attention against NumPy, to the bit.

cached_attention.py FOLDER CASES TARGET [quant-run options...]

Both widths, heads of every kind of length, shared by one to five heads of
queries; no past, pasts around a block's and a vector's length, one new token and
many; the largest integers; weights that are all far below the least one, and
scores far apart.
"""

import sys

import numpy as np
from Integration.Generic.Inputs.batch import Batch, report
from quantsim import attention

F32 = np.float32
# H, G, S, D, P; bits; which numbers
CASES = [((2, 3, 1, 64, 130), 8, "plain"), ((2, 3, 1, 64, 64), 4, "plain"),
         ((1, 1, 1, 32, 0), 8, "plain"), ((1, 5, 2, 96, 63), 4, "tiny"),
         ((1, 2, 67, 32, 5), 4, "peaked"), ((1, 4, 2, 160, 17), 8, "tiny"),
         ((1, 2, 3, 64, 70), 8, "extreme"), ((1, 2, 3, 128, 70), 4, "extreme")]


def tokens(rng, h, count, d, bits, kind):
    """(keys, scales, values, scales)."""
    top = (1 << (bits - 1)) - 1
    draw = lambda: rng.integers(-top - 1, top + 1, (h, count, d))
    scale = lambda: (rng.uniform(0.5, 2, (h, count)) / top).astype(F32)
    keys, values = draw(), draw()
    value_scale = scale()
    if kind == "extreme":
        keys[:], values[:] = -top - 1, rng.choice([-top - 1, top], (h, count, d))
    elif kind == "tiny":
        value_scale = (value_scale * F32(1e-35)).astype(F32)
    return keys, scale(), values, value_scale


def case(batch, rng, size, bits, kind, dynamic):
    h, g, s, d, p = size
    query = rng.integers(-128, 128, (h, g, s, d))
    if kind == "extreme":
        query[:] = -128
    query_scale = (rng.uniform(0.2, 4, (h, g, s)) / 127 / d ** 0.5).astype(F32)
    if kind == "peaked":
        query_scale = (query_scale * F32(40)).astype(F32)
    past, new = (tokens(rng, h, n, d, bits, kind) for n in (p, s))
    operands = [query.astype(np.int8), query_scale]
    for keys, key_scale, values, value_scale in (past, new):
        words = attention.pack(keys, bits)
        operands += [np.ascontiguousarray(words.swapaxes(1, 2)), key_scale,
                     attention.pack(values, bits), value_scale]
    w, types = d * bits // 32, []
    if dynamic:
        types = [f"tensor<{h}x{g}x?x{d}xi8>", f"tensor<{h}x{g}x?xf32>"] + 2 * [
            f"tensor<{h}x{w}x?xi32>", f"tensor<{h}x?xf32>", f"tensor<{h}x?x{w}xi32>",
            f"tensor<{h}x?xf32>"]
    y = batch.attention("quant.cached_attention",
                        [batch.argument(a) for a in operands], (2, 6),
                        f"bits = {bits}", (s, h, g, d), types)
    expected = attention.cached_attention(query, query_scale, past, new)
    assert np.isfinite(expected).all()
    batch.expect(y, expected, f"cached_attention {size} int{bits} {kind}")


def main(folder, cases, target, *options):
    rng, batch = np.random.default_rng(5), Batch()
    for i, (size, bits, kind) in enumerate(CASES[:int(cases)]):
        case(batch, rng, size, bits, kind, dynamic=i % 2 == 0)
    return report([(batch, folder)], target, *options)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
