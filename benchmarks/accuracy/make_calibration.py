#!/usr/bin/env python3
"""Calibration inputs for MiniLM: tokenized sentences, embedded.

    make_calibration.py --out DIR [--build=build] [--length=32] [--per-file=32]

Tokenizes test/Inputs/calibration/sentences.txt (written for this project; none
of them is a scored sentence) with the vocabulary in the model's wheel and
writes in0.npy (embedded tokens), in1.npy (additive mask), in2.npy (mask) to
DIR/0, DIR/1, ..., the arguments of the exported program. Each row is filled
with sentences up to the length, so that no activation is one of padding.
"""

import argparse
import pathlib
import sys

import numpy as np

from quantmlir import weights
from quantsim import catalog, wordpiece

ROOT = pathlib.Path(__file__).resolve().parents[2]
SENTENCES = ROOT / "test" / "Inputs" / "calibration" / "sentences.txt"


def windows(tokenizer, length):
    """Rows `[CLS] text [SEP]` without padding, cut from the text in order."""
    special = {tokenizer.ids[x] for x in ("[CLS]", "[SEP]", "[PAD]")}
    flat = [i for line in SENTENCES.read_text().splitlines()
            for i in tokenizer.encode(line, 64) if i not in special]
    body = length - 2
    ends = [tokenizer.ids["[CLS]"]], [tokenizer.ids["[SEP]"]]
    return np.array([ends[0] + flat[i:i + body] + ends[1]
                     for i in range(0, len(flat) - body + 1, body)])


def embed(ids, parameters):
    """The embedding layer, which is not part of the exported program."""
    base = "embeddings."
    x = (parameters[base + "word_embeddings.weight"][ids] +
         parameters[base + "position_embeddings.weight"][:ids.shape[1]] +
         parameters[base + "token_type_embeddings.weight"][0])
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    x = (x - mean) / np.sqrt(variance + 1e-12)
    return (x * parameters[base + "LayerNorm.weight"] +
            parameters[base + "LayerNorm.bias"]).astype(np.float32)


def write(out, build, length=32, per_file=32):
    """Writes the inputs to `out`; returns the number of rows."""
    path = catalog.minilm_weights(build)
    vocabulary = catalog.minilm_vocabulary(build)
    parameters = dict(weights.read_safetensors(path))
    ids = windows(wordpiece.WordPiece(vocabulary), length)
    for i, begin in enumerate(range(0, len(ids), per_file)):
        x = embed(ids[begin:begin + per_file], parameters)
        folder = pathlib.Path(out, f"{i:03}")
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "in0.npy", x)
        np.save(folder / "in1.npy", np.zeros((len(x), 1, 1, length), np.float32))
        np.save(folder / "in2.npy", np.ones((len(x), length), np.float32))
    return len(ids)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--length", type=int, default=32)
    parser.add_argument("--per-file", type=int, default=32)
    args = parser.parse_args()
    try:
        count = write(args.out, args.build, args.length, args.per_file)
    except catalog.Missing as reason:
        print(f"error: {reason}", file=sys.stderr)
        sys.exit(3)
    print(f"{count} rows of {args.length} tokens in {args.out}")


if __name__ == "__main__":
    main()
