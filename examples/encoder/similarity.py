#!/usr/bin/env python3
"""How similar sentences are, by MiniLM in 8-bit integers.

    utils/prepare-model.py minilm_l6_full_dynbatch_s32       # in a checkout
    cd build/models && python similarity.py minilm_l6_full_dynbatch_s32.mlirbc \\
        minilm.safetensors minilm.vocab.txt "A cat sleeps." "A kitten naps."

The program is the encoder as torch-mlir exported it, for any number of sentences of
32 tokens; looking up and adding the embeddings comes before it and is done here.
Needs the package tokenizers.
"""

import argparse
import sys

import numpy as np
import quantmlir
import tokenizers
from quantmlir.checkpoint.safetensors import read_file

TOKENS = 32


class Encoder:
    """Sentences to unit vectors of 384 elements."""

    def __init__(self, program, weights, vocabulary, quantize):
        self._model = quantmlir.compile(program, quantize=quantize)
        self._tokenizer = tokenizers.BertWordPieceTokenizer(vocabulary)
        self._tokenizer.enable_truncation(TOKENS)
        self._tokenizer.enable_padding(length=TOKENS)
        tensors = read_file(weights)
        table = lambda name: tensors[f"embeddings.{name}"].floats()
        self._words = table("word_embeddings.weight")
        self._fixed = table("position_embeddings.weight")[:TOKENS] + \
            table("token_type_embeddings.weight")[0]
        self._scale, self._shift = table("LayerNorm.weight"), table("LayerNorm.bias")

    def __call__(self, sentences):
        encoded = self._tokenizer.encode_batch(list(sentences))
        x = self._words[[e.ids for e in encoded]] + self._fixed
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + np.float32(1e-12))
        mask = np.array([e.attention_mask for e in encoded], np.float32)
        hidden = ((1 - mask) * np.float32(-10000))[:, None, None]
        return self._model(x * self._scale + self._shift, hidden, mask)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("program", "weights", "vocabulary"):
        parser.add_argument(name)
    parser.add_argument("sentences", nargs="+")
    parser.add_argument("--quantize", default="weights=channel activations=dynamic-token")
    options = parser.parse_args()
    encoder = Encoder(options.program, options.weights, options.vocabulary,
                      options.quantize)
    vectors = encoder(options.sentences)
    for row, sentence in zip(vectors @ vectors.T, options.sentences):
        print(*(f"{value:6.3f}" for value in row), "", sentence)


if __name__ == "__main__":
    try:
        main()
    except quantmlir.QuantError as error:
        sys.exit(f"error: {error}")
