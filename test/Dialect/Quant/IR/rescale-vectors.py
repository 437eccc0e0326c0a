# REQUIRES: cases
# RUN: %python %s quant-opt %cases | FileCheck %s
"""Folds the reference vectors of Arm's TOSA model; equality is exact."""

import glob
import os
import re
import subprocess
import sys

import numpy as np

TYPES = {"int8": "i8", "int16": "i16", "int32": "i32"}
# Results up to this size are folded.
MAX_BYTES = 1024


def constant(name, array, dtype):
    values = str(array.tolist()).replace("'", "")
    shape = "".join(f"{n}x" for n in array.shape)
    kind = f"tensor<{shape}{dtype}>"
    return f"  %{name} = arith.constant dense<{values}> : {kind}\n", kind


def program(d, rounding):
    """One function a slice of rows, each small enough to be folded."""
    dtype = d["y"].dtype
    x = d["x"].astype(np.int32)
    m, s = d["multiplier"], d["shift"]
    if m.size == 1:
        m, s = m.reshape(()), s.reshape(())
    rows = MAX_BYTES // (x.shape[1] * dtype.itemsize)
    info = np.iinfo(dtype)
    text = ""
    for i in range(0, x.shape[0], rows):
        part = x[i:i + rows]
        tx, kx = constant("x", part, "i32")
        tm, km = constant("m", m, "i32")
        ts, ks = constant("s", s, "i8")
        ky = kx.replace("xi32", "x" + TYPES[dtype.name])
        text += (f"func.func @f{i}() -> {ky} {{\n{tx}{tm}{ts}"
                 f"  %y = quant.rescale_fixed_point %x multiplier(%m : {km}) "
                 f"shift(%s : {ks}) rounding({rounding}) "
                 f"{{input_zero_point = {int(d['in_zp'])} : i32, "
                 f"output_zero_point = {int(d['out_zp'])} : i32, "
                 f"range = array<i64: {info.min}, {info.max}>}} "
                 f": {kx} -> {ky}\n  return %y : {ky}\n}}\n")
    return text


def main(quant_opt, cases):
    for path in sorted(glob.glob(os.path.join(cases, "open/requant/rescale_*.npz"))
                       + glob.glob(os.path.join(cases, "requant/rescale_*.npz"))):
        d = np.load(path)
        rounding = "DOUBLE_ROUND" if "double" in path else "SINGLE_ROUND"
        out = subprocess.run(
            [quant_opt, "-canonicalize", "--mlir-print-elementsattrs-with-hex-if-larger=-1"],
            input=program(d, rounding), capture_output=True, text=True, check=True).stdout
        values = []
        for dense in re.findall(r"arith\.constant dense<(.*?)> : tensor", out):
            if "[" in dense:
                values += [int(v) for v in re.findall(r"-?\d+", dense)]
            else:  # a splat stands for the whole slice
                rows = MAX_BYTES // (d["x"].shape[1] * d["y"].dtype.itemsize)
                values += [int(dense)] * (rows * d["x"].shape[1])
        equal = np.array_equal(np.array(values), d["y"].reshape(-1))
        print(os.path.basename(path), len(values), "equal" if equal else "DIFFERENT")


# CHECK-COUNT-8: {{^rescale_.*}}10240 equal
# CHECK-NOT: DIFFERENT
main(sys.argv[1], sys.argv[2])
