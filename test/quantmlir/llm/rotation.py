# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t | FileCheck %s
"""Weights quantized anew, rotated or not, against NumPy; logits of every token; and
what cannot be."""

import sys

import numpy as np
import quantmlir
import quantmlir.llm as llm
from quantcheck.raising import raises
from quantllm.checkpoints import Decoder
from quantllm.reference import of_gguf, tie
from quantmlir import InvalidArgument
from quantmlir.llm.requantize import Requantize, floats
from quantsim import formats, rotation

PATH = f"{sys.argv[1]}/model.gguf"
# 288 columns: two blocks of 128 and 32 others.
DECODER = Decoder("llama", {"*": "Q8_0", "token_embd": "Q4_0"}, layers=2, dim=288,
                  heads=3, kv_heads=1, head_dim=96, ffn=320)
DECODER.write(PATH)
TOKENS = np.random.default_rng(1).integers(0, DECODER.vocabulary, 9)


class Fake:
    """Puts rotated 8-bit weights and activations into a reference."""

    def __init__(self, name, size, seed):
        self.size, self.seed = size, seed
        self.reference = tie(of_gguf(PATH), PATH, Requantize.parse("w8", name))
        self.reference._linear = self.linear

    def linear(self, x, name):
        w = rotation.rotate_weight(
            self.reference.tensor(name + ".weight").astype(np.float32), self.size,
            self.seed)
        x = rotation.rotate(x.astype(np.float32), self.size, self.seed)
        return self.rounded(x) @ self.rounded(w).T

    @staticmethod
    def rounded(x):
        scale = np.abs(x).max(-1, keepdims=True) / np.float32(127)
        return np.rint(x / scale).astype(np.float64) * scale


def compare(name, size, seed, **options):
    expected = Fake(name, size, seed).reference.logits(TOKENS)
    model = llm.load(PATH, weights="w8", rotation=name, optimize=0, cache=False,
                     **options)
    session = model.session(16)
    session(TOKENS[:5])
    for i in range(5, len(TOKENS)):
        found = session(TOKENS[i:i + 1])
    error = np.abs(found - expected[-1]).max() / np.abs(expected).max()
    print(f"{name}: {'close' if error < 0.02 else error}")
    return model


by_32 = compare("hadamard32", 32, 0)
compare("hadamard128:5", 128, 5, target="generic")
# CHECK: hadamard32: close
# CHECK: hadamard128:5: close

# Rotated floats are the model's, to 1e-5: what is not quantized is not rounded.
plain, rotated = (np.array(x) for x in (np.random.default_rng(2).standard_normal((2, 5, 288))))
for name, size, seed in (("hadamard32", 32, 0), ("hadamard128:5", 128, 5)):
    turned = llm.rotation.Rotation.parse(name).of_weight(rotated.astype(np.float32))
    product = rotation.rotate(plain, size, seed).astype(np.float64) @ turned.T
    assert np.allclose(product, plain @ rotated.T, atol=1e-5 * np.abs(product).max())

# Groups by least squares: no worse than by the largest magnitude.
w = np.random.default_rng(3).standard_normal((7, 72)).astype(np.float32)
stored = Requantize.parse("w4-g32", "none").quantize(w)
assert stored.scale.shape == (7, 3) and stored.q.min() >= -8 and stored.q.max() <= 7
for row in range(7):
    for group in range(3):
        part = w[row, 32 * group:32 * group + 32]
        scale = np.abs(part).max() / np.float32(7)
        plain = np.square(np.rint(part / scale) * scale - part).sum()
        found = floats(stored)[row, 32 * group:32 * group + 32]
        assert np.square(found - part).sum() <= plain * (1 + 1e-6)
# Formats with code books: no worse than by their scales of the largest magnitude.
for name in ("mxfp4", "nvfp4"):
    how = Requantize.parse(name, "none")
    stored = how.quantize(w)
    elements, _, scale = formats.quantize(w, formats.FORMATS[name])
    plain = elements * np.repeat(scale, stored.group, 1)[:, :72]
    assert stored.codebook and stored.q.max() <= 15 and stored.scale.shape == \
        (7, -(-72 // stored.group))
    assert np.square(floats(stored) - w).sum() <= np.square(plain - w).sum() * (1 + 1e-6)
# A row of zeros has the scale 1.
assert (Requantize.parse("w8", "none").quantize(np.zeros((2, 4), np.float32)).scale == 1).all()

# All logits: a row for each token, the last of which is what is there otherwise.
program = f"{sys.argv[1]}/all.mlirbc"
llm.write_program(PATH, program, weights="w8", rotation="hadamard32", all_logits=True)
model = quantmlir.compile(program, optimize=0)
lead = (DECODER.layers, DECODER.kv_heads)
logits, *_ = model(TOKENS.astype(np.int32), np.array(0, np.int32),
                   np.zeros((*lead, 96, 0), np.float32),
                   np.zeros((*lead, 0, 96), np.float32))
session = by_32.session(16)
print(logits.shape, [bool(np.array_equal(session(TOKENS[:i + 1] if not i else TOKENS[i:i + 1]),
                                         logits[i])) for i in range(3)])
# CHECK: (9, 96) [True, True, True]

raises(InvalidArgument, lambda: llm.load(PATH, rotation="hadamard32"),
       "the file's integers cannot be rotated, expected weights=")
raises(InvalidArgument, lambda: llm.load(PATH, weights="w3"),
       "weights: expected w8, w2-g32, w4-g16, w4-g32, w4-g64, w4-g128, mxfp4, nvfp4, "
       "auto, a recipe, its path (.json) or None, found 'w3'")
# Products of fewer columns than a block: some, and all.
SHORT = f"{sys.argv[1]}/short.gguf"
for ffn in (128, 96):
    Decoder("llama", {"*": "Q8_0"}, layers=1, dim=64, heads=2, kv_heads=1,
            ffn=ffn).write(SHORT)
    short = "qkv has 64, o has 64, gate_up has 64, "
    said, write = [], lambda name: llm.write_program(
        SHORT, program, weights="w8", rotation=name, progress=said.append)
    write("hadamard32")
    assert not said, said
    if ffn == 128:
        write("hadamard128")
        assert said == [
            f"not rotated, of fewer than 128 columns: {short}head has 64"], said
    else:
        raises(InvalidArgument, lambda: write("hadamard128"),
               "rotation: expected a product of 128 columns or more, found none: "
               f"{short}down has 96, head has 64")

for name in ("hadamard64", "hadamard32:", "hadamard32:-1", "hadamard32:x"):
    raises(InvalidArgument, lambda: llm.load(PATH, weights="w8", rotation=name),
           "rotation: expected none, hadamard32, hadamard128, folded32, folded128, with "
           f"`:seed` where signs are turned, found '{name}'")
