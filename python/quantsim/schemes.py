"""Schemes: what `linear(x, w)` of a model is replaced by.

A model's forward function calls `linear(x, w, transpose)` for every product
with a weight. `FloatLinear` is the float program, `QuantLinear` the integer
one under a `Scheme`, whose fields are the options of `quant-quantize-matmul`.
"""

from dataclasses import dataclass

import numpy as np

from quantsim import arith


@dataclass(frozen=True)
class Scheme:
    weight_bits: int = 8
    activation_bits: int = 8
    weights: str = "channel"  # or tensor
    activations: str = "dynamic-token"  # or dynamic-tensor, float
    symmetric: bool = True  # False: activations are asymmetric

    @staticmethod
    def parse(options):
        """From the pass's option text: `weights=channel weight-bits=4 ...`."""
        fields = {}
        for item in options.split():
            key, _, value = item.partition("=")
            key = key.replace("-", "_")
            if key not in Scheme.__dataclass_fields__:
                raise ValueError(f"unknown option `{item}`")
            kind = type(getattr(Scheme, key))
            fields[key] = value == "true" if kind is bool else kind(value)
        return Scheme(**fields)


def full_range(bits):
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1


def _float_matmul(x, w, transpose):
    """Float32 product with the sums in float64: below one rounding of it."""
    w = w.T if transpose else w
    return np.matmul(x.astype(np.float64),
                     w.astype(np.float64)).astype(np.float32)


class FloatLinear:
    """The float program."""

    def __call__(self, x, w, transpose=True):
        return _float_matmul(x, w, transpose)


class QuantLinear:
    """Quantize x, multiply integers, rescale; counts the matmuls it saw."""

    def __init__(self, scheme):
        self.scheme = scheme
        self.count = 0
        self.integers = []  # (qx, acc) of every call, if `keep` is set
        self.keep = False
        self._weights = {}

    def quantize_weight(self, w, transpose):
        """Integers and scale of a weight, computed once for each array."""
        key = (id(w), transpose)
        if key not in self._weights:
            qrange = full_range(self.scheme.weight_bits)
            axes = ()
            if self.scheme.weights == "channel":
                axes = (0,) if transpose else (1,)
            scale, _ = arith.choose_qparams(w, axes, qrange)
            q = arith.quantize(w, scale, axes=axes, qrange=qrange)
            self._weights[key] = (w, q, scale)
        return self._weights[key][1:]

    def __call__(self, x, w, transpose=True):
        self.count += 1
        s = self.scheme
        qw, sw = self.quantize_weight(w, transpose)
        if s.activations == "float":
            axes = () if sw.ndim == 0 else ((0,) if transpose else (1,))
            return _float_matmul(x, arith.dequantize(qw, sw, axes=axes),
                                 transpose)
        qrange = full_range(s.activation_bits)
        axes = ()
        if s.activations == "dynamic-token":
            axes = tuple(range(x.ndim - 1))
        sx, zx = arith.choose_qparams(x, axes, qrange, s.symmetric)
        qx = arith.quantize(x, sx, zx, axes, qrange)
        acc = arith.matmul_i32(qx, qw, zx, 0, transpose)
        if self.keep:
            self.integers.append((qx, acc))
        return arith.rescale(acc, row_scale=sx, channel_scale=sw)
