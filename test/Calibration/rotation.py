# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t | FileCheck %s
"""Statistics of rotated activations: over one input, a static scale is that of
`activations=dynamic-tensor`; ranges and histogram are those of NumPy's rotation.
Second moments need no other calibration."""

import json
import subprocess
import sys

import numpy as np
from quantsim import rotation

folder = sys.argv[1]
at = lambda name: f"{folder}/{name}"
rng = np.random.default_rng(2)
x = (rng.standard_normal((9, 80)) * np.exp(rng.standard_normal(80))).astype(np.float32)
w = (rng.standard_normal((16, 80)) * 0.05).astype(np.float32)
np.save(at("x.npy"), x)
values = ", ".join("[" + ", ".join(f"{v:.9e}" for v in row) + "]" for row in w)
with open(at("model.mlir"), "w") as f:
    f.write(f"""
func.func @main(%x: tensor<9x80xf32>) -> tensor<9x16xf32> {{
  %w = arith.constant dense<[{values}]> : tensor<16x80xf32>
  %zero = arith.constant dense<0.0> : tensor<9x16xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>,
    affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
    ins(%x, %w : tensor<9x80xf32>, tensor<16x80xf32>) outs(%zero : tensor<9x16xf32>) -> tensor<9x16xf32>
  return %y : tensor<9x16xf32>
}}
""")


def run(*options):
    return subprocess.run(["quant-run", at("model.mlir"), *options],
                          capture_output=True, text=True)


def quantized(scheme):
    done = run(f"--inputs={at('x.npy')}", f"--quantize={scheme}", f"--outputs={folder}")
    assert done.returncode == 0, done.stderr
    return np.load(at("out0.npy"))


def calibrate(stats, *options):
    done = run(f"--calibrate={at('x.npy')}", f"--stats-output={at(stats)}", *options)
    assert done.returncode == 0, done.stderr


calibrate("stats.json", "--rotation=hadamard32,hadamard32:5", "--second-moments")
calibrate("plain.json", "--second-moments")
matmul = json.load(open(at("stats.json")))["matmuls"][0]
for found, seed in zip(matmul["rotated"], (0, 5)):
    rotated = rotation.rotate(x, 32, seed)
    same = (np.float32(found["min"]) == rotated.min() and
            np.float32(found["max"]) == rotated.max() and
            sum(found["histogram"]["counts"]) + found["histogram"]["zeros"] == x.size)
    print(found["rotation"], "as NumPy's" if same else f"DIFFERS: {found['min']}")
# CHECK: hadamard32 as NumPy's
# CHECK: hadamard32:5 as NumPy's

for options in ("", " symmetric=false", " rotation-seed=5"):
    scheme = "rotation=hadamard32" + options
    got = quantized(f"{scheme} activations=static stats={at('stats.json')}")
    print("static", options, np.array_equal(
        got, quantized(f"{scheme} activations=dynamic-tensor")))
# CHECK: static True
# CHECK: static symmetric=false True
# CHECK: static rotation-seed=5 True

# GPTQ by moments that are rotated when they are read.
exact = x.astype(np.float64) @ w.T.astype(np.float64)
error = {}
for rounding in ("nearest", "error-compensated"):
    got = quantized(f"weight-bits=4 activations=float rotation=hadamard32 "
                    f"rounding={rounding} stats={at('plain.json')}")
    error[rounding] = np.square(got - exact).sum()
print("compensation helps", error["error-compensated"] < 0.7 * error["nearest"])
# CHECK: compensation helps True

done = run(f"--inputs={at('x.npy')}", "--verbose",
           f"--quantize=rotation=hadamard32 activations=static stats={at('plain.json')}")
print(done.stderr, done.stdout)
# CHECK: the statistics have no activations rotated by hadamard32, calibrate with --rotation=hadamard32

for options in (["--rotation=hadamard7", f"--calibrate={at('x.npy')}",
                 f"--stats-output={at('none.json')}"],
                ["--rotation=hadamard32", f"--inputs={at('x.npy')}"]):
    print(run(*options).stderr)
# CHECK: --rotation: expected hadamard32 or hadamard128, with `:seed` where signs are turned, found 'hadamard7'
# CHECK: --rotation needs --calibrate

text = open(at("stats.json")).read().replace('"rotation":"hadamard32"', '"rotation":3')
open(at("damaged.json"), "w").write(text)
print(run(f"--inputs={at('x.npy')}", f"--quantize=stats={at('damaged.json')}").stderr)
# CHECK: matmuls[0].rotated[0].rotation: expected a string, found 3
