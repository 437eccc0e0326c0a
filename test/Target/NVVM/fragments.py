# RUN: fragments-driver | %python %s

"""The fragment layouts as the compiler has them: every element of every operand
is owned once, and a warp that follows them computes the exact product."""

import sys
from collections import defaultdict

import numpy as np

rows, places, offsets = {}, defaultdict(list), defaultdict(dict)
for line in sys.stdin:
    kind, name, *numbers = line.split()
    numbers = [int(x) for x in numbers]
    if kind == "row":
        rows[name] = numbers
    elif kind == "byte":
        lane, step, reg, byte = numbers
        offsets[name][lane, step, reg] = byte
    else:
        places[name, kind].append(numbers)

rng = np.random.default_rng(1)
for name, (m, n, k, bits, kr) in rows.items():
    size = {"A": (m, k), "B": (k, n), "C": (m, n)}
    owner = {}
    for kind, shape in size.items():
        owned = np.zeros(shape, int)
        for lane, reg, element, row, col in places[name, kind]:
            owned[row, col] += 1
            owner[kind, row, col] = (lane, reg, element)
        assert (owned == 1).all(), f"{name} {kind}: {owned}"
        assert len(places[name, kind]) == np.prod(shape)

    # A warp: fragments filled by the layout, multiplied by their places alone.
    low = 1 << (bits - 1)
    A = rng.integers(-low, low, (m, k))
    B = rng.integers(-low, low, (k, n))
    fragment = {}
    for kind, matrix in (("A", A), ("B", B)):
        for lane, reg, element, row, col in places[name, kind]:
            fragment[kind, lane, reg, element] = matrix[row, col]
    for lane, reg, element, row, col in places[name, "C"]:
        total = sum(fragment[("A", *owner["A", row, i])]
                    * fragment[("B", *owner["B", i, col])] for i in range(k))
        assert total == A[row] @ B[:, col], (name, row, col)

    # The four lanes of a row read each byte of its block of KR once.
    read = sorted(byte + i for (lane, _, _), byte in offsets[name].items()
                  if lane < 4 for i in range(4))
    assert read == list(range(kr * bits // 8)), (name, read)
    # A register is one chunk of 16 bytes, which four lanes share as ldmatrix
    # hands it out, in the order that the instruction has of its k.
    for (lane, step, reg), byte in offsets[name].items():
        assert byte % 16 == 4 * (lane % 4), (name, lane, byte)
        place = next(p for p in places[name, "B"] if p[:3] == [lane, reg, 0])
        assert byte == (step * k + place[3]) * bits // 8, (name, lane, byte)
    # The banks of eight rows of 64 bytes that follow each other, swizzled.
    for chunk in range(4):
        banks = [(row * 64 + (chunk ^ row // 2 % 4) * 16) // 4 + i
                 for row in range(8) for i in range(4)]
        assert sorted(b % 32 for b in banks) == list(range(32)), (name, banks)

assert sorted(rows) == ["mma_m16n8k32_s8", "mma_m16n8k64_s4",
                        "mma_m8n8k16_s8"], rows
print(f"{len(rows)} layouts exact")
