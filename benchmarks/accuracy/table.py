#!/usr/bin/env python3
"""Whole models under every kind of scheme: the tables of docs/accuracy.md.

    accuracy-table.py [MODEL...] [--build=build] [--only=TEXT]
                      [--onnxruntime-python=PYTHON]

MODEL is minilm, one of benchmarks/accuracy/inputs.py, or all (the default).
Calibrates on inputs none of which is scored (for MiniLM
test/Inputs/calibration), equalizes, quantizes, compiles for x86 and scores on
the open cases. With --onnxruntime-python, an interpreter that has onnx and
onnxruntime, ONNX Runtime's own quantizers are scored beside
(benchmarks/accuracy/rival.py). Prints Markdown, a row as soon as it is known.
"""

import argparse
import pathlib
import sys

from accuracy import inputs, minilm, nets
from quantsim import catalog

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    known = ["minilm", *inputs.all_models()]
    parser = argparse.ArgumentParser(
        prog="accuracy-table.py", description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL",
                        help=", ".join(["all", *known]))
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--onnxruntime-python")
    parser.add_argument("--only", default="", help="rows that hold this text")
    options = parser.parse_args()
    chosen = options.models or ["all"]
    unknown = set(chosen) - {"all", *known}
    if unknown:
        parser.error(f"unknown models: {', '.join(sorted(unknown))}")
    try:
        for name in known:
            if name not in chosen and "all" not in chosen:
                continue
            table = (minilm.print_table if name == "minilm" else
                     nets.Table(inputs.all_models()[name]()).print)
            table(options.build, options.only, options.onnxruntime_python)
            print(flush=True)
    except catalog.Missing as reason:
        sys.exit(f"error: {reason}")


if __name__ == "__main__":
    main()
