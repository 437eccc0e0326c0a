# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t
"""Layers as GPTQ, AWQ and compressed-tensors pack them: integers, scales and zero
points give their values to the bit."""

import sys

import numpy as np
from quantllm.folders import (SCHEMES, awq, compressed, fp4, fp4_scheme, gptq,
                              write_safetensors)
from quantmlir.checkpoint.packed import LAYERS
from quantmlir.checkpoint.safetensors import read_file


class Folder:
    """Of one file."""

    def __init__(self, tensors):
        path = f"{sys.argv[1]}/model.safetensors"
        write_safetensors(path, {f"layer.{name}": a for name, a in tensors.items()})
        self.tensors = read_file(path)

    def tensor(self, name):
        return self.tensors[name]

    def fail(self, text):
        raise AssertionError(text)


def check(what, method, made, stored=4, **scheme):
    tensors, wanted = made
    layer = LAYERS[method](Folder(tensors), "layer", {**SCHEMES[method], **scheme})
    weight = layer.load()
    n, k = wanted.shape
    assert layer.shape == (n, k) == weight.q.shape, what
    assert (weight.bits, weight.unsigned, layer.bits) == (stored, True, stored), what
    group = np.arange(k) // weight.group
    values = weight.scale.astype(np.float64)[:, group] * (
        weight.q.astype(int) - weight.zero_point[:, group])
    columns = np.arange(k) if weight.order is None else weight.order
    assert np.array_equal(values, wanted[:, columns]), what
    assert weight.q.max() < 1 << stored and np.all(weight.scale > 0), what
    print("ok", what, "" if weight.order is None else "(in order)")
    return layer


def weights(**facts):
    return {"config_groups": {}, "weights": {
        "num_bits": 4, "type": "int", "strategy": "group", "group_size": 32, **facts}}


rng = np.random.default_rng(0)
order = rng.permutation(96)
check("GPTQ", "gptq", gptq(rng, 16, 96, symmetric=True))
# A zero point of 16: eight bits hold it.
check("GPTQ, zero points", "gptq", gptq(rng, 16, 96), 8)
made = gptq(rng, 16, 96, added=0)
check("GPTQ v2", "gptq", made, checkpoint_format="gptq_v2")
check("GPTQ act-order", "gptq", gptq(rng, 16, 96, symmetric=True, order=order))
check("GPTQ 8 bits", "gptq", gptq(rng, 16, 96, 8, order=order), 8, bits=8)
check("GPTQ one group", "gptq", gptq(rng, 16, 96, group=96, symmetric=True),
      group_size=-1)
check("AWQ", "awq", awq(rng, 16, 96))
check("AWQ one group", "awq", awq(rng, 16, 96, group=96), group_size=-1)
tensors, wanted = awq(rng, 16, 96)
tensors["scales"][1, 3] = 0
wanted[3, 32:64] = 0
check("AWQ, a scale of 0", "awq", (tensors, wanted))
ct = "compressed-tensors"
check("compressed-tensors", ct, compressed(rng, 16, 96), **weights())
check("compressed-tensors, zero points", ct, compressed(rng, 16, 96, symmetric=False),
      **weights(symmetric=False))
check("compressed-tensors, order", ct, compressed(rng, 16, 96, order=True), **weights())
check("compressed-tensors, padded", ct, compressed(rng, 16, 92), **weights())
check("compressed-tensors 8 bits", ct, compressed(rng, 16, 96, bits=8), 8,
      **weights(num_bits=8))
check("compressed-tensors channel", ct, compressed(rng, 16, 96, bits=8, group=None), 8,
      **weights(num_bits=8, strategy="channel", group_size=None))
for symmetric in (True, False):
    check("compressed-tensors int8", ct, compressed(
        rng, 16, 96, bits=8, group=None, packed=False, symmetric=symmetric), 8,
        **weights(num_bits=8, strategy="channel", group_size=None))

for is_nvfp4 in (True, False):
    tensors, wanted = fp4(rng, 16, 96, is_nvfp4)
    layer = LAYERS[ct](Folder(tensors), "layer", {
        "weights": fp4_scheme(is_nvfp4)["config_groups"]["group_0"]["weights"]})
    weight = layer.load()
    assert layer.shape == weight.q.shape == wanted.shape and not weight.unsigned
    values = np.array(weight.codebook)[weight.q] * np.repeat(
        weight.scale.astype(np.float64), weight.group, 1)
    assert np.array_equal(values, wanted), is_nvfp4
    print("ok compressed-tensors", "NVFP4" if is_nvfp4 else "MXFP4")
