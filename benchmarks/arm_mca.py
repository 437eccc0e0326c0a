#!/usr/bin/python3
"""The main loops of the AArch64 kernels, as llvm-mca sees them on each core.

usage: arm_mca.py [--output=docs/results/arm.md]

The project's machines are x86: what can be known of AArch64 is the code. For each core, a matmul of 64 x 1024 x 1024 is compiled, the
loop that has the most multiply-accumulates is taken, and llvm-mca says how many
cycles a turn takes, with all loads in L1; beside it, how many the
multiply-accumulates alone would take: the limit of their ports. A second table
compares those limits with what the same instructions of SVE would reach at the
core's length of vectors.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

CORES = ["cortex-a76", "cortex-x2", "neoverse-n1", "neoverse-n2",
         "neoverse-v1", "neoverse-v2"]
# Bits of a vector of SVE, by the cores' technical reference manuals.
SVE_BITS = {"neoverse-n2": 128, "neoverse-v1": 256, "neoverse-v2": 128}
PROGRAM = """
func.func @mm(%x: tensor<{m}x1024xi8>, %w: tensor<1024x1024xi8>) -> tensor<{m}x1024xi32> {{
  %c = arith.constant 0 : i32
  %e = tensor.empty() : tensor<{m}x1024xi32>
  %i = linalg.fill ins(%c : i32) outs(%e : tensor<{m}x1024xi32>) -> tensor<{m}x1024xi32>
  %r = quant.matmul ins(%x, %w : tensor<{m}x1024xi8>, tensor<1024x1024xi8>) outs(%i : tensor<{m}x1024xi32>) {{transpose_rhs}} -> tensor<{m}x1024xi32>
  return %r : tensor<{m}x1024xi32>
}}
"""
DOTS = r"\t(smmla|usmmla|sdot|usdot|smull|smull2|sadalp)\t"


def run(*command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr[:2000]}")
    return done.stdout


def compile_asm(core, rows):
    lowered = run("quant-opt", "-", f"--quant-to-arm=cpu={core}",
                  text=PROGRAM.format(m=rows))
    kernel = re.search(r"#qtarget\.arm<(\w+)>", run(
        "quant-opt", "-", f"--quant-to-arm=cpu={core} stop-after=packed",
        text=PROGRAM.format(m=rows))).group(1)
    ir = run("mlir-translate", "--mlir-to-llvmir", text=lowered)
    target = ["-mtriple=aarch64-linux-gnu", f"-mcpu={core}"]
    ir = run("opt", "-O3", "-S", *target, text=ir)
    return kernel, run("llc", "-O3", *target, text=ir)


def main_loop(asm):
    """The instructions of the loop with the most multiply-accumulates: from a
    label to the branch back to it."""
    best = []
    lines = asm.splitlines()
    labels = {line[:-1]: i for i, line in enumerate(lines)
              if re.match(r"\.LBB\w+:", line.split("//")[0].strip())
              for line in [line.split("//")[0].strip()]}
    for i, line in enumerate(lines):
        branch = re.match(r"\t(?:b\.\w+|cbn?z\t\w+,|tbn?z\t[^,]+,[^,]+,)\s*"
                          r"(\.LBB\w+)", line)
        start = labels.get(branch.group(1)) if branch else None
        if start is None or start > i:
            continue
        body = [x for x in lines[start + 1:i + 1]
                if x.startswith("\t") and not x.startswith("\t.")]
        if len(re.findall(DOTS, "\n".join(body))) > \
                len(re.findall(DOTS, "\n".join(best))) and \
                sum(x.startswith(".LBB") for x in lines[start + 1:i + 1]) == 0:
            best = body
    return best


def cycles(core, body):
    """Of one turn, by llvm-mca."""
    done = run("llvm-mca", "-mtriple=aarch64-linux-gnu", f"-mcpu={core}",
               "-iterations=200", "-noalias", text="\n".join(body) + "\n")
    return int(re.search(r"Total Cycles:\s+(\d+)", done).group(1)) / 200


def port_limit(core, instruction, bits):
    """Bytes of the right operand that independent `instruction`s take a cycle."""
    sums, operand = (("v{}.4s", "v{}.16b") if bits is None else
                     ("z{}.s", "z{}.b"))
    body = [f"\t{instruction}\t{sums.format(i)}, {operand.format(30)}, "
            f"{operand.format(31)}" for i in range(24)]
    return len(body) * (bits or 128) / 8 / cycles(core, body)


def compare_sve():
    rows = ["| core | instruction | bytes a cycle, 128 bits | SVE's bits | "
            "bytes a cycle, SVE |", "|---|---|---|---|---|"]
    for core, bits in SVE_BITS.items():
        for instruction in ("sdot", "smmla"):
            rows.append(f"| {core} | {instruction} | "
                        f"{port_limit(core, instruction, None):.1f} | {bits} | "
                        f"{port_limit(core, instruction, bits):.1f} |")
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--output")
    options = parser.parse_args()
    rows = ["| core | kernel | rows | multiply-accumulates a turn | loads | "
            "spills | cycles | their ports alone | share |",
            "|---|---|---|---|---|---|---|---|---|"]
    for core in CORES:
        for m in (64, 1):
            kernel, asm = compile_asm(core, m)
            body = main_loop(asm)
            text = "\n".join(body)
            dots = [x for x in body if re.match(DOTS, x)]
            taken, limit = cycles(core, body), cycles(core, dots)
            loads = len(re.findall(r"\tld\w*\t", text))
            spills = len(re.findall(r"\[sp", text))
            rows.append(f"| {core} | {kernel} | {m} | {len(dots)} | {loads} | "
                        f"{spills} | {taken:.1f} | {limit:.1f} | "
                        f"{limit / taken:.2f} |")
    page = ("# AArch64: the main loops, by llvm-mca\n\nMade by "
            "`benchmarks/arm_mca.py` with " +
            re.search(r"version ([\d.]+)", run("llc", "--version")).group(1) +
            " of LLVM: cycles are a model's, with all loads in L1. 64 x 1024 x 1024, "
            "and one row.\n\n" + "\n".join(rows) +
            "\n\nThe same instructions in SVE's registers, each alone:\n\n" +
            "\n".join(compare_sve()) + "\n")
    if options.output:
        with open(options.output + "~", "w") as f:
            f.write(page)
        os.replace(options.output + "~", options.output)
    print(page)


if __name__ == "__main__":
    main()
