# REQUIRES: cases
# RUN: %python %s quant-opt %cases | FileCheck %s
"""LiteRT's fully connected layers: its multipliers and its int8 results.

LiteRT rounds in two steps (a doubling high multiply, then a shift), which
SINGLE_ROUND and DOUBLE_ROUND each differ from by 1 in rare cases.
"""

import glob
import os
import re
import subprocess
import sys

import numpy as np


def multipliers(scales):
    lines = subprocess.run(["reference-driver", "multiplier"]
                           + [repr(float(s)) for s in scales],
                           capture_output=True, text=True, check=True).stdout
    return np.array([[int(v) for v in line.split(": ")[1].split(" >> ")]
                     for line in lines.splitlines()])


def dense(array, dtype):
    shape = "".join(f"{n}x" for n in array.shape)
    return f"dense<{array.tolist()}> : tensor<{shape}{dtype}>", f"tensor<{shape}{dtype}>"


def fold(quant_opt, acc, mult, shift, zero_point, low, rounding):
    rows = max(1, 1024 // acc.shape[1])
    text = ""
    for i in range(0, acc.shape[0], rows):
        (x, tx), (m, tm), (s, ts) = (dense(acc[i:i + rows], "i32"),
                                     dense(mult, "i32"), dense(shift, "i8"))
        ty = tx.replace("xi32", "xi8")
        text += (f"func.func @f{i}() -> {ty} {{\n"
                 f" %x = arith.constant {x}\n %m = arith.constant {m}\n"
                 f" %s = arith.constant {s}\n"
                 f" %y = quant.rescale_fixed_point %x multiplier(%m : {tm}) "
                 f"shift(%s : {ts}) rounding({rounding}) "
                 f"{{output_zero_point = {zero_point} : i32, "
                 f"range = array<i64: {low}, 127>}} : {tx} -> {ty}\n"
                 f" return %y : {ty}\n}}\n")
    out = subprocess.run(
        [quant_opt, "-canonicalize", "--mlir-print-elementsattrs-with-hex-if-larger=-1"],
        input=text, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"arith\.constant dense<(.*?)> : tensor", out)
    return np.array([int(v) for t in found for v in re.findall(r"-?\d+", t)])


def main(quant_opt, cases):
    for path in sorted(glob.glob(os.path.join(cases, "open/requant/tflite_fc_*.npz"))):
        d = np.load(path)
        n = d["w"].shape[0]
        scale = (d["x_scale"].astype(np.float64) * d["w_scale"].astype(np.float64)
                 / np.float64(d["y_scale"]))
        m = multipliers(np.broadcast_to(scale, (n,)))
        zero_point = int(d["y_zp"])
        low = max(-128, zero_point) if int(d["relu"]) else -128
        # The kernels' sums, by NumPy: the bias is part of them.
        acc = ((d["x"].astype(np.int64) - int(d["x_zp"])) @ d["w"].astype(np.int64).T
               + d["b"]).astype(np.int32)
        assert np.array_equal(acc, d["acc"]), "accumulators"
        for rounding in ("SINGLE_ROUND", "DOUBLE_ROUND"):
            y = fold(quant_opt, acc, m[:, 0], m[:, 1], zero_point, low, rounding)
            diff = np.abs(y - d["y_ref"].astype(np.int64).reshape(-1))
            good = diff.max() <= 1 and (diff > 0).mean() <= 0.002
            print(os.path.basename(path), rounding, f"max {diff.max()} off {(diff > 0).sum()} of {diff.size}",
                  "agrees" if good else "DIFFERS")


# CHECK-COUNT-10: agrees
# CHECK-NOT: DIFFERS
main(sys.argv[1], sys.argv[2])
