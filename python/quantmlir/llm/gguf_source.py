"""The tensors of a GGUF file by what they are in a decoder."""

import numpy as np

from .requantize import pick_rows
from .rotation import Rotation
from .stack import Form
from .unused import refuse_unused_gguf

_LINEAR = {"q": "attn_q", "k": "attn_k", "v": "attn_v", "o": "attn_output",
           "gate": "ffn_gate", "up": "ffn_up", "down": "ffn_down"}
_NORMS = {"attn_norm": "attn_norm", "ffn_norm": "ffn_norm",
          "q_norm": "attn_q_norm", "k_norm": "attn_k_norm"}


class _Weight:
    """A tensor, its rows as halves of rotations where `heads` is given: GGUF
    stores rows of Q and K as pairs (2i, 2i + 1) for the llama family."""

    def __init__(self, tensor, heads=None):
        self._tensor, self._heads = tensor, heads
        self.name, self.shape, self.form = tensor.name, tensor.shape, _form(tensor)

    def load(self):
        weight = self._tensor.weight()
        if not self._heads:
            return weight
        n = self.shape[0]
        rows = np.arange(n).reshape(self._heads, n // self._heads // 2, 2
                                    ).swapaxes(1, 2).reshape(-1)
        return pick_rows(weight, rows)


def _form(tensor):
    stored = tensor.stored()
    if stored is None:
        return Form(0)
    *rest, codebook = stored
    return Form(*rest, codebook=codebook)


class GGUFSource:
    embedding_rotation = final_rotation = Rotation()

    def __init__(self, file, config):
        self._file, self._config = file, config
        self.fail = file.fail

    def linear(self, layer, part):
        tensor = self._file.tensor(f"blk.{layer}.{_LINEAR[part]}.weight")
        heads = {"q": self._config.heads, "k": self._config.kv_heads}.get(part)
        return _Weight(tensor, heads if self._config.interleaved else None)

    def bias(self, layer, part):
        return self._file.tensor(f"blk.{layer}.{_LINEAR[part]}.bias").floats()

    def norm(self, layer, name):
        return self._file.tensor(f"blk.{layer}.{_NORMS[name]}.weight").floats()

    def embedding(self):
        return _Weight(self._file.tensor("token_embd.weight"))

    def head(self):
        if "output.weight" not in self._file.tensors:
            return None
        return _Weight(self._file.tensor("output.weight"))

    def refuse_unused(self):
        refuse_unused_gguf(self._file, self._config, _LINEAR, _NORMS)

    def final_norm(self):
        return self._file.tensor("output_norm.weight").floats()

    def shares_order(self, parts):
        return True
