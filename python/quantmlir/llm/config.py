"""What an architecture of the llama family is, from a file's metadata."""

import math
from dataclasses import dataclass, field

from ..errors import FileError


@dataclass
class Config:
    """Sizes and choices of a decoder.

    dim: width; heads, kv_heads, head_dim: of attention; ffn: of the MLP;
    eps: of the norms; rope_base, rope_scale: angle = position * rope_scale *
    base^(-2i/head_dim); interleaved: rows of Q and K are stored as pairs
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

    def __post_init__(self):
        for name in ("layers", "dim", "heads", "kv_heads", "head_dim", "ffn",
                     "vocabulary", "context"):
            value = getattr(self, name)
            if not isinstance(value, int) or not 0 < value < 2**31:
                raise ValueError(f"{name} is {value}")
        if self.heads % self.kv_heads:
            raise ValueError(f"{self.heads} heads are no multiple of "
                             f"{self.kv_heads} heads of keys")
        if self.head_dim % 2:
            raise ValueError(f"heads of {self.head_dim} elements have no halves")
        if not 0 < self.eps < 1:
            raise ValueError(f"the epsilon of the norms is {self.eps}")
        if not (self.rope_base > 1 and math.isfinite(self.rope_base)):
            raise ValueError(f"the base of the rotations is {self.rope_base}")


# Name in GGUF and in Hugging Face's config.json: what differs from llama.
ARCHITECTURES = {
    "llama": {},
    "mistral": {},
    "smollm": {},
    "qwen2": dict(bias=True),
    "qwen3": dict(qk_norm=True),
    "gemma": dict(activation="gelu"),
}
_ALIASES = {"gguf": {}, "hf": {}}


def architecture_facts(name, path):
    if name not in ARCHITECTURES:
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
    heads, dim = get("attention.head_count"), get("embedding_length")
    head_dim = get("attention.key_length", default=dim // max(heads, 1))
    if get("attention.value_length", default=head_dim) != head_dim:
        file.fail("keys and values of different lengths cannot be built")
    if get("rope.dimension_count", default=head_dim) != head_dim:
        file.fail("rotations of a part of a head cannot be built")
    if get("expert_count", default=0):
        file.fail("mixtures of experts cannot be built")
    scale, scaling = 1.0, meta.get(f"{name}.rope.scaling.type", "none")
    if scaling == "linear":
        scale = 1.0 / get("rope.scaling.factor", number)
    elif scaling != "none":
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
            rope_scale=scale, interleaved=name in ("llama", "mistral", "smollm"),
            embedding_scale=math.sqrt(dim) if name == "gemma" else 1.0,
            rope_factors=None if rope is None else rope.floats().reshape(-1),
            **facts)
    except (ValueError, ZeroDivisionError) as error:
        file.fail(error)
