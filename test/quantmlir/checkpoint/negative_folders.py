# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t
"""Folders of safetensors that are cut off, damaged or not what they say: a
FileError of one line that names file or folder."""

import copy
import json
import pathlib
import shutil
import sys

import numpy as np
from quantllm import folders
from quantmlir import FileError, checkpoint
from quantmlir.llm import config as configs
from quantmlir.llm.folder_source import FolderSource
from quantmlir.llm.weights import Weights

FOLDER = pathlib.Path(sys.argv[1])
GOOD, BAD = FOLDER / "good", FOLDER / "bad"
rng = np.random.default_rng(0)
CONFIG, _ = folders.write_model(
    GOOD, rng, folders.SCHEMES["gptq"],
    lambda n, k: folders.gptq(rng, n, k, symmetric=True, order=rng.permutation(k)),
    layers=1)
DATA = (GOOD / "model.safetensors").read_bytes()


def read(path):
    """All that loading does with a folder but compiling."""
    file = checkpoint.open(path)
    config = configs.from_folder(file)
    for constant in Weights(config, FolderSource(file, config)).constants:
        for parts in getattr(constant, "sources", ()):
            for part in parts:
                part.load()


def refuses(*words, data=DATA, config=CONFIG, files=()):
    shutil.rmtree(BAD, ignore_errors=True)
    BAD.mkdir()
    if config is not None:
        text = config if isinstance(config, str) else json.dumps(config)
        (BAD / "config.json").write_text(text)
    if data is not None:
        (BAD / "model.safetensors").write_bytes(data)
    for name, text in files:
        (BAD / name).write_text(text)
    try:
        read(BAD)
    except FileError as error:
        text = str(error)
        assert text.startswith(str(BAD)) and "\n" not in text, text
        for word in words:
            assert word in text, (word, text)
        return True
    assert not words, f"nothing was raised where {words} was expected"
    return False


def config(**changes):
    return {**CONFIG, **changes}


def scheme(**changes):
    return config(quantization_config={**CONFIG["quantization_config"], **changes})


def header(change):
    """The file with another header."""
    size = int.from_bytes(DATA[:8], "little")
    found = json.loads(DATA[8:8 + size])
    change(found)
    text = json.dumps(found).encode()
    return len(text).to_bytes(8, "little") + text + DATA[8 + size:]


read(GOOD)
refuses("has no config.json", config=None)
refuses("config.json: ", config="{")
refuses("expected an object of JSON, found list", config="[]")
refuses("config.json: ", config="[" * 100000)
refuses("has no .safetensors file", data=None)
refuses("the architecture is bert; llama, ", config=config(model_type="bert"))
refuses("num_hidden_layers is None", config=config(num_hidden_layers=None))
refuses("hidden_size is '64'", config=config(hidden_size="64"))
refuses("an MLP with relu", config=config(hidden_act="relu"))
refuses("rotations scaled by `yarn`", config=config(rope_scaling={"type": "yarn"}))
refuses("has no tensor model.layers.0.self_attn.q_proj.weight",
        config=config(num_hidden_layers=2, quantization_config=None))
refuses("has no tensor model.layers.1.self_attn.q_proj.qweight",
        config=config(num_hidden_layers=2))
refuses("weights quantized by aqlm cannot be read; by gptq, ",
        config=scheme(quant_method="aqlm"))
refuses("weights of 3 bits", config=scheme(bits=3))
refuses("the group size is 0", config=scheme(group_size=0))
refuses(".scales has the shape [2, 64], expected [4, 64]", config=scheme(group_size=16))
refuses("laid out for marlin", config=scheme(checkpoint_format="marlin"))
refuses("no scheme is for model.layers.0.self_attn.q_proj",
        config=scheme(quant_method="compressed-tensors"))
refuses("the header takes the bytes up to 8", data=b"")
refuses("is not a safetensors file", data=b"\xff" * 64)
refuses("the header takes the bytes", data=DATA[:100])
refuses("it is not complete", data=DATA[:-1])
name = "model.layers.0.mlp.up_proj.g_idx"
refuses(f"tensor {name} is not described", data=header(lambda h: h.update({name: 3})))
refuses(f"tensor {name} is not described",
        data=header(lambda h: h[name].update(shape=[-64])))
refuses(f"tensor {name} has elements of F8_E5M2",
        data=header(lambda h: h[name].update(dtype="F8_E5M2")))
refuses(f"tensor {name} of [63] I32 has 256 bytes",
        data=header(lambda h: h[name].update(shape=[63])))
refuses(f"tensor {name} takes the bytes up to", data=header(
    lambda h: h[name].update(data_offsets=[2**40, 2**40 + 256])))
refuses("has elements of F32, expected I32",
        data=header(lambda h: h["model.layers.0.mlp.up_proj.qweight"].update(dtype="F32")))
refuses("names no files of the folder", files=[(
    "model.safetensors.index.json", '{"weight_map": {"a": "../other"}}')])
refuses("none.safetensors: No such file", files=[(
    "model.safetensors.index.json", '{"weight_map": {"a": "none.safetensors"}}')])
# Tensors on each other, between which bytes are, or that no decoder reads.
refuses("begins at byte", data=header(
    lambda h: h[name].update(data_offsets=[0, 256])))
refuses("begins at byte", data=header(lambda h: h.pop(name)))
refuses("the tensors end at byte", data=DATA + bytes(8))


def refuses_unused(what, array, *words):
    stored = {what: array, **unpacked()}
    folders.write_safetensors(FOLDER / "more.safetensors", stored)
    return refuses(*words, data=(FOLDER / "more.safetensors").read_bytes())


def unpacked():
    return {tensor.name: tensor.array() for tensor in
            checkpoint.open(GOOD).tensors.values()}


ones = np.ones(128, np.float16)
for what in ("model.layers.0.mlp.up_proj.bias", "model.layers.0.self_attn.o_proj.bias",
             "model.layers.1.mlp.up_proj.qweight", "lm_head.bias", "extra",
             "model.layers.0.self_attn.q_norm.weight"):
    refuses_unused(what, ones, f"tensor {what} is none of a llama of 1 layers")
for what in ("model.layers.0.mlp.up_proj.bias", "lm_head.bias"):
    assert not refuses_unused(what, 0 * ones)
assert not refuses_unused("model.layers.0.self_attn.rotary_emb.inv_freq", ones)
# What scales rotations.
llama3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
          "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
refuses("low_freq_factor is 4.0, high_freq_factor 4.0",
        config=config(rope_scaling={**llama3, "low_freq_factor": 4.0}))
refuses("the frequencies of the rotations are ",
        config=config(rope_scaling={**llama3, "factor": -1.0}))
refuses("the frequencies of the rotations are nan",
        config=config(rope_scaling={"type": "linear", "factor": float("nan")}))
refuses("of no type cannot be built", config=config(rope_scaling={"factor": 2.0}))
# What the scheme says is there.
kept = unpacked()
folders.write_safetensors(FOLDER / "more.safetensors",
                          {k: v for k, v in kept.items() if not k.endswith("g_idx")})
refuses(".g_idx, and its scheme says that columns have an order",
        data=(FOLDER / "more.safetensors").read_bytes())


def refuses_compressed(*words, targets=("Linear",), **weights):
    scheme = copy.deepcopy(folders.SCHEMES["compressed-tensors"])
    group = scheme["config_groups"]["group_0"]
    group["targets"] = list(targets) if isinstance(targets, tuple) else targets
    group["weights"].update(weights)
    found, _ = folders.write_model(
        FOLDER / "compressed", rng, scheme,
        lambda n, k: folders.compressed(rng, n, k), layers=1)
    refuses(*words, config=found,
            data=(FOLDER / "compressed/model.safetensors").read_bytes())


refuses_compressed(".weight_zero_point, and its scheme is not symmetric", symmetric=False)
refuses_compressed(".weight_g_idx, and its scheme says", actorder="group")
refuses_compressed("no scheme is for model.layers.0.self_attn.q_proj", targets=3)
# Groups that are not of their size.
at = json.loads(DATA[8:8 + int.from_bytes(DATA[:8], "little")])[name]["data_offsets"][0]
at += 8 + int.from_bytes(DATA[:8], "little")
refuses(f"tensor {name}: expected groups of 32 columns each",
        data=DATA[:at] + b"\0" * 256 + DATA[at + 256:])



def refuses_fp4(text, is_nvfp4=True, weights=None, **tensors):
    """4-bit floats whose scheme or tensors (bytes, a shape, or one more) are
    others."""
    scheme = folders.fp4_scheme(is_nvfp4)
    scheme["config_groups"]["group_0"]["weights"].update(weights or {})

    def make(n, k):
        made, values = folders.fp4(np.random.default_rng(n), n, k, is_nvfp4)
        for what, change in tensors.items():
            if isinstance(change, np.ndarray):
                made[what] = change
            elif isinstance(change, tuple):
                made[what] = made[what].reshape(change)
            else:
                made[what].reshape(-1).view(np.uint8)[:len(change)] = list(change)
        return made, values
    config, _ = folders.write_model(FOLDER / "fp4", rng, scheme, make, layers=1)
    refuses(text, config=config, data=(FOLDER / "fp4/model.safetensors").read_bytes())


name = "model.layers.0.self_attn.q_proj"
refuses_fp4("strategy 'tensor_group', in groups of 32 cannot be read",
            weights={"group_size": 32})
refuses_fp4("in groups of 16.0 cannot be read", weights={"group_size": 16.0})
order = np.random.default_rng(3).permutation(64) // 16
refuses_fp4("weight_g_idx: 4-bit floats in another order than that of their groups",
            weight_g_idx=order.astype(np.int32))
refuses_fp4(f"tensor {name}.weight_zero_point beside 4-bit floats cannot be read",
            weight_zero_point=np.zeros((64, 4), np.int8))
refuses_fp4(f"tensor {name}.weight_shape is [64, 32], expected [64, 64]",
            weight_shape=np.array([64, 32]))
refuses_fp4(f"tensor {name}.weight_scale has the shape [4, 64], expected [64, 4]",
            weight_scale=(4, -1))
refuses_fp4(f"tensor {name}.weight_packed has the shape [2048], expected rows of "
            "whole groups of 16", weight_packed=(-1,))
refuses_fp4(f"tensor {name}.weight_scale holds infinities or NaN", weight_scale=b"\x7f")
refuses_fp4(f"tensor {name}.weight_global_scale is [0.0]", weight_global_scale=bytes(4))
refuses_fp4(f"{name} has a scale past float32",
            weight_global_scale=b"\x01\0\0\0")
refuses_fp4(f"tensor {name}.weight_scale holds NaN", False, weight_scale=b"\xff")

size = 8 + int.from_bytes(DATA[:8], "little")
assert all(refuses(data=DATA[:cut]) for cut in rng.integers(0, len(DATA), 60))
for _ in range(200):
    data = bytearray(DATA)
    for at in rng.integers(0, size, rng.integers(1, 4)):
        data[at] = rng.integers(32, 127)
    refuses(data=bytes(data))
for _ in range(100):
    # A field of another type.
    changed = copy.deepcopy(CONFIG)
    place = changed if rng.random() < 0.7 else changed["quantization_config"]
    place[rng.choice(list(place))] = [None, -1, 0, 1e9, "x", [], {}, True][rng.integers(8)]
    refuses(config=changed)
