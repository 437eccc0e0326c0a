"""Matmuls on AMX tiles, exact against NumPy, natively or under the emulator.

usage: amx.py LLVM_LIB_FOLDER COUNT [EMULATOR.so]

Every operand, and every result, ends at a page that may not be touched. COUNT is
the number of shapes of {1, 3, 7, 15, 17, 63, 65, 129}^3 that are drawn, or `all`.
With the emulator the process runs itself again with it preloaded; then each
instruction of a plain matmul is counted as well, and compared with what the tiles'
arithmetic says.
"""

import ctypes
import itertools
import os
import sys
import tempfile

import numpy as np

import matmul_rows
from matmul_rows import Case, run

SIZES = [1, 3, 7, 15, 17, 63, 65, 129]
# Whole blocks, whole tiles, a row of tiles, several row blocks.
CLASSES = [(64, 64, 128), (32, 96, 64), (16, 80, 256), (48, 48, 64), (5, 16, 64),
           (33, 144, 192), (100, 100, 100), (256, 32, 1024)]
# What quant-opt is told, and what the code generator is told: tiles beside the
# widest vectors that this machine has.
VECTORS = [("avx512_vnni", "icelake-server"), ("avx2", "haswell"), ("", "x86-64")]
COUNTERS = ["ldtilecfg", "sttilecfg", "tileloadd", "tileloaddt1", "tilestored",
            "tilezero", "tilerelease", "tdpbssd", "tdpbsud", "tdpbusd", "tdpbuud"]
PAGE = 4096


class Libc:
    def __init__(self):
        self.lib = ctypes.CDLL(None, use_errno=True)
        self.lib.mmap.restype = ctypes.c_void_p
        self.lib.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 \
            + [ctypes.c_long]
        self.lib.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]

    def request_tiles(self):
        """arch_prctl(ARCH_REQ_XCOMP_PERM, 18), through libc: the emulator answers."""
        return self.lib.syscall(ctypes.c_long(158), ctypes.c_long(0x1023),
                                ctypes.c_long(18))

    def guarded(self, array):
        """A copy of `array` whose last byte is the last of its page."""
        pages = (array.nbytes + PAGE - 1) // PAGE + 1
        start = self.lib.mmap(None, (pages + 1) * PAGE, 3, 0x22, -1, 0)
        if self.lib.mprotect(start + pages * PAGE, PAGE, 0):
            sys.exit("mprotect failed")
        at = start + pages * PAGE - array.nbytes
        raw = (ctypes.c_char * max(array.nbytes, 1)).from_address(at)
        copy = np.frombuffer(raw, array.dtype, array.size).reshape(array.shape)
        copy[...] = array
        return copy


def expected_counts(m, n, k):
    """Instructions of one matmul: 2 x 2 blocks, 1 x 4 for one row of tiles."""
    ceil = lambda a, b: -(-a // b)
    tiles_m, tiles_n, steps = ceil(m, 16), ceil(n, 16), ceil(k, 64)
    block_m, block_n = (1, min(4, tiles_n)) if tiles_m == 1 else (2, min(2, tiles_n))
    loads = steps * (tiles_m * ceil(tiles_n, block_n) + tiles_n * ceil(tiles_m, block_m))
    return {"products": tiles_m * tiles_n * steps, "loads": loads,
            "starts": tiles_m * tiles_n, "stores": tiles_m * tiles_n}


def found_counts(before, after):
    delta = dict(zip(COUNTERS, (a - b for a, b in zip(after, before))))
    products = sum(v for name, v in delta.items() if name.startswith("tdp"))
    return {"products": products,
            "loads_and_starts": delta["tileloadd"] + delta["tileloaddt1"] + delta["tilezero"],
            "stores": delta["tilestored"], "configurations": delta["ldtilecfg"]}


def compile_cases(path, folder, libraries, cpu):
    options = f"cpu={cpu} features=+amx-tile,+amx-int8"
    packed = run("quant-opt", path, f"--quant-to-x86={options} stop-after=packed").decode()
    stem = os.path.join(folder, "cases")
    run("quant-opt", path, f"--quant-to-x86={options}", "-o", stem + ".llvm.mlir")
    run("mlir-translate", "--mlir-to-llvmir", stem + ".llvm.mlir", "-o", stem + ".ll")
    target = [f"-mcpu={cpu}", "-mattr=+amx-tile,+amx-int8"]
    run("opt", "-O2", *target, stem + ".ll", "-o", stem + ".bc")
    run("llc", "-O2", *target, "-relocation-model=pic", "-filetype=obj", stem + ".bc",
        "-o", stem + ".o")
    run("cc", "-shared", stem + ".o", "-o", stem + ".so", "-lm",
        f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-lmlir_c_runner_utils")
    return packed, ctypes.CDLL(stem + ".so")


def main():
    libraries, count = sys.argv[1:3]
    emulator = sys.argv[3] if len(sys.argv) > 3 else None
    if emulator and os.environ.get("LD_PRELOAD") != emulator:
        os.environ["LD_PRELOAD"] = emulator
        os.execv(sys.executable, [sys.executable] + sys.argv)
    libc = Libc()
    if libc.request_tiles():
        sys.exit("the kernel gives no permission for tiles")
    counters = None
    if emulator:
        os.environ.pop("LD_PRELOAD")
        counters = ctypes.CDLL(emulator).amx_emulator_counts

    rng = np.random.default_rng(5)
    shapes = list(itertools.product(SIZES, repeat=3))
    if count != "all":
        shapes = [shapes[i] for i in rng.permutation(len(shapes))[:int(count)]]
    shapes = CLASSES + shapes
    cases = [Case(i, shape, rng) for i, shape in enumerate(shapes)]
    for case in cases:
        case.args = [(name, kind, libc.guarded(array)) for name, kind, array in case.args]
    with open("/proc/cpuinfo") as file:
        flags = next(line for line in file if line.startswith("flags")).split()
    cpu = next(name for flag, name in VECTORS if not flag or flag in flags)

    equal = counted = failures = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "cases.mlir")
        with open(path, "w") as file:
            file.write("".join(case.text() for case in cases))
        packed, library = compile_cases(path, folder, libraries, cpu)
        for case in cases:
            before, after = (ctypes.c_uint64 * 15)(), (ctypes.c_uint64 * 15)()
            if counters:
                counters(before)
            found = matmul_rows.call(library, case)
            if counters:
                counters(after)
            if found.shape == case.expected.shape and \
                    found.tobytes() == case.expected.tobytes():
                equal += 1
            else:
                failures += 1
                wrong = np.argwhere(found != case.expected)
                print(f"{case.name} {case.describe()}: {len(wrong)} of {found.size} "
                      f"differ, first at {wrong[:1].tolist()}")
            if not counters or case.batch or case.dynamic or case.m < 5:
                continue
            want, have = expected_counts(case.m, case.n, case.k), found_counts(before, after)
            counted += 1
            if (have["products"], have["stores"], have["loads_and_starts"]) != \
                    (want["products"], want["stores"], want["loads"] + want["starts"]) or \
                    have["configurations"] > 1:
                failures += 1
                print(f"{case.name} {case.describe()}: expected {want}, counted {have}")
    rows = sorted({word for word in packed.replace("<", " ").replace(">", " ").split()
                   if word.startswith("amx_")})
    print(f"{' '.join(rows)}: {equal} of {len(cases)} equal")
    if counters:
        print(f"instructions of {counted} matmuls counted")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
