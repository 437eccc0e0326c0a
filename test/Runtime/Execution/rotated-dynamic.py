# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t | FileCheck %s
"""A rotated product whose K the weight alone knows: the same to the bit as with
activations of that size, and activations of another size are an error."""

import subprocess
import sys

import numpy as np

folder = sys.argv[1]
rng = np.random.default_rng(5)
M, N, K = 5, 16, 96
W = rng.standard_normal((N, K)).astype(np.float32)
for name, k in (("x", K), ("short", 64)):
    np.save(f"{folder}/{name}.npy", rng.standard_normal((M, k)).astype(np.float32))
for name, k in (("static", K), ("dynamic", "?")):
    with open(f"{folder}/{name}.mlir", "w") as f:
        f.write(f"""
func.func @main(%x: tensor<{M}x{k}xf32>) -> tensor<{M}x{N}xf32> {{
  %w = arith.constant dense_resource<w> : tensor<{N}x{K}xf32>
  %z = arith.constant dense<0.0> : tensor<{M}x{N}xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>,
    affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
    ins(%x, %w : tensor<{M}x{k}xf32>, tensor<{N}x{K}xf32>)
    outs(%z : tensor<{M}x{N}xf32>) -> tensor<{M}x{N}xf32>
  return %y : tensor<{M}x{N}xf32>
}}
{{-# dialect_resources: {{ builtin: {{ w: "0x04000000{W.tobytes().hex()}" }} }} #-}}
""")


def run(program, x, *options):
    done = subprocess.run(["quant-run", f"{folder}/{program}.mlir", "--target=x86",
                           f"--inputs={folder}/{x}.npy", f"--outputs={folder}", *options],
                          capture_output=True, text=True)
    return done.stderr if done.returncode else np.load(f"{folder}/out0.npy")


subprocess.run(["quant-opt", f"{folder}/dynamic.mlir", "-quant-rotate",
                "-o", f"{folder}/rotated.mlir"], check=True)
exact = np.load(f"{folder}/x.npy").astype(np.float64) @ W.T.astype(np.float64)
print("float", np.abs(run("rotated", "x") - exact).max() < 1e-4)
print(run("rotated", "short"))
# CHECK: float True
# CHECK: dimension 1 of the source is 64 and the result is 96

for scheme in ("w8a8-rot", "w8a16 rotation=hadamard32", "w4a4-rot",
               "activations=dynamic-tensor rotation=hadamard32 rotation-seed=3"):
    options = [f"--quantize={scheme}", "--strict"]
    print(scheme, np.array_equal(run("dynamic", "x", *options),
                                 run("static", "x", *options)))
    print(run("dynamic", "short", *options))
# CHECK: w8a8-rot True
# CHECK: dimension 1 of the source is 64 and the result is 96
# CHECK: w8a16 rotation=hadamard32 True
# CHECK: dimension 1 of the source is 64 and the result is 96
# CHECK: w4a4-rot True
# CHECK: dimension 1 of the source is 64 and the result is 96
# CHECK: rotation-seed=3 True
# CHECK: dimension 1 of the source is 64 and the result is 96
