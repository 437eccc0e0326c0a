#!/usr/bin/env python3
"""Times a language model over ranks and on one, by turns.

    mpirun -n 2 python3 -m mpi4py utils/time-ranks.py MODEL.gguf --weights w8

All ranks compute a prompt and some tokens together, then rank 0 alone, while others
wait; and so on. Prints medians, ratios, and the load of the machine.
"""

import argparse
import os
import statistics
import time

import numpy as np
import quantmlir.llm as llm
from mpi4py import MPI


def seconds(model, tokens, count):
    """Of a prompt, and of each of `count` tokens behind it."""
    session = model.session(len(tokens) + count)
    begin = time.perf_counter()
    session(tokens)
    prompt = time.perf_counter()
    for _ in range(count):
        session(tokens[:1])
    return prompt - begin, (time.perf_counter() - prompt) / count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--weights")
    parser.add_argument("--kv-cache", default="float")
    parser.add_argument("--prompt", type=int, default=256)
    parser.add_argument("--tokens", type=int, default=16)
    parser.add_argument("--turns", type=int, default=9)
    args = parser.parse_args()
    world = MPI.COMM_WORLD
    how = dict(weights=args.weights, kv_cache=args.kv_cache)
    cut = llm.load(args.model, ranks="mpi", **how)
    whole = llm.load(args.model, **how) if world.rank == 0 else None
    tokens = np.arange(args.prompt) % cut.config.vocabulary
    times = {"ranks": [], "one": []}
    for _ in range(args.turns):
        world.barrier()
        times["ranks"].append(seconds(cut, tokens, args.tokens))
        world.barrier()
        if whole:
            times["one"].append(seconds(whole, tokens, args.tokens))
    if world.rank:
        return
    for i, what in enumerate((f"prompt of {args.prompt}", "a token")):
        each = {name: [t[i] for t in all_] for name, all_ in times.items()}
        ratio = statistics.median(o / r for o, r in zip(each["one"], each["ranks"]))
        print(f"{what}: one {1e3 * statistics.median(each['one']):.2f} ms (best "
              f"{1e3 * min(each['one']):.2f}), {world.size} ranks "
              f"{1e3 * statistics.median(each['ranks']):.2f} ms (best "
              f"{1e3 * min(each['ranks']):.2f}), {ratio:.2f} x by turns")
    print(f"{cut.plan.traffic().sent(1)} bytes a token, "
          f"{cut.plan.traffic().sent(args.prompt)} a prompt; load "
          f"{os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
