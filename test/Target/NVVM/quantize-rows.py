# RUN: %python %s quant-opt

"""Runs the PTX of quant.quantize_rows without a GPU and compares integers and
scales with NumPy to the bit: odd sizes, rows past what registers hold, NaN,
infinities, zeros, denormals, ties."""

import sys

import numpy as np

from ptxsim import Machine, parse
from ptxsim.gemm import compile_kernels

OPT = sys.argv[1]
TYPES = {"f32": np.float32, "f16": np.float16}
rng = np.random.default_rng(5)
passed = failed = 0


def program(m, k, kr, element, limits):
    types = (f"memref<{m}x{k}x{element}>",
             f"memref<{m}x{-(-k // kr)}x1x{kr}xi8>", f"memref<{m}xf32>")
    return f"""
func.func @f(%x: {types[0]}, %q: {types[1]}, %s: {types[2]}) {{
  quant.quantize_rows ins(%x : {types[0]}) outs(%q, %s : {types[1]}, {types[2]})
    range = {limits}
  return
}}"""


def reference(x, kr, limits):
    x = x.astype(np.float32)
    finite = np.where(np.isfinite(x), np.abs(x), np.float32(0))
    scale = finite.max(axis=1, initial=0) / np.float32(limits[1])
    scale = np.where(scale == 0, np.float32(1), scale).astype(np.float32)
    with np.errstate(all="ignore"):
        q = np.rint(x / scale[:, None])
    q = np.where(np.isnan(q), 0, np.clip(q, *limits)).astype(np.int8)
    return np.pad(q, ((0, 0), (0, -x.shape[1] % kr))), scale


def check(chip, x, kr=64, limits=(-128, 127), name=""):
    global passed, failed
    m, k = x.shape
    element = "f16" if x.dtype == np.float16 else "f32"
    ptx, launches = compile_kernels(
        OPT, program("?", k, kr, element, list(limits)), chip)
    (kernel, (_, _, threads, shared, *_)), = launches.items()
    machine = Machine()
    packed = -(-k // kr) * kr
    q, s = machine.allocate(m * packed), machine.allocate(m * 4)
    machine.launch(parse(ptx)[kernel], (m, 1, 1), threads, shared,
                   [m, machine.upload(np.ascontiguousarray(x)), q, s])
    want_q, want_s = reference(x, kr, limits)
    got_q = machine.download(q, (m, packed), np.int8)
    got_s = machine.download(s, (m,), np.float32)
    if np.array_equal(want_q, got_q) and np.array_equal(
            want_s.view(np.int32), got_s.view(np.int32)):
        passed += 1
        return
    failed += 1
    print(f"FAILED: {chip} {m}x{k} {element} {name}: "
          f"{(want_q != got_q).sum()} integers, {(want_s != got_s).sum()} "
          f"scales differ")


for chip in ("sm_61", "sm_80", "sm_90a"):
    for m, k in [(1, 1), (3, 7), (5, 64), (2, 130), (4, 384), (2, 1023),
                 (2, 4096), (1, 17000), (1, 20003)]:
        check(chip, rng.normal(size=(m, k)).astype(np.float32))
    check(chip, rng.normal(size=(3, 100)).astype(np.float16))
    check(chip, rng.normal(size=(3, 61)).astype(np.float16), limits=(-127, 127))
    edges = np.zeros((7, 96), np.float32)
    edges[1] = np.linspace(-63.5, 63.5, 96) * 2
    edges[2] = 1e-42
    edges[3, ::5] = np.nan
    edges[3, 1] = -2.5
    edges[4, 3:9] = [np.inf, -np.inf, 3, -3, 1.5, np.finfo(np.float32).max]
    edges[5] = np.nan
    edges[6, :4] = [np.inf, -np.inf, np.nan, 0]
    check(chip, edges, name="edges")
    check(chip, edges, kr=32, name="edges in tiles of 32")
    # Ties go to even.
    ties = np.arange(-127, 128, dtype=np.float32).reshape(1, -1) / 2
    check(chip, np.concatenate([ties, [[127]]], axis=1, dtype=np.float32),
          name="ties")

print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
