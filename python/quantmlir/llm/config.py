"""What an architecture of the llama family is, from a file's metadata."""

import itertools
import math
from dataclasses import dataclass, field

import numpy as np

from ..errors import FileError


@dataclass
class Config:
    """Sizes and choices of a decoder.

    dim: width; heads, kv_heads, head_dim: of attention; ffn: of the MLP;
    eps: of the norms; rope_base, rope_scale: angle = position * rope_scale *
    base^(-2i/head_dim); shares: how many heads of queries each head of keys has, in
    order (None: all as many); interleaved: rows of Q and K are stored as pairs
    (2i, 2i + 1) of a rotation, not as halves; activation: silu or gelu (tanh);
    embedding_scale multiplies embeddings; bias: of Q, K and V; qk_norm: a norm of
    each head before the rotation.
    """
    architecture: str
    layers: int
    dim: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    vocabulary: int
    eps: float
    context: int
    rope_base: float = 10000.0
    rope_scale: float = 1.0
    interleaved: bool = False
    activation: str = "silu"
    embedding_scale: float = 1.0
    bias: bool = False
    qk_norm: bool = False
    # Divides the angles one by one (llama 3.1); None: nothing does.
    rope_factors: object = field(default=None, repr=False)
    shares: tuple | None = None

    def __post_init__(self):
        for name in ("layers", "dim", "heads", "kv_heads", "head_dim", "ffn",
                     "vocabulary", "context"):
            value = getattr(self, name)
            if not isinstance(value, int) or not 0 < value < 2**31:
                raise ValueError(f"{name} is {value}")
        if self.shares is None and self.heads % self.kv_heads:
            raise ValueError(f"{self.heads} heads are no multiple of "
                             f"{self.kv_heads} heads of keys")
        if self.head_dim % 2:
            raise ValueError(f"heads of {self.head_dim} elements have no halves")
        if not 0 < self.eps < 1:
            raise ValueError(f"the epsilon of the norms is {self.eps}")
        if not (self.rope_base > 1 and math.isfinite(self.rope_base)):
            raise ValueError(f"the base of the rotations is {self.rope_base}")

    def head_runs(self):
        """(heads of keys, heads of queries of each) of neighbours that have as
        many."""
        shares = self.shares or (self.heads // self.kv_heads,) * self.kv_heads
        return [(len(list(run)), share) for share, run in itertools.groupby(shares)]


# Name in GGUF and in Hugging Face's config.json: what differs from llama.
ARCHITECTURES = {
    "llama": {},
    "mistral": {},
    "smollm": {},
    "qwen2": dict(bias=True),
    "qwen3": dict(qk_norm=True),
    "gemma": dict(activation="gelu"),
}


# Keys of GGUF that change what a decoder computes, and the values that do not.
_NOT_BUILT = {"attention.scale": 0.0, "attention.causal": True, "logit_scale": 0.0,
              "attention.clamp_kqv": 0.0, "attention.max_alibi_bias": 0.0,
              "attn_logit_softcapping": 0.0, "final_logit_softcapping": 0.0}


def architecture_facts(name, path):
    if str(name) not in ARCHITECTURES:
        raise FileError(f"{path}: the architecture is {name}; "
                        f"{', '.join(ARCHITECTURES)} can be built")
    return ARCHITECTURES[name]


def from_gguf(file):
    """The Config of a `checkpoint.GGUF`."""
    meta = file.metadata
    name = meta.get("general.architecture")
    facts = architecture_facts(name, file.path)

    def get(key, kinds=(int,), default=None):
        value = meta.get(f"{name}.{key}", default)
        if isinstance(value, bool) or not isinstance(value, kinds):
            file.fail(f"key {name}.{key} is {value!r}, expected a number"
                      if value is not None else f"has no key {name}.{key}")
        return value

    number = (int, float)
    for key, neutral in _NOT_BUILT.items():
        if meta.get(f"{name}.{key}", neutral) != neutral:
            file.fail(f"key {name}.{key} is {meta[f'{name}.{key}']!r}: that cannot be "
                      "built")
    heads, dim = get("attention.head_count"), get("embedding_length")
    head_dim = get("attention.key_length", default=dim // max(heads, 1))
    if get("attention.value_length", default=head_dim) != head_dim:
        file.fail("keys and values of different lengths cannot be built")
    if get("rope.dimension_count", default=head_dim) != head_dim:
        file.fail("rotations of a part of a head cannot be built")
    if get("expert_count", default=0):
        file.fail("mixtures of experts cannot be built")
    # As llama.cpp reads it: a factor without a type is linear.
    factor = get("rope.scaling.factor", number,
                 get("rope.scale_linear", number, 1.0))
    scaling = meta.get(f"{name}.rope.scaling.type", "linear")
    if scaling == "none":
        factor = 1.0
    elif scaling != "linear":
        file.fail(f"rotations scaled by `{scaling}` cannot be built")
    context = get("context_length")
    window = get("attention.sliding_window", default=0)
    rope = file.tensors.get("rope_freqs.weight")
    try:
        return Config(
            architecture=name, layers=get("block_count"), dim=dim, heads=heads,
            kv_heads=get("attention.head_count_kv", default=heads),
            head_dim=head_dim, ffn=get("feed_forward_length"),
            vocabulary=file.tensor("token_embd.weight").shape[0],
            eps=get("attention.layer_norm_rms_epsilon", number),
            context=min(context, window) if window else context,
            rope_base=float(get("rope.freq_base", number, 10000.0)),
            rope_scale=1.0 / factor, interleaved=name in ("llama", "mistral", "smollm"),
            embedding_scale=math.sqrt(dim) if name == "gemma" else 1.0,
            rope_factors=None if rope is None else rope.floats().reshape(-1),
            **facts)
    except (ValueError, ZeroDivisionError) as error:
        file.fail(error)


def from_folder(folder):
    """The Config of a `checkpoint.Folder`, from its config.json."""
    found = folder.config
    name = found.get("model_type")
    facts = dict(architecture_facts(name, folder.path))

    def get(key, kinds=(int,), default=None):
        value = found.get(key)
        value = default if value is None else value
        if isinstance(value, bool) or not isinstance(value, kinds):
            folder.fail(f"config.json: {key} is {value!r}, expected a number")
        return value

    number = (int, float)
    heads, dim = get("num_attention_heads"), get("hidden_size")
    head_dim = get("head_dim", default=dim // max(heads, 1))
    act = found.get("hidden_act") or found.get("hidden_activation") or "silu"
    wanted = ("silu", "swish") if facts.get("activation", "silu") == "silu" \
        else ("gelu", "gelu_pytorch_tanh")
    if act not in wanted:
        folder.fail(f"config.json: an MLP with {act} cannot be built")
    if found.get("partial_rotary_factor") not in (None, 1, 1.0):
        folder.fail("rotations of a part of a head cannot be built")
    window = found.get("sliding_window")
    if not found.get("use_sliding_window", name == "mistral"):
        window = None
    context = get("max_position_embeddings")
    facts["bias"] = "model.layers.0.self_attn.q_proj.bias" in folder.tensors
    rope = found.get("rope_parameters") or found.get("rope_scaling") or {}
    if not isinstance(rope, dict):
        folder.fail(f"config.json: rope_scaling is {rope!r}")
    base = rope.get("rope_theta") or get("rope_theta", number, 10000.0)
    if not isinstance(base, number):
        folder.fail(f"config.json: rope_theta is {base!r}")
    try:
        scale, factors = _rope_scaling(rope, base, head_dim)
        return Config(
            architecture=name, layers=get("num_hidden_layers"), dim=dim,
            heads=heads, kv_heads=get("num_key_value_heads", default=heads),
            head_dim=head_dim, ffn=get("intermediate_size"),
            vocabulary=get("vocab_size"), eps=get("rms_norm_eps", number),
            context=min(context, window) if isinstance(window, int) else context,
            rope_base=float(base), rope_scale=scale, rope_factors=factors,
            embedding_scale=math.sqrt(dim) if name == "gemma" else 1.0, **facts)
    except (ValueError, ZeroDivisionError, KeyError, TypeError) as error:
        folder.fail(f"config.json: {error}")


def _rope_scaling(rope, base, head_dim):
    """(factor of all angles, divisors of each) of `rope_scaling`."""
    kind = rope.get("rope_type", rope.get("type"))
    if kind is None and "factor" in rope:
        raise ValueError("rotations scaled by a factor of no type cannot be built")
    if kind in ("default", None):
        return 1.0, None
    if kind == "linear":
        return 1.0 / rope["factor"], None
    if kind != "llama3":
        raise ValueError(f"rotations scaled by `{kind}` cannot be built")
    factor, old = rope["factor"], rope["original_max_position_embeddings"]
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    if not 0 < low < high:
        raise ValueError(f"low_freq_factor is {low}, high_freq_factor {high}")
    turns = old / (2 * np.pi) * base ** (-np.arange(0, head_dim, 2) / head_dim)
    kept = np.clip((turns - low) / (high - low), 0, 1)
    with np.errstate(all="ignore"):
        return 1.0, (1 / (kept + (1 - kept) / factor)).astype(np.float32)
