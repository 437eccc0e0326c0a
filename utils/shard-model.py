#!/usr/bin/env python3
"""How long a layer takes on N machines, by arithmetic (docs/shard.md).

A layer of a decoder: q, k, v, o of D x D, gate, up and down of D x H, in bytes.
Its time is that of reading the weights or of multiplying, whichever is longer,
divided by N; two all-reduces of T x D numbers of i32 pass 2 (N - 1) / N of their
bytes through each wire, in 2 (N - 1) steps.
"""

import argparse


def seconds(args, tokens, ranks, gbits):
    weights = 4 * args.width ** 2 + 3 * args.width * args.hidden
    alone = max(weights / (args.memory * 1e9),
                weights * tokens / (args.macs * 1e12))
    sums = 2 * 4 * tokens * args.width
    wire = 2 * sums * (ranks - 1) / ranks / (gbits * 1e9 / 8)
    latency = 2 * 2 * (ranks - 1) * args.latency * 1e-6
    return alone / ranks + wire + latency


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=4096, metavar="D")
    parser.add_argument("--hidden", type=int, default=11008, metavar="H")
    parser.add_argument("--memory", type=float, default=50, help="GB/s")
    parser.add_argument("--macs", type=float, default=1, help="Tmac/s")
    parser.add_argument("--latency", type=float, default=20,
                        help="microseconds of a step")
    parser.add_argument("--ranks", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--tokens", type=int, nargs="+", default=[1, 256])
    args = parser.parse_args()
    print("| | N = " + " | ".join(map(str, args.ranks)) + " |")
    print("|---" * (len(args.ranks) + 1) + "|")
    for tokens in args.tokens:
        alone = seconds(args, tokens, 1, 1)
        name = "one token" if tokens == 1 else f"{tokens} tokens"
        print(f"{name} on one machine: {alone * 1e3:.3g} ms")
        for gbits in (1, 10, 100):
            cells = []
            for ranks in args.ranks:
                time = seconds(args, tokens, ranks, gbits)
                cells.append(f"{time * 1e3:.3g} ms, {alone / time:.1f} ×")
            print(f"| {name}, {gbits} Gbit/s | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
