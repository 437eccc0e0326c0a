"""A decoder of the llama family in NumPy, in float64, without caches: the whole
text at once. Rotations are of pairs or of halves, as llama.cpp does them."""

import gguf
import numpy as np
from gguf import quants


class Reference:
    """Of a GGUF file, read by PyPI's `gguf`.

    int8: whether activations of quantized weights are rounded to 8 bits, a scale
        for each token, as docs/schemes.md has it.
    """

    def __init__(self, path, int8=False):
        reader = gguf.GGUFReader(path)
        self._meta = {key: field.contents() for key, field in reader.fields.items()}
        self.architecture = self._meta["general.architecture"]
        self._tensors = {tensor.name: tensor for tensor in reader.tensors}
        self._values, self._int8 = {}, int8

    def meta(self, key):
        return self._meta.get(f"{self.architecture}.{key}")

    def tensor(self, name):
        if name not in self._values:
            tensor = self._tensors[name]
            self._values[name] = quants.dequantize(
                tensor.data, tensor.tensor_type).astype(np.float64)
        return self._values[name]

    def _linear(self, x, name):
        w = self.tensor(name + ".weight")
        kind = self._tensors[name + ".weight"].tensor_type.name
        if self._int8 and kind not in ("F32", "F16", "BF16"):
            x = x.astype(np.float32)
            scale = np.abs(x).max(-1, keepdims=True) / np.float32(127)
            scale[scale == 0] = 1
            x = np.clip(np.rint(x / scale), -128, 127).astype(np.float64) * scale
        y = x @ w.T
        if name + ".bias" in self._tensors:
            y += self.tensor(name + ".bias")
        return y

    def _norm(self, x, name):
        eps = self.meta("attention.layer_norm_rms_epsilon")
        return x / np.sqrt(np.mean(x * x, -1, keepdims=True) + eps) \
            * self.tensor(name + ".weight")

    def _rotate(self, x):
        """[S, heads, D]."""
        d = x.shape[-1]
        base = self.meta("rope.freq_base") or 10000.0
        frequency = base ** (-np.arange(0, d, 2) / d)
        if "rope_freqs.weight" in self._tensors:
            frequency = frequency / self.tensor("rope_freqs.weight")
        angle = (np.arange(x.shape[0])[:, None] * frequency)[:, None]
        cos, sin, out = np.cos(angle), np.sin(angle), np.empty_like(x)
        if self.architecture == "llama":
            a, b = (slice(0, None, 2),), (slice(1, None, 2),)
        else:
            a, b = (slice(0, d // 2),), (slice(d // 2, None),)
        at = lambda part: (slice(None), slice(None)) + part
        out[at(a)] = x[at(a)] * cos - x[at(b)] * sin
        out[at(b)] = x[at(b)] * cos + x[at(a)] * sin
        return out

    def _attention(self, x, lead):
        heads, kv = self.meta("attention.head_count"), self.meta("attention.head_count_kv")
        s = len(x)
        q, k, v = (self._linear(x, lead + name).reshape(s, count, -1)
                   for name, count in (("attn_q", heads), ("attn_k", kv), ("attn_v", kv)))
        if lead + "attn_q_norm.weight" in self._tensors:
            q, k = self._norm(q, lead + "attn_q_norm"), self._norm(k, lead + "attn_k_norm")
        q, k = self._rotate(q), self._rotate(k)
        out = np.empty_like(q)
        for head in range(heads):
            group = head // (heads // kv)
            score = q[:, head] @ k[:, group].T / q.shape[-1] ** 0.5
            score = np.where(np.tri(s, dtype=bool), score, -np.inf)
            weight = np.exp(score - score.max(-1, keepdims=True))
            out[:, head] = weight / weight.sum(-1, keepdims=True) @ v[:, group]
        return self._linear(out.reshape(s, -1), lead + "attn_output")

    def _mlp(self, x, lead):
        gate = self._linear(x, lead + "ffn_gate")
        if self.architecture == "gemma":
            act = 0.5 * gate * (1 + np.tanh(
                np.sqrt(2 / np.pi) * (gate + 0.044715 * gate ** 3)))
        else:
            act = gate / (1 + np.exp(-gate))
        return self._linear(act * self._linear(x, lead + "ffn_up"), lead + "ffn_down")

    def logits(self, tokens):
        """[S, vocabulary]: after each token."""
        h = self.tensor("token_embd.weight")[np.asarray(tokens)]
        if self.architecture == "gemma":
            h = h * np.sqrt(self.meta("embedding_length"))
        for layer in range(self.meta("block_count")):
            lead = f"blk.{layer}."
            h = h + self._attention(self._norm(h, lead + "attn_norm"), lead)
            h = h + self._mlp(self._norm(h, lead + "ffn_norm"), lead)
        head = "output" if "output.weight" in self._tensors else "token_embd"
        return self._linear(self._norm(h, "output_norm"), head)
