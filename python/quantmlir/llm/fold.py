"""A rotation of the hidden state that costs nothing when the program runs.

RMSNorm without its gain gives for h R, R orthogonal, what it gives for h, times R. So
gains go into the weights behind, the embedding's rows and what each half layer adds are
rotated, and weights that meet the hidden state are rotated by their columns. What
attention makes of values is linear, too: rows of V's weight are rotated in each head, and
O's columns. Only the MLP's product of gate and up is none of these (QuaRot, Ashkboos et
al., NeurIPS 2024); the head keeps the last norm, before which h is rotated back.
"""

import numpy as np

from .requantize import floats
from .rotation import Rotation
from .stack import Form

_NORM = {"q": "attn_norm", "k": "attn_norm", "v": "attn_norm", "gate": "ffn_norm",
         "up": "ffn_norm"}


class _Weight:
    """In floats, rotated."""

    def __init__(self, weight, gain, turn, columns, rows):
        """gain: None, or what gives the gain of the norm before; columns, rows:
        whether they are rotated."""
        self._weight, self._gain, self._turn = weight, gain, turn
        self._columns, self._rows = columns, rows
        self.name, self.shape, self.form = weight.name, weight.shape, Form(0)

    def load(self):
        weight = floats(self._weight.load()).astype(np.float64)
        if self._gain:
            weight = weight * self._gain()
        if self._columns:
            weight = self._turn.along(weight)
        if self._rows:
            weight = self._turn.along(weight.T).T
        return np.ascontiguousarray(weight, np.float32)


class FoldedSource:
    """A source in floats whose hidden state, and whose values, are rotated."""

    def __init__(self, source, rotation):
        self._source, self._turn = source, rotation
        self.fail, self.embedding, self.head = (
            source.fail, source.embedding, source.head)
        self.refuse_unused = source.refuse_unused
        self.embedding_rotation = rotation
        # Back: signs, which come first in a rotation, are a gain then.
        self.final_rotation = Rotation(rotation.size)

    def linear(self, layer, part):
        weight = self._source.linear(layer, part)
        gain = None
        if part in _NORM:
            gain = lambda: self._source.norm(layer, _NORM[part])
        return _Weight(weight, gain, self._turn, columns=part != "down",
                       rows=part in ("v", "o", "down"))

    def bias(self, layer, part):
        bias = self._source.bias(layer, part)
        return self._turn.of_rows(bias[None])[0] if part == "v" else bias

    def norm(self, layer, name):
        gain = self._source.norm(layer, name)
        return np.ones_like(gain) if name in _NORM.values() else gain

    def final_norm(self):
        gain = self._source.final_norm()
        size = self._turn.size
        whole = len(gain) // size * size
        return gain * np.append(np.tile(self._turn.signs(), whole // size),
                                np.ones(len(gain) - whole)).astype(np.float32)

    def shares_order(self, parts):
        return True


def prepared(source, rotation):
    """The source that is quantized where `rotation` is asked for."""
    return FoldedSource(source, rotation) if rotation.folds else source
