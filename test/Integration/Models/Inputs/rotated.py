"""Float models whose matmuls are rotated: the results are the model's.

    rotated.py --build BUILD NAME...

`quant-rotate` with each rotation, then the float program, whose results agree
with those of the program as it is to 1e-5 of their norm (100 dB). Blocks
of 32 must fit a matmul of each model, unless its name ends with `!`: then none may
be rotated.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from harness import Check, Runner
from quantsim import catalog

ROTATIONS = ["hadamard32", "hadamard128:7"]
PREPARE = ["--quant-import-tosa", "--convert-tm-tensor-to-linalg",
           "--quant-convolution-to-matmul=remarks=false"]


def rotate(opt, program, rotation, path):
    """Writes the rotated program; returns how many matmuls are rotated."""
    subprocess.run([opt, program, *PREPARE, f"--quant-rotate=rotation={rotation}",
                    "--emit-bytecode", "-o", path], check=True,
                   stderr=subprocess.DEVNULL)
    text = subprocess.run([opt, path, "--mlir-elide-elementsattrs-if-larger=8",
                           "--mlir-elide-resource-strings-if-larger=8"],
                          check=True, capture_output=True, text=True).stdout
    return text.count("quant.rotate ")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("models", nargs="+")
    args = parser.parse_args()
    opt = pathlib.Path(args.build) / "bin" / "quant-opt"
    check = Check()
    for name in args.models:
        name, is_none = name.rstrip("!"), name.endswith("!")
        program = catalog.attached(name, args.build, opt)
        inputs, _ = catalog.inputs_and_results(name)
        with tempfile.TemporaryDirectory() as folder:
            run = Runner(args.build, folder)
            plain, _ = run(program, inputs, "x86", "", "-O0")
            for rotation in ROTATIONS:
                path = pathlib.Path(folder) / "rotated.mlirbc"
                count = rotate(opt, program, rotation, path)
                what = f"{name} {rotation}, {count} rotated"
                if is_none or rotation == ROTATIONS[0]:
                    check.record(what, "as expected", (count == 0) == is_none)
                if count:
                    got, seconds = run(path, inputs, "x86", "", "-O0")
                    check.at_least(what, plain, got, 100, seconds)
                    check.record(what, "other bits", bool(np.any(got != plain)))
    print(f"{check.passed} comparisons passed, {check.failed} failed")
    return check.failed > 0


if __name__ == "__main__":
    sys.exit(main())
