#!/usr/bin/env python3
"""Decode attention over caches of floats and of integers, by turns.

    kv_cache.py [--positions=4096] [--layers=30] [--heads=9] [--kv-heads=3]
                [--head-dim=64] [--rounds=15] [--threads=1] [--write]

One new token attends to so many positions in each of the layers (of SmolLM2-135M,
as a whole model's decode does): rotated queries, keys and values in floats come
in, and what is timed is all that the form of the cache asks for: quantizing,
rotating, both products and the softmax. `gather` is the time of reading the bytes
of the cache alone (NumPy's sum of its words). With --write, the page
docs/results/kv-cache.md is made.
"""

import argparse
import pathlib
import sys
import time

import machine
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "python")]

import quantmlir  # noqa: E402
from quantmlir.llm import kv_cache  # noqa: E402
from quantmlir.llm.config import Config  # noqa: E402
from quantmlir.llm.parts import PAST, ROWS, Parts  # noqa: E402
from quantmlir.llm.text import Body, Value  # noqa: E402

PAGE = ROOT / "docs" / "results" / "kv-cache.md"


def program(config, cache):
    """main(q [L, H, S, D], k, v [L, KV, ..], position, arrays...) -> the sum of all
    layers' results, [S, H * D]."""
    b = Body()
    parts = Parts(b, config)
    heads, kv, d = config.heads, config.kv_heads, config.head_dim
    keys = (kv, d, ROWS) if cache.keys_last else (kv, ROWS, d)
    shapes = [("%queries", (heads, ROWS, d)), ("%own_keys", keys), ("%own_values", (kv, ROWS, d))]
    inputs = [Value(n, b.static((config.layers, *s))) for n, s in shapes]
    caches = [Value(f"%{a.name}", (config.layers, *a.shape), a.element)
              for a in cache.arrays]
    zero, one = b.index(0), b.index(1)
    two = b.index(2)
    b.sizes[ROWS] = b.scalar(f"tensor.dim %queries, {two} : {inputs[0].type}")
    position = b.scalar("tensor.extract %position[] : tensor<i32>")
    b.sizes[PAST] = b.scalar(f"arith.index_cast {position} : i32 to index")
    init = b.fill((ROWS, heads * d), 0.0)
    count = b.index(config.layers)
    b.open(f"%sum = scf.for %layer = {zero} to {count} step {one} "
           f"iter_args(%old = {init}) -> ({init.type}) {{")
    q, k, v = (b.slice(value, ["%layer", 0, 0, 0], [1, *shape], dropped=(0,))
               for value, (_, shape) in zip(inputs, shapes))
    past = kv_cache.past_of(b, cache, caches, "%layer")
    y = cache.attend(parts, q, cache.store(parts, q, k, v, past), past)
    dims = ("s", "d")
    y = b.generic(dims, [(y, dims), (Value("%old", init.shape), dims)],
                  b.empty((ROWS, heads * d)),
                  ["%t = arith.addf %a, %b : f32", "linalg.yield %t : f32"])
    b.line(f"scf.yield {y} : {y.type}")
    b.close()
    b.line(f"return %sum : {init.type}")
    arguments = ", ".join([f"{v}: {v.type}" for v in inputs]
                          + ["%position: tensor<i32>"]
                          + [f"{v}: {v.type}" for v in caches])
    return "\n".join([f"func.func @main({arguments}) -> {init.type} {{", *b.lines,
                      "}"]) + "\n"


class Form:
    def __init__(self, name, options):
        self.name = name
        config = Config("llama", options.layers, options.heads * options.head_dim,
                        options.heads, options.kv_heads, options.head_dim, ffn=1,
                        vocabulary=1, eps=1e-5, context=options.positions)
        cache = kv_cache.make(name, config)
        self.model = quantmlir.compile(program(config, cache), threads=options.threads)
        rng = np.random.default_rng(0)
        floats = lambda *shape: rng.standard_normal(shape, np.float32)
        layers, kv, d = config.layers, config.kv_heads, config.head_dim
        keys = (kv, d, 1) if cache.keys_last else (kv, 1, d)
        self.arrays = [array.zeros(layers, options.positions) for array in cache.arrays]
        for array in self.arrays:
            array[:] = rng.integers(-2**31, 2**31, array.shape) \
                if array.dtype == np.int32 else \
                rng.uniform(0.01, 0.02, array.shape) if name != "float" else \
                rng.standard_normal(array.shape, np.float32)
        self.inputs = [floats(layers, config.heads, 1, d), floats(layers, *keys),
                       floats(layers, kv, 1, d),
                       np.array(options.positions, np.int32), *self.arrays]
        self.out = np.empty((1, config.heads * d), np.float32)
        self.bytes = sum(array.nbytes for array in self.arrays)
        self.times, self.reads = [], []

    def measure(self):
        begin = time.perf_counter()
        self.model(*self.inputs, out=[self.out])
        self.times.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        for array in self.arrays:
            np.add.reduce(array.reshape(-1).view(np.int32))
        self.reads.append(time.perf_counter() - begin)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    for name, value in (("positions", 4096), ("layers", 30), ("heads", 9),
                        ("kv-heads", 3), ("head-dim", 64), ("rounds", 15),
                        ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    forms = [Form(name, options) for name in kv_cache.FORMS]
    for form in forms:
        form.measure()
        form.times.clear()
        form.reads.clear()
    for _ in range(options.rounds):
        for form in forms:
            form.measure()
    lines = ["| cache | MB | median, ms | over float | gather, least, ms |",
             "|---|---|---|---|---|"]
    base = forms[0]
    for form in forms:
        middle = float(np.median(form.times))
        lines.append(
            f"| {form.name} | {form.bytes / 1e6:.1f} | {1e3 * middle:.2f} | "
            f"{middle / float(np.median(base.times)):.2f} | "
            f"{1e3 * min(form.reads):.2f} |")
    print("\n".join(lines))
    if options.write:
        where = (f"{options.layers} layers of {options.heads} heads of queries and "
                 f"{options.kv_heads} of keys and values, {options.head_dim} elements "
                 f"each, {options.positions} positions, {options.threads} thread(s), "
                 f"{options.rounds} rounds by turns on {machine.cpu()}.")
        PAGE.write_text("# Decode attention by the form of the cache\n\nMade by "
                        f"`benchmarks/kv_cache.py --write`: {where}\n\n"
                        + "\n".join(lines) + "\n\n"
                        + __doc__.split("\n\n", 2)[2].strip() + "\n")


if __name__ == "__main__":
    main()
