"""Random matmuls on every kernel of AArch64, run by qemu.

usage: matmul_rows.py COUNT [CPU ...]

Writes one module of COUNT cases (quantcheck.matmul_cases), compiles it with
`quant-to-arm` for each processor, runs it, and compares each result with NumPy:
integers and floats must be equal to the bit.
"""

import os
import sys
import tempfile

import numpy as np
from quantcheck import cross
from quantcheck.matmul_cases import SHAPES, Case

# Name for LLVM (and extensions that are added), the kernels that it has.
CPUS = {
    "generic": ["smull_128"],
    "neoverse-n1": ["sdot_128"],
    "neoverse-v1": ["smmla_128", "usmmla_128", "sdot_128"],
}


def main():
    count, wanted = int(sys.argv[1]), sys.argv[2:] or list(CPUS)
    rng = np.random.default_rng(23)
    cases = [Case(i, SHAPES[i % len(SHAPES)], rng) for i in range(count)]
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "cases.mlir")
        with open(path, "w") as file:
            file.write("".join(case.text() for case in cases))
        for cpu in wanted:
            calls = [cross.Call(case.name, [a for _, _, a in case.args],
                                [(case.expected.dtype, case.expected.ndim)])
                     for case in cases]
            packed, executable = cross.compile_for(cpu, path, folder, calls,
                                                   optimize=False)
            used = {kernel: packed.count(
                f"qtarget.packed_matmul #qtarget.arm<{kernel}>")
                for kernel in CPUS[cpu]}
            if sum(used.values()) != packed.count("qtarget.packed_matmul") or \
                    sum(used.values()) < len(cases) or 0 in used.values():
                failures += 1
                print(f"{cpu}: expected {len(cases)} kernels, found {used}")
            equal = 0
            results = cross.call_all(executable, calls)
            for case, (found,) in zip(cases, results):
                if found.shape == case.expected.shape and \
                        found.tobytes() == case.expected.tobytes():
                    equal += 1
                    continue
                failures += 1
                wrong = np.argwhere(found != case.expected) \
                    if found.shape == case.expected.shape else []
                print(f"{cpu}: {case.name} {case.describe()}: {len(wrong)} of "
                      f"{found.size} differ, first at {wrong[:1]}")
            print(f"{cpu}: {', '.join(CPUS[cpu])}: {equal} of {len(cases)} "
                  "equal")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
