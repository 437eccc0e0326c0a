#!/usr/bin/env python3
"""What formats of four bits can keep of weights: the least squared error, over their
squares, of normally distributed weights that are each rounded to the nearest, with the
best scale of all that a group may have.

    weight_formats.py [--groups=20000]

Scales of f32 are tried in steps of 1 %, so that theirs may be a little less; others are
all tried. As many times a format's error is another's, about so many times is its loss.
"""

import argparse

import numpy as np

E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])
INT4, E2M1 = np.arange(-8.0, 8), np.unique(np.concatenate([-E2M1, E2M1]))
E4M3 = np.unique([m * 2.0 ** (e - 9) for e in range(16) for m in range(8, 16)]
                 + [m * 2.0 ** -9 for m in range(1, 8)])
E4M3 = E4M3[E4M3 <= 448]
F32 = 1.01 ** np.arange(-300, 100)
# Name, bits a weight, elements, values of a group, scales.
FORMATS = [
    ("W4 g16, scales in f32", 6.0, INT4, 16, lambda largest: F32),
    # As NVFP4: the largest scale is E4M3's.
    ("W4 g16, scales in E4M3", 4.5, INT4, 16, lambda largest: E4M3 * largest / (7 * 448)),
    ("NVFP4", 4.5, E2M1, 16, lambda largest: E4M3 * largest / (6 * 448)),
    ("W4 g32, scales in f32", 5.0, INT4, 32, lambda largest: F32),
    ("MXFP4", 4.25, E2M1, 32, lambda largest: 2.0 ** np.arange(-20, 8)),
]


def least_error(weights, elements, scales):
    """Of groups [N, G], over the sum of their squares."""
    between = (elements[1:] + elements[:-1]) / 2
    least = np.square(weights).sum(-1)
    total = least.sum()
    for scale in scales[(scales > 0.02) & (scales < 4)]:
        rounded = elements[np.searchsorted(between, weights / scale)] * scale
        least = np.minimum(least, np.square(rounded - weights).sum(-1))
    return least.sum() / total


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--groups", type=int, default=20000)
    groups = parser.parse_args().groups
    print("| format | bits | least error |\n|---|---|---|")
    for name, bits, elements, size, scales in FORMATS:
        weights = np.random.default_rng(0).standard_normal((groups, size))
        error = least_error(weights, elements, scales(np.abs(weights).max()))
        print(f"| {name} | {bits} | {100 * error:.3f} % |", flush=True)


if __name__ == "__main__":
    main()
