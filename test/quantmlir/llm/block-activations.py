# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t | FileCheck %s
"""Activations of 4 bits in blocks of 32, by a file's own integers and by ones made
anew, against NumPy; the head's have 8 bits."""

import sys

import numpy as np
import quantmlir.llm as llm
from quantllm.checkpoints import Decoder
from quantllm.reference import of_gguf, rounded, tie
from quantmlir.llm.requantize import Requantize, floats
from quantsim import rotation

PATH = f"{sys.argv[1]}/model.gguf"
# Weights with and without offsets; 80 columns of attention: a last block of 16.
DECODER = Decoder("llama", {"*": "Q4_1", "ffn_down": "Q8_0", "attn_output": "F32",
                            "token_embd": "Q8_0"},
                  layers=1, dim=64, heads=5, kv_heads=1, head_dim=16, ffn=96)
DECODER.write(PATH)
TOKENS = np.random.default_rng(5).integers(0, DECODER.vocabulary, 12)


def reference(bits, weights=None, name="none"):
    """Of activations in so many bits."""
    model = of_gguf(PATH)
    if weights is not None:
        tie(model, PATH, Requantize.parse(weights, name))
    size = rotation.NAMES[name]

    def linear(x, tensor):
        is_head = not tensor.startswith("blk.")
        w = model.tensor(tensor + ".weight").astype(np.float32)
        if weights is None and tensor.endswith("attn_output"):
            return x @ w.T.astype(np.float64)
        if weights is not None:
            how = Requantize.parse(weights, name)
            w = floats((how.of_head() if is_head else how).quantize(
                how.rotation.of_weight(w)))
        x = rotation.rotate(x.astype(np.float32), size)
        return rounded(x, 8 if is_head else bits) @ w.T.astype(np.float64)

    model._linear = linear
    return model.logits(TOKENS)


for target, options in (("x86", {}), ("generic", {}),
                        ("x86", dict(weights="w4-g32", rotation="hadamard32"))):
    model = llm.load(PATH, activations="int4", target=target, optimize=0, cache=False,
                     **options)
    session = model.session(16)
    found = [session(TOKENS[:10]).copy(), *(session(TOKENS[i:i + 1]).copy()
                                            for i in range(10, 12))]
    how = (options.get("weights"), options.get("rotation", "none"))
    four, eight = (reference(bits, *how)[9:] for bits in (4, 8))
    error = lambda wanted: np.abs(found - wanted).max() / np.abs(wanted).max()
    print(target, *how, "close" if error(four) < 0.01 < 0.05 < error(eight)
          else (error(four), error(eight)))
# CHECK: x86 None none close
# CHECK-NEXT: generic None none close
# CHECK-NEXT: x86 w4-g32 hadamard32 close
