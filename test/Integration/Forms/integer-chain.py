# RUN: %python %s %build
"""Two quantized layers with bias and ReLU between them (the IR is pinned in
test/Pipelines/integer-chain.mlir): the hidden layer is int8, and every integer
is that of the formula, on both targets."""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

BUILD = pathlib.Path(sys.argv[1])
B, K, H, N = 5, 33, 17, 9
SX, SH, ZH, SW1, SW2 = map(np.float32, (0.05, 0.1, -3, 0.02, 0.03))
PROGRAM = """
#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (n)>
!x = !quant.uniform<i8:f32, 0.05>
!h = !quant.uniform<i8:f32, 0.1:-3>
!w1 = !quant.uniform<i8:f32, 0.02>
!w2 = !quant.uniform<i8:f32, 0.03>
func.func @main(%x: tensor<{B}x{K}xf32>) -> tensor<{B}x{N}xf32> {{
  %w1 = arith.constant dense<{w1}> : tensor<{K}x{H}xi8>
  %w2 = arith.constant dense<{w2}> : tensor<{H}x{N}xi8>
  %b = arith.constant dense<{b}> : tensor<{H}xf32>
  %z1 = arith.constant dense<0.0> : tensor<{B}x{H}xf32>
  %z2 = arith.constant dense<0.0> : tensor<{B}x{N}xf32>
  %qx = quant.qcast %x : tensor<{B}x{K}xf32> to tensor<{B}x{K}x!x>
  %dx = quant.dcast %qx : tensor<{B}x{K}x!x> to tensor<{B}x{K}xf32>
  %s1 = quant.scast %w1 : tensor<{K}x{H}xi8> to tensor<{K}x{H}x!w1>
  %d1 = quant.dcast %s1 : tensor<{K}x{H}x!w1> to tensor<{K}x{H}xf32>
  %s2 = quant.scast %w2 : tensor<{H}x{N}xi8> to tensor<{H}x{N}x!w2>
  %d2 = quant.dcast %s2 : tensor<{H}x{N}x!w2> to tensor<{H}x{N}xf32>
  %m1 = linalg.matmul ins(%dx, %d1 : tensor<{B}x{K}xf32>, tensor<{K}x{H}xf32>) outs(%z1 : tensor<{B}x{H}xf32>) -> tensor<{B}x{H}xf32>
  %e = tensor.empty() : tensor<{B}x{H}xf32>
  %a1 = linalg.generic {{indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}}
      ins(%m1, %b : tensor<{B}x{H}xf32>, tensor<{H}xf32>) outs(%e : tensor<{B}x{H}xf32>) {{
  ^bb0(%l: f32, %r: f32, %o: f32):
    %sum = arith.addf %l, %r : f32
    linalg.yield %sum : f32
  }} -> tensor<{B}x{H}xf32>
  %r1 = linalg.generic {{indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}}
      ins(%a1 : tensor<{B}x{H}xf32>) outs(%e : tensor<{B}x{H}xf32>) {{
  ^bb0(%l: f32, %o: f32):
    %zero = arith.constant 0.0 : f32
    %positive = arith.cmpf ugt, %l, %zero : f32
    %relu = arith.select %positive, %l, %zero : f32
    linalg.yield %relu : f32
  }} -> tensor<{B}x{H}xf32>
  %qh = quant.qcast %r1 : tensor<{B}x{H}xf32> to tensor<{B}x{H}x!h>
  %dh = quant.dcast %qh : tensor<{B}x{H}x!h> to tensor<{B}x{H}xf32>
  %m2 = linalg.matmul ins(%dh, %d2 : tensor<{B}x{H}xf32>, tensor<{H}x{N}xf32>) outs(%z2 : tensor<{B}x{N}xf32>) -> tensor<{B}x{N}xf32>
  return %m2 : tensor<{B}x{N}xf32>
}}
"""

rng = np.random.default_rng(3)
x = (rng.normal(size=(B, K)) * 4).astype(np.float32)
w1, w2 = (rng.integers(-128, 128, s).astype(np.int64)
          for s in ((K, H), (H, N)))
b = rng.normal(size=H).astype(np.float32)

qx = np.clip(np.rint(x / SX), -128, 127).astype(np.int64)
m1 = np.float32(SX * SW1) / SH
y1 = (qx @ w1).astype(np.float32) * m1 + b / SH
qh = np.clip(np.rint(np.maximum(y1, 0)) + ZH, -128, 127).astype(np.int64)
want = ((qh - int(ZH)) @ w2).astype(np.float32) * np.float32(SH * SW2)
assert (qh == 127).any() and (qh == ZH).any(), "both clamps are met"

with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    np.save(folder / "x.npy", x)
    (folder / "m.mlir").write_text(PROGRAM.format(
        B=B, K=K, H=H, N=N, w1=w1.tolist(), w2=w2.tolist(),
        b=[float(v) for v in b]))
    for target in ("generic", "x86"):
        subprocess.run([BUILD / "bin/quant-run", folder / "m.mlir",
                        f"--inputs={folder}/x.npy", f"--target={target}",
                        f"--outputs={folder}/out"], check=True,
                       capture_output=True)
        got = np.load(folder / "out/out0.npy")
        assert np.array_equal(got, want), (target, np.abs(got - want).max())
print("equal on both targets")
