# A weight that several products share is quantized once and stored once,
# whatever the scheme.
# RUN: %python %s quant-opt | FileCheck %s
import re
import subprocess
import sys

import numpy as np

N, K, PRODUCTS = 64, 96, 3
SCHEMES = ["weights=channel", "weights=channel weight-bits=4",
           "weights=channel weight-scale=mse",
           "weights=group group-size=32 weight-bits=4"]

rng = np.random.default_rng(5)
weight = rng.standard_normal((N, K)).astype("<f4")
lines = [f"func.func @f(%x: tensor<4x{K}xf32>) -> tensor<{PRODUCTS}x4x{N}xf32>"
         " {", f'%w = arith.constant dense<"0x{weight.tobytes().hex()}"> : '
         f"tensor<{N}x{K}xf32>",
         f"%e = tensor.empty() : tensor<{K}x{N}xf32>",
         "%z = arith.constant 0.0 : f32",
         f"%o = tensor.empty() : tensor<4x{N}xf32>",
         f"%i = linalg.fill ins(%z : f32) outs(%o : tensor<4x{N}xf32>) -> "
         f"tensor<4x{N}xf32>",
         f"%r0 = tensor.empty() : tensor<{PRODUCTS}x4x{N}xf32>"]
for i in range(PRODUCTS):
    lines += [f"%c{i} = arith.constant dense<{i + 1}.0> : tensor<4x{K}xf32>",
              f"%x{i} = arith.mulf %x, %c{i} : tensor<4x{K}xf32>",
              f"%t{i} = linalg.transpose ins(%w : tensor<{N}x{K}xf32>) "
              f"outs(%e : tensor<{K}x{N}xf32>) permutation = [1, 0]",
              f"%y{i} = linalg.matmul ins(%x{i}, %t{i} : tensor<4x{K}xf32>, "
              f"tensor<{K}x{N}xf32>) outs(%i : tensor<4x{N}xf32>) -> "
              f"tensor<4x{N}xf32>",
              f"%r{i + 1} = tensor.insert_slice %y{i} into %r{i}[{i}, 0, 0] "
              f"[1, 4, {N}] [1, 1, 1] : tensor<4x{N}xf32> into "
              f"tensor<{PRODUCTS}x4x{N}xf32>"]
lines += [f"return %r{PRODUCTS} : tensor<{PRODUCTS}x4x{N}xf32>", "}"]

for scheme in SCHEMES:
    done = subprocess.run(
        [sys.argv[1],
         f"--quant-to-generic=quantize={{{scheme}}} stop-after=quant"],
        input="\n".join(lines), capture_output=True, text=True, check=True)
    products = len(re.findall(r"quant\.(?:scaled_)?matmul ", done.stdout))
    weights = re.findall(r"arith\.constant dense(?:_resource)?<[^\n]*xi8>",
                         done.stdout)
    print(f"{scheme}: {products} products, {len(weights)} weight")

# CHECK: weights=channel: 3 products, 1 weight
# CHECK: weights=channel weight-bits=4: 3 products, 1 weight
# CHECK: weights=channel weight-scale=mse: 3 products, 1 weight
# CHECK: weights=group group-size=32 weight-bits=4: 3 products, 1 weight
