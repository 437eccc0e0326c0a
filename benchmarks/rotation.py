#!/usr/bin/env python3
"""What rotating activations adds to a matmul, by turns.

    rotation.py [--rows=1,128] [--size=4096x4096] [--rounds=41] [--threads=1]
                [--schemes=REGEX] [--write]

f32 to f32 by a constant weight, in each scheme as it is and with each rotation. A
round runs every program once, in another order; the cost is the median, over the
rounds, of a program's time over that of the same scheme without rotation in the same
round, so that what else the machine does meets both. `least` is the ratio of the least
times. Time is the processor's for this process, not the clock's: others that run meanwhile
cost caches, not turns. With --write, the page docs/results/rotation.md is made.
"""

import argparse
import os
import pathlib
import re
import sys
import time

import machine
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "python")]

import quantmlir  # noqa: E402

PAGE = ROOT / "docs" / "results" / "rotation.md"
SCHEMES = {"W8, a scale a row": "w8a8",
           "W8, one scale": "w8a8 activations=dynamic-tensor",
           "W8, blocks of 32": "w8a8 activations=dynamic-block block-size=32",
           "W4 in groups, blocks of 32": "w4a8-g32 activations=dynamic-block block-size=32",
           "W4 in groups, blocks of 128": "weights=group group-size=128 weight-bits=4 "
                                          "activations=dynamic-block block-size=128",
           "W8, floats": "w8a8 activations=float"}
ROTATIONS = ["none", "hadamard32", "hadamard128"]


def program(weight, n, k):
    """main(x [M, K]) -> x W, the weight from a file of its own."""
    words = weight.astype("<f4").tobytes().hex().upper()
    return f"""func.func @main(%x: tensor<?x{k}xf32>) -> tensor<?x{n}xf32> {{
  %w = arith.constant dense_resource<weight> : tensor<{k}x{n}xf32>
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x{k}xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%m) : tensor<?x{n}xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<?x{n}xf32>) -> tensor<?x{n}xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x{k}xf32>, tensor<{k}x{n}xf32>)
    outs(%i : tensor<?x{n}xf32>) -> tensor<?x{n}xf32>
  return %y : tensor<?x{n}xf32>
}}
{{-# dialect_resources: {{ builtin: {{ weight: "0x40000000{words}" }} }} #-}}
"""


def measure(models, rows, k, options):
    """{program: seconds of each round}"""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((rows, k), np.float32)
    out = np.empty((rows, options.n), np.float32)
    # Of one row, so many that a round takes milliseconds.
    repeats = 1 if rows > 8 else 5
    times = {name: [] for name in models}
    for round_ in range(options.rounds + 2):
        names = list(models)
        rng.shuffle(names)
        for name in map(tuple, names):
            begin = time.process_time()
            for _ in range(repeats):
                models[name](x, out=[out])
            if round_ >= 2:
                times[name].append((time.process_time() - begin) / repeats)
    return times


def arguments(text):
    """The options of benchmarks that measure one matmul in several schemes by turns."""
    parser = argparse.ArgumentParser(description=text,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", default="1,128")
    parser.add_argument("--size", default="4096x4096", help="columns x contracted")
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--schemes", default="", metavar="REGEX")
    return parser


def main():
    parser = arguments(__doc__)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    options.n, k = map(int, options.size.split("x"))
    weight = np.random.default_rng(0).standard_normal((k, options.n)).astype(np.float32)
    text = program(weight, options.n, k)
    models = {}
    for name, scheme in SCHEMES.items():
        if re.search(options.schemes, name):
            for rotation in ROTATIONS:
                models[name, rotation] = quantmlir.compile(
                    text, quantize=f"{scheme} rotation={rotation}",
                    threads=options.threads)
    lines = ["| scheme | rows | as it is, median us | H of 32 | least | H of 128 | least |",
             "|---|--:|--:|--:|--:|--:|--:|"]
    for rows in map(int, options.rows.split(",")):
        times = measure(models, rows, k, options)
        for name in dict.fromkeys(name for name, _ in models):
            plain = np.array(times[name, "none"])
            cells = []
            for rotation in ROTATIONS[1:]:
                turned = np.array(times[name, rotation])
                cells += [f"{100 * np.median(turned / plain) - 100:+.1f} %",
                          f"{100 * turned.min() / plain.min() - 100:+.1f} %"]
            lines.append(f"| {name} | {rows} | {1e6 * np.median(plain):.0f} | "
                         + " | ".join(cells) + " |")
    where = (f"{options.size} (columns x contracted), {options.threads} thread(s), "
             f"{options.rounds} rounds by turns on {machine.cpu()}; load average "
             f"{os.getloadavg()[0]:.1f} at the end.")
    print("\n".join(lines) + "\n\n" + where)
    if options.write:
        PAGE.write_text("# What rotating activations adds\n\nMade by "
                        f"`benchmarks/rotation.py --write`: {where}\n\n"
                        + "\n".join(lines) + "\n\n"
                        + __doc__.split("\n\n", 2)[2].strip() + "\n")


if __name__ == "__main__":
    sys.exit(main())
