"""Instructions of a whole warp, and dp4a."""

import functools
import re

import numpy as np

from . import instructions
from .memory import MemoryError_

LANES = 32


def whole(active, threads=LANES, what="a warp"):
    """Numbers of the warps (or groups of `threads`) that are `active`, whole."""
    groups = np.unique(active // threads)
    if len(groups) * threads != len(active):
        raise MemoryError_(f"{what} is not whole")
    return groups


def _elements(registers, bits):
    """[threads, registers] of 32 bits to [threads, registers, elements]."""
    data = np.ascontiguousarray(registers)
    if bits == 8:
        return data.view(np.int8).reshape(*data.shape, 4).astype(np.int64)
    nibbles = (data[..., None] >> np.arange(0, 32, 4, dtype=np.uint32)) & 15
    nibbles = nibbles.astype(np.int64)
    return np.where(nibbles > 7, nibbles - 16, nibbles)


@functools.cache
def _mma_places(m, k, bits, num_a, num_b):
    """Where the elements of a warp's registers ([lanes, registers, elements])
    are in A [m, k] and B [k, 8]. Written out from the PTX ISA's figures, apart
    from the compiler's own table."""
    lane = np.arange(LANES)
    group, part = lane >> 2, lane & 3
    per = 32 // bits
    shape = (LANES, num_a, per), (LANES, num_b, per)
    a_row, a_col = np.zeros(shape[0], int), np.zeros(shape[0], int)
    b_row, b_col = np.zeros(shape[1], int), np.zeros(shape[1], int)
    for i in range(per):
        for r in range(num_a):
            # m16: a0 and a2 hold row `group`, a1 and a3 row `group + 8`; a2 and
            # a3 the upper half of k. m8: one register.
            upper = r // 2 if m == 16 else r
            a_row[:, r, i] = group + (8 if m == 16 and r % 2 else 0)
            a_col[:, r, i] = part * per + i + upper * (
                k // 2 if num_a > 1 else 0)
        for r in range(num_b):
            b_row[:, r, i] = part * per + i + r * (k // 2 if num_b > 1 else 0)
            b_col[:, r, i] = group
    seen = np.zeros((m, k), int)
    np.add.at(seen, (a_row, a_col), 1)
    if (seen != 1).any():
        raise MemoryError_("fragment of A does not cover it")
    return a_row, a_col, b_row, b_col


def _mma(block, instruction, active, parts):
    """mma.sync.aligned.mMnNkK.row.col.s32.T.T.s32 d, a, b, c."""
    m, n, k = map(int, re.match(r"m(\d+)n(\d+)k(\d+)", parts[3]).groups())
    if "satfinite" in parts:
        raise MemoryError_("sums must wrap")
    bits = int(parts[7][1:])
    warps = whole(active)
    d, a, b, c = (instructions._list(x) for x in instruction.operands)

    def registers(names):
        return np.stack(
            [instructions.read(block, x, "b32", active) for x in names], 1)

    a_row, a_col, b_row, b_col = _mma_places(m, k, bits, len(a), len(b))
    # Exact in doubles, whose products are fast.
    A = np.zeros((len(warps), m, k))
    B = np.zeros((len(warps), k, n))
    A[:, a_row, a_col] = _elements(registers(a), bits).reshape(-1, *a_row.shape)
    B[:, b_row, b_col] = _elements(registers(b), bits).reshape(-1, *b_row.shape)
    D = (A @ B).astype(np.int64)
    cv = registers(c).astype(np.int64).reshape(len(warps), LANES, len(c))
    lane = np.arange(LANES)
    for r, name in enumerate(d):
        row = (lane >> 2) + (8 if r >= 2 else 0)
        col = (lane & 3) * 2 + (r & 1)
        total = (D[:, row, col] + cv[:, :, r]) & 0xFFFFFFFF
        instructions.write(block, name, None, active,
                           total.astype(np.uint32).reshape(-1))


def _shuffle(block, instruction, active, parts):
    whole(active)
    target = instruction.operands[0].split("|")[0]
    values = instructions.read(block, instruction.operands[1], "b32", active)
    amount = instructions.read(block, instruction.operands[2], "u32", active)
    lane = active % LANES
    if parts[2] == "bfly":
        source = lane ^ amount.astype(np.int64)
    elif parts[2] == "idx":
        source = amount.astype(np.int64)
    elif parts[2] == "down":
        source = np.minimum(lane + amount.astype(np.int64), LANES - 1)
    else:
        raise MemoryError_(f"shuffle not known: {parts[2]}")
    position = np.arange(len(active)) - lane + source
    instructions.write(block, target, None, active, values[position])


def _ldmatrix(block, instruction, active, parts):
    """ldmatrix.sync.aligned.m8n8.xC.shared.b16 d, [a]: lane 8 i + r says where
    the 16 bytes of row r of matrix i are, lane 4 r + j gets four of them."""
    if parts[3] != "m8n8" or "trans" in parts or "shared" not in parts:
        raise MemoryError_(f"form of ldmatrix not known: {instruction.opcode}")
    warps = whole(active)
    names = instructions._list(instruction.operands[0])
    if parts[4] != f"x{len(names)}":
        raise MemoryError_("other registers than matrices")
    where = instructions.address(block, instruction.operands[1], "shared", active)
    used = np.flatnonzero(active % LANES < 8 * len(names))
    rows = block.shared.read(where[used], 16)
    block.shared.count(where[used], active[used], 16)
    words = np.ascontiguousarray(rows).view(np.uint32).reshape(
        len(warps), len(names), LANES)
    for i, name in enumerate(names):
        instructions.write(block, name, None, active,
                           np.ascontiguousarray(words[:, i]).reshape(-1))


def _dp4a(block, instruction, active, parts):
    a, b, c = (instructions.read(block, x, "b32", active)
               for x in instruction.operands[1:4])
    kinds = {"s32": np.int8, "u32": np.uint8}
    av = a.view(kinds[parts[1]]).reshape(-1, 4).astype(np.int64)
    bv = b.view(kinds[parts[2]]).reshape(-1, 4).astype(np.int64)
    total = ((av * bv).sum(1) + c.astype(np.int64)) & 0xFFFFFFFF
    instructions.write(block, instruction.operands[0], None, active,
                       total.astype(np.uint32))


def execute(block, instruction, active, parts):
    if not len(active):
        return
    known = {"mma": _mma, "shfl": _shuffle, "dp4a": _dp4a, "ldmatrix": _ldmatrix}
    if parts[0] not in known:
        raise MemoryError_(f"instruction not known: {instruction.opcode}")
    known[parts[0]](block, instruction, active, parts)
