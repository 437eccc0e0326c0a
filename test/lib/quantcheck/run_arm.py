#!/usr/bin/python3
"""What quant-run --target=arm is on an AArch64 host, by qemu: for tests that call
quant-run.

usage: run_arm.py MODEL.mlir [--inputs=A.npy,...] --outputs=DIR [--cpu=NAME]
                  [--quantize=OPTIONS] [--target=...]

The program is compiled by quant-opt --quant-to-arm and its function `main` is
called once. Of quant-run's options that are none of these, --threads and
--verbose are ignored.
"""

import re
import sys
import tempfile

import numpy as np
from quantcheck import cross

DTYPES = {"f32": np.float32, "f16": np.float16, "f64": np.float64,
          "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64,
          "i1": np.bool_, "bf16": np.uint16}


def results_of(text):
    """[(dtype, rank)] of the function `main`."""
    header = re.search(r"func\.func (?:public )?@main\(.*?\)\s*->\s*(.*?)\s*"
                       r"(?:attributes\b[^\n]*)?\{\s*$", text,
                       re.S | re.M).group(1)
    found = []
    for type_ in re.findall(r"tensor<([^>]*)>", header):
        *sizes, element = type_.split("x")
        found.append((DTYPES[element], len(sizes)))
    return found


def main():
    options = dict(re.match(r"--([\w-]+)=?(.*)", a, re.S).groups()
                   for a in sys.argv[1:] if a.startswith("--"))
    model, = (a for a in sys.argv[1:] if not a.startswith("--"))
    with open(model) as f:
        text = f.read()
    inputs = [np.load(name) for name in
              filter(None, options.get("inputs", "").split(","))]
    call = cross.Call("main", inputs, results_of(text))
    with tempfile.TemporaryDirectory() as folder:
        _, executable = cross.compile_for(
            options.get("cpu", "neoverse-v1"), model, folder, [call],
            options.get("quantize"))
        for i, result in enumerate(cross.call_all(executable, [call])[0]):
            np.save(f"{options['outputs']}/out{i}.npy", result)


if __name__ == "__main__":
    main()
