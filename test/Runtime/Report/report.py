# RUN: %python %s %t | FileCheck %s
"""The report, its agreement with NumPy and with what is printed, on a program
with weights large enough to live outside of the code."""
import json
import pathlib
import subprocess
import sys

import numpy as np

FOLDER = pathlib.Path(sys.argv[1])
FOLDER.mkdir(parents=True, exist_ok=True)
K, N, M = 96, 48, 5
rng = np.random.default_rng(3)
W = rng.normal(size=(K, N)).astype(np.float32)
X = rng.normal(size=(M, K)).astype(np.float32)
np.save(FOLDER / "x.npy", X)

(FOLDER / "model.mlir").write_text(f"""
func.func @main(%x: tensor<?x{K}xf32>) -> (tensor<?x{N}xf32>, tensor<{K}x{N}xf32>) {{
  %w = arith.constant dense_resource<w> : tensor<{K}x{N}xf32>
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x{K}xf32>
  %e = tensor.empty(%m) : tensor<?x{N}xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?x{N}xf32>) -> tensor<?x{N}xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x{K}xf32>, tensor<{K}x{N}xf32>)
         outs(%z : tensor<?x{N}xf32>) -> tensor<?x{N}xf32>
  return %y, %w : tensor<?x{N}xf32>, tensor<{K}x{N}xf32>
}}
{{-# dialect_resources: {{ builtin: {{ w: "0x04000000{W.tobytes().hex()}" }} }} #-}}
""")


def run(*options):
    for old in FOLDER.glob("out/*"):
        old.unlink()
    done = subprocess.run(
        ["quant-run", FOLDER / "model.mlir", f"--inputs={FOLDER}/x.npy",
         f"--outputs={FOLDER}/out", f"--report={FOLDER}/r.json", *options],
        capture_output=True, text=True, check=True)
    results = [np.load(FOLDER / f"out/out{i}.npy") for i in range(2)]
    return done.stdout, json.loads((FOLDER / "r.json").read_text()), results


text, report, (y, w) = run()
assert w.tobytes() == W.tobytes()
assert np.allclose(y, X @ W, rtol=1e-5, atol=1e-5)
assert report["results"] == [
    {"dtype": "f32", "shape": [M, N], "type": f"tensor<{M}x{N}xf32>"},
    {"dtype": "f32", "shape": [K, N], "type": f"tensor<{K}x{N}xf32>"}]
assert report["quantize"] is None and report["target"] == "generic"
assert "timing" not in report and "compare" not in report
print("float", sorted(report))
# CHECK: float ['entry', 'matmuls', 'model', 'products', 'quantize', 'results', 'target']

float_y = y
text, report, (y, w) = run("--quantize", "--compare", "--repeat=4")
compared = report["compare"]
assert compared["reference"] == "float"
db = 10 * np.log10((float_y.astype(float) ** 2).sum()
                   / ((float_y - y).astype(float) ** 2).sum())
cosine = ((float_y * y).sum(dtype=float)
          / np.linalg.norm(float_y.astype(float))
          / np.linalg.norm(y.astype(float)))
first, second = compared["results"]
assert abs(first["sqnr_db"] - db) < 1e-3 and 30 < db < 60, (first, db)
assert abs(first["cosine"] - cosine) < 1e-6
assert abs(first["max_abs_error"] - np.abs(float_y - y).max()) < 1e-6
assert not first["bit_identical"]
assert second == {"sqnr_db": None, "cosine": 1, "max_abs_error": 0,
                  "bit_identical": True}
assert f"SQNR {first['sqnr_db']:.2f} dB" in text
assert report["products"] == {"all": 1, "integer": 1, "left": 0, "reasons": []}
print("matmuls", report["matmuls"]["integer"], "of",
      report["matmuls"]["with_weight"])
# CHECK: matmuls 1 of 1
# The float constant is also a result, so it stays.
assert report["bytes"]["weights_before"] == 4 * K * N
assert report["bytes"]["weights_after"] == K * N
assert report["bytes"]["constants_after"] == 5 * K * N
for timing in (report["timing"], compared["timing"]):
    assert timing["repeats"] == 4
    assert 0 < timing["min_ms"] <= timing["median_ms"]
    # The size of the batch is taken from the input.
    assert timing["macs"] == M * K * N
    assert np.isclose(timing["gmac_per_s"],
                      M * K * N / timing["median_ms"] / 1e6)
assert "time generic: median" in text and "time float: median" in text
print("repeat", sorted(report["timing"]))
# CHECK: repeat ['gmac_per_s', 'macs', 'median_ms', 'min_ms', 'repeats']

text, report, _ = run("--quantize=weights=tensor weight-bits=4", "--compare")
assert report["bytes"]["weights_after"] == K * N // 2, report["bytes"]
print("int4", report["quantize"])
# CHECK: int4 weights=tensor weight-bits=4
