# RUN: %python %s %build %t | FileCheck %s
"""The digits classifier compiled for x86: what its schemes must reach on 400
images that calibration does not see. 4-bit bounds are ONNX Runtime's own
(MatMulNBits, block 32, symmetric: 31.2 dB with float activations, 31.1 with
8-bit ones, docs/accuracy.md)."""

import pathlib
import sys

from accuracy import inputs, nets
from accuracy.programs import Programs, save

BUILD, TEMP = sys.argv[1], pathlib.Path(sys.argv[2])
EVALUATION = inputs.digits()
PROGRAMS = Programs(EVALUATION.program, BUILD,
                    save(TEMP / "calibration", EVALUATION.calibration), TEMP)
TABLE = nets.Table(EVALUATION)


def check(options, least_db, least_top1, program="plain"):
    got = TABLE.evaluate(PROGRAMS, program, options)
    good = got["sqnr"] >= least_db and got["top1"] >= least_top1
    print("ok  " if good else "FAIL", program, options.replace("{stats}", "F"),
          f"{got['sqnr']:.2f} dB, top-1 {got['top1']:.4f}")
    return good


W8, W4, TOKEN = nets.W8, nets.W4, nets.TOKEN
RESULTS = [
    check(f"{W8} {TOKEN}", 47, 0.99),
    check(f"{W8} {TOKEN}", 47, 0.99, "equalized"),
    check(f"{W8} activations=dynamic-tensor symmetric=false", 49, 0.99),
    check(f"{W8} activations=static symmetric=false stats={{stats}}", 49, 0.99),
    check(f"{W4} activations=float", 27.5, 0.99),
    check(f"{W4} activations=float weight-scale=full-range", 31.15, 0.99),
    check(f"{W4} {TOKEN} weight-scale=full-range", 31.05, 0.99),
    check(f"{W4} {TOKEN} weight-scale=full-range-mse", 29, 0.99),
    check(f"{W4} {TOKEN} {nets.COMPENSATED}", 38, 0.99),
]
# CHECK-NOT: FAIL
# CHECK: 9 of 9 schemes reach their bounds
print(sum(RESULTS), "of", len(RESULTS), "schemes reach their bounds")
