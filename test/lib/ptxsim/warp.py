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


_NIBBLES = np.array([[x - 16 if x > 7 else x for x in (b & 15, b >> 4)]
                     for b in range(256)], np.float32)


def _elements(registers, bits):
    """[warps, registers, lanes] of 32 bits to [warps, registers * lanes *
    elements]."""
    if bits == 8:
        return registers.view(np.int8).reshape(len(registers), -1).astype(np.float32)
    return _NIBBLES[registers.view(np.uint8)].reshape(len(registers), -1)


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


@functools.cache
def _mma_sources(m, k, bits, num_a, num_b):
    """For each element of A [m, k] and B [k, 8] its number in what `_elements`
    gives."""
    a_row, a_col, b_row, b_col = _mma_places(m, k, bits, num_a, num_b)
    found = []
    for shape, row, col in (((m, k), a_row, a_col), ((k, 8), b_row, b_col)):
        lanes, registers, per = row.shape
        number = np.arange(row.size).reshape(registers, lanes, per).transpose(1, 0, 2)
        source = np.empty(shape, np.int64)
        source[row, col] = number
        found.append(source)
    return found


@functools.cache
def _sum_places(n, count):
    """[registers, lanes] places in the sums [m, n]."""
    lane, r = np.arange(LANES), np.arange(count)[:, None]
    return ((lane >> 2) + (r >> 1) * 8) * n + (lane & 3) * 2 + (r & 1)


def _mma(block, instruction, active, parts):
    """mma.sync.aligned.mMnNkK.row.col.s32.T.T.s32 d, a, b, c."""
    m, n, k = map(int, re.match(r"m(\d+)n(\d+)k(\d+)", parts[3]).groups())
    if "satfinite" in parts:
        raise MemoryError_("sums must wrap")
    bits = int(parts[7][1:])
    warps = len(whole(active))
    d, a, b, c = (instructions._list(x) for x in instruction.operands)

    def registers(names):
        values = np.stack([instructions.read(block, x, "b32", active) for x in names])
        return np.ascontiguousarray(
            values.reshape(len(names), warps, LANES).transpose(1, 0, 2))

    a_source, b_source = _mma_sources(m, k, bits, len(a), len(b))
    # Exact in floats, whose products are fast: less than 2^24.
    A = _elements(registers(a), bits)[:, a_source]
    B = _elements(registers(b), bits)[:, b_source]
    D = (A @ B).astype(np.int32).reshape(warps, m * n)
    total = D[:, _sum_places(n, len(d))] + registers(c).view(np.int32)
    for r, name in enumerate(d):
        instructions.write(block, name, None, active, total[:, r].reshape(-1))


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
    av = a.view(kinds[parts[1]]).reshape(-1, 4).astype(np.int32)
    bv = b.view(kinds[parts[2]]).reshape(-1, 4).astype(np.int32)
    total = np.einsum("ij,ij->i", av, bv) + c.view(np.int32)
    instructions.write(block, instruction.operands[0], None, active, total)


def execute(block, instruction, active, parts):
    if not len(active):
        return
    known = {"mma": _mma, "shfl": _shuffle, "dp4a": _dp4a, "ldmatrix": _ldmatrix}
    if parts[0] not in known:
        raise MemoryError_(f"instruction not known: {instruction.opcode}")
    known[parts[0]](block, instruction, active, parts)
