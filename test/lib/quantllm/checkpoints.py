"""Random checkpoints, written by PyPI's `gguf`."""

import gguf
import numpy as np
from gguf import quants

# Bytes of a block where its float16 scales are.
_SCALES = {"Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2),
           "Q6_K": (208,), "IQ4_NL": (0,)}


def random_blocks(rng, kind, n, k, spread=0.05):
    """Blocks of a format: quantized normal numbers, or, where `gguf` only reads
    a format, random integers with scales of that size."""
    number = getattr(gguf.GGMLQuantizationType, kind)
    values = (rng.standard_normal((n, k)) * spread).astype(np.float32)
    if kind not in _SCALES:
        return quants.quantize(values, number)
    block, size = gguf.GGML_QUANT_SIZES[number]
    raw = rng.integers(0, 256, (n, k // block, size), dtype=np.uint8)
    for at in _SCALES[kind]:
        scale = rng.uniform(0.2, 1, (n, k // block, 1)) * spread / 400
        raw[..., at:at + 2] = scale.astype(np.float16).view(np.uint8)
    return raw.reshape(n, -1)


def add_sizes(out, sizes, context):
    """The metadata of a decoder that every one has; `sizes` has layers, dim,
    ffn, heads and kv_heads."""
    out.add_block_count(sizes.layers)
    out.add_context_length(context)
    out.add_embedding_length(sizes.dim)
    out.add_feed_forward_length(sizes.ffn)
    out.add_head_count(sizes.heads)
    out.add_head_count_kv(sizes.kv_heads)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_rope_freq_base(10000.0)


class Decoder:
    """Sizes of a decoder; `kinds` gives the format of each weight: of a name
    (`attn_q`, `token_embd`), of a name in a layer (`blk.1.attn_q`), or `*`."""

    def __init__(self, architecture, kinds, layers=2, dim=256, heads=4, kv_heads=2,
                 head_dim=None, ffn=512, vocabulary=96, tied=True, bias=False,
                 qk_norm=False, rope_factors=False):
        self.architecture, self.kinds = architecture, kinds
        self.layers, self.dim, self.heads, self.kv_heads = layers, dim, heads, kv_heads
        self.head_dim, self.ffn = head_dim or dim // heads, ffn
        self.vocabulary, self.tied, self.bias = vocabulary, tied, bias
        self.qk_norm, self.rope_factors = qk_norm, rope_factors

    def linears(self):
        """(name, rows, columns) of a layer."""
        q, kv = self.heads * self.head_dim, self.kv_heads * self.head_dim
        yield from (("attn_q", q, self.dim), ("attn_k", kv, self.dim),
                    ("attn_v", kv, self.dim), ("attn_output", self.dim, q),
                    ("ffn_gate", self.ffn, self.dim), ("ffn_up", self.ffn, self.dim),
                    ("ffn_down", self.dim, self.ffn))

    def write(self, path, seed=0, tokens=None):
        """Writes it as GGUF; `tokens` is a vocabulary with its merges."""
        rng = np.random.default_rng(seed)
        out = gguf.GGUFWriter(path, self.architecture)
        add_sizes(out, self, 128)
        out.add_key_length(self.head_dim)
        out.add_value_length(self.head_dim)
        floats = lambda *shape: rng.standard_normal(shape).astype(np.float32)
        if self.rope_factors:
            out.add_tensor("rope_freqs.weight",
                           rng.uniform(1, 8, self.head_dim // 2).astype(np.float32))
        self._add(out, rng, "token_embd", self.vocabulary, self.dim, 1.0)
        if not self.tied:
            self._add(out, rng, "output", self.vocabulary, self.dim, 0.1)
        out.add_tensor("output_norm.weight", 1 + 0.1 * floats(self.dim))
        for layer in range(self.layers):
            lead = f"blk.{layer}."
            for norm in ("attn_norm", "ffn_norm"):
                out.add_tensor(f"{lead}{norm}.weight", 1 + 0.1 * floats(self.dim))
            if self.qk_norm:
                for norm in ("attn_q_norm", "attn_k_norm"):
                    out.add_tensor(f"{lead}{norm}.weight",
                                   1 + 0.1 * floats(self.head_dim))
            for name, n, k in self.linears():
                self._add(out, rng, lead + name, n, k, 1.5 / k ** 0.5)
                if self.bias and name in ("attn_q", "attn_k", "attn_v"):
                    out.add_tensor(f"{lead}{name}.bias", 0.1 * floats(n))
        if tokens is not None:
            tokens(out)
        out.write_header_to_file()
        out.write_kv_data_to_file()
        out.write_tensors_to_file()
        out.close()

    def _add(self, out, rng, name, n, k, spread):
        kinds = self.kinds
        kind = kinds.get(name, kinds.get(name.split(".")[-1], kinds.get("*")))
        raw = random_blocks(rng, kind, n, k, spread)
        if kind == "F32":
            out.add_tensor(f"{name}.weight", raw)
            return
        out.add_tensor(f"{name}.weight", raw,
                       raw_dtype=getattr(gguf.GGMLQuantizationType, kind))
