# RUN: %python %s %build
"""Convolutions in every layout, quantized and run on both targets.

Padded, strided, dilated, of one point, with one, two and three dimensions,
with the bias that exporters put into the init. The result is NumPy's to the
bit: a window is a row of the matmul, in the order in which the filter has it.
"""

import itertools
import pathlib
import sys
import tempfile

import numpy as np

import forms
from quantsim import schemes

TARGETS = sys.argv[2].split(",") if len(sys.argv) > 2 else ["generic", "x86"]
LETTERS = {"nchw_fchw": ("nchw", "fchw"), "nhwc_hwcf": ("nhwc", "hwcf"),
           "nhwc_fhwc": ("nhwc", "fhwc"), "nwc_wcf": ("nwc", "wcf"),
           "ncw_fcw": ("ncw", "fcw"), "ndhwc_dhwcf": ("ndhwc", "dhwcf")}


class Convolution:
    """Sizes by letter: `image` and `window` those of each dimension."""

    def __init__(self, layout, batch, image, window, channels, features,
                 stride=1, dilation=1, pad=0, dynamic=False):
        self.layout, self.stride, self.dilation = layout, stride, dilation
        self.input, self.filter = LETTERS[layout]
        self.space = [c for c in self.input if c not in "nc"]
        self.window = dict(zip(self.space, window))
        self.pad, self.dynamic = pad, dynamic
        self.sizes = {"n": batch, "c": channels, "f": features,
                      **dict(zip(self.space, image))}
        self.out = {c: (self.sizes[c] + 2 * pad - 1
                        - dilation * (self.window[c] - 1)) // stride + 1
                    for c in self.space}
        self.name = (f"{layout}_{'x'.join(map(str, image))}_w"
                     f"{'x'.join(map(str, window))}_s{stride}_d{dilation}"
                     f"_p{pad}{'_dynamic' * dynamic}")

    def x_shape(self, pad=0):
        return tuple(self.sizes[c] + 2 * pad * (c in self.space)
                     for c in self.input)

    def w_shape(self):
        return tuple(self.window.get(c, self.sizes[c]) for c in self.filter)

    def y_shape(self):
        out = dict(self.out, n=self.sizes["n"], c=self.sizes["f"])
        return tuple(out[c] for c in self.input)

    def typed(self, shape):
        """The batch is dynamic where that is asked for."""
        return (None,) + shape[1:] if self.dynamic else shape

    def body(self, bias):
        """The program: pad, broadcast the bias, convolve."""
        t = forms.tensor
        x, y = self.typed(self.x_shape()), self.typed(self.y_shape())
        padded = self.typed(self.x_shape(self.pad))
        rank, channel = len(y), self.input.index("c")
        text, source, sizes = "", "%x", ""
        if self.pad:
            low = ", ".join(str(self.pad * (c in self.space))
                            for c in self.input)
            indices = ", ".join(f"%i{d}: index" for d in range(rank))
            text += f"""
    %zero = arith.constant 0.0 : f32
    %padded = tensor.pad %x low[{low}] high[{low}] {{
    ^bb0({indices}):
      tensor.yield %zero : f32
    }} : {t(x)} to {t(padded)}"""
            source = "%padded"
        if self.dynamic:
            text += f"""
    %c0 = arith.constant 0 : index
    %n = tensor.dim %x, %c0 : {t(x)}"""
            sizes = "%n"
        dims = ", ".join(str(d) for d in range(rank) if d != channel)
        words = f"dense<{{}}> : tensor<{len(self.space)}xi64>"
        values = ", ".join(f"{v:.9e}" for v in bias)
        return text + f"""
    %bias = arith.constant dense<[{values}]> : {t(bias.shape)}
    %empty = tensor.empty({sizes}) : {t(y)}
    %init = linalg.broadcast ins(%bias : {t(bias.shape)})
      outs(%empty : {t(y)}) dimensions = [{dims}]
    %y = linalg.conv_{len(self.space)}d_{self.layout}
      {{strides = {words.format(self.stride)},
       dilations = {words.format(self.dilation)}}}
      ins({source}, %w : {t(padded)}, {t(self.w_shape())})
      outs(%init : {t(y)}) -> {t(y)}"""

    def rows(self, x):
        """Each window as a row, in the filter's order."""
        pads = [(self.pad * (c in self.space),) * 2 for c in self.input]
        x = np.pad(x, pads)
        order = [c for c in self.filter if c != "f"]
        ranges = [range(self.window.get(c, self.sizes[c])) for c in order]
        columns = []
        for point in itertools.product(*ranges):
            at = dict(zip(order, point))
            index = []
            for c in self.input:
                if c == "n":
                    index.append(slice(None))
                elif c == "c":
                    index.append(at["c"])
                else:
                    begin = at[c] * self.dilation
                    index.append(slice(
                        begin, begin + (self.out[c] - 1) * self.stride + 1,
                        self.stride))
            columns.append(x[tuple(index)].reshape(-1))
        return np.ascontiguousarray(np.stack(columns, 1))

    def weight(self, w):
        """The filter as `[N, K]`."""
        rest = [i for i, c in enumerate(self.filter) if c != "f"]
        w = w.transpose([self.filter.index("f")] + rest)
        return np.ascontiguousarray(w.reshape(w.shape[0], -1))

    def result(self, rows):
        """The rows of the product in the result's layout."""
        order = "n" + "".join(self.space) + "c"
        shape = dict(zip(self.input, self.y_shape()))
        rows = rows.reshape([shape[c] for c in order])
        return rows.transpose([order.index(c) for c in self.input])


def convolutions():
    for layout in ("nchw_fchw", "nhwc_hwcf", "nhwc_fhwc"):
        yield Convolution(layout, 1, (7, 9), (3, 3), 5, 6, pad=1)
        yield Convolution(layout, 2, (9, 8), (3, 2), 3, 17, stride=2)
        yield Convolution(layout, 1, (6, 5), (1, 1), 19, 4)
        yield Convolution(layout, 1, (1, 1), (1, 1), 8, 33)
        yield Convolution(layout, 1, (7, 7), (1, 1), 4, 5, stride=2)
    yield Convolution("nhwc_hwcf", 1, (11, 10), (3, 3), 4, 8, dilation=2)
    yield Convolution("nchw_fchw", 3, (5, 6), (3, 3), 2, 7, pad=1,
                      dynamic=True)
    yield Convolution("nhwc_fhwc", 2, (4, 4), (1, 1), 6, 5, dynamic=True)
    yield Convolution("nwc_wcf", 2, (12,), (4,), 3, 5)
    yield Convolution("ncw_fcw", 1, (9,), (3,), 4, 3, stride=2, pad=1)
    yield Convolution("ndhwc_dhwcf", 1, (4, 5, 4), (2, 3, 2), 2, 5)


def main():
    rng = np.random.default_rng(11)
    failed = count = 0
    with tempfile.TemporaryDirectory() as name:
        for c in convolutions():
            x = rng.normal(size=c.x_shape()).astype(np.float32)
            w = rng.normal(size=c.w_shape()).astype(np.float32)
            bias = rng.normal(size=c.sizes["f"]).astype(np.float32)
            text = forms.program(c.body(bias), c.typed(c.x_shape()), w,
                                 c.typed(c.y_shape()))
            for scheme in forms.SCHEMES:
                linear = schemes.QuantLinear(schemes.Scheme.parse(scheme))
                expected = c.result(linear(c.rows(x), c.weight(w)) + bias)
                for target in TARGETS:
                    count += 1
                    try:
                        got = forms.run(text, x, target, scheme,
                                        pathlib.Path(name))
                    except RuntimeError as error:
                        failed += 1
                        print(f"FAIL {c.name} {target} {scheme}: {error}")
                        continue
                    if not np.array_equal(got, expected):
                        failed += 1
                        print(f"FAIL {c.name} {target} {scheme}: max "
                              f"difference {np.abs(got - expected).max()}")
    print(f"{count} runs, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
