# RUN: %python %src/utils/prepare-model.py minilm_l6_full_dynbatch_s32 --build=%build
# RUN: %python %s %src/examples/encoder/similarity.py %build | FileCheck %s
"""examples/encoder: similarities of sentences, near those of the float model in
NumPy, whose tokenizer is another, too."""

# CHECK: {{^}} 1.000  0.{{[5-9]}}{{[0-9]+}} {{.*}}  A cat sleeps on the sofa.
# CHECK-NEXT: {{^}} 0.{{[5-9]}}{{.*}}  1.000 {{.*}}  A kitten naps on the couch.
# CHECK-NEXT: 1.000  The stock market fell today.

import importlib.util
import pathlib
import sys

import numpy as np
from quantmlir.checkpoint.safetensors import read_file
from quantsim import models, wordpiece

SENTENCES = ["A cat sleeps on the sofa.", "A kitten naps on the couch.",
             "The stock market fell today."]
folder = pathlib.Path(sys.argv[2], "models")
files = [str(folder / name) for name in (
    "minilm_l6_full_dynbatch_s32.mlirbc", "minilm.safetensors", "minilm.vocab.txt")]

spec = importlib.util.spec_from_file_location("similarity", sys.argv[1])
example = importlib.util.module_from_spec(spec)
spec.loader.exec_module(example)
found = {}


class Encoder(example.Encoder):
    def __call__(self, sentences):
        found["vectors"] = super().__call__(sentences)
        return found["vectors"]


example.Encoder = Encoder
sys.argv = ["similarity.py", *files, *SENTENCES]
example.main()

parameters = {name: tensor.floats() for name, tensor in read_file(files[1]).items()
              if tensor.kind == "F32"}
words = wordpiece.WordPiece(files[2])
ids = np.stack([words.encode(s, 32) for s in SENTENCES])
base = "embeddings."
x = parameters[base + "word_embeddings.weight"][ids] \
    + parameters[base + "position_embeddings.weight"][:32] \
    + parameters[base + "token_type_embeddings.weight"][0]
x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
x = x * parameters[base + "LayerNorm.weight"] + parameters[base + "LayerNorm.bias"]
mask = (ids != 0).astype(np.float32)
linear = lambda h, weight: h @ weight.T
expected = models.minilm_full(
    [x.astype(np.float32), ((1 - mask) * -10000)[:, None, None], mask], parameters, linear)
cosines = np.sum(found["vectors"] * expected, -1)
assert cosines.min() > 0.99, cosines
error = np.abs(found["vectors"] @ found["vectors"].T - expected @ expected.T).max()
assert error < 0.03, error
print(f"cosines {cosines}, similarities within {error:.4f}", file=sys.stderr)
