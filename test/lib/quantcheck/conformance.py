"""Runs every vector file under the named folders through the compiler.

usage: conformance.py [--quant-run=PATH] [--runs=generic,x86,folded] [--quick] [-v]
                      DIR...

Each file becomes small programs of this project's ops, compiled and run by
quant-run on each target (and once with constants, which the compiler folds),
and judged by the rule of its format. Ends with
`N passed, N failed, N skipped`; files of element types that are no part of the
project are skipped, each by name and reason.
"""

import argparse
import pathlib
import sys

from quantcheck import module, onnx_matmul, onnx_quantize, requant, vectors
from quantcheck.elements import Outside

MAKERS = {
    "QuantizeLinear": onnx_quantize.quantize_linear,
    "DequantizeLinear": onnx_quantize.dequantize_linear,
    "DynamicQuantizeLinear": onnx_quantize.dynamic_quantize_linear,
    "MatMulInteger": onnx_matmul.matmul_integer,
    "QLinearMatMul": onnx_matmul.qlinear_matmul,
    "MatMulNBits": onnx_matmul.matmul_nbits,
    "rescale": requant.rescale,
    "fully_connected": requant.fully_connected,
}
BATCH = 64  # cases of one module
# Name, target, whether the arguments are constants that the compiler folds.
RUNS = {"generic": ("generic", False), "x86": ("x86", False),
        "folded": ("generic", True)}


def prepare(found):
    """[(vector, cases)], {name: reason} of the skipped and of the failed."""
    ready, skipped, failed = [], [], []
    for vector in found:
        try:
            if vector.problem:
                failed.append((vector, vector.problem))
            else:
                ready.append((vector, MAKERS[vector.op](vector)))
        except Outside as reason:
            skipped.append((vector, str(reason)))
        except Exception as error:  # a file that is not what its index says
            failed.append((vector, f"no program: {error!r}"))
    return ready, skipped, failed


def run(ready, name, quant_run, levels):
    """{index into `ready`: what is wrong} of one of RUNS."""
    target, folded = RUNS[name]
    flat = [(i, case.folded() if folded else case)
            for i, (_, cases) in enumerate(ready) for case in cases]
    wrong = {}
    for begin in range(0, len(flat), BATCH):
        part = flat[begin:begin + BATCH]
        found = module.check([case for _, case in part],
                             [f"--target={target}", *levels], quant_run)
        for at, text in found.items():
            index, case = part[at]
            wrong.setdefault(index, f"{name}: {case.name}: {text}")
    return wrong


def main():
    parser = argparse.ArgumentParser(prog="conformance.sh")
    root = pathlib.Path(__file__).resolve().parents[3]
    parser.add_argument("--quant-run",
                        default=str(root / "build" / "bin" / "quant-run"))
    parser.add_argument("--runs", default=",".join(RUNS),
                        help="some of generic, x86, folded")
    parser.add_argument("--quick", action="store_true",
                        help="nothing is optimized")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("folders", nargs="+", metavar="DIR")
    options = parser.parse_args()
    found = []
    for folder in options.folders:
        if not pathlib.Path(folder).is_dir():
            parser.error(f"expected a folder, found {folder}")
        found += vectors.find(folder)
    ready, skipped, failed = prepare(found)
    wrong = {}
    for name in options.runs.split(","):
        for index, text in run(ready, name, options.quant_run,
                               [module.QUICK] if options.quick else []).items():
            wrong.setdefault(index, []).append(text)
    for index, (vector, _) in enumerate(ready):
        if index in wrong:
            failed.append((vector, "; ".join(wrong[index])))
        elif options.verbose:
            print(f"PASSED {vector.path} ({vector.op})")
    for vector, reason in skipped:
        print(f"SKIPPED {vector.path} ({vector.op}): {reason}")
    for vector, reason in failed:
        print(f"FAILED {vector.path} ({vector.op}): {reason}")
    if not found:
        print(f"no vector file under {', '.join(options.folders)}")
    print(f"{len(found) - len(failed) - len(skipped)} passed, {len(failed)} "
          f"failed, {len(skipped)} skipped")
    return 1 if failed or not found else 0


if __name__ == "__main__":
    sys.exit(main())
