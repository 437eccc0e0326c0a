#!/usr/bin/env python3
"""How long a language model takes on N hosts: its kernels are measured, what they send
is computed (docs/shard.md).

    simulate-ranks.py MODEL.gguf --weights w8 --ranks 1 2 4 8 16 32 64

The rank of N that has the most heads is compiled as it is for N hosts, and runs here on
one core, with collectives that send nothing. To its time for a prompt and for a token is added that
of the wire, the bytes that the plan says, and that of log2 N messages for each
collective, twice as many where results are whole on all ranks.
"""

import argparse
import ctypes
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np


def restart_without_mpi():
    """This process again, with collectives that send nothing."""
    source = pathlib.Path(__file__).with_name("no-mpi.c")
    with tempfile.TemporaryDirectory() as folder:
        library = f"{folder}/no-mpi.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, source],
                       check=True)
        return subprocess.run([sys.executable, *sys.argv], env=dict(
            os.environ, LD_PRELOAD=library, QUANT_NO_MPI="1")).returncode


def slowest(llm, args, ranks):
    """The rank with the most heads of queries, the first of them."""
    if ranks == 1:
        return 0
    plan = llm.loading._Build(args.model, activations="int8", weights=args.weights,
                              rotation="none", kv_cache=args.kv_cache,
                              ranks=(0, ranks)).plan
    sizes = llm.ranks.widths(plan.heads) if plan.heads else [0]
    return sizes.index(max(sizes))


def measure(llm, args, ranks):
    """Seconds of a prompt and of a token, the least of some; the plan. Of the
    processor: others may use it, too."""
    number, here = slowest(llm, args, ranks), ctypes.CDLL(None)
    for name, value in (("noMPIRank", number), ("noMPIRanks", ranks)):
        ctypes.c_int.in_dll(here, name).value = value
    model = llm.load(args.model, weights=args.weights, kv_cache=args.kv_cache,
                     cache=args.cache or False, ranks=(number, ranks))
    tokens = np.arange(args.prompt) % model.config.vocabulary
    prompts, each = [], []
    for _ in range(args.repeat):
        session = model.session(args.prompt + args.repeat)
        begin = time.process_time()
        session(tokens)
        prompts.append(time.process_time() - begin)
        for _ in range(args.repeat):
            begin = time.process_time()
            session(tokens[:1])
            each.append(time.process_time() - begin)
    return min(prompts), min(each), model.plan, model.config.layers


def on_wire(args, plan, layers, tokens, gbits):
    if plan is None:
        return 0.0
    # What is whole on all ranks when it is combined is divided and gathered. For each
    # weight that ends a half layer that are a maximum and a sum, or, where rows are
    # divided, half of the sum and two gathers, or a maximum and two gathers; and there
    # are the embedding, the logits and, of rows that are divided, the last one.
    divided = plan.divides_rows and tokens >= plan.least_rows
    each = {True: 2 + (1 + 2 if divided else 2), False: 2 + 2}
    halves = layers * sum(each[name in plan.by_rows]
                          for name in ("o", "down") if plan.is_cut(name))
    steps = (halves + (1 + 2 if divided else 2) + 1) * math.log2(plan.count)
    return plan.traffic().sent(tokens) * 8 / (gbits * 1e9) + steps * args.latency * 1e-6


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--weights")
    parser.add_argument("--kv-cache", default="float")
    parser.add_argument("--prompt", type=int, default=256)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--latency", type=float, default=20,
                        help="microseconds of a message")
    parser.add_argument("--ranks", type=int, nargs="+",
                        default=[1, 2, 4, 8, 16, 32, 64])
    parser.add_argument("--cache", help="folder of compiled models")
    args = parser.parse_args()
    if "QUANT_NO_MPI" not in os.environ:
        return restart_without_mpi()
    import quantmlir.llm as llm
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print("| N | measured: token, prompt | " + " | ".join(
        f"{what}, {g} Gbit/s" for what in ("token", "prompt") for g in (1, 10, 100))
        + " |\n|---" + "|---" * 7 + "|")
    alone = None
    for ranks in args.ranks:
        prompt, token, plan, layers = measure(llm, args, ranks)
        alone = alone or (token, prompt)
        cells = [str(ranks), f"{token * 1e3:.2f} ms, {prompt * 1e3:.0f} ms"]
        for begin, own, tokens in ((alone[0], token, 1), (alone[1], prompt, args.prompt)):
            for gbits in (1, 10, 100):
                seconds = own + on_wire(args, plan, layers, tokens, gbits)
                cells.append(f"{seconds * 1e3:.3g} ms, {begin / seconds:.1f} ×")
        print("| " + " | ".join(cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
