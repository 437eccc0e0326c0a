"""Random matmuls on every instruction row that this machine can run.

usage: matmul_rows.py LLVM_LIB_FOLDER [CPU ...]

Writes one module with a function for each case (quantcheck.matmul_cases),
compiles it with `quant-to-x86` for each named processor that the host can stand
in for, runs it, and compares each result with NumPy: integers and floats must be
equal to the bit.
"""

import ctypes
import os
import sys
import tempfile

import numpy as np
from quantcheck.matmul_cases import SHAPES, Case, run

# Name for LLVM, what the host must have, the row that is chosen for it (or those
# for signs of the operands; features that are added to the processor's).
CPUS = {
    "icelake-server": (["avx512_vnni", "avx512vl", "avx512bw"], "vpdpbusd_512"),
    "alderlake": (["avx_vnni", "avx2"], "vpdpbusd_256"),
    "skylake-avx512": (["avx512bw", "avx512vl"], "vpmaddwd_512"),
    "haswell": (["avx2", "fma", "bmi2"], "vpmaddwd_256"),
    "x86-64": ([], "vpmaddwd_128"),
}
VERIFIED = "icelake-server"
# For processors that the host does not have; an emulator is preloaded.
EMULATED = {
    "sierraforest": (["avx2", "fma", "bmi2"],
                     ["vpdpbssd_256", "vpdpbsud_256", "vpdpbusd_256"]),
}


def descriptor(rank):
    fields = [("base", ctypes.c_void_p), ("data", ctypes.c_void_p),
              ("offset", ctypes.c_int64)]
    if rank:
        fields += [("sizes", ctypes.c_int64 * rank), ("strides", ctypes.c_int64 * rank)]
    return type(f"MemRef{rank}", (ctypes.Structure,), {"_fields_": fields})


def pass_array(array):
    memref = descriptor(array.ndim)()
    memref.base = memref.data = array.ctypes.data
    if array.ndim:
        memref.sizes[:] = array.shape
        memref.strides[:] = [s // array.itemsize for s in array.strides]
    return memref


def call(library, case):
    out = descriptor(case.expected.ndim)()
    memrefs = [pass_array(array) for _, _, array in case.args]
    getattr(library, "_mlir_ciface_" + case.name)(
        ctypes.byref(out), *[ctypes.byref(m) for m in memrefs])
    shape = list(out.sizes) if case.expected.ndim else []
    count = int(np.prod(shape))
    dtype = case.expected.dtype
    raw = (ctypes.c_char * (count * dtype.itemsize)).from_address(
        out.data + out.offset * dtype.itemsize)
    return np.frombuffer(raw, dtype).reshape(shape).copy()


def compile_for(cpu, path, folder, libraries):
    stem = os.path.join(folder, cpu)
    name, *features = cpu.split("+")
    target = f"cpu={name}"
    machine = [f"-mcpu={name}"]
    if features:
        names = ",".join("+" + feature for feature in features)
        target += f" features={names}"
        machine.append(f"-mattr={names}")
    packed = run("quant-opt", path, f"--quant-to-x86={target} stop-after=packed").decode()
    # Verifying after each pass takes as long as the passes: once is enough.
    run("quant-opt", path, f"--quant-to-x86={target}", f"--verify-each={cpu == VERIFIED:d}",
        "-o", stem + ".mlir")
    run("mlir-translate", "--mlir-to-llvmir", stem + ".mlir", "-o", stem + ".ll")
    # The kernels are what they are before LLVM, and so are their numbers.
    run("llc", "-O0", *machine, "-relocation-model=pic", "-filetype=obj",
        stem + ".ll", "-o", stem + ".o")
    run("cc", "-shared", stem + ".o", "-o", stem + ".so", "-lm",
        f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-lmlir_c_runner_utils")
    return packed, ctypes.CDLL(stem + ".so")


def main():
    libraries, wanted = sys.argv[1], sys.argv[2:] or list(CPUS)
    with open("/proc/cpuinfo") as file:
        flags = next(line for line in file if line.startswith("flags")).split()
    rng = np.random.default_rng(20)
    cases = [Case(i, SHAPES[i % len(SHAPES)], rng) for i in range(3 * len(SHAPES))]
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "cases.mlir")
        with open(path, "w") as file:
            file.write("".join(case.text() for case in cases))
        for cpu in wanted:
            needs, rows = {**CPUS, **EMULATED}[cpu]
            rows = [rows] if isinstance(rows, str) else rows
            row = ", ".join(rows)
            missing = [flag for flag in needs if flag not in flags]
            if missing:
                print(f"{cpu}: {row}: not run, the host lacks {' '.join(missing)}")
                continue
            packed, library = compile_for(cpu, path, folder, libraries)
            counts = [packed.count(f"qtarget.packed_matmul #qtarget.x86<{row}>")
                      for row in rows]
            used = sum(counts)
            if used != packed.count("qtarget.packed_matmul") or \
                    used < len(cases) or 0 in counts:
                failures += 1
                print(f"{cpu}: expected {len(cases)} x {row}, found {used}")
            equal = 0
            for case in cases:
                found = call(library, case)
                if found.shape == case.expected.shape and \
                        found.tobytes() == case.expected.tobytes():
                    equal += 1
                    continue
                failures += 1
                wrong = np.argwhere(found != case.expected)
                print(f"{cpu}: {case.name} {case.describe()}: {len(wrong)} of "
                      f"{found.size} differ, first at {wrong[:1].tolist()}")
            print(f"{cpu}: {row}: {equal} of {len(cases)} equal")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
