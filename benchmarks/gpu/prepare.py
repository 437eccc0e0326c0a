#!/usr/bin/env python3
"""Compiles the kernels that run.py measures, with a manifest. Runs where
quant-opt and ptxas are; the folder it writes can be carried to a machine that
has nothing but a GPU, Python and NumPy.

Expects test/lib in PYTHONPATH, as run.sh sets it.

usage: prepare.py QUANT_OPT CHIP OUT_DIR [--small] [--format=bin|isa]"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys

import peaks
import rival
from ptxsim.gemm import DYNAMIC, Spec, compile_kernels
from ptxsim.scaled import ScaledSpec

ROWS = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192]
SIZES = [(n, k) for n in (4096, 11008) for k in (4096, 11008)]
# Modules of random N and K for each path; run.py draws M many times for each.
EXACT_MODULES = 50
S4 = "mma_m16n8k64_s4"


def best_row(chip):
    return {"sm_61": "dp4a", "sm_75": "mma_m8n8k16_s8",
            "sm_90a": "wgmma_s8"}.get(chip, "mma_m16n8k32_s8")


def exact_specs(chip, modules, small):
    rng = random.Random(11)
    paths = {best_row(chip): 0, "dp4a": 0}
    if chip in ("sm_80", "sm_86", "sm_89"):
        paths[S4] = 0
    for path in paths:
        for i in range(modules):
            # Every other K is long enough for several blocks to share it out.
            shape = (1100, 5000) if i % 2 else (1, 700)
            n, k = rng.randint(1, 300), rng.randint(*shape)
            if small:
                n, k = n // 4 + 1, k // 2 + 1
            yield "exact", Spec(DYNAMIC, n, k, path, "i32")


def timed_specs(chip, sizes, rows):
    row = best_row(chip)
    scales = dict(row_scale="rows", channel_scale="columns")
    for n, k in sizes:
        yield "gemv", Spec(1, n, k, row, "f32", **scales)
        for m in rows:
            yield "gemm", Spec(m, n, k, row, "i32")
            yield "fused", Spec(m, n, k, row, "f32", **scales)
        if chip in ("sm_80", "sm_86", "sm_89"):
            yield "gemv4", Spec(1, n, k, S4, "f32", **scales)
            for m in rows[::3]:
                yield "gemm4", Spec(m, n, k, S4, "f32", **scales)


def scaled_specs(chip, modules, sizes, rows, small):
    """Weights with group scales: random ones, then int4 as rows are decoded, and
    many rows at once."""
    rng = random.Random(12)
    for i in range(modules):
        k = rng.randint(1, 100 if small else 5000)
        group = rng.choice([8, 16, 32, 64, 128, 256, k])
        # Every other one has zero points, of groups and of rows.
        yield "exact_scaled", ScaledSpec(DYNAMIC, rng.randint(1, 30 if small else 300), k,
                                         rng.choice([4, 8]), group,
                                         group_zero_point=i % 2 == 1,
                                         row_zero_point="rows" if i % 2 else None)
    for n, k in sizes:
        for m, group in ((1, 32), (1, 128), (4, 128)):
            yield "gemv_scaled", ScaledSpec(m, n, k, 4, group)
        # Without tensor cores there is no kernel for many rows.
        for m in rows if chip != "sm_61" else []:
            for group in (32, 128):
                yield "gemm_scaled", ScaledSpec(m, n, k, 4, group)


def quantize_rows(k):
    """f32 activations, scaled and quantized row by row."""
    types = (f"memref<?x{k}xf32>", f"memref<?x{-(-k // 64)}x1x64xi8>",
             "memref<?xf32>")
    return f"""
func.func @f(%x: {types[0]}, %q: {types[1]}, %s: {types[2]}) {{
  quant.quantize_rows ins(%x : {types[0]}) outs(%q, %s : {types[1]}, {types[2]})
    range = [-128, 127]
  return
}}"""


def assemble(ptx, chip, path):
    """What ptxas says of registers and spills; the cubin is at `path`."""
    result = subprocess.run(["ptxas", "-v", f"-arch={chip}", ptx, "-o", path],
                            capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"ptxas: {result.stderr}")
    return result.stderr


class Writer:
    def __init__(self, chip, out, cubins):
        self.chip, self.out, self.kernels = chip, out, []
        self.cubins = cubins

    def write(self, name, ptx):
        """The file made of `ptx`, what ptxas said."""
        path = os.path.join(self.out, name)
        with open(path + ".ptx", "w") as f:
            f.write(ptx)
        if not self.cubins:
            return name + ".ptx", None
        report = assemble(path + ".ptx", self.chip, path + ".cubin")
        os.remove(path + ".ptx")
        return name + ".cubin", report

    def add(self, purpose, ptx, launches, **what):
        file, report = self.write(f"k{len(self.kernels)}", ptx)
        self.kernels.append({"file": file, "purpose": purpose,
                             "kernels": launches, "ptxas": report, **what})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("quant_opt")
    parser.add_argument("chip")
    parser.add_argument("out")
    parser.add_argument("--small", action="store_true",
                        help="a few small kernels, to try out run.py")
    parser.add_argument("--format", choices=["bin", "isa"], default="bin",
                        help="cubins by ptxas, or PTX for the driver's compiler")
    options = parser.parse_args()
    chip = options.chip
    os.makedirs(options.out, exist_ok=True)
    if options.format == "bin" and not shutil.which("ptxas"):
        sys.exit("no ptxas on PATH: run utils/setup-ptxas.sh, add "
                 "build/cuda/bin, or use --format=isa")
    writer = Writer(chip, options.out, options.format == "bin")
    sizes, rows = (([(40, 64)], [16]) if options.small else (SIZES, ROWS))
    todo = list(exact_specs(chip, 2 if options.small else EXACT_MODULES,
                            options.small))
    todo += timed_specs(chip, sizes, rows)
    for i, (purpose, spec) in enumerate(todo):
        ptx, launches = compile_kernels(options.quant_opt, spec.mlir(), chip)
        writer.add(purpose, ptx, launches, m=spec.m, n=spec.n, k=spec.k,
                   kr=spec.kr, row=spec.row, result=spec.result)
        print(f"\r{i + 1} of {len(todo)}", end="", file=sys.stderr)
    print(file=sys.stderr)
    for purpose, spec in scaled_specs(chip, 2 if options.small else EXACT_MODULES,
                                      sizes, rows, options.small):
        ptx, launches = compile_kernels(options.quant_opt, spec.mlir(), chip)
        writer.add(purpose, ptx, launches, m=spec.m, n=spec.n, k=spec.k,
                   bits=spec.bits, group=spec.group, row="dp4a",
                   zero_points=spec.group_zero_point)
    for k in sorted({k for _, k in sizes}):
        ptx, launches = compile_kernels(options.quant_opt, quantize_rows(k),
                                        chip)
        writer.add("quantize", ptx, launches, k=k)
    text, work = peaks.get_module(chip)
    manifest = {
        "chip": chip, "kernels": writer.kernels,
        "peaks": {"file": writer.write("peaks", text)[0], "work": work},
        "dequantize": writer.write("dequantize", rival.dequantize_ptx(
            peaks.CHIPS[chip][0], chip))[0]}
    with open(os.path.join(options.out, "manifest.json"), "w") as f:
        json.dump(manifest, f, indent=1)
    spills = [m["file"] for m in writer.kernels
              if m["ptxas"] and " 0 bytes spill stores" not in m["ptxas"]]
    print(f"{len(writer.kernels)} modules for {chip} in {options.out}; with "
          f"spills: {spills or 'none'}")


if __name__ == "__main__":
    main()
