"""wgmma: instructions of four warps that read shared memory by descriptors, and
whose sums are on their way until a wait."""

import functools
import re

import numpy as np

from . import instructions, warp
from .memory import MemoryError_

THREADS, ROWS, DEPTH = 128, 64, 32
_ATOM_ROWS, _UNIT = 8, 16
# Bytes of a row by the descriptor's mode.
_ROW_BYTES = {1: 128, 2: 64, 3: 32}


def _groups(active):
    return warp.whole(active, THREADS, "a warpgroup")


@functools.lru_cache(maxsize=1 << 10)
def _places(descriptor, rows):
    """[rows, DEPTH] addresses of a K-major tile. PTX ISA, "Shared Memory Matrix
    Layout": the chunks of 16 bytes of an address are swizzled by its own bits, so
    that a tile that starts within a row is read through the same pattern."""
    mode = descriptor >> 62
    if mode not in _ROW_BYTES or descriptor >> 49 & 7:
        raise MemoryError_(f"descriptor {descriptor:#x}: mode or offset not known")
    row_bytes = _ROW_BYTES[mode]
    start = (descriptor & 0x3FFF) * _UNIT
    stride = (descriptor >> 32 & 0x3FFF) * _UNIT
    if start % row_bytes + DEPTH > row_bytes:
        raise MemoryError_("a tile past the end of its rows")
    row = np.arange(rows)[:, None]
    linear = (start + row // _ATOM_ROWS * stride + row % _ATOM_ROWS * row_bytes
              + np.arange(DEPTH))
    # Bits 4.. are changed by bits 7..: of 128 bytes' chunks all three.
    return linear ^ (linear >> 7 & row_bytes // _UNIT - 1) << 4


class InFlight:
    """What the wgmma of a block read and write meanwhile."""

    def __init__(self):
        # Of each warpgroup: [group's number or None: not committed, whether it
        # reads each byte].
        self.reads = {}
        self.committed = {}
        self.registers = {}

    def check_write(self, addresses):
        # Aligned, as what is read is to 16 bytes: the first byte says it for all.
        for reads in self.reads.values():
            for _, is_read in reads:
                if is_read[addresses].any():
                    raise MemoryError_("a write to what a wgmma may still read")

    def check_register(self, name):
        if name in self.registers:
            raise MemoryError_(f"{name} is on its way")

    def move_register(self, target, source):
        if source in self.registers:
            self.registers[target] = self.registers[source]

    def start(self, group, places, size, names):
        is_read = np.zeros(size, bool)
        for part in places:
            is_read[part] = True
        self.reads.setdefault(group, []).append([None, is_read])
        for name in names:
            self.registers[name] = group

    def commit(self, group):
        number = self.committed.get(group, 0)
        self.committed[group] = number + 1
        for read in self.reads.get(group, []):
            if read[0] is None:
                read[0] = number

    def wait(self, group, keep):
        last = self.committed.get(group, 0) - keep
        reads = self.reads.get(group, [])
        self.reads[group] = [r for r in reads if r[0] is None or r[0] >= last]
        if not self.reads[group]:
            self.registers = {name: g for name, g in self.registers.items() if g != group}


def _multiply(block, instruction, active, parts):
    n, depth = map(int, re.match(r"m64n(\d+)k(\d+)$", parts[4]).groups())
    if parts[5:] != ["s32", "s8", "s8"] or depth != DEPTH:
        raise MemoryError_(f"form of wgmma not known: {instruction.opcode}")
    names = instructions._list(instruction.operands[0])
    if len(names) != n * ROWS // THREADS:
        raise MemoryError_("other registers than sums")
    descriptors = [instructions.read(block, x, "u64", active)
                   for x in instruction.operands[1:3]]
    adds = instructions.read(block, instruction.operands[3], "pred", active)
    sums = _sum_places(n, len(names))
    for at, group in enumerate(_groups(active)):
        mine = slice(at * THREADS, (at + 1) * THREADS)
        operands, touched = [], []
        for descriptor, rows in zip(descriptors, (ROWS, n)):
            values = descriptor[mine]
            if (values != values[0]).any():
                raise MemoryError_("descriptors differ within a warpgroup")
            places = _places(int(values[0]), rows)
            touched.append(places)
            operands.append(block.shared.read_async(places).view(np.int8)
                            .astype(np.float32))
        # Exact in floats, whose products are fast: less than 2^24.
        product = (operands[0] @ operands[1].T).astype(np.int32).reshape(-1)[sums]
        product, keeps = product.view(np.uint32), adds[mine]
        # The threads of a whole group follow each other.
        threads = slice(active[mine][0], active[mine][-1] + 1)
        for name, total in zip(names, product):
            register = block.read_register(name)[threads]
            np.add(total, np.where(keeps, register, 0) if not keeps.all() else register,
                   out=register, casting="unsafe")
        block.in_flight.start(group, touched, len(block.shared.bytes), names)


@functools.cache
def _sum_places(n, count):
    """[registers, threads] places in the sums [ROWS, n]: four registers for eight
    columns, two of row g and two of row g + 8."""
    thread, i = np.arange(THREADS), np.arange(count)[:, None]
    lane = thread % 32
    row = thread // 32 * 16 + lane // 4 + 8 * (i // 2 % 2)
    return row * n + 8 * (i // 4) + 2 * (lane % 4) + i % 2


def execute(block, instruction, active, parts):
    if parts[1] == "mma_async":
        return _multiply(block, instruction, active, parts)
    for group in _groups(active):
        if parts[1] == "commit_group":
            block.in_flight.commit(group)
        elif parts[1] == "wait_group":
            block.in_flight.wait(group, int(instruction.operands[0]))
        elif parts[1] != "fence":
            raise MemoryError_(f"instruction not known: {instruction.opcode}")
