"""Tensors of a checkpoint that a decoder would not read: it would be another model
without them."""

import re

import numpy as np

_GGUF = re.compile(r"blk\.(\d{1,9})\.(\w+)\.(weight|bias)")
_FOLDER = re.compile(r"model\.layers\.(\d{1,9})\.([\w.]+)\.(\w+)")
# What decoders compute by themselves, and scales of caches that are not kept.
_IGNORED = re.compile(r".*(rotary_emb\.inv_freq|self_attn\.[qkv]_(scale|zero_point))")
_BIASED = ("q", "k", "v")


def _refuse(file, config, is_used):
    for name, tensor in file.tensors.items():
        if is_used(name) or (name.endswith(".bias") and
                             not np.any(tensor.floats())):
            continue
        file.fail(f"tensor {name} is none of a {config.architecture} of "
                  f"{config.layers} layers as it can be built")


def _norms(config, names):
    return {stored for name, stored in names.items()
            if config.qk_norm or name in ("attn_norm", "ffn_norm")}


def refuse_unused_gguf(file, config, linears, norms):
    """linears, norms: {what it is: its name in a layer}."""
    weights = {*linears.values(), *_norms(config, norms)}
    biases = {linears[part] for part in _BIASED} if config.bias else set()

    def is_used(name):
        found = _GGUF.fullmatch(name)
        if not found:
            return name in ("token_embd.weight", "output.weight",
                            "output_norm.weight", "rope_freqs.weight")
        layer, part, kind = found.groups()
        return int(layer) < config.layers and \
            part in (weights if kind == "weight" else biases)

    _refuse(file, config, is_used)


def refuse_unused_folder(folder, config, linears, norms):
    """As `refuse_unused_gguf`. All of a quantized product but a bias is its form's."""
    products, norms = set(linears.values()), _norms(config, norms)
    biases = {linears[part] for part in _BIASED} if config.bias else set()

    def is_used(name):
        found = _FOLDER.fullmatch(name)
        module, _, kind = name.rpartition(".")
        if _IGNORED.fullmatch(name) or name == "model.norm.weight":
            return True
        if not found:
            return module in ("model.embed_tokens", "lm_head") and kind != "bias"
        layer, module, kind = found.groups()
        return int(layer) < config.layers and (
            module in biases if kind == "bias" else
            module in products or (module in norms and kind == "weight"))

    _refuse(folder, config, is_used)
