"""A decoder of the llama family in NumPy, in float64, without caches: the whole
text at once. Rotations are of pairs or of halves, as llama.cpp does them."""

import gguf
import numpy as np
from gguf import quants
from quantmlir.llm import loading
from quantmlir.llm.requantize import RequantizedSource, floats
from quantsim.attention import cached_attention

_FLOATS = ("F32", "F16", "BF16")
_NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
          "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
          "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
          "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
          "post_attention_layernorm": "ffn_norm", "model.layers": "blk",
          "model.embed_tokens": "token_embd", "model.norm": "output_norm",
          "lm_head": "output"}


def rounded(x, bits):
    """Activations as the integers of `bits` that they become stand for. Blocks of 4
    bits: of four scales the one with the least error."""
    parts, top = [], np.float32((1 << bits - 1) - 1)
    size = 32 if bits == 4 else x.shape[-1]
    shares = [1, 0.9, 0.8, 0.7] if bits == 4 and x.shape[-1] % 32 == 0 else [1]
    for at in range(0, x.shape[-1], size):
        part = x[..., at:at + size].astype(np.float32)
        scale = np.abs(part).max(-1, keepdims=True) / top
        tried = [np.clip(np.rint(part / s), -top - 1, top) * s
                 for s in (scale * np.float32(share) for share in shares)]
        best = np.argmin([np.square(t - part).sum(-1) for t in tried], 0)
        parts.append(np.take_along_axis(np.array(tried), best[None, ..., None], 0)[0])
    return np.concatenate(parts, -1).astype(np.float64)


def of_gguf(path, int8=False, cache=None):
    """The reference of a GGUF file, read by PyPI's `gguf`."""
    reader = gguf.GGUFReader(path)
    meta = {key: field.contents() for key, field in reader.fields.items()}
    name = meta["general.architecture"]
    get = lambda key: meta[f"{name}.{key}"]
    facts = dict(
        heads=get("attention.head_count"), kv_heads=get("attention.head_count_kv"),
        dim=get("embedding_length"), layers=get("block_count"),
        eps=get("attention.layer_norm_rms_epsilon"), base=get("rope.freq_base"),
        pairs=name == "llama", gelu=name == "gemma", scaled=name == "gemma")
    load = lambda tensor: lambda: quants.dequantize(
        tensor.data, tensor.tensor_type).astype(np.float64)
    integers = [tensor.name for tensor in reader.tensors
                if int8 and tensor.tensor_type.name not in _FLOATS]
    return Reference(facts, {t.name: load(t) for t in reader.tensors}, integers, cache)


def of_folder(config, values, int8=False):
    """The reference of a Hugging Face model: its config.json and its weights."""
    facts = dict(heads=config["num_attention_heads"],
                 kv_heads=config["num_key_value_heads"], dim=config["hidden_size"],
                 layers=config["num_hidden_layers"], eps=config["rms_norm_eps"],
                 base=config["rope_theta"])
    named = {}
    for name, value in values.items():
        for old, new in _NAMES.items():
            name = name.replace(old, new)
        named[name] = value
    integers = [name for name in named if int8 and name.startswith("blk.")
                and "norm" not in name and name.endswith(".weight")]
    return Reference(facts, named, integers)


def tie(reference, path, how):
    """The reference, with the embedding of a program whose weights are quantized as `how`
    says: the head's integers."""
    source = RequantizedSource(loading._open(path)[2], how)
    rows = source.embedding_rotation.of_rows(floats(source.embedding().load()))
    reference._values["token_embd.weight"] = rows.astype(np.float64)
    return reference


def _signed_integers(x):
    """Of 4 bits, turned so that the largest magnitudes are below 0."""
    sign = np.where(x.max(-1) > -x.min(-1), np.float32(-1), np.float32(1))
    q, scale = _integers(x * sign[..., None], 7)
    return q, scale * sign


def _integers(x, top):
    """(integers, a scale for each row) of [heads, S, D]; of 4 bits the integers of
    the scale with the least squared error, and the best scale for them."""
    x = x.astype(np.float32)
    scale = np.abs(x).max(-1) / np.float32(top)
    scale[scale == 0] = 1
    if top > 7:
        return np.clip(np.rint(x / scale[..., None]), -top, top).astype(np.int64), scale
    shares = np.float32(1) - np.float32(0.05) * np.arange(10, dtype=np.float32)
    tried = scale[..., None] * shares
    q = np.clip(np.rint(x[..., None, :] / tried[..., None]), -top - 1, top)
    errors = np.square(q * tried[..., None] - x[..., None, :]).sum(-1)
    best = errors.argmin(-1)[..., None]
    q = np.take_along_axis(q, best[..., None], -2)[..., 0, :]
    squares = np.square(q).sum(-1)
    fitted = (q * x).sum(-1) / np.where(squares == 0, np.float32(1), squares)
    return q.astype(np.int64), np.where(
        squares == 0, np.take_along_axis(tried, best, -1)[..., 0], fitted)


def _integer_attention(q, k, v, bits, first):
    """Of [S, heads, D], by `quant.cached_attention`'s definition: keys without the
    mean of the first ones, of 4 bits with elements as large as those of queries, and
    all rotated by a Hadamard matrix of the largest power of two in D."""
    s, heads, d = q.shape
    kv = k.shape[1]
    q, k, v = (x.transpose(1, 0, 2) for x in (q, k, v))
    k = k - k[:, :first].mean(1, keepdims=True)
    if bits == 4:
        of_queries = np.square(q[:, :first]).reshape(kv, -1, d).sum(1)
        of_keys = np.square(k[:, :first]).sum(1)
        factor = ((of_queries + 1e-20) / (of_keys + 1e-20)) ** 0.25
        factor = np.clip(factor, 1 / 8, 8)[:, None]
        q, k = q / np.repeat(factor, heads // kv, 0), k * factor
    h, size = np.ones((1, 1)), min(d & -d, 128)
    while len(h) < size:
        h = np.block([[h, h], [h, -h]])
    turn = np.kron(np.eye(d // size), h / size ** 0.5)
    q, k, v = q @ turn, k @ turn, v @ turn
    top = (1 << (bits - 1)) - 1
    q, scale = _integers(q, 127)
    keys = _signed_integers(k) if bits == 4 else _integers(k, top)
    kept = (*keys, *_integers(v, top))
    out = cached_attention(q.reshape(kv, heads // kv, s, d),
                           scale.reshape(kv, -1, s) * np.float32(d ** -0.5),
                           [part[:, :0] for part in kept], kept)
    return out.reshape(s, heads, d).astype(np.float64) @ turn


class Reference:
    """Of weights by GGUF's names.

    facts: heads, kv_heads, dim, layers, eps, base; pairs: whether rotations are
        of pairs; gelu, scaled: gemma's MLP and embedding; integers: names of
        weights whose activations are rounded to 8 bits, a scale for each token;
        cache: (bits, tokens of the first call), where keys and values are kept as
        integers.
    """

    def __init__(self, facts, values, integers=(), cache=None):
        self._facts, self._values, self._integers = facts, values, set(integers)
        self._cache = cache

    def tensor(self, name):
        value = self._values[name]
        if callable(value):
            value = self._values[name] = value()
        return value

    def _linear(self, x, name):
        w = self.tensor(name + ".weight")
        if name + ".weight" in self._integers:
            x = x.astype(np.float32)
            scale = np.abs(x).max(-1, keepdims=True) / np.float32(127)
            scale[scale == 0] = 1
            x = np.clip(np.rint(x / scale), -128, 127).astype(np.float64) * scale
        y = x @ w.T
        if name + ".bias" in self._values:
            y += self.tensor(name + ".bias")
        return y

    def _norm(self, x, name):
        mean = np.mean(x * x, -1, keepdims=True)
        return x / np.sqrt(mean + self._facts["eps"]) * self.tensor(name + ".weight")

    def _rotate(self, x):
        """[S, heads, D]."""
        d = x.shape[-1]
        frequency = self._facts["base"] ** (-np.arange(0, d, 2) / d)
        if "rope_freqs.weight" in self._values:
            frequency = frequency / self.tensor("rope_freqs.weight")
        angle = (np.arange(x.shape[0])[:, None] * frequency)[:, None]
        cos, sin, out = np.cos(angle), np.sin(angle), np.empty_like(x)
        if self._facts.get("pairs"):
            a, b = (slice(0, None, 2),), (slice(1, None, 2),)
        else:
            a, b = (slice(0, d // 2),), (slice(d // 2, None),)
        at = lambda part: (slice(None), slice(None)) + part
        out[at(a)] = x[at(a)] * cos - x[at(b)] * sin
        out[at(b)] = x[at(b)] * cos + x[at(a)] * sin
        return out

    def _attention(self, x, lead):
        heads, kv = self._facts["heads"], self._facts["kv_heads"]
        s = len(x)
        q, k, v = (self._linear(x, lead + name).reshape(s, count, -1)
                   for name, count in (("attn_q", heads), ("attn_k", kv), ("attn_v", kv)))
        if lead + "attn_q_norm.weight" in self._values:
            q, k = self._norm(q, lead + "attn_q_norm"), self._norm(k, lead + "attn_k_norm")
        q, k = self._rotate(q), self._rotate(k)
        if self._cache:
            # As the program has them: pairs of rotations as halves.
            order = np.arange(q.shape[-1])
            if self._facts.get("pairs"):
                order = order.reshape(-1, 2).T.ravel()
            out = _integer_attention(q[..., order], k[..., order], v, *self._cache)
            return self._linear(out.reshape(s, -1), lead + "attn_output")
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
        if self._facts.get("gelu"):
            act = 0.5 * gate * (1 + np.tanh(
                np.sqrt(2 / np.pi) * (gate + 0.044715 * gate ** 3)))
        else:
            act = gate / (1 + np.exp(-gate))
        return self._linear(act * self._linear(x, lead + "ffn_up"), lead + "ffn_down")

    def logits(self, tokens):
        """[S, vocabulary]: after each token."""
        h = self.tensor("token_embd.weight")[np.asarray(tokens)]
        if self._facts.get("scaled"):
            h = h * np.sqrt(self._facts["dim"])
        for layer in range(self._facts["layers"]):
            lead = f"blk.{layer}."
            h = h + self._attention(self._norm(h, lead + "attn_norm"), lead)
            h = h + self._mlp(self._norm(h, lead + "ffn_norm"), lead)
        head = "output" if "output.weight" in self._values else "token_embd"
        return self._linear(self._norm(h, "output_norm"), head)
