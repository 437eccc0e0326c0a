"""The tensors of a folder of safetensors by what they are in a decoder."""

import re

import numpy as np

from ..checkpoint.packed import LAYERS
from .rotation import Rotation
from .stack import Form
from .unused import refuse_unused_folder

_LINEAR = {"q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj",
           "o": "self_attn.o_proj", "gate": "mlp.gate_proj", "up": "mlp.up_proj",
           "down": "mlp.down_proj"}
_NORMS = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
          "q_norm": "self_attn.q_norm", "k_norm": "self_attn.k_norm"}


class _Floats:
    form = Form(0)

    def __init__(self, tensor):
        self.name, self.shape, self.load = tensor.name, tensor.shape, tensor.floats


class _Packed:
    def __init__(self, layer):
        self.name, self.shape, self.layer = layer.name, layer.shape, layer
        is_integer = layer.codebook is None
        self.form = Form(layer.bits, layer.group, is_integer, zero=is_integer,
                         order=layer.ordered, codebook=layer.codebook)
        self.load = layer.load


class FolderSource:
    embedding_rotation = final_rotation = Rotation()

    def __init__(self, folder, config):
        self._folder, self._config = folder, config
        self.fail = folder.fail
        self._scheme = folder.config.get("quantization_config") or {}
        if not isinstance(self._scheme, dict):
            folder.fail("config.json: quantization_config is no object")
        self._method = self._scheme.get("quant_method")
        if self._scheme and str(self._method) not in LAYERS:
            folder.fail(f"weights quantized by {self._method} cannot be read; "
                        f"by {', '.join(LAYERS)} they can")

    def linear(self, layer, part):
        return self._weight(f"model.layers.{layer}.{_LINEAR[part]}")

    def _weight(self, name):
        tensors = self._folder.tensors
        whole = tensors.get(f"{name}.weight")
        if whole is not None and whole.kind in ("F32", "F16", "BF16"):
            return _Floats(whole)
        if not self._scheme:
            kind = self._folder.tensor(f"{name}.weight").kind
            self.fail(f"{name}.weight holds {kind}, and config.json no "
                      "quantization_config")
        return _Packed(LAYERS[self._method](self._folder, name,
                                            self._layer_scheme(name)))

    def _layer_scheme(self, name):
        if self._method != "compressed-tensors":
            return self._scheme
        groups = self._scheme.get("config_groups")
        for group in (groups.values() if isinstance(groups, dict) else ()):
            if not isinstance(group, dict) or not isinstance(group.get("weights"), dict):
                continue
            targets = group.get("targets")
            if isinstance(targets, list) and \
                    any(_targets(target, name) for target in targets):
                return {**self._scheme, "weights": group["weights"]}
        self.fail(f"config.json: no scheme is for {name}")

    def bias(self, layer, part):
        return self._folder.tensor(
            f"model.layers.{layer}.{_LINEAR[part]}.bias").floats()

    def norm(self, layer, name):
        return self._added(f"model.layers.{layer}.{_NORMS[name]}.weight")

    def refuse_unused(self):
        refuse_unused_folder(self._folder, self._config, _LINEAR, _NORMS)

    def final_norm(self):
        return self._added("model.norm.weight")

    def _added(self, name):
        """Gemma's norms are stored less one."""
        values = self._folder.tensor(name).floats()
        return values + np.float32(1) if self._config.architecture == "gemma" else values

    def embedding(self):
        return self._weight("model.embed_tokens")

    def head(self):
        tied = self._folder.config.get("tie_word_embeddings",
                                       self._config.architecture == "gemma")
        return None if tied else self._weight("lm_head")

    def shares_order(self, parts):
        orders = [part.layer.order for part in parts if isinstance(part, _Packed)]
        return all(order is orders[0] or np.array_equal(order, orders[0])
                   for order in orders)


def _targets(target, name):
    if not isinstance(target, str):
        return False
    if target.startswith("re:"):
        try:
            return re.match(target[3:], name) is not None
        except re.error:
            return False
    return target == "Linear" or name == target or name.endswith("." + target)
