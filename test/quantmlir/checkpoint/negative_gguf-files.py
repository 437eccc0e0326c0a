# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t
"""GGUF files that are cut off, damaged or not what they say: a FileError of one
line that names the file, or what can be read is read."""

import pathlib
import struct
import sys

import numpy as np
from quantllm.checkpoints import Decoder
from quantmlir import FileError, checkpoint
from quantmlir.llm import config as configs
from quantmlir.llm.gguf_source import GGUFSource
from quantmlir.llm.tokenizer import Tokenizer
from quantmlir.llm.weights import Weights

FOLDER = pathlib.Path(sys.argv[1])
PATH = FOLDER / "model.gguf"


def tokens(out):
    out.add_tokenizer_model("llama")
    out.add_token_list([f"t{i}" for i in range(96)])
    out.add_token_scores([-float(i) for i in range(96)])
    out.add_token_types([1] * 96)
    out.add_eos_token_id(2)


def read(path):
    """All that loading does with a file but compiling."""
    file = checkpoint.open(path)
    config = configs.from_gguf(file)
    weights = Weights(config, GGUFSource(file, config))
    for constant in weights.constants:
        for parts in getattr(constant, "sources", ()):
            for part in parts:
                part.load()
    tokenizer = Tokenizer(file)
    tokenizer.decode(tokenizer.encode("t1 t2"))


def refuses(data, *words):
    path = FOLDER / "bad.gguf"
    path.write_bytes(data)
    try:
        read(path)
    except FileError as error:
        text = str(error)
        assert text.startswith(f"{path}: ") and "\n" not in text, text
        for word in words:
            assert word in text, (word, text)
        return True
    assert not words, f"nothing was raised where {words} was expected"
    return False


Decoder("llama", {"*": "Q4_1", "attn_q": "Q6_K", "token_embd": "Q8_0"}, layers=1,
        ffn=256).write(PATH, tokens=tokens)
good = PATH.read_bytes()
read(PATH)


def changed(old, new):
    assert good.count(old) == 1, good.count(old)
    return good.replace(old, new)


key = lambda name: struct.pack("<Q", len(name)) + name.encode()
number = lambda name, value: key(name) + struct.pack("<II", 4, value)
text = lambda name, value: key(name) + struct.pack("<I", 8) + key(value)

def value(data):
    """Of the metadata: a number, a bool, a str or a list of str."""
    kind = {bool: "<I?", int: "<Ii", float: "<If"}.get(type(data))
    if kind:
        return struct.pack(kind, {bool: 7, int: 5, float: 6}[type(data)], data)
    if isinstance(data, str):
        return struct.pack("<I", 8) + key(data)
    return struct.pack("<IIQ", 9, 8, len(data)) + b"".join(map(key, data))


def with_key(name, data):
    """The file with the key `name`, for one that it may have."""
    tensors, pairs = struct.unpack_from("<QQ", good, 8)
    begin = good.index(key("token_embd.weight"))
    old = good[24:begin].replace(key(name), key(name[:-1] + "~"))
    more = key(name) + value(data) + key("padding") + struct.pack("<I", 8)
    # What is pushed back keeps its place to the alignment.
    more += key("x" * (-(len(more) + 8) % 32))
    return good[:8] + struct.pack("<QQ", tensors, pairs + 2) + old + more + good[begin:]


def refuses_key(name, data, *words):
    refuses(with_key(name, data), *words)


def with_tensor(name, data):
    """The file with one more tensor, of floats, behind the others."""
    tensors, pairs = struct.unpack_from("<QQ", good, 8)
    file = checkpoint.open(PATH)
    last = list(file.tensors.values())[-1]
    entry = key(last.name)
    at = good.index(entry) + len(entry) + 4 + 8 * len(last.shape) + 12
    begin = -(-at // 32) * 32
    size = len(good) - begin
    more = key(name) + struct.pack("<IQIQ", 1, data.size, 0, size)
    head = good[:8] + struct.pack("<QQ", tensors + 1, pairs) + good[24:at] + more
    return head + b"\0" * (-len(head) % 32) + good[begin:] + \
        data.astype("<f4").tobytes()


refuses(b"", "is not a GGUF file")
refuses(b"GGML" + good[4:], "is not a GGUF file")
refuses(b"GGUF" + struct.pack(">I", 3) + good[8:], "has GGUF version 50331648")
refuses(good[:20], "the header takes the bytes up to 24, but the file has 20")
refuses(good[:-1], "but the file has", "it is not complete")
refuses(good[:16] + struct.pack("<Q", 2**62) + good[24:], "the header")
refuses(changed(text("general.architecture", "llama"),
                text("general.architecture", "mamba")), "the architecture is mamba; llama, ")
refuses(changed(number("llama.block_count", 1), number("llama.block_count", 2)),
        "has no tensor blk.1.attn_q.weight; it has ")
refuses(changed(number("llama.block_count", 1), number("llama.block_count", 2**31)),
        "layers is 2147483648")
refuses(changed(number("llama.attention.head_count", 4),
                number("llama.attention.head_count", 0)), "heads is 0")
refuses(changed(number("llama.attention.head_count", 4),
                number("llama.attention.head_count", 3)),
        "3 heads are no multiple of 2")
refuses(changed(number("llama.feed_forward_length", 256),
                number("llama.feed_forward_length", 128)),
        "tensor blk.0.ffn_gate.weight has the shape [256, 256], expected [128, 256]")
refuses(changed(key("llama.context_length"), key("llama.context_lengtx")),
        "has no key llama.context_length")
refuses(changed(key("output_norm.weight"), key("output_nrom.weight")),
        "has no tensor output_norm.weight")
refuses(changed(key("blk.0.ffn_up.weight"), key("blk.0.ffn_up.weighs")),
        "has no tensor blk.0.ffn_up.weight")
refuses(changed(text("tokenizer.ggml.model", "llama"),
                text("tokenizer.ggml.model", "words")),
        "the tokenizer is words; gpt2, llama can be used")
refuses(changed(number("tokenizer.ggml.eos_token_id", 2),
                number("tokenizer.ggml.eos_token_id", 2**31)),
        "the eos token is 2147483648 of 96")
# Of a type that is not read (Q8_K), and of rows that are no whole blocks.
name = key("blk.0.ffn_up.weight") + struct.pack("<IQQ", 2, 256, 256)
refuses(changed(name + struct.pack("<I", 3), name + struct.pack("<I", 15)),
        "tensor blk.0.ffn_up.weight has GGML type 15; F32, F16, Q4_0, ")
refuses(changed(name, name[:-16] + struct.pack("<QQ", 250, 256)),
        "Q4_1 rows hold whole blocks of 32, but its rows have 250")
refuses(changed(name, name[:-16] + struct.pack("<QQ", 2**62, 2**62)), "takes the bytes")
refuses(changed(name, name[:-20] + struct.pack("<IQQ", 5, 256, 256)),
        "has 5 dimensions")
refuses(changed(key("blk.0.ffn_up.weight"), key("blk.0.attn_q.weight")),
        "there are two tensors blk.0.attn_q.weight")
# Keys that are there twice, or of another type, or that change what is computed.
refuses(with_key("general.architecturf", "x").replace(
    key("general.architecturf"), key("general.architecture")),
    "there are two keys general.architecture")
refuses_key("split.count", 2, "is one of 2 parts of a model")
refuses_key("split.count", "2", "key split.count is '2', expected a number")
refuses_key("llama.attention.scale", 0.5, "llama.attention.scale is 0.5: that cannot")
refuses_key("llama.attention.causal", False, "causal is False")
refuses_key("llama.rope.scaling.factor", 0.0, "float division by zero")
refuses_key("llama.rope.scaling.factor", -2.0, "the frequencies of the rotations are -")
refuses_key("llama.rope.scale_linear", np.nan, "the frequencies of the rotations are nan")
refuses_key("llama.rope.scaling.factor", "2", "is '2', expected a number")
refuses_key("tokenizer.ggml.bos_token_id", "x", "the bos token is 'x' of 96")
refuses_key("tokenizer.ggml.bos_token_id", 0.0, "the bos token is 0.0 of 96")
refuses_key("tokenizer.ggml.add_bos_token", 1, "add_bos_token is no bool")
refuses_key("tokenizer.ggml.scores", 3, "scores is no list of numbers")
refuses_key("tokenizer.ggml.scores", ["x"] * 96, "scores is no list of numbers")
refuses_key("tokenizer.ggml.token_type", 3, "token_type is no list of numbers")
# A factor without a type is linear, as llama.cpp reads it.
for name in ("llama.rope.scaling.factor", "llama.rope.scale_linear"):
    (FOLDER / "scaled.gguf").write_bytes(with_key(name, 4.0))
    assert configs.from_gguf(checkpoint.open(FOLDER / "scaled.gguf")).rope_scale == 0.25
# Tensors that a decoder would not read, or that lie where others do.
ones, zeros = np.ones(256), np.zeros(256)
for name in ("blk.0.attn_q.bias", "output_norm.bias", "blk.1.attn_q.weight",
             "blk.0.attn_q_norm.weight", "extra"):
    refuses(with_tensor(name, ones), f"tensor {name} is none of a llama of 1 layers")
assert not refuses(with_tensor("blk.0.attn_output.bias", zeros))
refuses(with_tensor("rope_freqs.weight", np.zeros(32)), "the rotations are inf to inf")
entry = key("blk.0.ffn_up.weight") + struct.pack("<IQQI", 2, 256, 256, 3)
at = good.index(entry) + len(entry)
refuses(good[:at] + struct.pack("<Q", 0) + good[at + 8:],
        "tensor blk.0.ffn_up.weight begins at 0 of the data, expected ")
# A scale that is no number, in the blocks of the last tensor.
file = checkpoint.open(PATH)
tensor = file.tensors["blk.0.ffn_down.weight"]
at = good.index(tensor.raw()[0, :20].tobytes())
refuses(good[:at] + struct.pack("<e", np.nan) + good[at + 2:],
        "tensor blk.0.ffn_down.weight: the scale of row 0, block 0 is nan")

rng = np.random.default_rng(0)
header = good.index(b"output_norm") + 4096
refused = sum(refuses(good[:size]) for size in rng.integers(0, len(good), 150))
assert refused == 150, refused
for _ in range(300):
    data = bytearray(good)
    for at in rng.integers(0, min(header, len(good)), rng.integers(1, 4)):
        data[at] = rng.integers(0, 256)
    refused += refuses(bytes(data))
assert refused > 200, refused
