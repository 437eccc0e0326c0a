#!/usr/bin/env python3
"""What the type of group scales and the bits of a weight cost, by turns.

    scale_types.py [--rows=1,128] [--size=4096x4096] [--rounds=41] [--threads=1]
                   [--schemes=REGEX]

f32 to f32 by a constant weight. A round runs every program once, in another order;
each number is the median, over the rounds, of a program's time over that of the first
one in the same round, and beside it the ratio of the least times. Time is the
processor's for this process, as in rotation.py.
"""

import os
import re
import sys

import machine
import numpy as np
import rotation

import quantmlir

SCHEMES = [f"weights=group group-size=32 weight-bits={bits} scale-type={kind}{rest}"
           for rest in ("", " activations=float") for bits in (4, 2)
           for kind in ("f32", "f16", "bf16")]
SCHEMES += ["weights=group group-size=16 weight-bits=4",
            "weights=group group-size=16 weight-bits=4 scale-type=bf16",
            "weight-format=nvfp4", "weight-format=mxfp4"]


def main():
    options = rotation.arguments(__doc__).parse_args()
    schemes = [s for s in SCHEMES if re.search(options.schemes, s)]
    options.n, k = map(int, options.size.split("x"))
    weight = np.random.default_rng(0).standard_normal((k, options.n)).astype(np.float32)
    text = rotation.program(weight, options.n, k)
    models = {(scheme,): quantmlir.compile(text, quantize=scheme,
                                           threads=options.threads)
              for scheme in schemes}
    print("| scheme | rows | median us | over the first | least |\n|---|--:|--:|--:|--:|")
    for rows in map(int, options.rows.split(",")):
        times = rotation.measure(models, rows, k, options)
        first = np.array(times[schemes[0],])
        for scheme in schemes:
            own = np.array(times[scheme,])
            print(f"| {scheme} | {rows} | {1e6 * np.median(own):.0f} | "
                  f"{np.median(own / first):.3f} | {own.min() / first.min():.3f} |")
    print(f"\n{options.size} (columns x contracted), {options.threads} thread(s), "
          f"{options.rounds} rounds by turns on {machine.cpu()}; load average "
          f"{os.getloadavg()[0]:.1f} at the end.")


if __name__ == "__main__":
    sys.exit(main())
