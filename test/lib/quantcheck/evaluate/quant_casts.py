"""`quant.qcast`, `dcast` and `scast` in NumPy, by SEMANTICS.

    q = clamp(roundeven(x / s) + z, qmin, qmax)          x = s * (q - z)

NaN becomes z. The ops are named `quantcheck.` here, see the package. Types: of the tensor, along an axis, by blocks; any width.
"""

import re

import numpy as np

from quantcheck.evaluate.body import Unsupported
from quantcheck.generic_form import split, tensor_type, wrap


class Uniform:
    """A `!quant.uniform<...>` type, with scales for a tensor's shape."""

    def __init__(self, text, shape):
        inner = re.fullmatch(r"!quant\.uniform<(.*)>", text, re.S)
        if not inner:
            raise Unsupported(text)
        kind, scales = split(inner.group(1))
        found = re.fullmatch(r"([iu])(\d+)(?:<(-?\d+):(-?\d+)>)?:"
                             r"(\w+)(?::(.*))?", kind, re.S)
        sign, bits, low, high, self.real, axes = found.groups()
        self.bits, self.signed = int(bits), sign == "i"
        top = 2**(self.bits - 1)
        self.low = int(low) if low else (-top if self.signed else 0)
        self.high = int(high) if high else (top - 1 if self.signed
                                            else 2 * top - 1)
        self.set_scales(scales, axes, shape)

    def set_scales(self, text, axes, shape):
        pairs = [(float(s), int(z or 0)) for s, z in
                 re.findall(r"([-\d.eE+]+)(?::(-?\d+))?", text)]
        scale = np.array([s for s, _ in pairs], np.float32)
        zero = np.array([z for _, z in pairs], np.int64)
        if axes is None:
            self.scale, self.zero = scale[0], zero[0]
        elif axes.startswith("{"):  # blocks: {0:1, 1:32}
            block = dict((int(d), int(n)) for d, n in
                         re.findall(r"(\d+):(\d+)", axes))
            sizes = [block.get(d, n) for d, n in enumerate(shape)]
            counts = [n // b for n, b in zip(shape, sizes)]
            self.scale, self.zero = scale.reshape(counts), zero.reshape(counts)
            for d, b in enumerate(sizes):
                self.scale = np.repeat(self.scale, b, d)
                self.zero = np.repeat(self.zero, b, d)
        else:
            along = [1] * len(shape)
            along[int(axes)] = len(pairs)
            self.scale, self.zero = scale.reshape(along), zero.reshape(along)

    def quantize(self, x):
        with np.errstate(all="ignore"):
            q = np.rint(x.astype(np.float32) / self.scale).astype(np.float64)
            q = np.where(np.isnan(q), self.zero,
                         np.clip(np.nan_to_num(q + self.zero, nan=0.0),
                                 self.low, self.high))
        return wrap(q.astype(np.int64), self.bits)

    def dequantize(self, stored):
        q = stored if self.signed else stored & ((1 << self.bits) - 1)
        return ((q - self.zero).astype(np.float32) *
                self.scale).astype(np.float32)


def run(op, operand):
    (source,), (target,) = op.types()
    if op.name == "quantcheck.qcast":
        return Uniform(tensor_type(target)[1], np.shape(operand)).quantize(
            np.asarray(operand))
    if op.name == "quantcheck.dcast":
        return Uniform(tensor_type(source)[1], np.shape(operand)).dequantize(
            np.asarray(operand))
    if op.name == "quantcheck.scast":
        return operand
    raise Unsupported(op.name)
