# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t
"""Folders of safetensors, quantized by GPTQ (with activation order), AWQ and
compressed-tensors, against NumPy on the values that those formats define."""

import sys

import numpy as np
import quantmlir.llm as llm
from quantllm import folders
from quantllm.reference import of_folder

FOLDER, failures = sys.argv[1], 0


def run(name, scheme, make, activations, bound, **model):
    global failures
    path, rng = f"{FOLDER}/{name}", np.random.default_rng(7)
    config, values = folders.write_model(path, rng, scheme, lambda n, k: make(rng, n, k),
                                         **model)
    decoder = llm.load(path, activations=activations, target="generic", optimize=0,
                       cache=False)
    tokens = rng.integers(0, 96, 9)
    expected = of_folder(config, values, activations == "int8").logits(tokens)
    session = decoder.session(9)
    for begin, end in ((0, 6), (6, 7), (7, 9)):
        found = session(tokens[begin:end])
        error = np.abs(found - expected[end - 1]).max() / np.abs(expected[end - 1]).max()
        failures += not error < bound
        print(f"{'ok' if error < bound else 'MISMATCH'} {name} {activations}: {error:.1e}")


# Q, K and V, and gate and up, share an order: they are multiplied as one. The
# others have an order of their own.
orders = {k: np.random.default_rng(k).permutation(k) for k in (64, 128)}
run("gptq", folders.SCHEMES["gptq"],
    lambda rng, n, k: folders.gptq(rng, n, k, order=orders[k]), "int8", 0.02)
run("gptq-own", {**folders.SCHEMES["gptq"], "checkpoint_format": "gptq_v2"},
    lambda rng, n, k: folders.gptq(rng, n, k, added=0, order=rng.permutation(k)),
    "float", 2e-5)
run("awq", folders.SCHEMES["awq"], folders.awq, "int8", 0.02, bias=True)
run("int8", {"quant_method": "compressed-tensors", "config_groups": {"group_0": {
    "targets": ["re:.*proj"], "weights": {
        "num_bits": 8, "type": "int", "strategy": "channel", "symmetric": True}}}},
    lambda rng, n, k: folders.compressed(rng, n, k, bits=8, group=None, packed=False),
    "int8", 0.02)
run("nvfp4", folders.fp4_scheme(), folders.fp4, "int8", 0.02)
sys.exit(failures != 0)
