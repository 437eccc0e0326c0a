# RUN: %python %s %t %mlir_libs | FileCheck %s
# CHECK: icelake-server: vfmadd_512, vpdpbusd_512: {{.*}} equal
# CHECK: haswell: vfmadd_256, vpmaddwd_256: {{.*}} equal
# CHECK: sapphirerapids: amx_tdpbssd, amx_tdpbsud, amx_tdpbusd, amx_tdpbuud, vdpbf16ps_512, vpdpbusd_512: {{.*}} equal
# CHECK: sierraforest: vfmadd_256, vpdpbssd_256, vpdpbsud_256, vpdpbusd_256: {{.*}} equal
# CHECK: neoverse-v1: fmla_128, sdot_128, smmla_128, usdot_128, usmmla_128: {{.*}} equal
# CHECK: neoverse-n1: fmla_128, sdot_128: {{.*}} equal
# CHECK: generic: fmla_128, smull_128: {{.*}} equal
# CHECK: sm_61: dp4a, grouped_s8: {{.*}} equal
# CHECK: sm_75: grouped_s8, mma_m8n8k16_s8: {{.*}} equal
# CHECK: sm_80: grouped_s8, mma_m16n8k32_s8: {{.*}} equal
# CHECK: sm_90a: grouped_s8, wgmma_s8: {{.*}} equal
# CHECK: operands: bias, channel_scale, col_bias, col_factors, lhs_scale, lhs_zero_point, multiplier, residual, rhs_offset, rhs_scale, rhs_sums, rhs_zero_point, row_bias, row_factors, row_scale, row_sums, shift
# CHECK: elements: f32, s16, s4, s8, u2, u4, u8
# CHECK: mma_m16n8k64_s4: equal
"""Every form of qtarget.packed_matmul through its reference lowering: random
products are packed for each machine's kernels, and what is packed runs here
without an instruction of theirs. Results are those of the products as they were
(by the same lowering), and NumPy's, to the bit; those of float activations are
NumPy's within the bound of a sum of floats.

packed_reference.py FOLDER LLVM_LIB_FOLDER
"""

import copy
import ctypes
import os
import re
import subprocess
import sys

import numpy as np
from Integration.Generic import scaled_matmul
from Integration.Generic.Inputs.batch import Batch
from Integration.X86.Inputs.matmul_rows import call
from quantcheck.matmul_cases import SHAPES, Case, run

MACHINES = [("x86", "cpu=icelake-server"), ("x86", "cpu=haswell"),
            ("x86", "cpu=sapphirerapids"), ("x86", "cpu=sierraforest"),
            ("arm", "cpu=neoverse-v1"), ("arm", "cpu=neoverse-n1"),
            ("arm", "cpu=generic"), ("nvvm", "chip=sm_61"),
            ("nvvm", "chip=sm_75"), ("nvvm", "chip=sm_80"),
            ("nvvm", "chip=sm_90a")]
# Not the sizes of thousands of elements: sums are scalar here.
PLAIN = [shape for shape in SHAPES if np.prod(shape) < 60000]
GROUPED = [shape for shape in scaled_matmul.SHAPES if np.prod(shape[:3]) < 200000]
PACKED = re.compile(r"qtarget\.packed_matmul #qtarget\.\w+<(\w+)> "
                    r"layout<([^>]*)> ins\([^)]*\)(.*?) outs\(")


class Seen:
    """What packed matmuls are made of."""

    def __init__(self):
        self.kernels, self.operands, self.elements = set(), set(), set()

    def add(self, path):
        with open(path) as file:
            for kernel, layout, operands in PACKED.findall(file.read()):
                self.kernels.add(kernel)
                self.operands |= set(re.findall(r"(\w+)\(%", operands))
                self.elements |= set(re.findall(r"= ([suf]\d+)", layout))


def compile_functions(path, stem, libraries):
    """A library of the module's functions, by the reference lowering."""
    run("quant-opt", path, "--quant-to-generic", "--verify-each=0", "-o",
        stem + ".ll.mlir")
    run("mlir-translate", "--mlir-to-llvmir", stem + ".ll.mlir", "-o", stem + ".ll")
    run("llc", "-O0", "-relocation-model=pic", "-filetype=obj", stem + ".ll",
        "-o", stem + ".o")
    run("cc", "-shared", stem + ".o", "-o", stem + ".so", "-lm",
        f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-lmlir_c_runner_utils")
    return ctypes.CDLL(stem + ".so")


def fresh(case):
    """`case` with arguments of its own: sums are added to one in place."""
    case = copy.copy(case)
    case.args = [(name, kind, array.copy()) for name, kind, array in case.args]
    return case


class Plain:
    """quant.matmul and its rescales: a function each."""

    def __init__(self, folder, libraries):
        rng = np.random.default_rng(5)
        self.libraries, self.folder = libraries, folder
        self.cases = [Case(i, PLAIN[i % len(PLAIN)], rng)
                      for i in range(3 * len(PLAIN))]
        self.path = os.path.join(folder, "plain.mlir")
        with open(self.path, "w") as file:
            file.write("".join(case.text() for case in self.cases))
        self.unpacked = self.run(self.path, "unpacked")

    def run(self, path, name):
        library = compile_functions(path, os.path.join(self.folder, name),
                                    self.libraries)
        return [call(library, fresh(case)) for case in self.cases]

    def check(self, path, name):
        """(Results that are not equal, results)."""
        wrong = 0
        for case, before, found in zip(self.cases, self.unpacked,
                                       self.run(path, name)):
            if found.shape == before.shape == case.expected.shape and \
                    found.tobytes() == before.tobytes() == case.expected.tobytes():
                continue
            wrong += 1
            print(f"{name}: {case.name} differs: {case.describe()}")
        return wrong, len(self.cases)


class Grouped:
    """quant.scaled_matmul of integers: one function."""

    seed, float_lhs = 6, False

    def __init__(self, folder):
        rng = np.random.default_rng(self.seed)
        self.name = type(self).__name__.lower()
        self.folder, self.batch = os.path.join(folder, self.name), Batch()
        os.makedirs(self.folder, exist_ok=True)
        for shape in 2 * GROUPED:
            scaled_matmul.case(self.batch, rng, shape, self.float_lhs)
        self.path = os.path.join(folder, self.name + ".mlir")
        with open(self.path, "w") as file:
            file.write(self.batch.text())
        self.inputs = []
        for i, (_, _, array) in enumerate(self.batch.arguments):
            self.inputs.append(os.path.join(self.folder, f"in{i}.npy"))
            np.save(self.inputs[-1], array)
        self.unpacked = self.run(self.path, "unpacked")

    def run(self, path, name):
        results = os.path.join(self.folder, name)
        os.makedirs(results, exist_ok=True)
        subprocess.run(
            [os.environ.get("QUANT_RUN", "quant-run"), path, "--target=generic",
             "-O0", "--inputs=" + ",".join(self.inputs), "--outputs=" + results],
            check=True, stdout=subprocess.DEVNULL)
        return [np.load(os.path.join(results, f"out{i}.npy"))
                for i in range(len(self.batch.results))]

    def check(self, path, name):
        wrong = 0
        for (_, expected, what, bound), before, found in zip(
                self.batch.results, self.unpacked, self.run(path, name)):
            if self.agrees(found, before, expected, bound):
                continue
            wrong += 1
            print(f"{name}: differs: {what}")
        return wrong, len(self.batch.results)

    def agrees(self, found, before, expected, bound):
        return found.tobytes() == before.tobytes() and \
            np.array_equal(found, expected.astype(found.dtype))


class Floats(Grouped):
    """quant.scaled_matmul of floats."""

    seed, float_lhs = 8, True

    def agrees(self, found, before, expected, bound):
        return found.shape == expected.shape and \
            bool((np.abs(found - expected) <= bound).all())


def check_int4_elements(folder):
    """Both operands of 4 bits, which no scheme packs: an op as it is written."""
    rng = np.random.default_rng(7)
    m, n, k = 3, 9, 130
    x, w = rng.integers(-8, 8, (m, k)), rng.integers(-8, 8, (n, k))
    rows = np.pad(x, ((0, 0), (0, 256 - k))).reshape(m, 2, 1, 128)
    panels = np.pad(w, ((0, 16 - n), (0, 256 - k))).reshape(2, 8, 2, 128)
    panels = panels.transpose(0, 2, 1, 3)
    bias = rng.integers(-100, 100, (2, 8))
    kinds = {"a": f"tensor<{m}x2x1x128xi4>", "w": "tensor<2x2x8x128xi4>",
             "c": "tensor<2x8xi32>", "y": f"tensor<{m}x{n}xi32>"}
    path = os.path.join(folder, "int4.mlir")
    with open(path, "w") as file:
        file.write(f"""func.func @main() -> {kinds['y']} {{
  %a = arith.constant dense<{rows.tolist()}> : {kinds['a']}
  %w = arith.constant dense<{panels.tolist()}> : {kinds['w']}
  %c = arith.constant dense<{bias.tolist()}> : {kinds['c']}
  %e = tensor.empty() : {kinds['y']}
  %y = qtarget.packed_matmul #qtarget.nvvm<mma_m16n8k64_s4>
    layout<lhs = s4 1x128, rhs = s4 8x128>
    ins(%a, %w : {kinds['a']}, {kinds['w']}) col_bias(%c : {kinds['c']})
    outs(%e : {kinds['y']}) -> {kinds['y']}
  return %y : {kinds['y']}
}}
""")
    subprocess.run([os.environ.get("QUANT_RUN", "quant-run"), path,
                    "--target=generic", "--outputs=" + folder],
                   check=True, stdout=subprocess.DEVNULL)
    expected = x @ w.T + bias.ravel()[:n]
    same = np.array_equal(np.load(os.path.join(folder, "out0.npy")), expected)
    print(f"mma_m16n8k64_s4: {'equal' if same else 'differs'}")
    return not same


def main(folder, libraries):
    os.makedirs(folder, exist_ok=True)
    forms = [Plain(folder, libraries), Grouped(folder), Floats(folder)]
    failures, all_seen = 0, Seen()
    for target, options in MACHINES:
        name = options.split("=")[1]
        seen, wrong, count = Seen(), 0, 0
        for form in forms:
            packed = os.path.join(folder, f"{name}-{type(form).__name__}.mlir")
            run("quant-opt", form.path,
                f"--quant-to-{target}={options} stop-after=packed", "-o", packed)
            seen.add(packed)
            all_seen.add(packed)
            differ, all_ = form.check(packed, name)
            wrong, count = wrong + differ, count + all_
        failures += wrong
        print(f"{name}: {', '.join(sorted(seen.kernels))}: {count - wrong} of {count} "
              f"{'equal' if not wrong else 'differ'}")
    print("operands:", ", ".join(sorted(all_seen.operands)))
    print("elements:", ", ".join(sorted(all_seen.elements)))
    failures += check_int4_elements(folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
