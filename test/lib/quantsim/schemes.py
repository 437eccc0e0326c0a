"""Schemes: what `linear(x, w)` of a model is replaced by.

A model's forward function calls `linear(x, w, transpose)` for every product
with a weight. `FloatLinear` is the float program, `QuantLinear` the integer
one under a `Scheme`, whose fields are the options of `quant-quantize-matmul`.
"""

from dataclasses import dataclass

import numpy as np

from quantsim import arith, blocks, formats, rotation


@dataclass(frozen=True)
class Scheme:
    weight_format: str = "int"  # or a name of formats.FORMATS, or ternary
    weight_bits: int = 8
    activation_bits: int = 8
    weights: str = "channel"  # or tensor, group
    group_size: int = 32  # with weights = group
    weight_symmetric: bool = True
    weight_scale: str = "absmax"  # or full-range
    scale_type: str = "f32"  # or f16, bf16; with weights = group
    activations: str = "dynamic-token"  # or dynamic-tensor, dynamic-block, float
    block_size: int = 32  # with activations = dynamic-block
    activation_scales: str = "f32"
    symmetric: bool = True  # False: activations are asymmetric
    rotation: str = "none"  # or hadamard32, hadamard128
    rotation_seed: int = 0

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
        if fmt := formats.FORMATS.get(fields.get("weight_format")):
            fields = {"weights": "group", "weight_bits": fmt.bits,
                      "group_size": fmt.group, **fields}
        if fields.get("weight_format") == "ternary":
            fields = {"weights": "tensor", "weight_bits": 2, **fields}
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
        self._weights, self._rotated = {}, {}

    def rotate(self, x):
        """Activations, as they are quantized."""
        return rotation.rotate(x, rotation.NAMES[self.scheme.rotation],
                               self.scheme.rotation_seed)

    def rotate_weight(self, w, transpose):
        if self.scheme.rotation == "none":
            return w
        key = (id(w), transpose)
        if key not in self._rotated:
            rows = rotation.rotate_weight(
                w if transpose else w.T, rotation.NAMES[self.scheme.rotation],
                self.scheme.rotation_seed)
            self._rotated[key] = (w, np.ascontiguousarray(
                rows if transpose else rows.T))
        return self._rotated[key][1]

    def quantize_weight(self, w, transpose):
        """Integers and scale of a weight, computed once for each array."""
        key = (id(w), transpose)
        if key not in self._weights:
            qrange = self.weight_range()
            axes = self.weight_axes(transpose)
            scale, zero = self.choose_weight_qparams(w, axes, qrange)
            q = arith.quantize(w, scale, zero, axes, qrange)
            self._weights[key] = (w, q, scale, zero)
        return self._weights[key][1:]

    def weight_range(self):
        if self.scheme.weight_format == "ternary":
            return -1, 1
        return full_range(self.scheme.weight_bits)

    def choose_weight_qparams(self, w, axes, qrange):
        if self.scheme.weight_format == "ternary":
            return arith.choose_absmean(w, axes)
        if self.scheme.weight_scale == "full-range":
            return arith.choose_full_range(w, axes, qrange)
        return arith.choose_qparams(w, axes, qrange,
                                    self.scheme.weight_symmetric)

    def weight_axes(self, transpose):
        if self.scheme.weights == "tensor":
            return ()
        return (0,) if transpose else (1,)

    def quantize_groups(self, w):
        """Integers [N, K], scales and zero points [N, groups] of w [N, K]."""
        if fmt := formats.FORMATS.get(self.scheme.weight_format):
            q, _, scale = formats.quantize(w, fmt, self.scheme.group_size)
            return q, scale, np.zeros(scale.shape, np.int64)
        qrange = self.weight_range()
        parts = []
        for begin in range(0, w.shape[1], self.scheme.group_size):
            part = w[:, begin:begin + self.scheme.group_size]
            scale, zero = self.choose_weight_qparams(part, (0,), qrange)
            scale = arith.narrow_scale(scale, self.scheme.scale_type)
            parts.append((arith.quantize(part, scale, zero, (0,), qrange),
                          scale, zero))
        q, scale, zero = zip(*parts)
        return np.concatenate(q, 1), np.stack(scale, 1), np.stack(zero, 1)

    def float_weight(self, w, transpose):
        """What the stored weight stands for, [N, K] in float64: s * (q - z)
        before any rounding. A matmul on float activations multiplies it."""
        w = self.rotate_weight(w, transpose)
        if self.scheme.weights == "group":
            q, scale, zero = self.quantize_groups(w if transpose else w.T)
            return arith.dequantize_groups(q, scale, self.scheme.group_size,
                                           zero)
        q, scale, zero = self.quantize_weight(w, transpose)
        q = q if transpose else q.T
        column = lambda v: v[:, None] if v.ndim else v
        return column(np.asarray(scale, np.float64)) * (q - column(zero))

    def one_group(self, w, transpose):
        """The same of a weight without groups: one of all K."""
        qw, sw, zw = self.quantize_weight(w, transpose)
        qw = qw if transpose else qw.T
        column = lambda v: np.broadcast_to(v, qw.shape[:1])[:, None]
        return qw, column(sw), column(zw)

    def multiply_blocks(self, x, w, transpose):
        """Blocks of activations; a weight without groups has one of all K."""
        s, k = self.scheme, x.shape[-1]
        w = self.rotate_weight(w, transpose)
        qx, sx = blocks.quantize_blocks(x, s.block_size,
                                        (1 << s.activation_bits - 1) - 1,
                                        s.activation_scales)
        if s.weights == "group":
            qw, sw, zw = self.quantize_groups(w if transpose else w.T)
            group = s.group_size
        else:
            qw, sw, zw = self.one_group(w, transpose)
            group = k
        return arith.scaled_matmul(qx, qw, sw, group, rhs_zero_point=zw,
                                   lhs_scale=sx, lhs_group_size=s.block_size)

    def __call__(self, x, w, transpose=True):
        self.count += 1
        s = self.scheme
        x = self.rotate(x)
        if s.activations == "float":
            return _float_matmul(x, self.float_weight(w, transpose), True)
        if s.activations == "dynamic-block":
            return self.multiply_blocks(x, w, transpose)
        qrange = full_range(s.activation_bits)
        axes = ()
        if s.activations == "dynamic-token":
            axes = tuple(range(x.ndim - 1))
        sx, zx = arith.choose_qparams(x, axes, qrange, s.symmetric)
        qx = arith.quantize(x, sx, zx, axes, qrange)
        w = self.rotate_weight(w, transpose)
        if s.weights == "group":
            qw, sw, zw = self.quantize_groups(w if transpose else w.T)
            return arith.scaled_matmul(qx, qw, sw, s.group_size, zx, sx, zw)
        if s.weight_bits == 2:
            qw, sw, zw = self.one_group(w, transpose)
            return arith.scaled_matmul(qx, qw, sw, x.shape[-1], zx, sx, zw)
        qw, sw, zw = self.quantize_weight(w, transpose)
        acc = arith.matmul_i32(qx, qw, zx, zw, transpose)
        if self.keep:
            self.integers.append((qx, acc))
        return arith.rescale(acc, row_scale=sx, channel_scale=sw)
