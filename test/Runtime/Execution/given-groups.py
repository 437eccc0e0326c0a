# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t | FileCheck %s
"""A weight that the program quantizes in groups, under a scheme for the
activations: its integers are multiplied, against NumPy from the definitions."""
import pathlib
import subprocess
import sys

import numpy as np

FOLDER = pathlib.Path(sys.argv[1])
M, N, G, K = 3, 8, 4, 16
rng = np.random.default_rng(7)
W = rng.integers(-8, 8, size=(N, G, K))
S = rng.uniform(0.01, 0.2, size=(N, G)).astype(np.float32)
X = rng.normal(size=(M, G * K)).astype(np.float32)
np.save(FOLDER / "x.npy", X)

# Groups are merged before the matmul, as weight-only exports have them.
(FOLDER / "model.mlir").write_text(f"""
func.func @main(%x: tensor<?x{G * K}xf32>) -> tensor<?x{N}xf32> {{
  %w = arith.constant dense<{W.tolist()}> : tensor<{N}x{G}x{K}xi4>
  %s = arith.constant dense<{S.astype(float).tolist()}> : tensor<{N}x{G}xf32>
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x{G * K}xf32>
  %e0 = tensor.empty() : tensor<{N}x{G}x{K}xf32>
  %d = linalg.generic {{
      indexing_maps = [affine_map<(n, g, k) -> (n, g, k)>, affine_map<(n, g, k) -> (n, g)>,
                       affine_map<(n, g, k) -> (n, g, k)>],
      iterator_types = ["parallel", "parallel", "parallel"]}}
      ins(%w, %s : tensor<{N}x{G}x{K}xi4>, tensor<{N}x{G}xf32>) outs(%e0 : tensor<{N}x{G}x{K}xf32>) {{
    ^bb0(%q: i4, %scale: f32, %o: f32):
      %f = arith.sitofp %q : i4 to f32
      %r = arith.mulf %f, %scale : f32
      linalg.yield %r : f32
    }} -> tensor<{N}x{G}x{K}xf32>
  %c = tensor.collapse_shape %d [[0], [1, 2]] : tensor<{N}x{G}x{K}xf32> into tensor<{N}x{G * K}xf32>
  %e1 = tensor.empty() : tensor<{G * K}x{N}xf32>
  %t = linalg.transpose ins(%c : tensor<{N}x{G * K}xf32>) outs(%e1 : tensor<{G * K}x{N}xf32>) permutation = [1, 0]
  %e2 = tensor.empty(%m) : tensor<?x{N}xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e2 : tensor<?x{N}xf32>) -> tensor<?x{N}xf32>
  %y = linalg.matmul ins(%x, %t : tensor<?x{G * K}xf32>, tensor<{G * K}x{N}xf32>)
         outs(%z : tensor<?x{N}xf32>) -> tensor<?x{N}xf32>
  return %y : tensor<?x{N}xf32>
}}
""")


def expected(axis):
    """Symmetric 8-bit activations, exact sums of each group."""
    scale = (np.abs(X).max(axis, keepdims=axis is not None)
             / np.float32(127)).astype(np.float32)
    q = np.clip(np.rint(X / scale), -128, 127).astype(np.int64)
    sums = np.einsum("mgk,ngk->mng", q.reshape(M, G, K), W)
    return (sums * S.astype(float)).sum(2) * scale


for scheme, axis in (("dynamic-token", 1), ("dynamic-tensor", None)):
    for target in ("generic", "x86"):
        done = subprocess.run(
            ["quant-run", FOLDER / "model.mlir", f"--inputs={FOLDER}/x.npy",
             f"--outputs={FOLDER}/out", "--print=false", "--strict",
             f"--target={target}", f"--quantize=activations={scheme}"],
            capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found = np.load(FOLDER / "out/out0.npy")
        assert np.allclose(found, expected(axis), rtol=1e-5, atol=1e-5), found
        print(scheme, target, done.stdout.splitlines()[-1])
# CHECK: dynamic-token generic products: 1 in integers + 0 left with reason = 1
# CHECK: dynamic-token x86 products: 1 in integers + 0 left with reason = 1
# CHECK: dynamic-tensor generic products: 1 in integers + 0 left with reason = 1
# CHECK: dynamic-tensor x86 products: 1 in integers + 0 left with reason = 1
