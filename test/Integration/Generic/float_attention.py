# RUN: %python %s %t 7 generic
# RUN: %python %s %t 7 x86 --threads=2
# RUN: %python %s %t 7 x86 --cpu=x86-64-v3
"""quant.float_attention against NumPy, to the bit.

float_attention.py FOLDER CASES TARGET [quant-run options...]

Heads of every kind of length, shared by one to nine heads of queries: less, as
many and more than a tile has rows; no past, pasts around a vector's and a step's
length, one new token, some and many; scores far apart; values that are not finite
behind what a token sees.
"""

import sys

import numpy as np
from Integration.Generic.Inputs.batch import Batch, report
from quantsim import attention

F32 = np.float32
# H, G, S, D, P; which numbers
CASES = [((2, 3, 1, 64, 130), "plain"), ((1, 3, 7, 64, 63), "plain"),
         ((1, 1, 37, 16, 0), "peaked"), ((2, 9, 2, 96, 17), "plain"),
         ((1, 4, 5, 6, 33), "infinite"), ((1, 1, 9, 20, 129), "infinite"),
         ((3, 8, 1, 128, 0), "plain")]


def case(batch, rng, size, kind, dynamic):
    h, g, s, d, p = size
    draw = lambda *shape: rng.standard_normal(shape).astype(F32)
    query = draw(h, g, s, d)
    if kind == "peaked":
        query *= F32(30)
    past, new = ([draw(h, n, d), draw(h, n, d)] for n in (p, s))
    if kind == "infinite":
        new[1][:, s // 2 + 1:] = np.inf
    operands = [query]
    for keys, values in (past, new):
        operands += [np.ascontiguousarray(keys.swapaxes(1, 2)), values]
    types = []
    if dynamic:
        types = [f"tensor<{h}x{g}x?x{d}xf32>"] + 2 * [
            f"tensor<{h}x{d}x?xf32>", f"tensor<{h}x?x{d}xf32>"]
    scale = d ** -0.5
    y = batch.attention("quant.float_attention",
                        [batch.argument(a) for a in operands], (1, 3),
                        f"scale = {scale:.17e}", (s, h, g, d), types)
    expected = attention.float_attention(query, past, new, scale)
    assert np.isfinite(expected[:s // 2 + 1]).all()
    batch.expect(y, expected, f"float_attention {size} {kind}")


def main(folder, cases, target, *options):
    rng, batch = np.random.default_rng(6), Batch()
    for i, (size, kind) in enumerate(CASES[:int(cases)]):
        case(batch, rng, size, kind, dynamic=i % 2 == 0)
    return report([(batch, folder)], target, *options)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
