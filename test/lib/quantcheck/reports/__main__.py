"""Runs folders of small programs and says what became of each.

usage: reports.py [--bin=DIR] [--only=NAME] [--seconds=N] DIR

Each folder of DIR is a program (model.mlir, in*.npy), weights of another tool
(w*.npz, x*.npy; the folder's name begins with the importer's format), or a
collection of damaged files. A program runs on generic and x86, as it is and
with a scheme, and each run is one of

  integer            the results are right, every product is one of integers
  left with reason   right; a product stays as it was, and a remark says why
  float              right; products of floats that no scheme was asked for
  computed           right; there is no product
  refused            an error says why
  wrong              other numbers than expected.npy or, where there is none,
                     than the program evaluated in NumPy; a crash; a hang
  silent             something stays or runs unquantized and nothing is said

What counts as right is in closeness.py, what counts as said in products.py.
Ends with `N passed, N failed`: the wrong and the silent ones failed.
"""

import argparse
import pathlib
import sys

from quantcheck.reports import damaged, program, weights
from quantcheck.commands import LIMIT_SECONDS, Tools


def find(folder):
    """(function, folder) of everything that can be judged under `folder`."""
    found = []
    for path in [folder, *sorted(p for p in folder.rglob("*") if p.is_dir())]:
        if (path / "model.mlir").is_file():
            found.append((program.run_folder, path))
        elif weights.is_one(path):
            found.append((weights.run_folder, path))
        elif damaged.is_one(path):
            found.append((damaged.run_folder, path))
    return found


def main():
    parser = argparse.ArgumentParser(prog="reports.sh")
    root = pathlib.Path(__file__).resolve().parents[4]
    parser.add_argument("--bin", default=str(root / "build" / "bin"),
                        help="where quant-opt and quant-run are")
    parser.add_argument("--seconds", type=int, default=LIMIT_SECONDS,
                        help="limit of each command")
    parser.add_argument("--only", default="",
                        help="folders whose name has this in it")
    parser.add_argument("folder", metavar="DIR", type=pathlib.Path)
    options = parser.parse_args()
    if not options.folder.is_dir():
        parser.error(f"expected a folder, found {options.folder}")
    tools = Tools(options.bin, options.seconds)
    passed = failed = 0
    for run, folder in find(options.folder):
        if options.only not in folder.name:
            continue
        for verdict in run(tools, folder):
            print(verdict, flush=True)
            passed += not verdict.failed
            failed += verdict.failed
    if not passed + failed:
        print(f"nothing to run under {options.folder}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
