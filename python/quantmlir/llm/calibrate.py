"""Weights quantized so that a text's activations feel it least.

Two streams of the text go through the layers side by side: one of floats, and one
whose weights, up to there, and activations are those of the program. Of each product
with rows x of the first and y of the second, both rotated, y rounded as the program
rounds it,

    H = mean of y y^T,  C = mean of x y^T,  V = W (C + d I) (H + d I)^-1

so that V y is as near to W x as a matrix can bring it (d, a hundredth of H's mean
diagonal, keeps V near W where the text says little). V is what is rounded, its
errors compensated under H (GPTQ, `rounding=error-compensated`).
"""

import hashlib

import numpy as np

from ..errors import InvalidArgument
from .layers import F32, Layers
from .program import BLOCK_OF_4_BITS
from .requantize import RequantizedSource, floats, pick_rows
from .weights import SLOTS

# Tokens of a window, which is a text of its own, and windows at once.
WINDOW, BATCH = 256, 8
_DAMPING = 0.01


def windows_of(text, tokenizer, config):
    """Tokens of a text, or numbers of tokens, in windows [.., S]; what is left of
    the last is not used."""
    if isinstance(text, str):
        if tokenizer is None:
            raise InvalidArgument("calibrate: the checkpoint has no tokenizer: "
                                  "expected numbers of tokens, found a str")
        text = tokenizer.encode(text)
    try:
        ids = np.asarray(text)
    except ValueError:
        ids = np.empty(0)
    if ids.ndim != 1 or not ids.size or ids.dtype.kind not in "iu":
        raise InvalidArgument("calibrate: expected a text or a list of tokens, at "
                              "least one")
    if ids.min() < 0 or ids.max() >= config.vocabulary:
        raise InvalidArgument(f"calibrate: expected tokens of 0 to "
                              f"{config.vocabulary - 1}, found {ids.min()} to "
                              f"{ids.max()}")
    size = min(WINDOW, config.context, ids.size)
    return ids[:ids.size // size * size].reshape(-1, size).astype(np.int64)


def digest(windows):
    """What a text is known by."""
    return hashlib.sha256(np.ascontiguousarray(windows, "<i8").tobytes()
                          + str(windows.shape).encode()).hexdigest()


def rounded(x, activations):
    """What the integers of the program's activations stand for."""
    if activations == "float":
        return x
    blocks, top = x, F32(127)
    if activations == "int4":
        block = min(BLOCK_OF_4_BITS, x.shape[-1])
        blocks = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, -x.shape[-1] % block)])
        blocks, top = blocks.reshape(*x.shape[:-1], -1, block), F32(7)
    scale = np.abs(blocks).max(-1, keepdims=True) / top
    scale[scale == 0] = 1
    values = np.rint(blocks / scale) * scale
    return values.reshape(*x.shape[:-1], -1)[..., :x.shape[-1]]


class _Streams:
    """Batches of rows: floats, and what the program has in their place."""

    def __init__(self, exact, actual):
        self.exact, self.actual = exact, actual

    def map(self, function):
        return _Streams([function(x) for x in self.exact],
                        [function(x) for x in self.actual])

    def __add__(self, other):
        add = lambda xs, ys: [x + y for x, y in zip(xs, ys)]
        return _Streams(add(self.exact, other.exact), add(self.actual, other.actual))


class _Calibration:
    def __init__(self, config, source, how, activations, windows):
        self.layers = Layers(config, source, windows.shape[1])
        self.source, self.how, self.activations = source, how, activations
        batches = [self.layers.embed(windows[i:i + BATCH])
                   for i in range(0, len(windows), BATCH)]
        self.hidden = _Streams(batches, batches)
        self.stored = {}

    def layer(self, layer):
        layers = self.layers
        norm = lambda name: lambda x: layers.layer_norm(x, layer, name)
        qkv = self.product(layer, "qkv", self.hidden.map(norm("attn_norm")))
        heads = qkv.map(lambda x: layers.attention(x, layer))
        self.hidden += self.product(layer, "o", heads)
        gate_up = self.product(layer, "gate_up", self.hidden.map(norm("ffn_norm")))
        self.hidden += self.product(layer, "down", gate_up.map(layers.mlp))

    def product(self, layer, slot, x):
        """Quantizes the weights of a slot; its products."""
        weight = np.concatenate([
            floats(self.source.linear(layer, part).load()) for part in SLOTS[slot]])
        weight = self.how.rotation.of_weight(weight)
        x = x.map(self.how.rotation.of_rows)
        actual = [rounded(y, self.activations) for y in x.actual]
        moments, target = _solve(weight, x.exact, actual)
        if not np.isfinite(moments).all():
            self.source.fail(f"the activations of {slot} of layer {layer} are not "
                             "finite: nothing can be calibrated")
        stored = self.how.quantize(target, moments)
        self.stored[layer, slot] = stored
        new = floats(stored)
        return _Streams([y @ weight.T for y in x.exact], [y @ new.T for y in actual])


def _solve(weight, exact, actual):
    """(H, V) of the page's head."""
    k = weight.shape[1]
    rows = [y.reshape(-1, k) for y in actual]
    count = F32(sum(map(len, rows)))
    moments = sum(y.T @ y for y in rows) / count
    cross = sum(x.reshape(-1, k).T @ y for x, y in zip(exact, rows)) / count
    mean = np.trace(moments, dtype=np.float64) / k
    ridge = np.eye(k) * (_DAMPING * mean if mean > 0 else 1.0)
    target = np.linalg.solve(moments + ridge, (weight @ (cross + ridge)).T).T
    return moments, target.astype(F32)


class _Part:
    """Rows of a slot's weight."""

    def __init__(self, weight, form, stored, rows):
        self.name, self.shape, self.form = weight.name, weight.shape, form
        self._stored, self._rows = stored, rows

    def load(self):
        return pick_rows(self._stored, self._rows)


class CalibratedSource(RequantizedSource):
    """A source whose linear weights are quantized for a text, in windows."""

    def __init__(self, config, source, how, activations, windows, say):
        super().__init__(source, how)
        work = _Calibration(config, source, how, activations, windows)
        for layer in range(config.layers):
            say(f"calibrating layer {layer + 1} of {config.layers}")
            work.layer(layer)
        self._stored = work.stored

    def linear(self, layer, part):
        first = 0
        for slot, parts in SLOTS.items():
            if part in parts:
                break
        for name in parts[:parts.index(part)]:
            first += self._source.linear(layer, name).shape[0]
        weight = self._source.linear(layer, part)
        return _Part(weight, self._how.form(weight.shape[1]),
                     self._stored[layer, slot],
                     slice(first, first + weight.shape[0]))
