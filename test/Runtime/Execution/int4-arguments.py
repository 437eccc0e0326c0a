# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t | FileCheck %s
"""Arguments and results of 4 bits, on both targets, against NumPy."""
import pathlib
import subprocess
import sys

import numpy as np

FOLDER = pathlib.Path(sys.argv[1])
M, K, N = 5, 19, 7
(FOLDER / "model.mlir").write_text(f"""
func.func @main(%x: tensor<{M}x{K}xi8>, %w: tensor<{N}x{K}xi4>) -> (tensor<{M}x{N}xi32>, tensor<{N}x{K}xi4>) {{
  %z = arith.constant dense<0> : tensor<{M}x{N}xi32>
  %y = quant.matmul ins(%x, %w : tensor<{M}x{K}xi8>, tensor<{N}x{K}xi4>)
    outs(%z : tensor<{M}x{N}xi32>) {{transpose_rhs}} -> tensor<{M}x{N}xi32>
  return %y, %w : tensor<{M}x{N}xi32>, tensor<{N}x{K}xi4>
}}
""")
rng = np.random.default_rng(2)
x = rng.integers(-128, 128, size=(M, K)).astype(np.int8)
w = rng.integers(-8, 8, size=(N, K)).astype(np.int8)
np.save(FOLDER / "x.npy", x)
for name, stored in (("signed", w), ("unsigned", (w & 15).astype(np.uint8))):
    np.save(FOLDER / "w.npy", stored)
    for target in ("generic", "x86"):
        done = subprocess.run(
            ["quant-run", FOLDER / "model.mlir", "--print=false",
             f"--inputs={FOLDER}/x.npy,{FOLDER}/w.npy", f"--target={target}",
             f"--outputs={FOLDER}/out"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        y = np.load(FOLDER / "out/out0.npy")
        assert np.array_equal(y, x.astype(np.int32) @ w.T.astype(np.int32))
        assert np.array_equal(np.load(FOLDER / "out/out1.npy"), w)
        print(name, target, "equal")
# CHECK: signed generic equal
# CHECK: signed x86 equal
# CHECK: unsigned generic equal
# CHECK: unsigned x86 equal
