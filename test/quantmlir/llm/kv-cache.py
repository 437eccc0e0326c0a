# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t
"""Caches of integers: a small random model against NumPy, the same tokens from
both targets, and what is refused."""

import sys

import numpy as np
import quantmlir.llm as llm
from quantcheck.raising import raises
from quantllm.checkpoints import Decoder
from quantllm.reference import of_gguf
from quantmlir import FileError, InvalidArgument, ModelStopped

FOLDER = sys.argv[1]
PATH = f"{FOLDER}/model.gguf"
# Three heads of queries to a head of keys; no power of two in a head.
Decoder("llama", {"*": "Q8_0"}, layers=2, dim=96, heads=6, kv_heads=2, head_dim=96,
        ffn=128).write(PATH)
TEXTS = [np.random.default_rng(seed).integers(0, 96, 80) for seed in range(2, 8)]
TOKENS = TEXTS[0]
# Blocks of weights begin anew where tokens do, and are rounded otherwise. In some
# texts an element of a key is so near a tie that sums in another order turn it: one
# of six has to be right.
AT_ONCE, LATER = 1e-5, 0.03


def run(model, split):
    """Logits after `split` tokens at once and after each of six more."""
    session = model.session(128)
    logits = [session(TOKENS[:split]).copy()]
    logits += [session(TOKENS[i:i + 1]).copy() for i in range(split, split + 6)]
    return np.array(logits), session


def error(found, expected):
    return np.abs(found - expected).max() / np.abs(expected).max()


def at_once(model, bits, split):
    """Errors after the first `split` tokens of each text."""
    return [error(model.session(128)(text[:split]),
                  of_gguf(PATH, cache=(bits, split)).logits(text[:split])[-1])
            for text in TEXTS]


for form, targets in (("int8", ["x86"]), ("int4", ["x86", "generic"])):
    bits = int(form[3:])
    plain = of_gguf(PATH).logits(TOKENS)
    models = {target: llm.load(PATH, kv_cache=form, activations="float",
                               target=target, cache=False,
                               # One is compiled as users have it.
                               optimize=2 if form == "int8" else 0)
              for target in targets}
    for split in (66, 5):
        expected = of_gguf(PATH, cache=(bits, split)).logits(TOKENS)
        found = {target: run(model, split)[0] for target, model in models.items()}
        at = slice(split - 1, split + 6)
        for target, logits in found.items():
            wrong = [error(logits[i], expected[at][i]) for i in range(7)]
            wrong += at_once(models[target], bits, split)
            print(form, target, split, wrong)
            assert max(wrong) < LATER
            assert min(wrong[7:]) < AT_ONCE
            # Floats would be told apart.
            assert error(plain[split - 1], expected[split - 1]) > 100 * AT_ONCE
            assert error(logits, found["x86"]) < LATER
            assert (logits.argmax(-1) == found["x86"].argmax(-1)).all()
    # One element in `bits`, one scale a head and token.
    _, session = run(models["x86"], 5)
    sizes = {name: array.nbytes for name, array in session.arrays.items()}
    assert sizes["keys"] == sizes["values"] == 2 * 2 * 96 * 128 * bits // 8, sizes
    assert sizes["key_scales"] == sizes["value_scales"] == 2 * 2 * 128 * 4, sizes
    # What is behind the last token is not touched, and there is no room for more.
    assert not session.arrays["values"][:, :, 11:].any()
    assert session.arrays["values"][:, :, 10].any()
    raises(InvalidArgument, lambda: session(np.zeros(120, np.int32)),
           "131 tokens are more than the caches hold, 128")
    # The program itself takes no position that its caches do not have.
    for position in (-5, 129):
        raises(ModelStopped,
               lambda: models["x86"].model(TOKENS[:1].astype(np.int32),
                                           np.array(position, np.int32),
                                           *session.arrays.values()),
               "position: expected 0 to the tokens of keys")

raises(InvalidArgument, lambda: llm.load(PATH, kv_cache="int2"),
       "kv_cache: expected float, int8, int4, found 'int2'")
raises(InvalidArgument, lambda: llm.write_program(PATH, f"{FOLDER}/p.mlirbc",
                                                  kv_cache="fp8"), "found 'fp8'")
Decoder("llama", {"*": "Q8_0"}, layers=1, dim=96, heads=2, kv_heads=1, head_dim=48,
        ffn=64).write(f"{FOLDER}/odd.gguf")
raises(FileError, lambda: llm.load(f"{FOLDER}/odd.gguf", kv_cache="int8"),
       "odd.gguf: kv_cache=int8 is for heads of a multiple of 32 elements up to 1024, found 48")
