# RUN: %python %s %t | FileCheck %s
"""quant-run --evaluate: one compilation, many inputs, stacked results."""
import pathlib
import subprocess
import sys

import numpy as np

FOLDER = pathlib.Path(sys.argv[1])
FOLDER.mkdir(parents=True, exist_ok=True)
RNG = np.random.default_rng(5)
W = RNG.integers(-9, 10, size=(3, 4)).astype(np.float32)
(FOLDER / "model.mlir").write_text(f"""
func.func @main(%x: tensor<2x3xf32>) -> (tensor<2x4xf32>, tensor<2x3xf32>) {{
  %w = arith.constant dense<{W.tolist()}> : tensor<3x4xf32>
  %z = arith.constant dense<0.0> : tensor<2x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<2x3xf32>, tensor<3x4xf32>)
    outs(%z : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y, %x : tensor<2x4xf32>, tensor<2x3xf32>
}}
func.func @rows(%x: tensor<?x3xf32>) -> tensor<?x3xf32> {{
  return %x : tensor<?x3xf32>
}}
""")


def evaluate(inputs, *options):
    done = subprocess.run(
        ["quant-run", FOLDER / "model.mlir", f"--evaluate={inputs}",
         f"--outputs={FOLDER}/out", *options], capture_output=True, text=True)
    print(done.stdout.replace(str(FOLDER), "DIR"), done.stderr, end="")
    return done.returncode


X = RNG.integers(-9, 10, size=(5, 2, 3)).astype(np.float32)
np.save(FOLDER / "x.npy", X)
# CHECK: evaluated 5 inputs: DIR/out
assert evaluate(FOLDER / "x.npy", "--target=x86") == 0
assert np.array_equal(np.load(FOLDER / "out/out0.npy"), X @ W)
assert np.array_equal(np.load(FOLDER / "out/out1.npy"), X)

# Quantized, all at once or one after the other: the same.
# CHECK: evaluated 5 inputs: DIR/out
# CHECK-NEXT: products: 1 in integers + 0 left with reason = 1
assert evaluate(FOLDER / "x.npy", "--quantize", "--target=x86") == 0
together = np.load(FOLDER / "out/out0.npy")
for i, x in enumerate(X):
    np.save(FOLDER / "one.npy", x)
    subprocess.run(["quant-run", FOLDER / "model.mlir", "--quantize",
                    f"--inputs={FOLDER}/one.npy", f"--outputs={FOLDER}/one"],
                   check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    assert np.array_equal(np.load(FOLDER / "one/out0.npy"), together[i])
assert not np.array_equal(together, X @ W)

# CHECK: error: --evaluate: result 0 is tensor<3x3xf32> for input 1, expected the sizes of the inputs before it
(FOLDER / "set").mkdir(exist_ok=True)
for rows in (2, 3):
    np.save(FOLDER / f"set/{rows}.npy", np.ones((rows, 3), np.float32))
assert evaluate(FOLDER / "set", "--entry=rows") == 1
