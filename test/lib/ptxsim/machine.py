"""Threads of a block that advance together, and the launch of a grid."""

import numpy as np

from . import instructions
from .memory import Memory, MemoryError_, SharedMemory
from .warpgroup import InFlight

_GLOBAL_BASE = 1 << 32
_TYPES = {".pred": np.bool_, ".b16": np.uint16, ".b32": np.uint32,
          ".f32": np.uint32, ".b64": np.uint64, ".f64": np.uint64}
# Blocks that are in progress at once.
_RESIDENT = 3


class PtxError(Exception):
    pass


class Block:
    """The state of one block while its kernel runs."""

    def __init__(self, kernel, machine, index, threads, shared_bytes, params):
        self.kernel, self.machine = kernel, machine
        self.index, self.threads = index, threads
        self.params = params
        self.shared = SharedMemory(shared_bytes)
        self.registers = {}
        # All of them, where `active` is none but them: registers are taken whole.
        self.all = np.arange(threads)
        self.pc = np.zeros(threads, np.int64)
        self.live = np.ones(threads, bool)
        # Copies on their way (thread, its group, address, data), and how many
        # groups each thread has committed.
        self.copies = []
        self.groups = np.zeros(threads, np.int64)
        self.in_flight = InFlight()

    def read_register(self, name):
        if name not in self.registers:
            kind = self.kernel.registers.get(name)
            if kind is None:
                raise PtxError(f"unknown register {name}")
            self.registers[name] = np.zeros(self.threads, _TYPES[kind])
        return self.registers[name]

    def write_register(self, name, active, values):
        target = self.read_register(name)
        if active is self.all:
            target[:] = values
        else:
            target[active] = values

    def start_copies(self, threads, addresses, data):
        self.copies.append((threads, self.groups[threads], addresses, data))

    def finish_copies(self, waiting, keep):
        """Lands the copies of the `waiting` threads but those of the last `keep`
        groups of each."""
        waits = np.zeros(self.threads, bool)
        waits[waiting] = True
        left = []
        for copy in self.copies:
            threads, group, addresses, data = copy
            lands = waits[threads] & (group < self.groups[threads] - keep)
            if not lands.any():
                left.append(copy)
                continue
            if not lands.all():
                left.append(tuple(x[~lands] for x in copy))
                threads, _, addresses, data = (x[lands] for x in copy)
            self.shared.land(addresses, data)
            if self.kernel.uses_proxy:
                self.shared.note_writer(addresses, data.shape[1], threads)
        self.copies = left

    def run(self):
        """Steps until the block has ended; a generator that yields at barriers,
        where other blocks may go on."""
        program = self.kernel.instructions
        # Where all live threads are, if they are at one place; `pc` is not kept
        # up to date then.
        together, everyone = 0, self.all
        while everyone.size:
            pc, here = together, self.live
            if together is None:
                live = self.pc[everyone]
                pc = live[self.kernel.places[live].argmin()]
                here = self.live & (self.pc == pc)
            if pc >= len(program):
                raise PtxError("fell off the end of the kernel")
            instruction = program[pc]
            active = everyone if together is not None else np.flatnonzero(here)
            if instruction.predicate:
                flag = self.read_register(instruction.predicate)
                runs = flag[active] != instruction.negated
                if not runs.all():
                    active = active[runs]
            jumps = instruction.jumps
            if jumps or together is None:
                self.pc[here] = pc + 1
            self.machine.executed += 1
            try:
                self.step(instruction, here, active)
            except (PtxError, MemoryError_) as error:
                raise PtxError(
                    f"{self.kernel.name}: `{instruction.text}`: {error}")
            if instruction.waits:
                yield
            if not jumps and together is not None:
                together += 1
                continue
            everyone = self.all if self.live.all() else np.flatnonzero(self.live)
            places = self.pc[everyone]
            is_one = len(places) and (places == places[0]).all()
            together = int(places[0]) if is_one else None
        if any((group >= self.groups[threads]).any()
               for threads, group, _, _ in self.copies):
            raise PtxError("copies were never committed")

    def step(self, instruction, here, active):
        if not instruction.jumps and not instruction.waits:
            instructions.execute(self, instruction, active)
        elif instruction.waits:
            # All others have gone as far as they could.
            if not here[self.live].all():
                raise PtxError("a barrier that some threads do not reach")
        elif instruction.opcode in ("ret", "exit"):
            self.live[active] = False
        else:
            self.pc[active] = self.kernel.labels[instruction.operands[0]]


class Machine:
    """A GPU's memory, and launches on it."""

    def __init__(self):
        self.memory = Memory(_GLOBAL_BASE)
        self.executed = self.passes = self.least_passes = 0
        self.random = np.random.default_rng(1)

    def upload(self, array):
        array = np.ascontiguousarray(array)
        address = self.memory.allocate(array.nbytes)
        start = address - _GLOBAL_BASE
        self.memory.bytes[start:start + array.nbytes] = array.reshape(
            -1).view(np.uint8)
        return address

    def allocate(self, size):
        return self.memory.allocate(size)

    def download(self, address, shape, dtype):
        count = int(np.prod(shape)) * np.dtype(dtype).itemsize
        start = address - _GLOBAL_BASE
        data = self.memory.bytes[start:start + count].copy()
        return data.view(dtype).reshape(shape)

    def launch(self, kernel, grid, threads, shared_bytes, arguments):
        """Runs every block of `grid` (x, y, z); `arguments` are integers. Blocks
        start in a random order, some at a time, and take turns at barriers."""
        if len(arguments) != len(kernel.params):
            raise PtxError(f"{kernel.name} has {len(kernel.params)} parameters,"
                           f" not {len(arguments)}")
        params = {name: value
                  for (name, _), value in zip(kernel.params, arguments)}
        waiting = [(x, y, z) for z in range(grid[2]) for y in range(grid[1])
                   for x in range(grid[0])]
        self.random.shuffle(waiting)
        resident = []
        while waiting or resident:
            if waiting and len(resident) < _RESIDENT:
                index = tuple(int(i) for i in waiting.pop())
                block = Block(kernel, self, index, threads, shared_bytes,
                              params)
                resident.append((block, block.run()))
                continue
            turn = int(self.random.integers(len(resident)))
            block, steps = resident[turn]
            with np.errstate(all="ignore"):
                ended = next(steps, "ended") == "ended"
            if ended:
                del resident[turn]
                self.passes += block.shared.passes
                self.least_passes += block.shared.least_passes
