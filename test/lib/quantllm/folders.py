"""Random checkpoints as Hugging Face lays them out, packed element by element as
the packers of GPTQ (AutoGPTQ), AWQ (AutoAWQ) and compressed-tensors do it.

Each packer returns the tensors of a layer and its weight in float64.
"""

import json
import os
import struct

import numpy as np
from quantsim.formats import E4M3


def write_safetensors(path, tensors):
    """{name: array}; uint16 stands for BF16, bool for the bits of F8_E4M3."""
    kinds = {"float32": "F32", "float16": "F16", "uint16": "BF16", "int32": "I32",
             "int64": "I64", "int8": "I8", "float64": "F64", "uint8": "U8",
             "bool": "F8_E4M3"}
    header, at = {}, 0
    for name, array in tensors.items():
        header[name] = {"dtype": kinds[array.dtype.name], "shape": list(array.shape),
                        "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in tensors.values():
            file.write(np.ascontiguousarray(array).tobytes())


def bf16(values):
    """The bits of float32 cut to bfloat16."""
    return (np.ascontiguousarray(values, np.float32).view(np.uint32) >> 16
            ).astype(np.uint16)


def words(elements, bits):
    """Elements [.., e] of a word each, the first in the lowest bits."""
    out = np.zeros(elements.shape[:-1], np.uint32)
    for i in range(elements.shape[-1]):
        out |= elements[..., i].astype(np.uint32) << np.uint32(bits * i)
    return out.view(np.int32)


def gptq(rng, n, k, bits=4, group=32, order=None, added=1, symmetric=False):
    """order: a permutation of the columns, or None."""
    each, groups = 32 // bits, -(-k // group)
    q = rng.integers(0, 1 << bits, (n, k))
    zero = np.full((n, groups), 1 << (bits - 1)) if symmetric else \
        rng.integers(added, (1 << bits) + added, (n, groups))
    if bits == 8:
        zero = np.minimum(zero, 255)
    scale = (rng.uniform(0.5, 1.5, (n, groups)) / k ** 0.5 / (1 << (bits - 2))
             ).astype(np.float16)
    g_idx = np.arange(k) // group
    if order is not None:
        g_idx = g_idx[order]
    tensors = {
        "qweight": words(q.T.reshape(k // each, each, n).swapaxes(1, 2), bits),
        "qzeros": words((zero - added).T.reshape(groups, n // each, each), bits),
        "scales": scale.T.copy(), "g_idx": g_idx.astype(np.int32)}
    return tensors, scale.astype(np.float64)[:, g_idx] * (q - zero[:, g_idx])


def awq(rng, n, k, group=32):
    groups, order = -(-k // group), [0, 2, 4, 6, 1, 3, 5, 7]
    q, zero = rng.integers(0, 16, (n, k)), rng.integers(0, 16, (n, groups))
    scale = (rng.uniform(0.5, 1.5, (n, groups)) / k ** 0.5 / 4).astype(np.float16)
    # Nibble i of a word holds column order[i] of its eight.
    pack = lambda a: words(a.T.reshape(-1, n // 8, 8)[..., order], 4)
    g = np.arange(k) // group
    return ({"qweight": pack(q), "qzeros": pack(zero), "scales": scale.T.copy()},
            scale.astype(np.float64)[:, g] * (q - zero[:, g]))


def compressed(rng, n, k, bits=4, group=32, symmetric=True, packed=True, order=False):
    group = group or k
    groups, each, half = -(-k // group), 32 // bits, 1 << (bits - 1)
    q = rng.integers(-half, half, (n, k))
    zero = np.zeros((n, groups), int) if symmetric else \
        rng.integers(-half, half, (n, groups))
    scale = bf16(rng.uniform(0.5, 1.5, (n, groups)) / k ** 0.5 / (half / 2))
    g = np.arange(k) // group
    tensors = {"weight_scale": scale}
    if order:
        g = rng.permutation(g)
        tensors["weight_g_idx"] = g.astype(np.int32)
    if packed:
        padded = np.pad(q + half, ((0, 0), (0, -k % each)))
        tensors["weight_packed"] = words(padded.reshape(n, -1, each), bits)
        tensors["weight_shape"] = np.array([n, k], np.int64)
        if not symmetric:
            tensors["weight_zero_point"] = words(
                (zero + half).reshape(n // each, each, groups).swapaxes(1, 2), bits)
    else:
        tensors["weight"] = q.astype(np.int8)
        if not symmetric:
            tensors["weight_zero_point"] = zero.astype(np.int8)
    real = (scale.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    return tensors, real[:, g] * (q - zero[:, g])


def fp4(rng, n, k, is_nvfp4=True):
    """NVFP4, or MXFP4, with scales of any bits that are numbers."""
    group = 16 if is_nvfp4 else 32
    q = rng.integers(0, 16, (n, k))
    bits = rng.integers(0x18, 0x40, (n, k // group)).astype(np.uint8)
    if is_nvfp4:
        # Over the tensor's scale; a few below 0, and 0.
        bits[rng.random(bits.shape) < 0.05] = 0
        bits |= (rng.random(bits.shape) < 0.1).astype(np.uint8) << 7
        of_tensor = np.array([rng.uniform(5, 50)], np.float32)
        scale = np.concatenate([E4M3, [np.nan], -E4M3]).astype(np.float32)[bits] / of_tensor
        tensors = {"weight_scale": bits.view(bool), "weight_global_scale": of_tensor}
    else:
        bits = (bits // 16 + 121).astype(np.uint8)
        scale = 2.0**(bits.astype(int) - 127)
        tensors = {"weight_scale": bits}
    tensors["weight_packed"] = (q[:, ::2] | q[:, 1::2] << 4).astype(np.uint8)
    e2m1 = np.array([0, .5, 1, 1.5, 2, 3, 4, 6])
    return tensors, np.concatenate([e2m1, -e2m1])[q] * np.repeat(
        scale.astype(np.float64), group, 1)


def fp4_scheme(is_nvfp4=True):
    return {"quant_method": "compressed-tensors", "config_groups": {"group_0": {
        "targets": ["Linear"], "weights": {
            "num_bits": 4, "type": "float", "symmetric": True,
            "strategy": "tensor_group" if is_nvfp4 else "group",
            "group_size": 16 if is_nvfp4 else 32}}}}


SCHEMES = {
    "gptq": {"quant_method": "gptq", "bits": 4, "group_size": 32, "desc_act": True,
             "sym": False},
    "awq": {"quant_method": "awq", "bits": 4, "group_size": 32, "zero_point": True,
            "version": "gemm"},
    "compressed-tensors": {
        "quant_method": "compressed-tensors", "format": "pack-quantized",
        "ignore": ["lm_head"], "config_groups": {"group_0": {
            "targets": ["Linear"], "weights": {
                "num_bits": 4, "type": "int", "strategy": "group",
                "group_size": 32, "symmetric": True}}}},
}


def write_model(path, rng, scheme, make, layers=2, dim=64, heads=4, kv_heads=2,
                ffn=128, vocabulary=96, bias=False, **changes):
    """A llama, or with `bias` a qwen2, whose layers `make(n, k)` packs. Returns
    (config, {parameter: float64})."""
    os.makedirs(path, exist_ok=True)
    config = {
        "model_type": "qwen2" if bias else "llama", "num_hidden_layers": layers,
        "hidden_size": dim, "num_attention_heads": heads,
        "num_key_value_heads": kv_heads, "intermediate_size": ffn,
        "vocab_size": vocabulary, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "max_position_embeddings": 64, "hidden_act": "silu",
        "tie_word_embeddings": False, "quantization_config": scheme, **changes}
    with open(f"{path}/config.json", "w") as file:
        json.dump(config, file)
    floats = lambda *shape: rng.standard_normal(shape).astype(np.float16)
    stored, values = {}, {}

    def plain(name, array):
        stored[name], values[name] = array, array.astype(np.float64)

    plain("model.embed_tokens.weight", floats(vocabulary, dim))
    plain("lm_head.weight", floats(vocabulary, dim))
    plain("model.norm.weight", floats(dim))
    kv = dim // heads * kv_heads
    for layer in range(layers):
        lead = f"model.layers.{layer}."
        for norm in ("input_layernorm", "post_attention_layernorm"):
            plain(f"{lead}{norm}.weight", floats(dim))
        for name, n, k in (("self_attn.q_proj", dim, dim), ("self_attn.k_proj", kv, dim),
                           ("self_attn.v_proj", kv, dim), ("self_attn.o_proj", dim, dim),
                           ("mlp.gate_proj", ffn, dim), ("mlp.up_proj", ffn, dim),
                           ("mlp.down_proj", dim, ffn)):
            tensors, values[f"{lead}{name}.weight"] = make(n, k)
            stored.update({f"{lead}{name}.{what}": a for what, a in tensors.items()})
            if bias and name[-6:] in ("q_proj", "k_proj", "v_proj"):
                plain(f"{lead}{name}.bias", floats(n))
    write_safetensors(f"{path}/model.safetensors", stored)
    return config, values
