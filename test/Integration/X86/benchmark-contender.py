# REQUIRES: cpu-avx512-vnni
# RUN: env QUANT_BUILD=%build QUANT_BENCH_CACHE=%t %python %s | FileCheck %s
# CHECK: i8.quant exact
# CHECK-NEXT: i8.quant_fused close
# CHECK-NEXT: i4.quant_g128 close
# CHECK-NEXT: i4.quant_g32 close
# CHECK-NEXT: i4.quant_g32_blocks close
# CHECK-NEXT: i4.quant_g32_float close
# CHECK-NEXT: i4.quant_int2_g32 close
"""What benchmarks/contender.py times computes what peers.py expects of it."""

import os

import numpy as np

os.environ.setdefault("QUANT_BENCH_PIPELINE", "cpu=icelake-server")
import contender

B, N, D = 5, 40, 256
rng = np.random.default_rng(1)
xq = rng.integers(-127, 128, (B, D)).astype(np.int8)
xq[:, 0] = 127
wq = rng.integers(-127, 128, (N, D)).astype(np.int8)
w4 = rng.integers(-8, 8, (N, D)).astype(np.int8)
sx = np.float32(1 / 64)
arrays = {"X": xq * sx, "sw": rng.uniform(0.01, 0.1, N).astype(np.float32), "W4q": w4}
exact = xq.astype(np.int64) @ wq.T.astype(np.int64)
expected = {"int32": exact, "float": exact * sx * arrays["sw"]}
for group in (128, 32):
    scale = rng.uniform(0.01, 0.1, (N, D // group)).astype(np.float32)
    arrays[f"s4g{group}"] = scale
    w = w4 * np.repeat(scale, group, 1).astype(np.float64)
    expected[f"int4g{group}"] = (xq * np.float64(sx)) @ w.T

expected[None] = (xq * np.float64(sx)) @ (
    (w4 >> 2) * np.repeat(scale, 32, 1).astype(np.float64)).T

# Activations that are rounded anew, by scales of their blocks.
blocks = arrays["X"].reshape(B, D // 32, 32)
steps = np.abs(blocks).max(2, keepdims=True) / np.float32(127)
rounded = (np.rint(blocks / steps) * steps.astype(np.float64)).reshape(B, D)
in_blocks = rounded @ w.T

for kind in contender.CONTENDERS:
    one = kind()
    one.prepare(B, N, D, xq, wq, sx=sx, a=arrays)
    one.run()
    want = in_blocks if one.name.endswith("_blocks") else expected[one.check]
    got = one.result()
    if one.check == "int32":
        print(one.name, "exact" if np.array_equal(got, want) else "differs")
    else:
        print(one.name, "close" if np.allclose(got, want, rtol=1e-5, atol=1e-4)
              else f"differs by {np.abs(got - want).max()}")
