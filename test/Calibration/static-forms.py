# RUN: %python %s %t
"""Statistics belong to a matmul's activations, whatever its form, and to the
program that they were collected from, whatever is quantized first.

Over one input, a static scale is the one of `activations=dynamic-tensor`.
"""

import json
import os
import subprocess
import sys

import numpy as np

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
at = lambda name: os.path.join(folder, name)
rng = np.random.default_rng(0)
failures = 0


def run(*arguments):
    subprocess.run(["quant-run", at("model.mlir"), *arguments], check=True,
                   stdout=subprocess.DEVNULL)


def check(name, text, *arrays, static="activations=static stats={stats}"):
    """The same result with a static scale as with a dynamic one."""
    global failures
    with open(at("model.mlir"), "w") as f:
        f.write(text)
    paths = [at(f"in{i}.npy") for i in range(len(arrays))]
    for path, array in zip(paths, arrays):
        np.save(path, array.astype(np.float32))
    inputs, stats = ",".join(paths), at("stats.json")
    results = []
    try:
        run(f"--calibrate={inputs}", f"--stats-output={stats}")
        for scheme in ("activations=dynamic-tensor",
                       static.format(stats=stats)):
            run(f"--inputs={inputs}", f"--quantize={scheme}",
                f"--outputs={folder}")
            results.append(np.load(at("out0.npy")))
        ok = np.array_equal(*results)
    except subprocess.CalledProcessError:
        ok = False
    failures += not ok
    print(f"{'ok' if ok else 'MISMATCH'} {name}")


x = rng.standard_normal((3, 8)) * 50
check("an argument as the weight, first", """
func.func @main(%w: tensor<4x8xf32>, %x: tensor<8xf32>) -> tensor<4xf32> {
  %zero = arith.constant dense<0.0> : tensor<4xf32>
  %y = linalg.matvec ins(%w, %x : tensor<4x8xf32>, tensor<8xf32>) outs(%zero : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
""", rng.standard_normal((4, 8)) * 0.02, x[0])

check("a quantized weight, first", """
#w = affine_map<(m, n, k) -> (n, k)>
#x = affine_map<(m, n, k) -> (m, k)>
#y = affine_map<(m, n, k) -> (m, n)>
func.func @main(%x: tensor<3x8xf32>) -> tensor<3x2xf32> {
  %q = arith.constant dense<[[1, 2, 3, 4, 5, 6, 7, 8], [-1, 2, -3, 4, -5, 6, -7, 8]]> : tensor<2x8xi8>
  %s = arith.constant dense<[0.01, 0.02]> : tensor<2xf32>
  %w = quant.dequantize %q scale(%s : tensor<2xf32>) axes = [0] : tensor<2x8xi8> -> tensor<2x8xf32>
  %zero = arith.constant dense<0.0> : tensor<3x2xf32>
  %y = linalg.contract indexing_maps = [#w, #x, #y] ins(%w, %x : tensor<2x8xf32>, tensor<3x8xf32>) outs(%zero : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}
""", x)

# Sizes that one operand knows and the other does not.
for size, known in (("3x?", "dynamic K"), ("?x8", "dynamic rows")):
    check(known, f"""
func.func @main(%x: tensor<{size}xf32>) -> tensor<3x4xf32> {{
  %w = arith.constant dense<0.25> : tensor<8x4xf32>
  %zero = arith.constant dense<0.0> : tensor<3x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<{size}xf32>, tensor<8x4xf32>) outs(%zero : tensor<3x4xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}}
""", x)

# The first matmul is exact: both of its scales are powers of two.
with open(at("recipe.json"), "w") as f:
    json.dump({"version": 1, "matmuls": [
        {"name": "main#1",
         "options": f"activations=static stats={at('stats.json')}"}]}, f)
x = rng.integers(-127, 128, (3, 8))
x[:, 0] = 127
check("a recipe's statistics, of the second matmul", """
func.func @main(%x: tensor<3x8xf32>) -> tensor<3x8xf32> {
  %w = arith.constant dense<0.9921875> : tensor<8x8xf32>
  %zero = arith.constant dense<0.0> : tensor<3x8xf32>
  %y = linalg.matmul ins(%x, %w : tensor<3x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<3x8xf32>) -> tensor<3x8xf32>
  %z = linalg.matmul ins(%y, %w : tensor<3x8xf32>, tensor<8x8xf32>) outs(%zero : tensor<3x8xf32>) -> tensor<3x8xf32>
  return %z : tensor<3x8xf32>
}
""", x, static="activations=dynamic-tensor recipe=" + at("recipe.json"))

sys.exit(failures != 0)
