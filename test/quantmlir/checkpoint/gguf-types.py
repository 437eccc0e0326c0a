# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t
"""GGUF files written by PyPI's `gguf`: values of every type equal to its own to
the bit, and the metadata the same."""

import sys

import gguf
import numpy as np
from gguf import quants
from quantllm.checkpoints import random_blocks
from quantmlir import checkpoint
from quantmlir.checkpoint import ggml
from quantmlir.llm import requantize

FOLDER = sys.argv[1]
KINDS = ("F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K",
         "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "TQ1_0", "TQ2_0", "MXFP4")
BITS = {"Q2_K": 2, "TQ1_0": 2, "TQ2_0": 2, "Q3_K": 4}
# Where float16 numbers are in a block.
HALVES = {"Q4_1": (0, 2), "Q5_1": (0, 2), "Q4_K": (0, 2), "Q5_K": (0, 2),
          "Q6_K": (208,), "Q2_K": (80, 82), "Q3_K": (108,), "TQ1_0": (52,),
          "TQ2_0": (64,)}
N, K = 7, 768


def any_blocks(rng, kind):
    """Blocks of any integers, and of scales of either sign and 0."""
    block, size = gguf.GGML_QUANT_SIZES[getattr(gguf.GGMLQuantizationType, kind)]
    raw = rng.integers(0, 256, (N, K // block, size), dtype=np.uint8)
    for at in HALVES.get(kind, (0,)):
        scale = rng.standard_normal((N, K // block, 1)).astype(np.float16)
        scale[2, :2] = 0
        raw[..., at:at + 2] = scale.view(np.uint8)
    if kind == "MXFP4":
        # Any powers of two, the smallest and the largest among them.
        raw[..., 0] = rng.integers(0, 256, raw.shape[:2])
        raw[0, :3, 0] = 0, 1, 255
    if kind == "Q8_0":
        raw[..., 2:][raw[..., 2:] == 128] = 127
    return raw.reshape(N, -1)


rng = np.random.default_rng(0)
out = gguf.GGUFWriter(f"{FOLDER}/types.gguf", "llama")
out.add_custom_alignment(64)
out.add_uint32("a.number", 7)
out.add_bool("a.flag", True)
out.add_float32("a.float", 0.5)
out.add_string("a.text", "naïve")
out.add_array("a.texts", ["x", "", "yz"])
out.add_array("a.numbers", [1, -2, 3])
blocks = {}
for kind in KINDS:
    made = [("plain", random_blocks(rng, kind, N, K))]
    if kind not in ("F32", "F16", "BF16"):
        made.append(("any", any_blocks(rng, kind)))
    for name, raw in made:
        blocks[f"{kind}.{name}"] = kind, raw
        type_ = {} if kind == "F32" else dict(
            raw_dtype=getattr(gguf.GGMLQuantizationType, kind))
        out.add_tensor(f"{kind}.{name}", raw, **type_)
out.write_header_to_file()
out.write_kv_data_to_file()
out.write_tensors_to_file()
out.close()

file = checkpoint.open(f"{FOLDER}/types.gguf")
for name, (kind, raw) in blocks.items():
    tensor = file.tensors[name]
    assert tensor.kind == kind and tensor.shape == (N, K), (name, tensor.shape)
    wanted = quants.dequantize(raw, getattr(gguf.GGMLQuantizationType, kind))
    assert np.array_equal(tensor.floats(), wanted), name
    weight, stored = tensor.weight(), tensor.stored()
    assert np.array_equal(requantize.floats(weight), wanted), name
    if stored is None:
        assert isinstance(weight, np.ndarray), name
        continue
    bits, group, unsigned, zero, offset, codebook = stored
    assert weight.codebook == codebook, name
    assert (weight.bits, weight.group, weight.unsigned) == (bits, group, unsigned), name
    assert (weight.zero_point is not None, weight.offset is not None) == (zero, offset)
    assert codebook or np.all(weight.scale > 0), name
    low, high = (0, (1 << bits) - 1) if unsigned or codebook else (
        -(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    assert low <= weight.q.min() and weight.q.max() <= high, name
    if name.endswith(".plain"):
        assert bits == BITS.get(kind, 4 if "4" in kind else 8), name
    print("ok", name)

wanted = {key: field.contents() for key, field in
          gguf.GGUFReader(f"{FOLDER}/types.gguf").fields.items()
          if not key.startswith("GGUF.")}
assert {key: file.metadata[key] for key in file.metadata} == wanted
assert file.metadata["a.texts"] == ["x", "", "yz"]
assert ggml.BY_NAME.keys() == set(KINDS)
