"""A decoder's layers in NumPy: what calibration runs beside the program. Whole
windows of tokens, [.., S, width], in float32, without caches."""

import numpy as np

from .requantize import floats, pick_rows

F32 = np.float32


class Layers:
    """What stands between products with weights."""

    def __init__(self, config, source, tokens):
        self.config, self.source = config, source
        c = config
        frequencies = F32(c.rope_base) ** (
            -np.arange(0, c.head_dim, 2, dtype=F32) / F32(c.head_dim))
        if c.rope_factors is not None:
            frequencies = frequencies / c.rope_factors
        angles = np.arange(tokens, dtype=F32)[:, None] * frequencies * F32(c.rope_scale)
        self._cos, self._sin = np.cos(angles), np.sin(angles)
        self._mask = np.tri(tokens, dtype=bool)

    def embed(self, ids):
        known, places = np.unique(ids, return_inverse=True)
        rows = floats(pick_rows(self.source.embedding().load(), known))
        # The rotation is its own inverse.
        rows = self.source.embedding_rotation.of_rows(rows)
        return (rows[places.reshape(ids.shape)] *
                F32(self.config.embedding_scale)).astype(F32)

    def norm(self, x, weight):
        mean = np.mean(x * x, -1, keepdims=True, dtype=F32)
        return x / np.sqrt(mean + F32(self.config.eps)) * weight.astype(F32)

    def layer_norm(self, x, layer, name):
        return self.norm(x, self.source.norm(layer, name))

    def bias(self, layer):
        """Of Q, K and V, which follow each other."""
        if not self.config.bias:
            return F32(0)
        return np.concatenate([self.source.bias(layer, part) for part in "qkv"])

    def _turned(self, x):
        half = x.shape[-1] // 2
        a, b = x[..., :half], x[..., half:]
        return np.concatenate([a * self._cos - b * self._sin,
                               b * self._cos + a * self._sin], -1)

    def attention(self, qkv, layer):
        c, d = self.config, self.config.head_dim
        lead, s = qkv.shape[:-2], qkv.shape[-2]
        x = (qkv + self.bias(layer)).reshape(*lead, s, -1, d).swapaxes(-2, -3)
        q, k, v = np.split(x, [c.heads, c.heads + c.kv_heads], -3)
        if c.qk_norm:
            q, k = (self.layer_norm(part, layer, name)
                    for part, name in ((q, "q_norm"), (k, "k_norm")))
        q, k = self._turned(q), self._turned(k)
        # Queries of a head of keys follow each other.
        q = q.reshape(*lead, c.kv_heads, -1, s, d)
        heads = self.attend(q, k[..., None, :, :], v[..., None, :, :])
        return heads.reshape(*lead, c.heads, s, d).swapaxes(-2, -3).reshape(
            *lead, s, c.heads * d)

    def attend(self, q, k, v):
        """q [.., KV, G, S, D]; k, v [.., KV, 1, S, D]."""
        score = q @ k.swapaxes(-1, -2) * F32(self.config.head_dim ** -0.5)
        score = np.where(self._mask, score, F32(-np.inf))
        p = np.exp(score - score.max(-1, keepdims=True))
        return p / p.sum(-1, keepdims=True) @ v

    def mlp(self, gate_up):
        """act(gate) * up."""
        gate, up = np.split(gate_up, 2, -1)
        if self.config.activation == "silu":
            return gate / (1 + np.exp(-gate)) * up
        inner = F32(0.7978845608028654) * (gate + F32(0.044715) * gate ** 3)
        return F32(0.5) * gate * (1 + np.tanh(inner)) * up
