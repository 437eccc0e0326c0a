# RUN: %python %s plain-device

"""Kernels of Target/GPU on a device without instructions of its own
(Inputs/plain-device.cpp): what is vendor-neutral computes the right numbers by
itself. They are compiled by upstream's passes and run thread by thread
(test/lib/ptxsim), against NumPy: sums exactly, floats to the bit."""

import subprocess
import sys
import tempfile

import numpy as np

from ptxsim import gemm, scaled

DRIVER, CHIP = sys.argv[1], "sm_61"
PASSES = ("gpu.module(convert-scf-to-cf,convert-vector-to-llvm,expand-strided-metadata),"
          + gemm.KERNEL_PASSES.format(chip=CHIP, ptx=gemm.PTX[CHIP]))
rng = np.random.default_rng(11)
passed = failed = 0


def compile_kernels(opt, text, chip):
    with tempfile.NamedTemporaryFile("w", suffix=".mlir") as file:
        file.write(text)
        file.flush()
        made = subprocess.run([DRIVER, file.name], capture_output=True,
                              text=True, check=True).stdout
    assert "nvvm" not in made and "rocdl" not in made
    launches = {name: tuple(int(n) for n in numbers.split(","))
                for name, numbers in gemm._KERNEL.findall(made)}
    return gemm.extract_ptx(gemm.run_opt(opt, made, PASSES)), launches


gemm.compile_kernels = scaled.compile_kernels = compile_kernels


def record(what, want, got):
    global passed, failed
    equal = want.dtype == got.dtype and want.tobytes() == got.tobytes()
    passed += equal
    failed += not equal
    if not equal:
        print(f"FAILED: {what}: {(want != got).sum()} of {got.size} differ")


# The kernel for few rows, and tiles: whole ones, odd sizes, K of one block.
for m, n, k in [(1, 8, 64), (3, 17, 130), (4, 24, 1), (5, 7, 3), (32, 64, 256),
                (40, 70, 300)]:
    spec = gemm.Spec(m, n, k, "dp4a", "f32", col_bias=True, row_scale="rows",
                     channel_scale="columns", bias=True, residual=True)
    a, w = (rng.integers(-128, 128, size).astype(np.int8)
            for size in ((m, k), (n, k)))
    terms = {"cb": rng.integers(-9999, 9999, n).astype(np.int32),
             "rs": rng.uniform(.01, 1, m).astype(np.float32),
             "cs": rng.uniform(.01, 1, n).astype(np.float32),
             "bi": rng.normal(size=n).astype(np.float32),
             "re": rng.normal(size=(m, n)).astype(np.float32)}
    sums = a.astype(np.int32) @ w.astype(np.int32).T + terms["cb"]
    scale = terms["rs"][:, None] * terms["cs"]
    want = sums.astype(np.float32) * scale + terms["bi"] + terms["re"]
    got, _, _ = gemm.run_kernel("mlir-opt", spec, CHIP, {"a": a, "w": w, **terms})
    record(f"{m}x{n}x{k}", want, got)

for sizes, bits, group in [((1, 8, 64), 4, 32), ((3, 17, 130), 4, 32),
                           ((4, 9, 256), 8, 64), ((2, 16, 96), 4, 24)]:
    for zeros in (False, True):
        spec = scaled.ScaledSpec(*sizes, bits, group, bias=True,
                                 group_zero_point=zeros,
                                 row_zero_point="rows" if zeros else None)
        for want, got, _ in scaled.run_scaled("mlir-opt", spec, CHIP,
                                              rng).values():
            record(f"{sizes}, {bits} bits, groups of {group}, {zeros}", want,
                   got)

print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0 or passed != 14)
