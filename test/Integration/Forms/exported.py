# RUN: %python %s %build %t | FileCheck %s
"""Forms that exports were found to have, in one program, against NumPy: experts
with parameters for the columns of each, sums of other widths than i32, products
that convert in their body, constants and activations that are brought to a grid
and stay float, the bounds before rounding."""

import pathlib
import subprocess
import sys

import numpy as np

BUILD, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
RNG = np.random.default_rng(14)


def text(array):
    return np.array2string(array, separator=", ", threshold=10**6,
                           floatmode="unique", max_line_width=10**6)


def fill(name, kind, shape):
    zero = "0.0" if kind[0] == "f" else "0"
    return f"""
  %{name}c = arith.constant {zero} : {kind}
  %{name}e = tensor.empty() : tensor<{shape}x{kind}>
  %{name} = linalg.fill ins(%{name}c : {kind}) outs(%{name}e : tensor<{shape}x{kind}>) -> tensor<{shape}x{kind}>"""


def grid(name, source, shape, scale, low, high):
    """round(bound(x / scale)) * scale, in floats."""
    return f"""
  %{name}e = tensor.empty() : tensor<{shape}xf32>
  %{name} = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}}
      ins(%{source} : tensor<{shape}xf32>) outs(%{name}e : tensor<{shape}xf32>) {{
  ^bb0(%in: f32, %o: f32):
    %step = arith.constant {scale} : f32
    %lo = arith.constant {low}.0 : f32
    %hi = arith.constant {high}.0 : f32
    %0 = arith.divf %in, %step : f32
    %1 = arith.maximumf %0, %lo : f32
    %2 = arith.minimumf %1, %hi : f32
    %3 = math.roundeven %2 : f32
    %4 = arith.mulf %3, %step : f32
    linalg.yield %4 : f32
  }} -> tensor<{shape}xf32>"""


x = RNG.integers(-128, 127, (2, 3, 8)).astype(np.int8)
w = RNG.integers(-128, 127, (2, 8, 5)).astype(np.int8)
f = RNG.standard_normal((3, 8)).astype(np.float32)
g = RNG.standard_normal((8, 5)).astype(np.float32)
s = (RNG.random((2, 5)) * 0.02 + 0.001).astype(np.float32)
z = RNG.integers(-9, 9, (2, 5)).astype(np.int32)
program = f"""
func.func @main(%x: tensor<2x3x8xi8>, %f: tensor<3x8xf32>)
    -> (tensor<2x3x5xf32>, tensor<3x5xi16>, tensor<3x5xi64>, tensor<3x5xf32>, tensor<3x5xf32>) {{
  %w = arith.constant dense<{text(w)}> : tensor<2x8x5xi8>
  %s = arith.constant dense<{text(s)}> : tensor<2x5xf32>
  %z = arith.constant dense<{text(z)}> : tensor<2x5xi32>
  %g = arith.constant dense<{text(g)}> : tensor<8x5xf32>
  %sx = arith.constant dense<0.5> : tensor<f32>
  %xf = quant.dequantize %x scale(%sx : tensor<f32>) axes = [] : tensor<2x3x8xi8> -> tensor<2x3x8xf32>
  %wf = quant.dequantize %w scale(%s : tensor<2x5xf32>) zero_point(%z : tensor<2x5xi32>) axes = [0, 2] : tensor<2x8x5xi8> -> tensor<2x8x5xf32>{fill("a", "f32", "2x3x5")}
  %r0 = linalg.batch_matmul ins(%xf, %wf : tensor<2x3x8xf32>, tensor<2x8x5xf32>) outs(%a : tensor<2x3x5xf32>) -> tensor<2x3x5xf32>
  %x0 = tensor.extract_slice %x[0, 0, 0] [1, 3, 8] [1, 1, 1] : tensor<2x3x8xi8> to tensor<3x8xi8>
  %w0 = tensor.extract_slice %w[0, 0, 0] [1, 8, 5] [1, 1, 1] : tensor<2x8x5xi8> to tensor<8x5xi8>{fill("b", "i16", "3x5")}
  %r1 = linalg.matmul ins(%x0, %w0 : tensor<3x8xi8>, tensor<8x5xi8>) outs(%b : tensor<3x5xi16>) -> tensor<3x5xi16>{fill("c", "i64", "3x5")}
  %r2 = linalg.matmul ins(%x0, %w0 : tensor<3x8xi8>, tensor<8x5xi8>) outs(%c : tensor<3x5xi64>) -> tensor<3x5xi64>{fill("d", "f32", "3x5")}
  %r3 = linalg.matmul ins(%x0, %w0 : tensor<3x8xi8>, tensor<8x5xi8>) outs(%d : tensor<3x5xf32>) -> tensor<3x5xf32>{grid("fq", "f", "3x8", 0.05, -8, 7)}{grid("gq", "g", "8x5", 0.02, -128, 127)}
  %r4 = linalg.matmul ins(%fq, %gq : tensor<3x8xf32>, tensor<8x5xf32>) outs(%d : tensor<3x5xf32>) -> tensor<3x5xf32>
  return %r0, %r1, %r2, %r3, %r4 : tensor<2x3x5xf32>, tensor<3x5xi16>, tensor<3x5xi64>, tensor<3x5xf32>, tensor<3x5xf32>
}}"""
sums = x[0].astype(np.int64) @ w[0].astype(np.int64)
fq = np.rint(np.clip(f / np.float32(0.05), -8, 7)) * 0.05
gq = np.rint(np.clip(g / np.float32(0.02), -128, 127)) * 0.02
expected = [(x * 0.5) @ ((w.astype(np.float64) - z[:, None]) * s[:, None]),
            sums.astype(np.int16), sums, sums, fq @ gq]

FOLDER.mkdir(parents=True, exist_ok=True)
(FOLDER / "model.mlir").write_text(program)
for name, array in (("x", x), ("f", f)):
    np.save(FOLDER / f"{name}.npy", array)
# The sums in i16 and in i64 are of one product.
# CHECK-COUNT-2: products: 4 in integers + 0 left
# CHECK: 10 of 10 results agree
agree = 0
for target in ("generic", "x86"):
    ended = subprocess.run(
        [f"{BUILD}/bin/quant-run", FOLDER / "model.mlir", f"--target={target}",
         "-O0", "--print=false", f"--inputs={FOLDER}/x.npy,{FOLDER}/f.npy",
         f"--outputs={FOLDER}"], check=True, capture_output=True, text=True)
    print(ended.stdout)
    for i, want in enumerate(expected):
        got = np.load(FOLDER / f"out{i}.npy")
        if np.abs(got - want).max() <= (1e-5 * np.abs(want).max()
                                        if got.dtype.kind == "f" else 0):
            agree += 1
        else:
            print(f"{target}: result {i} differs\n{got}\n{want}")
print(f"{agree} of {2 * len(expected)} results agree")
