# RUN: %python %s %t generic -O0
# RUN: %python %s %t x86
# RUN: %python %s %t x86 -O0
# RUN: %python %s %t x86 --cpu=x86-64 -O0
# RUN: %python %s %t x86 --threads=2 -O0
"""quant.quantize_blocks against NumPy, to the bit.

quantize_blocks.py FOLDER TARGET [quant-run options...]

Blocks of every length around a vector's, whose elements are multiples of one
half of the scale and up to four floats beside them; largest magnitudes from
denormals to the largest float; infinities, NaN, nothing but zeros; every kind of
scale; eight and four bits, and ranges that are smaller or lopsided; the sums of
blocks; the same of rotated rows.
"""

import sys

import numpy as np
from Integration.Generic.Inputs.batch import Batch, report
from quantsim import blocks, rotation

F32 = np.float32
# M, K, block
SIZES = [(1, 1, 1), (3, 5, 2), (4, 64, 16), (2, 70, 32), (3, 256, 32),
         (2, 200, 64), (2, 130, 128), (1, 640, 300), (5, 96, 100), (40, 96, 32)]
# Beside the symmetric ones of eight and four bits.
RANGES = [(-1, 1), (-5, 127), (-128, 1)]
# M, K, block, size and seed of a rotation: blocks of one and several that are
# rotated, and parts of one; rows and last blocks that end within one; a block
# that registers do not hold.
ROTATED = [(3, 64, 32, 32, 0), (2, 100, 32, 32, 3), (3, 256, 32, 128, 0),
           (2, 300, 16, 128, 7), (2, 330, 64, 128, 0), (2, 200, 128, 32, 1),
           (1, 640, 640, 128, 0), (2, 700, 320, 32, 5), (5, 96, 100, 32, 0),
           (2, 20, 16, 32, 0), (3, 150, 24, 8, 2), (1, 512, 256, 256, 0)]
KINDS = ["f32", "f16", "bf16", "e8m0", "q8_0", "mlas"]


def draw(rng, m, k, block, qmax):
    """Blocks whose largest magnitude is random bits, ordinary, or next to a
    power of two."""
    x = np.zeros((m, k), F32)
    for i in range(m):
        for begin in range(0, k, block):
            part = x[i, begin:begin + block]
            kind = rng.integers(0, 12)
            if kind < 2:
                bits = int(rng.integers(1, 0x7F800000))
            elif kind < 5:
                bits = (int(rng.integers(1, 255)) << 23) + int(rng.integers(-2, 3))
            elif kind == 11:
                bits = 0x7F7FFFFF
            else:
                bits = (int(rng.integers(110, 140)) << 23) + \
                    int(rng.integers(0, 1 << 23))
            most = np.array([min(max(bits, 1), 0x7F7FFFFF)],
                            np.uint32).view(F32)[0]
            with np.errstate(all="ignore"):
                step = F32(.5) * most / F32(qmax)
                part[:] = rng.integers(-2 * qmax, 2 * qmax + 1, part.size) * step
            near = part.view(np.int32) + rng.integers(-4, 5, part.size,
                                                      dtype=np.int32)
            near = near.view(F32)
            part[:] = np.where(np.abs(near) <= most, near, 0)
            part[rng.integers(0, part.size)] = -most if rng.integers(2) else most
            if kind == 8:
                part[:] = 0
            elif kind == 9:
                part[rng.integers(0, part.size, 1 + part.size // 8)] = rng.choice(
                    [np.nan, np.inf, -np.inf])
    return x


def case(batch, rng, size, kind, range_, turn=0, seed=0):
    m, k, block = size
    qmin, qmax = range_
    x = draw(rng, m, k, block, qmax)
    value, type_ = batch.argument(x, dynamic=bool(rng.integers(2)))
    rows = type_[len("tensor<"):].split("x")[0]
    n = -(-k // block)
    types = [f"tensor<{rows}x{k}xi8>", f"tensor<{rows}x{n}xf32>",
             f"tensor<{rows}x{n}xi32>"]
    types = types[:2 + int(rng.integers(2))]
    size = ""
    if rows == "?":
        zero = batch.line("arith.constant 0 : index", "index")
        size = batch.line(f"tensor.dim {value}, {zero[0]} : {type_}", "index")[0]
    outs = [batch.line(f"tensor.empty({size}) : {t}", t)[0] for t in types]
    name = batch.name()
    batch.lines.append(
        f"  {name}:{len(types)} = quant.quantize_blocks ins({value} : {type_}) "
        f"outs({', '.join(outs)} : {', '.join(types)}) block = {block} "
        f"range = [{qmin}, {qmax}] scales = {kind}"
        f"{f' rotation = {turn}' if turn else ''}{f' seed = {seed}' if seed else ''}"
        f" -> {', '.join(types)}")
    if turn:
        with np.errstate(all="ignore"):
            x = rotation.rotate(x, turn, seed)
    ints, scales = blocks.quantize_blocks(x, block, qmax, kind, qmin)
    sums = np.add.reduceat(ints, range(0, k, block), axis=1)
    what = f"quantize_blocks {(m, k, block)} {kind} {range_} {turn} {seed}"
    for i, expected in enumerate([ints.astype(np.int8), scales,
                                  sums.astype(np.int32)][:len(types)]):
        batch.expect((f"{name}#{i}", types[i]), expected, f"{what} result {i}")


def main(folder, target, *options):
    rng, batch = np.random.default_rng(11), Batch()
    # LLVM's optimizer takes ten times as long as all the rest.
    for size in SIZES if "-O0" in options else SIZES[2::4]:
        for kind in KINDS:
            case(batch, rng, size, kind, (-127, 127))
            if kind not in ("q8_0", "mlas"):
                case(batch, rng, size, kind, (-7, 7))
    for *size, turn, seed in ROTATED if "-O0" in options else ROTATED[2::5]:
        for kind in ("f32", "f16", "q8_0", "mlas"):
            case(batch, rng, size, kind, (-127, 127), turn, seed)
    for range_ in RANGES:
        for kind in KINDS:
            case(batch, rng, (6, 70, 32), kind, range_)
    return report([(batch, folder)], target, *options)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
