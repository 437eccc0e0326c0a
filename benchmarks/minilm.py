#!/usr/bin/env python3
"""A whole MiniLM, int8 end to end, beside other runtimes' of the same weights.

    PYTHONPATH=python:test/lib QUANTMLIR_LIBRARY=build/lib/libquantmlir.so.1 \\
        python3 benchmarks/minilm.py [--batches=1,8] [--rounds=20] [--rivals=REGEX]
            [--json=FILE] [--write]

32 tokens a sentence, one thread, pinned. This project, as a user calls it from
Python, quantizes weights per channel and activations per token; ONNX Runtime
(`quantize_dynamic`, per channel), OpenVINO (weights compressed by nncf) and torch
(`quantize_dynamic`) take the same checkpoint as far as they are installed. All are
one process and take turns on one set of inputs; a turn is three calls, as the first
finds others' weights in the caches. Times are of the core: what the process
computed, not what it waited for others; with the least of all calls and their
median. Ratios are of the least times. The cosine is the least one, of any sentence,
with the framework's result in f32. With --write, the page
docs/results/x86-models.md is made.
"""

import argparse
import json
import os
import pathlib
import re
import time

import numpy as np

import machine
import minilm_rivals
from quantmlir import compile, weights
from quantsim import catalog

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("QUANT_BUILD", ROOT / "build"))
PAGE = ROOT / "docs" / "results" / "x86-models.md"
CALLS = 3  # of a turn
OURS = {"int8, this project": "weights=channel activations=dynamic-token",
        "f32, this project": None}


class Quant:
    """A program of ours, and what compiling it took."""

    def __init__(self, name, quantize):
        program = catalog.attached(name, BUILD, BUILD / "bin" / "quant-opt")
        begin = time.process_time()
        self.model = compile(program, quantize=quantize, threads=1)
        self.compiled = time.process_time() - begin

    def bind(self, inputs):
        self.inputs = inputs

    def __call__(self):
        return self.model(*self.inputs)


def cosine(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    return float(((a * b).sum(1) / np.linalg.norm(a, axis=1) /
                  np.linalg.norm(b, axis=1)).min())


def measure(programs, rounds):
    """{name: seconds of the core of each call}; each program has a turn a round."""
    times = {name: [] for name in programs}
    for program in programs.values():
        program()
    for _ in range(rounds):
        for name, program in programs.items():
            for _ in range(CALLS):
                begin = time.process_time()
                program()
                times[name].append(time.process_time() - begin)
    return times


def summarize(programs, times, expected):
    least = {name: min(values) for name, values in times.items()}
    ours = least[next(iter(OURS))]
    return {name: {"least_ms": 1e3 * least[name],
                   "median_ms": 1e3 * float(np.median(values)),
                   "ratio": least[name] / ours,
                   "cosine": cosine(programs[name](), expected)}
            for name, values in times.items()}


def load(name, batch):
    """Inputs of `batch` sentences, and the framework's result."""
    inputs, arrays = catalog.inputs_and_results(name)
    repeat = -(-batch // len(inputs[0]))
    take = lambda x: np.ascontiguousarray(np.concatenate([x] * repeat)[:batch])
    return [take(x) for x in inputs], take(arrays["out0"])


def table(results):
    """Rows of markdown."""
    batches = list(results)
    yield "| | " + " | ".join(f"batch {b}, least (median) ms | over int8, this project"
                              for b in batches) + " | cosine |"
    yield "|---|" + "--:|--:|" * len(batches) + "--:|"
    for name in results[batches[0]]:
        rows = [results[b][name] for b in batches]
        cells = [cell for r in rows for cell in
                 (f"{r['least_ms']:.3f} ({r['median_ms']:.3f})", f"{r['ratio']:.2f}")]
        yield f"| {name} | " + " | ".join(cells) + f" | {min(r['cosine'] for r in rows):.4f} |"


def describe(args, rivals, compiled):
    versions = {r.package: r.version for r in rivals.values()}
    return [f"{machine.cpu()}, {time.strftime('%Y-%m-%d %H:%M')}, {args.rounds} rounds, load "
            f"{os.getloadavg()[0]:.1f}; "
            + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".",
            "Compiling: " + ", ".join(f"{name} {seconds:.1f} s"
                                      for name, seconds in compiled.items())
            + " of the core."]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--batches", default="1,8")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--rivals", default="", help="a regular expression")
    parser.add_argument("--no-float", action="store_true", help="none of ours in f32")
    parser.add_argument("--json")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    parameters = dict(weights.read_safetensors(catalog.minilm_weights(BUILD)))
    rivals = {name: minilm_rivals.make(name, parameters)
              for name in minilm_rivals.RIVALS if re.search(args.rivals, name)}
    rivals = {name: rival for name, rival in rivals.items() if rival}
    results, compiled, ours = {}, {}, {}
    for batch in map(int, args.batches.split(",")):
        name = "minilm_l6_full_b1s32" if batch == 1 else "minilm_l6_full_dynbatch_s32"
        for kind, quantize in OURS.items():
            if (kind, name) not in ours and (quantize or not args.no_float):
                ours[kind, name] = Quant(name, quantize)
                compiled[f"{kind} ({'static' if batch == 1 else 'dynamic batch'})"] = \
                    ours[kind, name].compiled
        inputs, expected = load(name, batch)
        programs = {k: ours[k, name] for k in OURS if (k, name) in ours} | rivals
        for program in programs.values():
            program.bind(inputs)
        results[batch] = summarize(programs, measure(programs, args.rounds), expected)
    lines = [*describe(args, rivals, compiled), "", *table(results)]
    print("\n".join(lines))
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(results, indent=1) + "\n")
    if args.write:
        PAGE.write_text("\n".join([
            "# Whole models on x86", "", "Made by `benchmarks/minilm.py --write`. "
            "[How](../x86-models.md) they are compiled.", "", *lines, "",
            __doc__.split("\n\n", 2)[2].strip(), ""]))


if __name__ == "__main__":
    main()
