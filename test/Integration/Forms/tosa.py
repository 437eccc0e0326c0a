# RUN: %python %s %build
"""Quantized TOSA programs: every result equal to the specification's integers.

tosa.matmul, tosa.conv2d and a dense layer as a 1x1 convolution, of int8 with
zero points, and tosa.rescale of their sums, per tensor and per channel, with
both roundings, to int8, uint8 and int16; what goes through upstream's
decompositions: transposed convolutions, average pools, 16-bit multipliers.
"""

import pathlib
import sys
import tempfile

import numpy as np

import forms
from quantsim import arith

TARGETS = sys.argv[2].split(",") if len(sys.argv) > 2 else ["generic", "x86"]
RANGE = {"i8": (-128, 127), "ui8": (0, 255), "i16": (-32768, 32767)}


def const(name, array, kind):
    array = np.asarray(array)
    element = {"i8": "<i1", "i16": "<i2", "i32": "<i4"}[kind]
    text = array.astype(element).tobytes().hex().upper()
    t = forms.tensor(array.shape, kind)
    return (f'    %{name} = "tosa.const"() <{{values = dense<"0x{text}"> : '
            f"{t}}}> : () -> {t}\n")


class Rescale:
    """Multiplier and shift for sums of about `size`."""

    def __init__(self, rng, channels, size, output, zero, double):
        n = channels or 1
        self.multiplier = rng.integers(1 << 30, 1 << 31, n)
        self.shift = np.full(n, 30 + int(np.log2(size / 100)))
        self.shift -= rng.integers(0, 2, n)
        self.output, self.zero, self.double = output, zero, double
        self.per_channel = channels is not None

    def __call__(self, acc):
        y = arith.rescale_fixed_point(
            acc, self.multiplier, self.shift, self.double,
            output_zero_point=self.zero, qrange=RANGE[self.output])
        return y.astype({"i8": np.int8, "ui8": np.uint8,
                         "i16": np.int16}[self.output])

    def text(self, acc, shape):
        kind = self.output.lstrip("u")
        n = len(self.multiplier)
        zero = (self.zero + 128) % 256 - 128 if kind == "i8" else self.zero
        out = forms.tensor(shape, kind)
        return (const("m", self.multiplier, "i32")
                + const("s", self.shift, "i8") + const("zi", [0], "i32")
                + const("zo", [zero], kind) + f"""
    %y = tosa.rescale {acc}, %m, %s, %zi, %zo {{input_unsigned = false,
      output_unsigned = {str(self.output[0] == 'u').lower()},
      per_channel = {str(self.per_channel).lower()}, scale32 = true,
      rounding_mode = {'DOUBLE' if self.double else 'SINGLE'}_ROUND}}
      : ({forms.tensor(shape, 'i32')}, tensor<{n}xi32>, tensor<{n}xi8>,
         tensor<1xi32>, tensor<1x{kind}>) -> {out}
""")


def function(x, y, kind, body):
    x, y = forms.tensor(x, "i8"), forms.tensor(y, kind)
    return (f"module {{\n  func.func @main(%x: {x}) -> {y} {{\n{body}"
            f"    return %y : {y}\n  }}\n}}\n")


def matmul(rng, m, k, n, rescale, zx):
    """A [1, K, N] weight, as TOSA holds a dense layer."""
    t = forms.tensor
    w = rng.integers(-128, 128, (k, n))
    body = const("w", w[None], "i8") + const("zx", [zx], "i8")
    body += const("zw", [0], "i8") + f"""
    %acc = tosa.matmul %x, %w, %zx, %zw : ({t((1, m, k), 'i8')},
      {t((1, k, n), 'i8')}, tensor<1xi8>, tensor<1xi8>)
      -> {t((1, m, n), 'i32')}
""" + rescale.text("%acc", (1, m, n))
    x = rng.integers(-128, 128, (1, m, k)).astype(np.int8)
    expected = rescale((x.astype(np.int64) - zx) @ w)
    return function(x.shape, expected.shape, rescale.output.lstrip("u"),
                    body), x, expected


def conv2d(rng, image, window, c, f, rescale, zx, pad=0, stride=1):
    t = forms.tensor
    (h, w), (kh, kw) = image, window
    weight = rng.integers(-128, 128, (f, kh, kw, c))
    bias = rng.integers(-3000, 3000, f)
    x = rng.integers(-128, 128, (1, h, w, c)).astype(np.int8)
    oh = (h + 2 * pad - kh) // stride + 1
    ow = (w + 2 * pad - kw) // stride + 1
    padded = np.pad(x.astype(np.int64) - zx,
                    ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    acc = np.zeros((1, oh, ow, f), np.int64) + bias
    for i in range(kh):
        for j in range(kw):
            part = padded[:, i:i + (oh - 1) * stride + 1:stride,
                          j:j + (ow - 1) * stride + 1:stride]
            acc += part @ weight[:, i, j].T
    body = (const("w", weight, "i8") + const("b", bias, "i32")
            + const("zx", [zx], "i8") + const("zw", [0], "i8") + f"""
    %acc = tosa.conv2d %x, %w, %b, %zx, %zw {{acc_type = i32,
      dilation = array<i64: 1, 1>,
      pad = array<i64: {pad}, {pad}, {pad}, {pad}>,
      stride = array<i64: {stride}, {stride}>}} : ({t(x.shape, 'i8')},
      {t(weight.shape, 'i8')}, {t((f,), 'i32')}, tensor<1xi8>, tensor<1xi8>)
      -> {t(acc.shape, 'i32')}
""" + rescale.text("%acc", acc.shape))
    return function(x.shape, acc.shape, rescale.output.lstrip("u"),
                    body), x, rescale(acc)


def transpose_conv2d(rng, image, window, c, f, stride, zx):
    (h, w), (kh, kw), t = image, window, forms.tensor
    weight = rng.integers(-128, 128, (f, kh, kw, c))
    bias = rng.integers(-3000, 3000, f)
    x = rng.integers(-128, 128, (1, h, w, c)).astype(np.int8)
    acc = np.zeros((1, (h - 1) * stride + kh, (w - 1) * stride + kw, f),
                   np.int64) + bias
    for i in range(h):
        for j in range(w):
            part = np.tensordot(weight, x[0, i, j].astype(np.int64) - zx, 1)
            acc[0, i * stride:i * stride + kh, j * stride:j * stride + kw] += \
                np.moveaxis(part, 0, -1)
    body = (const("w", weight, "i8") + const("b", bias, "i32")
            + const("zx", [zx], "i8") + const("zw", [0], "i8") + f"""
    %y = tosa.transpose_conv2d %x, %w, %b, %zx, %zw {{acc_type = i32,
      out_pad = array<i64: 0, 0, 0, 0>,
      stride = array<i64: {stride}, {stride}>}} : ({t(x.shape, 'i8')},
      {t(weight.shape, 'i8')}, {t((f,), 'i32')}, tensor<1xi8>, tensor<1xi8>)
      -> {t(acc.shape, 'i32')}
""")
    return function(x.shape, acc.shape, "i32", body), x, acc.astype(np.int32)


def avg_pool2d(rng, size, channels, kernel, zero):
    """The specification's reciprocal of the number of elements, which is
    smaller where the window hangs over the first row or column."""
    x = rng.integers(-128, 128, (1, size, size, channels)).astype(np.int8)
    out = (size + 1 - kernel) // 2 + 1
    y = np.zeros((1, out, out, channels), np.int8)
    for i in range(out):
        for j in range(out):
            window = x[0, max(2 * i - 1, 0):2 * i - 1 + kernel,
                       max(2 * j - 1, 0):2 * j - 1 + kernel]
            count = window.shape[0] * window.shape[1]
            k = (count - 1).bit_length()
            multiplier, shift = (((1 << 30) + 1) << k) // count, 30 + k
            acc = (window.astype(np.int64) - zero).sum((0, 1))
            rounded = (acc * multiplier + (1 << (shift - 1))) >> shift
            y[0, i, j] = np.clip(rounded + zero, -128, 127)
    t = forms.tensor
    body = const("zi", [zero], "i8") + const("zo", [zero], "i8") + f"""
    %y = tosa.avg_pool2d %x, %zi, %zo {{acc_type = i32,
      kernel = array<i64: {kernel}, {kernel}>, stride = array<i64: 2, 2>,
      pad = array<i64: 1, 0, 1, 0>}} : ({t(x.shape, 'i8')}, tensor<1xi8>,
      tensor<1xi8>) -> {t(y.shape, 'i8')}
"""
    return function(x.shape, y.shape, "i8", body), x, y


def narrow_multiplier(rng, multiplier, shift, zero):
    """scale32 = false: a multiplier of 16 bits, of bytes here."""
    x = rng.integers(-128, 128, (3, 50)).astype(np.int8)
    y = np.clip(((x.astype(np.int64) * multiplier + (1 << (shift - 1)))
                 >> shift) + zero, -128, 127).astype(np.int8)
    t = forms.tensor(x.shape, "i8")
    body = (const("m", [multiplier], "i16") + const("s", [shift], "i8")
            + const("zi", [0], "i8") + const("zo", [zero], "i8") + f"""
    %y = tosa.rescale %x, %m, %s, %zi, %zo {{input_unsigned = false,
      output_unsigned = false, per_channel = false, scale32 = false,
      rounding_mode = SINGLE_ROUND}} : ({t}, tensor<1xi16>, tensor<1xi8>,
      tensor<1xi8>, tensor<1xi8>) -> {t}
""")
    return function(x.shape, x.shape, "i8", body), x, y


def programs(rng):
    yield "transpose_conv2d", *transpose_conv2d(rng, (4, 5), (3, 2), 3, 5, 2,
                                                -128)
    yield "avg_pool2d", *avg_pool2d(rng, 6, 5, 3, 7)
    yield "narrow_multiplier", *narrow_multiplier(rng, 20000, 14, -5)
    for m, k, n in ((5, 64, 17), (1, 33, 8), (16, 130, 32)):
        size = 5000 * np.sqrt(k)
        for double in (False, True):
            yield (f"matmul_{m}x{k}x{n}_{double}",
                   *matmul(rng, m, k, n,
                           Rescale(rng, None, size, "i8", -3, double), 7))
        yield (f"matmul_channels_{m}x{k}x{n}",
               *matmul(rng, m, k, n,
                       Rescale(rng, n, size, "ui8", 131, True), -128))
    for image, window, c, f, pad, stride in (
            ((6, 7), (3, 3), 5, 9, 1, 1), ((9, 8), (3, 2), 4, 16, 0, 2),
            ((1, 1), (1, 1), 40, 12, 0, 1), ((5, 4), (1, 1), 8, 33, 0, 1)):
        size = 5000 * np.sqrt(c * window[0] * window[1])
        name = f"conv2d_{image}_{window}_p{pad}_s{stride}"
        yield (name, *conv2d(rng, image, window, c, f,
                             Rescale(rng, f, size, "i8", 11, True), -128,
                             pad, stride))
        yield (name + "_i16", *conv2d(rng, image, window, c, f,
                                      Rescale(rng, None, size, "i16", 0,
                                              False), 3, pad, stride))


def main():
    rng = np.random.default_rng(5)
    failed = count = 0
    with tempfile.TemporaryDirectory() as name:
        for form, text, x, expected in programs(rng):
            for target in TARGETS:
                count += 1
                try:
                    got = forms.run(text, x, target, "", pathlib.Path(name))
                except RuntimeError as error:
                    failed += 1
                    print(f"FAIL {form} {target}: {error}")
                    continue
                got = got.view(expected.dtype)
                if not np.array_equal(got, expected):
                    failed += 1
                    print(f"FAIL {form} {target}: "
                          f"{int((got != expected).sum())} of {got.size} "
                          "elements differ")
    print(f"{count} runs, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
