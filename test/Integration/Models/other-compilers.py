# REQUIRES: iree
# RUN: %extras-python %s
"""What docs/iree.md makes, compiled by IREE, computes what this project does: static
and dynamic sizes, symmetric and not, in groups; and MiniLM's first layer faster than
IREE's own float."""

import pathlib
import tempfile

import numpy as np
import quantmlir

import iree_models

CASES = [
    ("digits_mlp_dynbatch", "weights=channel activations=dynamic-token"),
    ("digits_mlp_b16", "weights=channel activations=dynamic-token symmetric=false"),
    ("digits_mlp_b16", "weights=group group-size=32 weight-bits=4"),
    ("minilm_l6_layer0_b1s32", "weights=channel activations=dynamic-token"),
]

with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    for model, scheme in CASES:
        program, inputs = iree_models.prepare(model)
        expected = quantmlir.compile(program, quantize=scheme)(*inputs)
        iree_models.lower(program, scheme, folder / "model.mlir")
        text = (folder / "model.mlir").read_text()
        assert "group" in scheme or "linalg.matmul" in text
        other = iree_models.Iree(folder / "model.mlir")
        found = other.result(other.place(inputs))
        assert np.abs(expected).max() > 1
        assert np.abs(found - expected).max() < 1e-5, (model, scheme)

    program, inputs = iree_models.prepare(CASES[-1][0])
    iree_models.lower(program, None, folder / "float.mlir")
    own = iree_models.Iree(folder / "float.mlir", iree_models.KEPT)
    placed = own.place(inputs)
    times = iree_models.take_turns({"integers": lambda: other(*placed),
                                    "float": lambda: own(*placed)}, 60)
    assert times["integers"][0] < times["float"][0], times
