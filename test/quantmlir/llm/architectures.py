# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t
"""Small random models of each architecture and of every type of weight, against
NumPy: prefill at once and in two parts, and decode, token by token."""

import sys

import numpy as np
import quantmlir.llm as llm
from quantllm.checkpoints import Decoder
from quantllm.reference import of_gguf

FOLDER = sys.argv[1]
MODELS = {
    # Q, K and V are stored in three ways, and one of them otherwise in a layer.
    "llama": (Decoder("llama", {
        "*": "Q4_0", "token_embd": "Q4_1", "attn_q": "Q4_K", "attn_k": "Q5_K",
        "attn_v": "Q4_K", "blk.1.attn_v": "Q6_K", "ffn_gate": "Q5_0",
        "ffn_up": "Q5_1", "ffn_down": "Q8_0", "output": "Q6_K"}, layers=3,
        tied=False, rope_factors=True), "x86"),
    "qwen2": (Decoder("qwen2", {
        "*": "Q8_0", "token_embd": "TQ2_0", "attn_output": "Q3_K",
        "ffn_gate": "Q2_K", "ffn_up": "TQ1_0"}, bias=True), "generic"),
    "qwen3": (Decoder("qwen3", {
        "*": "Q4_1", "attn_output": "IQ4_NL", "ffn_down": "MXFP4",
        "token_embd": "IQ4_NL"}, qk_norm=True, kv_heads=4, head_dim=32), "x86"),
    "gemma": (Decoder("gemma", {"*": "F16", "attn_output": "BF16",
                                "token_embd": "F32"}, kv_heads=1), "generic"),
}
failures = 0


def check(what, found, expected, bound):
    global failures
    error = np.abs(found - expected).max() / np.abs(expected).max()
    ok = error < bound
    failures += not ok
    print(f"{'ok' if ok else 'MISMATCH'} {what}: {error:.1e}")


def run(name, activations, bound, optimize=0, **more):
    decoder, target = MODELS[name]
    path = f"{FOLDER}/{name}.gguf"
    decoder.write(path)
    model = llm.load(path, activations=activations, target=target, optimize=optimize,
                     cache=False, **more)
    tokens = np.random.default_rng(1).integers(0, decoder.vocabulary, 12)
    expected = of_gguf(path, activations == "int8").logits(tokens)
    for split in (len(tokens), 5, 0):
        session = model.session(16)
        if split:
            check(f"{name} {activations} prefill of {split}",
                  session(tokens[:split]), expected[split - 1], bound)
        for i in range(split, len(tokens)):
            if i == split and split:
                check(f"{name} {activations} the next two",
                      session(tokens[i:i + 2]), expected[i + 1], bound)
            elif i != split + 1 or not split:
                check(f"{name} {activations} token {i}", session(tokens[i:i + 1]),
                      expected[i], bound)


run("llama", "float", 2e-5)
run("qwen3", "float", 2e-5)
run("gemma", "float", 2e-5)
# A value that lies between two integers may be rounded to the other one.
# One is compiled as users have it.
run("llama", "int8", 0.02, optimize=2)
run("qwen2", "int8", 0.02)
# Weights that the file has in floats, by a scheme.
run("gemma", "float", 0.02, quantize="weights=channel activations=dynamic-token")
sys.exit(failures != 0)
