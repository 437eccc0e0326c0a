# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t
"""A report says what NumPy says, and which models have none."""

import json
import pathlib
import sys

import numpy as np
import quantmlir

from Artifact.Inputs import programs

FOLDER = pathlib.Path(sys.argv[1])
text, weights = programs.mlp()
scheme = "weights=channel activations=dynamic-token"
x = programs.activations(5)
(FOLDER / "model.mlir").write_text(text)

for program, target, level in ((text, "generic", 0), (FOLDER / "model.mlir", None, 1)):
    m = quantmlir.compile(program, quantize=scheme, target=target, optimize=level)
    r = m.report(x, repeat=2)
    expected = programs.sqnr(programs.run_mlp(x, weights), m(x))
    found = r.data["compare"]["results"][0]["sqnr_db"]
    # The reference is the float program, not NumPy's doubles.
    assert abs(found - expected) < 0.01, (found, expected)
    assert [(f["k"], f["n"]) for f in r.matmuls] == [(64, 96), (96, 32)]
    assert r.matmuls[0]["weight_bytes_before"] == weights[0].nbytes
    assert r.data["timing"]["repeats"] == 2
    assert "compare result0 with float" in str(r)
    r.to_html(FOLDER / "page.html")
    page = (FOLDER / "page.html").read_text()
    assert "<svg" in page and page == r.html and f"--O={level}" in page
    r.to_json(FOLDER / "report.json")
    assert json.loads((FOLDER / "report.json").read_text()) == r.data


def raises(call, *words):
    try:
        call()
    except quantmlir.InvalidArgument as error:
        for word in words:
            assert word in str(error), error
        return
    raise AssertionError("nothing was raised")


m.save(FOLDER / "model.so")
raises(lambda: quantmlir.load(FOLDER / "model.so").report(x), "does not hold its program")
raises(lambda: quantmlir.compile(text).report(x), "with a scheme")
raises(lambda: m.report(x.astype(np.float64)), "input 0: expected tensor<?x64xf32>")
raises(lambda: m.report(), "expected 1 inputs")
