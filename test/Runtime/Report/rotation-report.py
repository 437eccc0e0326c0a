# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t | FileCheck %s
"""Reports and recipes name rotations and formats: the scheme, the weight's error,
which is that of the rotated weight, and why a matmul is not rotated."""

import json
import pathlib
import subprocess
import sys

import numpy as np
from quantsim import arith, formats, metrics, rotation

FOLDER = pathlib.Path(sys.argv[1])
M, K, H, N = 5, 64, 16, 8
rng = np.random.default_rng(4)
W = (rng.standard_normal((H, K)) * np.exp(rng.standard_normal((H, K)))).astype(np.float32)
V = rng.standard_normal((N, H)).astype(np.float32)
np.save(FOLDER / "x.npy", rng.standard_normal((M, K)).astype(np.float32))
MAPS = "[affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, " \
       "affine_map<(m, n, k) -> (m, n)>]"


def matmul(name, x, w, m, n, k):
    return f"""
  %z{name} = arith.constant dense<0.0> : tensor<{m}x{n}xf32>
  %{name} = linalg.matmul indexing_maps = {MAPS} ins({x}, {w} : tensor<{m}x{k}xf32>, tensor<{n}x{k}xf32>)
    outs(%z{name} : tensor<{m}x{n}xf32>) -> tensor<{m}x{n}xf32>"""


(FOLDER / "model.mlir").write_text(f"""
func.func @main(%x: tensor<{M}x{K}xf32>) -> tensor<{M}x{N}xf32> {{
  %w = arith.constant dense_resource<w> : tensor<{H}x{K}xf32>
  %v = arith.constant dense_resource<v> : tensor<{N}x{H}xf32>
{matmul("y", "%x", "%w", M, H, K)}{matmul("r", "%y", "%v", M, N, H)}
  return %r : tensor<{M}x{N}xf32>
}}
{{-# dialect_resources: {{ builtin: {{
  w: "0x04000000{W.tobytes().hex()}", v: "0x04000000{V.tobytes().hex()}"
}} }} #-}}
""")


def run(*options):
    done = subprocess.run(["quant-run", FOLDER / "model.mlir",
                           f"--inputs={FOLDER / 'x.npy'}", *options],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


run("--quantize=rotation=hadamard32 rotation-seed=3", "--compare",
    f"--report={FOLDER / 'r.json'}")
matmuls = json.loads((FOLDER / "r.json").read_text())["matmuls"]["each"]
for matmul in matmuls:
    print(matmul["scheme"])
# CHECK: W8 channel, A8 dynamic token, hadamard32:3
# CHECK: W8 channel, A8 dynamic token (not rotated: K = 16 has no whole block of 32)

rotated = rotation.rotate_weight(W, 32, 3)
scale, _ = arith.choose_qparams(rotated, (0,), (-128, 127))
stored = arith.quantize(rotated, scale, 0, (0,)) * scale[:, None]
expected = metrics.sqnr_db(rotated, stored.astype(np.float32))
found = matmuls[0]["weight_error"]["sqnr_db"]
print("weight", "close" if abs(found - expected) < 0.02 else (found, expected))
# CHECK: weight close

run("--quantize=rotation=hadamard32", "--auto", "--min-sqnr=25",
    f"--recipe-output={FOLDER / 'recipe.json'}")
print(json.loads((FOLDER / "recipe.json").read_text())["matmuls"][0]["options"])
# CHECK: rotation=hadamard32

for name in ("nvfp4", "iq4_nl"):
    run(f"--quantize=weight-format={name}", "--compare", f"--report={FOLDER / 'r.json'}")
    matmul = json.loads((FOLDER / "r.json").read_text())["matmuls"]["each"][0]
    fmt = formats.FORMATS[name]
    elements, _, scale = formats.quantize(W, fmt)
    expected = metrics.sqnr_db(W, (elements * scale.repeat(fmt.group, 1)).astype(np.float32))
    found = matmul["weight_error"]["sqnr_db"]
    print(matmul["scheme"], "close" if abs(found - expected) < 0.02 else (found, expected))
# CHECK: W4 nvfp4 group 16, A8 dynamic token close
# CHECK: W4 iq4_nl group 32, A8 dynamic token close

# Of a format of 4 bits the 8-bit choice is integers in the same groups.
for db in (5, 35):
    run("--quantize=mxfp4", "--auto", f"--min-sqnr={db}",
        f"--recipe-output={FOLDER / 'recipe.json'}")
    print(json.loads((FOLDER / "recipe.json").read_text())["matmuls"][0]["options"])
# CHECK: weight-format=mxfp4 weights=group weight-bits=4 weight-scale=mse
# CHECK: weights=group weight-scale=mse weight-bits=8 weight-format=int
