"""Executes the launches of an emulated CUDA driver (the test tree's
emulated-cuda.cpp): `python -m ptxsim.server MEMORY_FILE`, one request a line."""

import sys

import numpy as np

from .machine import Machine, PtxError
from .parser import parse

_WIDTH = {".u32": 4, ".b32": 4, ".s32": 4, ".f32": 4, ".u64": 8, ".b64": 8,
          ".s64": 8}


class Server:
    def __init__(self, path):
        self.machine = Machine()
        memory = self.machine.memory
        memory.bytes = np.memmap(path, np.uint8, "r+")
        memory.valid = np.zeros(len(memory.bytes), bool)
        self.sizes, self.modules = {}, {}

    def hello(self):
        return ""

    def module(self, path):
        with open(path) as f:
            self.modules[path] = parse(f.read())
        return ""

    def function(self, module, name):
        if name not in self.modules[module]:
            raise PtxError(f"no kernel {name}")
        return " ".join(str(_WIDTH[kind])
                        for _, kind in self.modules[module][name].params)

    def launch(self, module, name, *numbers):
        x, y, z, threads, shared, *arguments = (int(n) for n in numbers)
        self.machine.launch(self.modules[module][name], (x, y, z), threads,
                            shared, arguments)
        return ""

    def _mark(self, address, size, valid):
        start = address - self.machine.memory.base
        self.machine.memory.valid[start:start + size] = valid

    def allocate(self, address, size):
        self.sizes[int(address)] = int(size)
        self._mark(int(address), int(size), True)
        return ""

    def free(self, address):
        if int(address) not in self.sizes:
            raise PtxError("freed what was not allocated")
        self._mark(int(address), self.sizes.pop(int(address)), False)
        return ""


def main():
    server = Server(sys.argv[1])
    for line in sys.stdin:
        name, *arguments = line.split()
        try:
            answer = "ok " + getattr(server, name)(*arguments)
        except Exception as error:
            answer = "error " + str(error).replace("\n", " ")
        print(answer, flush=True)


if __name__ == "__main__":
    main()
