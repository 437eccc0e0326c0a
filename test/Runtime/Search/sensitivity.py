# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t | FileCheck %s
"""--sensitivity and --auto against NumPy: the error with one matmul quantized,
and a choice of bits that no cheaper one could replace."""
import itertools
import json
import pathlib
import subprocess
import sys

import numpy as np

from Runtime.Search.Inputs import layers

FOLDER = pathlib.Path(sys.argv[1])
S, M = 5, 6
SIZES = [32, 48, 24, 16]
rng = np.random.default_rng(17)
W = [rng.normal(size=(k, n)).astype(np.float32)
     for k, n in zip(SIZES, SIZES[1:])]
W[1][:, ::3] *= 0.02
X = rng.normal(size=(S, M, SIZES[0])).astype(np.float32)
np.save(FOLDER / "x.npy", X)

(FOLDER / "model.mlir").write_text(layers.program(W, M))


def run(*options, fails=False):
    done = subprocess.run(["quant-run", FOLDER / "model.mlir", "-O0", *options],
                          capture_output=True, text=True)
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr.strip() if fails else done.stdout


def sqnr(bits):
    return layers.sqnr(X, W, bits)


def bytes_of(bits):
    return layers.bytes_of(W, bits)


inputs = f"--inputs={FOLDER}/x.npy"
for bits, target in ((4, "generic"), (8, "x86")):
    text = run(inputs, f"--quantize=weight-bits={bits}", f"--target={target}",
               f"--sensitivity={FOLDER}/s.json")
    ranked = json.loads((FOLDER / "s.json").read_text())
    found = [e["sqnr_db"] for e in ranked["matmuls"]]
    assert found == sorted(found) and ranked["inputs"] == S
    assert np.isclose(ranked["all"]["sqnr_db"], sqnr((bits,) * 3), atol=0.05)
    for entry in ranked["matmuls"]:
        at = int(entry["name"].split("#")[1])
        one = tuple(bits if i == at else 0 for i in range(3))
        assert np.isclose(entry["sqnr_db"], sqnr(one), atol=0.05)
        assert entry["weight_bytes"] == bytes_of(one) - bytes_of(
            (0, 0, 0)) + W[at].nbytes
    assert text.splitlines()[2].split()[0] == ranked["matmuls"][0]["name"]
print(text.splitlines()[0])
# CHECK: error of the results over 5 inputs with one matmul quantized, the worst first

# As few bytes as allowed, for thresholds between all that can be reached.
choices = {bits: (sqnr(bits), bytes_of(bits))
           for bits in itertools.product((4, 8, 0), repeat=3)}
reached = sorted(db for db, _ in choices.values() if np.isfinite(db))
optimal = 0
# One that the cheapest meets, and some on the way to float.
wanted = [reached[0] - 1] + [(a + b) / 2 for a, b in zip(reached, reached[1:])
                             if b - a > 0.4]
wanted = wanted[::max(1, len(wanted) // 6)]
for db in wanted:
    text = run(inputs, "--quantize=weight-bits=8 weights=channel", "--auto",
               f"--min-sqnr={db}", f"--recipe-output={FOLDER}/recipe.json")
    recipe = json.loads((FOLDER / "recipe.json").read_text())
    assert recipe["version"] == 1 and len(recipe["model"]) == 16
    bits = []
    for i, entry in enumerate(recipe["matmuls"]):
        assert entry["name"] == f"main#{i}"
        if entry["options"] != "none":
            assert entry["options"] in ("weight-bits=4", "weight-bits=8")
        bits.append({"4": 4, "8": 8, "e": 0}[entry["options"][-1]])
    measured, size = choices[tuple(bits)]
    assert measured >= db - 0.05, (db, bits, measured)
    said = next(s for s in text.splitlines() if s.startswith("measured"))
    assert text.splitlines()[-1].startswith("products: "), text
    assert f"wanted {db:.2f} dB: met" in said, said
    assert abs(float(said.split("SQNR ")[1].split()[0]) - measured) < 0.05 or (
        not np.isfinite(measured))
    assert f"weights {size} bytes of {bytes_of((0, 0, 0))}" in text
    least = min(size for db_, size in choices.values() if db_ >= db + 0.05)
    assert size <= 1.3 * least, (db, bits, size, least)
    optimal += size <= least
print("auto:", len(wanted), "thresholds", "mostly optimal"
      if optimal >= 0.7 * len(wanted) else f"only {optimal} optimal")
# CHECK: auto: {{[0-9]+}} thresholds mostly optimal

# The recipe, compiled as the program, is what was measured.
np.save(FOLDER / "x0.npy", X[0])
db = (reached[0] + reached[len(reached) // 2]) / 2
text = run(f"--inputs={FOLDER}/x0.npy", "--auto", f"--min-sqnr={db}",
           f"--recipe-output={FOLDER}/recipe.json")
measured = text.split("measured over")[1].split("SQNR ")[1].split(",")[0]
text = run(f"--inputs={FOLDER}/x0.npy", "--compare", "--print=false",
           f"--quantize=recipe={FOLDER}/recipe.json", "--target=x86")
print("recipe:", "as measured" if f"SQNR {measured}, " in text
      else (measured, text))
# CHECK: recipe: as measured

print(run(inputs, "--sensitivity", fails=True))
# CHECK: error: --sensitivity needs --quantize, the scheme that it measures
print(run(inputs, "--auto", fails=True))
# CHECK: error: --auto: expected one of --min-sqnr and --max-bytes beside it
print(run(inputs, "--recipe-output=r.json", fails=True))
# CHECK: error: --recipe-output needs --auto
print(run(inputs, "--quantize", "--sensitivity", "--compare", fails=True))
# CHECK: error: --calibrate, --evaluate, --sensitivity, --auto and --compare: expected one of them
(FOLDER / "int.mlir").write_text("""
func.func @main(%x: tensor<2xi32>) -> tensor<2xi32> { return %x : tensor<2xi32> }
""")
done = subprocess.run(["quant-run", FOLDER / "int.mlir", "--random-inputs=1",
                       "--auto", "--min-sqnr=10"], capture_output=True, text=True)
print(done.stderr.strip())
# CHECK: error: expected a program with a float result, whose error can be measured
