# RUN: %python %s %t generic -O0
# RUN: %python %s %t x86 -O0
# RUN: %python %s %t x86 --cpu=x86-64 -O0
"""Block-scaled tensors as upstream writes them, against NumPy.

microscaling.py FOLDER TARGET [quant-run options...]

arith.scaling_extf of E2M1 numbers and E8M0 scales as a weight, with float
activations and with activations that the program itself brings to E2M1
(arith.scaling_truncf); TOSA's cast_to_block_scaled, cast_from_block_scaled and
matmul_t_block_scaled; MXINT8; weights of f8E4M3FN, which are widened. Sums of
blocks are integers, so that results are equal to the bit; with float activations
up to the order of the sum.
"""

import sys

import numpy as np
from Integration.Generic.Inputs.batch import Batch
from quantsim import formats

F32 = np.float32
CODES = np.array(formats.FORMATS["mxfp4"].codes, np.int64)
BLOCK = 32


def dense(numbers, shape, kind):
    """A constant from the bits of its elements, a byte each."""
    text = np.asarray(numbers, np.uint8).tobytes().hex().upper()
    return f'dense<"0x{text}"> : tensor<{"x".join(map(str, shape))}x{kind}>'


def weight(rng, n, k):
    """(numbers of E2M1, bytes of E8M0, integers, scales in f32 for those)."""
    numbers = rng.integers(0, 16, (n, k))
    bits = rng.integers(117, 132, (n, k // BLOCK))
    return numbers, bits, CODES[numbers], (2.0 ** (bits - 128)).astype(F32)


def blocks(x):
    """(integers, scales in f32 for those) as OCP MX makes E2M1 of x, [.., K]."""
    parts = x.reshape(*x.shape[:-1], -1, BLOCK)
    largest = np.abs(parts).max(-1)
    exponent = np.maximum((largest.view(np.uint32) >> 23).astype(np.int64) - 2, 0)
    scale = 2.0 ** (exponent - 127)
    quotient = (parts / scale[..., None]).astype(F32)
    ints = CODES[formats.nearest_codes(2.0 * quotient, CODES)]
    return ints.reshape(x.shape), (scale / 2).astype(F32)


def product(qx, sx, qw, sw):
    """Of [M, K] and [N, K]: exact sums of blocks, then one rounding each."""
    y = np.zeros((len(qx), len(qw)), F32)
    for b in range(sw.shape[1]):
        part = slice(b * BLOCK, (b + 1) * BLOCK)
        acc = qx[:, part] @ qw[:, part].T
        scales = sx[:, b, None] * sw[None, :, b]
        y = (acc.astype(np.float64) * scales + y).astype(F32)
    return y


def contraction(batch, x, w, m, n, k):
    """x [M, K] by w [N, K]."""
    t = f"tensor<{m}x{n}xf32>"
    zero, _ = batch.line("arith.constant 0.0 : f32", "f32")
    empty, _ = batch.line(f"tensor.empty() : {t}", t)
    init, _ = batch.line(
        f"linalg.fill ins({zero} : f32) outs({empty} : {t}) -> {t}", t)
    return batch.line(
        "linalg.contract indexing_maps = [affine_map<(m, n, k) -> (m, k)>, "
        "affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] "
        f"ins({x}, {w} : tensor<{m}x{k}xf32>, tensor<{n}x{k}xf32>) "
        f"outs({init} : {t}) -> {t}", t)


def spread(batch, scales, rows, k, kind):
    """A scale for each of [rows, K / B, B], repeated by linalg.broadcast."""
    t = f"tensor<{rows}x{k // BLOCK}x{BLOCK}x{kind}>"
    empty, _ = batch.line(f"tensor.empty() : {t}", t)
    return batch.line(
        f"linalg.broadcast ins({scales} : tensor<{rows}x{k // BLOCK}x{kind}>) "
        f"outs({empty} : {t}) dimensions = [2]", t)


def merged(batch, value, rows, k):
    t = f"tensor<{rows}x{k}xf32>"
    return batch.line(
        f"tensor.collapse_shape {value} [[0], [1, 2]] : "
        f"tensor<{rows}x{k // BLOCK}x{BLOCK}xf32> into {t}", t)[0]


def extended(batch, data, scales, rows, k, kind="f4E2M1FN"):
    """arith.scaling_extf of tensors, [rows, K]."""
    split = f"{rows}x{k // BLOCK}x{BLOCK}"
    wide, scale_type = spread(batch, scales, rows, k, "f8E8M0FNU")
    value, _ = batch.line(
        f"arith.scaling_extf {data}, {wide} : tensor<{split}x{kind}>, "
        f"{scale_type} to tensor<{split}xf32>", "")
    return merged(batch, value, rows, k)


def arith_weight(batch, numbers, bits, n, k):
    data, _ = batch.line("arith.constant " + dense(
        numbers, (n, k // BLOCK, BLOCK), "f4E2M1FN"), "")
    scales, _ = batch.line("arith.constant " + dense(
        bits, (n, k // BLOCK), "f8E8M0FNU"), "")
    return extended(batch, data, scales, n, k)


def tolerance(x, w):
    return 1e-5 * np.abs(x).astype(np.float64) @ np.abs(w).T.astype(np.float64)


def weight_only(batch, rng, m, n, k):
    numbers, bits, qw, sw = weight(rng, n, k)
    w = (qw.reshape(n, -1, BLOCK) * sw[..., None]).reshape(n, k)
    x = rng.standard_normal((m, k)).astype(F32)
    given, _ = batch.argument(x)
    y = contraction(batch, given, arith_weight(batch, numbers, bits, n, k), m, n, k)
    batch.expect(y, (x.astype(np.float64) @ w.T).astype(F32), "weight only",
                 tolerance(x, w))


def both_sides(batch, rng, m, n, k):
    """Activations that the program scales by powers of two of its own."""
    numbers, bits, qw, sw = weight(rng, n, k)
    x = (rng.standard_normal((m, k)) * 2.0 ** rng.integers(-9, 9, (m, 1))).astype(F32)
    # Ties of either sign, at the scale 1.
    x[0, :BLOCK] = rng.integers(-63, 64, BLOCK) / 8
    x[0, :8] = -.375, 5, .25, -.75, 1.25, -2.5, 3.5, -1.75
    qx, sx = blocks(x)
    split = f"{m}x{k // BLOCK}x{BLOCK}"
    given, _ = batch.argument(x.reshape(m, -1, BLOCK))
    scales, _ = batch.argument(2 * sx)
    wide, scale_type = spread(batch, scales, m, k, "f32")
    data, _ = batch.line(f"arith.scaling_truncf {given}, {wide} : tensor<{split}xf32>, "
                         f"{scale_type} to tensor<{split}xf4E2M1FN>", "")
    real, _ = batch.line(
        f"arith.scaling_extf {data}, {wide} : tensor<{split}xf4E2M1FN>, "
        f"{scale_type} to tensor<{split}xf32>", "")
    y = contraction(batch, merged(batch, real, m, k),
                    arith_weight(batch, numbers, bits, n, k), m, n, k)
    batch.expect(y, product(qx, sx, qw, sw), "both sides")


def tosa_product(batch, rng, m, n, k, count):
    """cast_to_block_scaled, then matmul_t_block_scaled by a shared weight."""
    numbers, bits, qw, sw = weight(rng, n, k)
    x = rng.standard_normal((count, m, k)).astype(F32)
    x[..., :BLOCK] *= F32(2.0**-130)
    x[0, 0, :BLOCK] = 0
    qx, sx = blocks(x)
    b = k // BLOCK
    given, _ = batch.argument(x)
    batch.lines.append(
        f"  %data, %scale = tosa.cast_to_block_scaled {given} "
        f"{{block_size = BLOCK_SIZE_32}} : (tensor<{count}x{m}x{k}xf32>) -> "
        f"(tensor<{count}x{m}x{k}xf4E2M1FN>, tensor<{count}x{m}x{b}xf8E8M0FNU>)")
    data, _ = batch.line('"tosa.const"() <{values = ' + dense(
        numbers, (1, n, k), "f4E2M1FN") + f"}}> : () -> tensor<1x{n}x{k}xf4E2M1FN>", "")
    scales, _ = batch.line('"tosa.const"() <{values = ' + dense(
        bits, (1, n, b), "f8E8M0FNU") + f"}}> : () -> tensor<1x{n}x{b}xf8E8M0FNU>", "")
    t = f"tensor<{count}x{m}x{n}xf32>"
    y = batch.line(
        f"tosa.matmul_t_block_scaled %data, %scale, {data}, {scales} "
        f"{{block_size = BLOCK_SIZE_32}} : (tensor<{count}x{m}x{k}xf4E2M1FN>, "
        f"tensor<{count}x{m}x{b}xf8E8M0FNU>, tensor<1x{n}x{k}xf4E2M1FN>, "
        f"tensor<1x{n}x{b}xf8E8M0FNU>) -> {t}", t)
    expected = product(qx.reshape(-1, k), sx.reshape(-1, b), qw, sw)
    batch.expect(y, expected.reshape(count, m, n), "tosa")


def e4m3(batch, rng, m, n, k):
    """No integers of 8 bits: widened, and multiplied in floats."""
    values = np.concatenate([formats.E4M3, -formats.E4M3])
    numbers = rng.integers(0, 0x7F, (n, k)) + 0x80 * rng.integers(0, 2, (n, k))
    bits = rng.integers(120, 130, (n, k // BLOCK))
    index = np.where(numbers < 0x80, numbers, numbers - 1)
    w = values[index].reshape(n, -1, BLOCK) * (2.0 ** (bits - 127))[..., None]
    w = w.reshape(n, k)
    data, _ = batch.line("arith.constant " + dense(
        numbers, (n, k // BLOCK, BLOCK), "f8E4M3FN"), "")
    scales, _ = batch.line("arith.constant " + dense(
        bits, (n, k // BLOCK), "f8E8M0FNU"), "")
    x = rng.standard_normal((m, k)).astype(F32)
    given, _ = batch.argument(x)
    y = contraction(batch, given,
                    extended(batch, data, scales, n, k, "f8E4M3FN"), m, n, k)
    batch.expect(y, (x.astype(np.float64) @ w.T).astype(F32), "e4m3",
                 tolerance(x, w))


def mxint8(batch, rng, m, n, k):
    """Elements of MXINT8 are a type without values: a resource holds bytes, so
    that here they are i8 and their step of 2^-6 is the program's own."""
    ints = rng.integers(-128, 128, (n, k))
    bits = rng.integers(117, 132, (n, k // BLOCK))
    sw = (2.0 ** (bits - 133)).astype(F32)
    w = (ints.reshape(n, -1, BLOCK) * sw[..., None]).reshape(n, k)
    split = f"{n}x{k // BLOCK}x{BLOCK}"
    data, _ = batch.line("arith.constant " + dense(
        ints & 255, (n, k // BLOCK, BLOCK), "i8"), "")
    scales, _ = batch.line("arith.constant " + dense(
        bits, (n, k // BLOCK), "f8E8M0FNU"), "")
    wide, scale_type = spread(batch, scales, n, k, "f8E8M0FNU")
    real, _ = batch.line(f"arith.sitofp {data} : tensor<{split}xi8> to tensor<{split}xf32>", "")
    step, _ = batch.line(f"arith.constant dense<0.015625> : tensor<{split}xf32>", "")
    unit, _ = batch.line(f"arith.mulf {real}, {step} : tensor<{split}xf32>", "")
    factor, _ = batch.line(f"arith.extf {wide} : {scale_type} to tensor<{split}xf32>", "")
    value, _ = batch.line(f"arith.mulf {unit}, {factor} : tensor<{split}xf32>", "")
    x = rng.standard_normal((m, k)).astype(F32)
    given, _ = batch.argument(x)
    y = contraction(batch, given, merged(batch, value, n, k), m, n, k)
    batch.expect(y, (x.astype(np.float64) @ w.T).astype(F32), "mxint8",
                 tolerance(x, w))


def main():
    folder, target, *options = sys.argv[1:]
    rng = np.random.default_rng(4)
    batch = Batch()
    weight_only(batch, rng, 3, 17, 64)
    both_sides(batch, rng, 5, 19, 96)
    both_sides(batch, rng, 1, 16, 64)
    tosa_product(batch, rng, 3, 18, 96, 2)
    e4m3(batch, rng, 2, 9, 64)
    mxint8(batch, rng, 2, 9, 64)
    sys.exit(1 if batch.run(folder, f"--target={target}", *options) else 0)


main()
