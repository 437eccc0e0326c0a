"""Odd shapes on each instruction row, every buffer at the end of a guarded page.

usage: odd_shapes.py LLVM_LIB_FOLDER COUNT [CPU ...]

Draws COUNT shapes of {1, 3, 7, 15, 17, 63, 65, 129}^3 (`all` of them for every
CPU named), with the kinds of operand that matmul_rows draws. Operands end where a
page begins that may not be touched. The library is linked with its own `malloc`
(guarded-malloc.c), so results and scratch buffers end there too, but for
what aligning them leaves: those bytes are filled, and must be the same after.
"""

import ctypes
import itertools
import os
import sys
import tempfile

import numpy as np

import amx
import matmul_rows
from matmul_rows import CPUS, Case, run

HERE = os.path.dirname(os.path.abspath(__file__))

FILLED = 0xA5


def compile_guarded(cpu, path, folder, libraries):
    packed, _ = matmul_rows.compile_for(cpu, path, folder, libraries)
    stem = os.path.join(folder, cpu)
    run("cc", "-O1", "-shared", "-fPIC", os.path.join(HERE, "guarded-malloc.c"),
        stem + ".o", "-o", stem + ".guarded.so", "-lm", f"-L{libraries}",
        f"-Wl,-rpath,{libraries}", "-lmlir_c_runner_utils")
    return packed, ctypes.CDLL(stem + ".guarded.so")


def call(library, case):
    """The result, and whether the bytes behind it are as they were."""
    out = matmul_rows.descriptor(case.expected.ndim)()
    memrefs = [matmul_rows.pass_array(array) for _, _, array in case.args]
    getattr(library, "_mlir_ciface_" + case.name)(
        ctypes.byref(out), *[ctypes.byref(m) for m in memrefs])
    dtype, shape = case.expected.dtype, list(out.sizes)
    count = int(np.prod(shape))
    begin = out.data + out.offset * dtype.itemsize
    raw = (ctypes.c_char * (count * dtype.itemsize)).from_address(begin)
    end = begin + count * dtype.itemsize
    behind = ctypes.string_at(end, -end % amx.PAGE)
    return np.frombuffer(raw, dtype).reshape(shape).copy(), \
        len(behind) <= 64 and behind == bytes([FILLED]) * len(behind)


def check_cpu(cpu, cases, path, folder, libraries):
    """Prints one line, and one for each failure; the number of failures."""
    row = CPUS[cpu][1]
    packed, library = compile_guarded(cpu, path, folder, libraries)
    failures = 0
    if packed.count("qtarget.packed_matmul") != packed.count(f"qtarget.packed_matmul #qtarget.x86<{row}>"):
        failures += 1
        print(f"{cpu}: expected only {row}")
    equal = 0
    for case in cases:
        found, intact = call(library, case)
        same = found.shape == case.expected.shape and \
            found.tobytes() == case.expected.tobytes()
        equal += same and intact
        if not same or not intact:
            failures += 1
            what = "differ" if not same else "written past the end"
            print(f"{cpu}: {case.name} {case.describe()}: {what}")
    print(f"{cpu}: {row}: {equal} of {len(cases)} equal, nothing touched past the ends",
          flush=True)
    return failures


def main():
    libraries, count, wanted = sys.argv[1], sys.argv[2], sys.argv[3:] or list(CPUS)
    with open("/proc/cpuinfo") as file:
        flags = next(line for line in file if line.startswith("flags")).split()
    libc, failures = amx.Libc(), 0
    for seed, cpu in enumerate(wanted):
        needs, row = CPUS[cpu]
        missing = [flag for flag in needs if flag not in flags]
        if missing:
            print(f"{cpu}: {row}: not run, the host lacks {' '.join(missing)}")
            continue
        rng = np.random.default_rng(seed)
        shapes = list(itertools.product(amx.SIZES, repeat=3))
        if count != "all":
            shapes = [shapes[i] for i in rng.permutation(len(shapes))[:int(count)]]
        cases = [Case(i, shape, rng) for i, shape in enumerate(shapes)]
        for case in cases:
            case.args = [(name, kind, libc.guarded(array))
                         for name, kind, array in case.args]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "cases.mlir")
            with open(path, "w") as file:
                file.write("".join(case.text() for case in cases))
            failures += check_cpu(cpu, cases, path, folder, libraries)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
