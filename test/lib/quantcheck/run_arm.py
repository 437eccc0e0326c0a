#!/usr/bin/python3
"""What quant-run --target=arm is on an AArch64 host, by qemu: for tests that call
quant-run.

usage: run_arm.py MODEL.mlir [--inputs=A.npy,...] --outputs=DIR [--cpu=NAME]
                  [--quantize=OPTIONS] [--target=...] [-O0]

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


def types_of(text):
    """[(element, rank)] of the arguments, and of the results, of `main`."""
    header = re.search(r"func\.func (?:public )?@main\((.*?)\)\s*->\s*(.*?)\s*"
                       r"(?:attributes\b[^\n]*)?\{\s*$", text, re.S | re.M)
    found = []
    for part in header.groups():
        types = (t.split("x") for t in re.findall(r"tensor<([^>]*)>", part))
        found.append([(t[-1], len(t) - 1) for t in types])
    return found


def as_stored(array, element):
    """What quant-run makes of an input: f32 is rounded to bf16."""
    if element != "bf16" or array.dtype != np.float32:
        return array
    bits = array.view(np.uint32)
    return ((bits + 0x7fff + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def as_written(array, element):
    """What quant-run writes: bf16 as f32."""
    if element != "bf16":
        return array
    return (array.astype(np.uint32) << 16).view(np.float32)


def main():
    options = dict(re.match(r"--([\w-]+)=?(.*)", a, re.S).groups()
                   for a in sys.argv[1:] if a.startswith("--"))
    model, = (a for a in sys.argv[1:] if not a.startswith("-"))
    with open(model) as f:
        text = f.read()
    inputs = [np.load(name) for name in
              filter(None, options.get("inputs", "").split(","))]
    arguments, results = types_of(text)
    call = cross.Call(
        "main", [as_stored(a, e) for a, (e, _) in zip(inputs, arguments)],
        [(DTYPES[element], rank) for element, rank in results])
    with tempfile.TemporaryDirectory() as folder:
        _, executable = cross.compile_for(
            options.get("cpu", "neoverse-v1"), model, folder, [call],
            options.get("quantize"), optimize="-O0" not in sys.argv)
        for i, result in enumerate(cross.call_all(executable, [call])[0]):
            np.save(f"{options['outputs']}/out{i}.npy",
                    as_written(result, results[i][0]))


if __name__ == "__main__":
    main()
