"""A checkpoint's weights, quantized anew: 8 bits for each row, or 4 bits in
groups, rotated before or not.

A file's own integers cannot be rotated; what they stand for can.
"""

from dataclasses import dataclass

import numpy as np

from ..blocks import Grouped, elements
from ..errors import InvalidArgument
from .rotation import Rotation
from .stack import Form

_FORMS = {"w8": (8, 0), "w4-g32": (4, 32), "w4-g64": (4, 64), "w4-g128": (4, 128)}
# Shares of the largest magnitude that least squares choose among.
_SHRINKS = np.linspace(1.0, 0.6, 33, dtype=np.float32)


@dataclass(frozen=True)
class Requantize:
    """What weights become; the head, which is sensitive, has 8 bits."""
    bits: int
    group: int  # 0: a row
    rotation: Rotation

    @staticmethod
    def parse(weights, rotation):
        """None: weights stay as the file has them."""
        rotation = Rotation.parse(rotation)
        if weights is None:
            if rotation.size:
                raise InvalidArgument(
                    "rotation: the file's integers cannot be rotated, expected "
                    f"weights={' or '.join(map(repr, _FORMS))}, found None")
            return None
        if weights not in _FORMS:
            raise InvalidArgument(f"weights: expected {', '.join(_FORMS)} or None, "
                                  f"found {weights!r}")
        return Requantize(*_FORMS[weights], rotation)

    def quantize(self, weight):
        """float32 [N, K] to a `Grouped`, symmetric."""
        weight = self.rotation.of_weight(weight)
        n, k = weight.shape
        group = min(self.group or k, k)
        padded = np.pad(weight, ((0, 0), (0, -k % group)))
        blocks = padded.reshape(n, -1, group)
        top = np.float32((1 << (self.bits - 1)) - 1)
        scale = np.abs(blocks).max(-1) / top
        scale = np.where(scale == 0, np.float32(1), scale).astype(np.float32)
        if self.bits == 4:
            scale = _least_squares(blocks, scale, top)
        q = np.rint(blocks / scale[..., None])
        q = np.clip(q, -top - 1, top).astype(np.int8).reshape(n, -1)[:, :k]
        return Grouped(np.ascontiguousarray(q), scale, group, self.bits)


def _least_squares(blocks, scale, top):
    """Of each block the scale of the least squared error."""
    best, least = scale, None
    for shrink in _SHRINKS:
        tried = scale * shrink
        q = np.clip(np.rint(blocks / tried[..., None]), -top - 1, top)
        error = np.square(q * tried[..., None] - blocks).sum(-1)
        better = np.ones_like(scale, bool) if least is None else error < least
        best = np.where(better, tried, best)
        least = error if least is None else np.minimum(error, least)
    return best.astype(np.float32)


class _Weight:
    def __init__(self, weight, how):
        self._weight, self._how = weight, how
        self.name, self.shape = weight.name, weight.shape
        self.form = Form(how.bits, min(how.group or self.shape[1], self.shape[1]))

    def load(self):
        return self._how.quantize(floats(self._weight.load()))


def floats(weight):
    """What a loaded weight stands for, float32 [N, K]."""
    if isinstance(weight, np.ndarray):
        return weight
    k = weight.q.shape[1]
    each = lambda v: np.repeat(v, weight.group, 1)[:, :k]
    values = elements(weight).astype(np.float32)
    if weight.zero_point is not None:
        values = values - each(weight.zero_point).astype(np.float32)
    values = values * each(weight.scale)
    if weight.offset is not None:
        values = values + each(weight.offset)
    if weight.order is None:
        return values
    columns = weight.columns if weight.columns is not None else k
    placed = np.zeros((len(values), columns + 1), np.float32)
    placed[:, weight.order] = values
    return placed[:, :columns]


class FloatWeight:
    """What a weight of a file stands for, in floats."""

    def __init__(self, weight):
        self._weight, self.form = weight, Form(0)
        self.name, self.shape = weight.name, weight.shape

    def load(self):
        return floats(self._weight.load())


class RequantizedSource:
    """A source whose linear weights, and head, are quantized as `how` says; None:
    in floats."""

    def __init__(self, source, how):
        self._source, self._how = source, how
        self.fail, self.bias, self.norm = source.fail, source.bias, source.norm
        self.final_norm, self.embedding = source.final_norm, source.embedding

    def linear(self, layer, part):
        weight = self._source.linear(layer, part)
        return _Weight(weight, self._how) if self._how else FloatWeight(weight)

    def head(self):
        head = self._source.head() or self._source.embedding()
        if not self._how:
            return FloatWeight(head)
        return _Weight(head, Requantize(8, 0, self._how.rotation))

    def shares_order(self, parts):
        return True
