# REQUIRES: cpu-avx2
# RUN: %python %s %t | FileCheck %s
# CHECK: this machine, -O2: 8 of 8 within 1e-5 sqrt(K), the same bits on three threads
# CHECK: this machine, -O0: 16 of 16
# CHECK: haswell, -O0: 8 of 8
"""Products of floats by a weight of integers on x86's kernels: the relative error
to f64 is at most 1e-5 sqrt(K), another run gives the same bits, on three threads
(columns are divided, no sum is), and nothing takes the portable lowering.

weight-only.py FOLDER
"""

import os
import subprocess
import sys

import numpy as np
from Integration.Generic.Inputs.batch import Batch
from Integration.Generic.Inputs.cases import constant_parameter
from Integration.Generic.scaled_matmul import weight
from quantsim import arith

F32 = np.float32
# Every height of a tile and some rows more; columns and K at the edges of
# vectors, a last group that is shorter; one that is large enough for threads.
ROWS = [1, 2, 3, 4, 5, 7, 12, 29]
WEIGHTS = [(1, 1, 1), (17, 70, 32), (33, 96, 32), (16, 65, 65), (48, 31, 31),
           (129, 256, 128), (40, 640, 64), (1024, 512, 32)]


def add(batch, rng, m, n, k, group):
    bits, unsigned, groups = int(rng.choice([4, 8])), rng.random() < 0.5, -(-k // group)
    low = 0 if unsigned else -(1 << bits - 1)
    limits = low, low + (1 << bits)
    q = rng.integers(*limits, (n, k))
    scale = rng.uniform(0.001, 0.1, (n, groups)).astype(F32)
    codes = rng.integers(-128, 128, 16) if bits == 4 and not unsigned and \
        rng.random() < 0.5 else None
    zero = [None, rng.integers(*limits, (n, groups)),
            np.full((n, groups), rng.integers(*limits))][0 if codes is not None else rng.integers(3)]
    offset = rng.standard_normal((n, groups)).astype(F32) if rng.random() < 0.3 else None
    # Not around zero: zero points and offsets matter.
    x = (rng.standard_normal((m, k)) + rng.choice([0, 0, 0.5])).astype(F32)
    element = str(rng.choice(["f32", "f32", "f16", "bf16"]))
    lhs, type_ = batch.argument(x, dynamic=bool(rng.random() < 0.5))
    sizes = type_[len("tensor<"):].rsplit("x", 2)[0]
    if element != "f32":
        half = f"tensor<{sizes}x{k}x{element}>"
        lhs, type_ = batch.line(f"arith.truncf {lhs} : {type_} to {half}", half)
        x = x.astype(np.float16) if element == "f16" else \
            (((x.view(np.uint32) + 0x7FFF + ((x.view(np.uint32) >> 16) & 1)) >> 16) << 16
             ).astype(np.uint32).view(F32)
    rhs = weight(batch, q, bits, is_constant=True)
    text = f"quant.scaled_matmul ins({lhs}, {rhs[0]} : {type_}, {rhs[1]})"
    for name, value in (("rhs_scale", scale), ("rhs_zero_point", zero), ("rhs_offset", offset)):
        if value is not None:
            value = value if value.dtype == F32 else value.astype(np.int32)
            text += f" {name}" + constant_parameter(batch, value)
    flags = f"group_size = {group} : i64" + (", rhs_unsigned" if unsigned else "")
    if codes is not None:
        flags += f", rhs_codebook = array<i8: {', '.join(map(str, codes))}>"
        q = codes[q & 15]
    y = batch.line(f"{text} {{{flags}}} -> tensor<{sizes}x{n}xf32>", f"tensor<{sizes}x{n}xf32>")
    real = arith.dequantize_groups(q, scale, group, zero, offset)
    batch.expect(y, x.astype(np.float64) @ real.astype(np.float64).T,
                 f"{m}x{n}x{k} G={group} W{bits} u={unsigned} codes={codes is not None} {element} zero="
                 f"{'none' if zero is None else 'one' if (zero == zero.flat[0]).all() else 'groups'}"
                 f" offset={offset is not None}", 1e-5 * np.sqrt(k))


def run(folder, batch, *options):
    done = subprocess.run(["quant-run", *batch.write(folder), "--target=x86",
                           "--print=false", *options],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]
    assert "portable" not in done.stdout + done.stderr, done.stdout + done.stderr
    return [np.load(os.path.join(folder, f"out{i}.npy")) for i in range(len(batch.results))]


def check(folder, cpu, turns, level="-O0"):
    """Each weight by a number of rows for each turn."""
    rng = np.random.default_rng(len(cpu) + len(turns))
    batch = Batch()
    for i, shape in enumerate(WEIGHTS):
        for j in turns:
            add(batch, rng, ROWS[(3 * i + j) % len(ROWS)], *shape)
    options = ["--cpu=" + cpu] if cpu else []
    first = run(os.path.join(folder, "first"), batch, level, *options)
    other = run(os.path.join(folder, "threads"), batch, "-O0", "--threads=3", *options)
    right = 0
    for i, (_, exact, what, bound) in enumerate(batch.results):
        error = np.linalg.norm(first[i] - exact) / max(np.linalg.norm(exact), 1e-30)
        same = first[i].tobytes() == other[i].tobytes()
        right += bool(same and error <= bound)
        if not same or not error <= bound:
            print(f"{cpu}: {what}: error {error:.2e}, same bits: {same}")
    print(f"{cpu or 'this machine'}, {level}: {right} of {len(batch.results)} within 1e-5 "
          "sqrt(K), the same bits on three threads, not optimized")
    return right == len(batch.results)


if __name__ == "__main__":
    # A third is optimized, as users have it.
    sys.exit(not all([check(sys.argv[1], "", [0], "-O2"), check(sys.argv[1], "", [1, 2]),
                      check(sys.argv[1], "haswell", [0])]))
