"""Weights whose errors are compensated for a text.

The text goes through the layers in NumPy, a window a text of its own, twice: in floats,
and as the program has it, with weights, up to there, and activations that are rounded.
What a product should give is what float's weights give for float's activations x; what
its weights W will be multiplied by is y. With H = E[y y^T] the best weights in floats
are W E[x y^T] H^-1, and these are rounded, for H, by GPTQ (`rounding=error-compensated`).
"""

import hashlib

import numpy as np

from ..errors import InvalidArgument
from .layers import F32, Layers
from .program import BLOCK_OF_4_BITS, SHARES_OF_4_BITS
from .requantize import RequantizedSource, floats, pick_rows
from .weights import SLOTS, slot_of

# Tokens of a window, which is a text of its own, and windows at once.
WINDOW, BATCH = 256, 2
# What is added to the diagonal of H before it is inverted, of the diagonal's mean.
DAMPING = 0.3


def windows_of(text, tokenizer, config):
    """Tokens of a text, or numbers of tokens, in windows [.., S]; what is left of
    the last is not used."""
    given = text
    if isinstance(text, str):
        if tokenizer is None:
            raise InvalidArgument("calibrate: the checkpoint has no tokenizer: "
                                  "expected numbers of tokens, found a str")
        text = tokenizer.encode(text)
    try:
        ids = np.asarray(text)
        found = f"{ids.dtype} of shape {ids.shape}" if ids.size else "none"
    except ValueError:  # Rows of several lengths.
        ids, found = np.empty(0), "no array"
    if ids.ndim != 1 or not ids.size or ids.dtype.kind not in "iu":
        raise InvalidArgument("calibrate: expected a text or a list of tokens, at "
                              f"least one, found {type(given).__name__}: {found}")
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
    if activations == "int8":
        scale = _largest(x, 127)
        return np.rint(x / scale) * scale
    k = x.shape[-1]
    block = min(BLOCK_OF_4_BITS, k)
    blocks = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, -k % block)])
    blocks = blocks.reshape(*x.shape[:-1], -1, block)
    scale = _largest(blocks, 7)
    best = np.rint(blocks / scale) * scale
    if k % block == 0:
        count, step = SHARES_OF_4_BITS
        least = np.square(best - blocks).sum(-1, keepdims=True)
        for share in range(1, count):
            tried = scale * (F32(1) + F32(share) * F32(-step))
            values = np.clip(np.rint(blocks / tried), -8, 7) * tried
            error = np.square(values - blocks).sum(-1, keepdims=True)
            best = np.where(error < least, values, best)
            least = np.minimum(error, least)
    return best.reshape(*x.shape[:-1], -1)[..., :k]


def _largest(x, top):
    scale = np.abs(x).max(-1, keepdims=True) / F32(top)
    return np.where(scale == 0, F32(1), scale)


def slot_weight(source, layer, slot):
    """Float32 [N, K] of what is multiplied as one."""
    return np.concatenate([
        floats(source.linear(layer, part).load()) for part in SLOTS[slot]])


class Stream:
    """A text that goes through the layers, all windows of it through one layer after the
    other; `product` says what is done with the weights."""

    def __init__(self, layers, windows):
        self.layers = layers
        # Batches [.., S, dim].
        self.hidden = [layers.embed(windows[i:i + BATCH])
                       for i in range(0, len(windows), BATCH)]

    @np.errstate(all="ignore")  # What is not finite is refused, by name.
    def layer(self, layer):
        layers = self.layers
        norm = lambda name: [layers.layer_norm(h, layer, name) for h in self.hidden]
        qkv = self.product(layer, "qkv", norm("attn_norm"))
        self.add(self.product(layer, "o", [layers.attention(y, layer) for y in qkv]))
        gate_up = self.product(layer, "gate_up", norm("ffn_norm"))
        self.add(self.product(layer, "down", [layers.mlp(y) for y in gate_up]))

    def add(self, products):
        self.hidden = [h + y for h, y in zip(self.hidden, products)]

    def moments(self, layer, slot, batches):
        """Second moments [K, K] of what a slot's weights are multiplied by."""
        return self.finite(layer, slot, _mean_products(batches, batches))

    def finite(self, layer, slot, values):
        """`values`, which follow from the activations."""
        if not np.isfinite(values).all():
            self.layers.source.fail(f"the activations of {slot} of layer {layer} are "
                                    "not finite: nothing can be calibrated")
        return values


def _mean_products(left, right):
    """E[x y^T] of rows of batches."""
    rows = lambda batches: (x.reshape(-1, x.shape[-1]) for x in batches)
    count = sum(x.size // x.shape[-1] for x in left)
    return sum(x.T @ y for x, y in zip(rows(left), rows(right))) / F32(count)


class _Exact(Stream):
    """In floats."""

    def __init__(self, layers, source, windows):
        super().__init__(layers, windows)
        self.source = source

    def product(self, layer, slot, batches):
        self.inputs[slot] = batches
        weight = slot_weight(self.source, layer, slot)
        return [x @ weight.T for x in batches]

    def layer(self, layer):
        """{slot: what its weights are multiplied by}"""
        self.inputs = {}
        super().layer(layer)
        return self.inputs


class _Calibration(Stream):
    def __init__(self, config, embedded, source, how, activations, windows):
        """`embedded`: the source of all but linear weights."""
        layers = Layers(config, embedded, windows.shape[1])
        super().__init__(layers, windows)
        self.exact = _Exact(Layers(config, source, windows.shape[1]), source, windows)
        self.source, self.how, self.activations = source, how, activations
        self.stored = {}

    def layer(self, layer):
        self.wanted = self.exact.layer(layer)
        super().layer(layer)

    def product(self, layer, slot, batches):
        """Quantizes the weights of a slot; their products."""
        turn = self.how.rotation.of(slot)
        weight = turn.of_weight(slot_weight(self.source, layer, slot))
        batches = [rounded(turn.of_rows(x), self.activations) for x in batches]
        moments = self.moments(layer, slot, batches)
        missed = [turn.of_rows(x) - y for x, y in zip(self.wanted.pop(slot), batches)]
        weight = self.finite(layer, slot, _corrected(
            weight, moments, _mean_products(missed, batches)))
        stored = self.how.of(layer, slot).quantize(weight, moments)
        self.stored[layer, slot] = stored
        new = floats(stored)
        return [x @ new.T for x in batches]


def _corrected(weight, moments, missed):
    """W + W E[(x - y) y^T] H^-1."""
    k = weight.shape[1]
    damped = moments.astype(np.float64)
    mean = damped.trace() / k
    if not mean > 0:  # y is always 0.
        return weight
    damped[np.diag_indices(k)] += DAMPING * mean
    change = np.linalg.solve(damped, (weight.astype(np.float64) @ missed).T)
    return (weight + change.T).astype(F32)


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
        work = _Calibration(config, self, source, how, activations, windows)
        for layer in range(config.layers):
            say(f"calibrating layer {layer + 1} of {config.layers}")
            work.layer(layer)
        self._stored = work.stored

    def linear(self, layer, part):
        slot = slot_of(part)
        parts = SLOTS[slot]
        first = sum(self._source.linear(layer, name).shape[0]
                    for name in parts[:parts.index(part)])
        weight = self._source.linear(layer, part)
        return _Part(weight, self._how.of(layer, slot).form(weight.shape[1]),
                     self._stored[layer, slot],
                     slice(first, first + weight.shape[0]))
