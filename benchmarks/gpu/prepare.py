#!/usr/bin/env python3
"""Compiles the kernels that run.py measures: PTX and, where ptxas knows the
chip, cubins, with a manifest. Runs where quant-opt is; the folder it writes can
be carried to a machine that has nothing but a GPU, Python and NumPy.

usage: prepare.py QUANT_OPT CHIP OUT_DIR"""

import json
import os
import random
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../python"))
from ptxsim.gemm import DYNAMIC, Spec, compile_kernels

ROWS = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192]
SIZES = [(4096, 4096), (11008, 4096), (4096, 11008)]


def best_row(chip):
    if chip == "sm_61":
        return "dp4a"
    return "mma_m8n8k16_s8" if chip == "sm_75" else "mma_m16n8k32_s8"


def specs(chip):
    """(purpose, spec): `exact` ones are run on random rows, the others timed."""
    row = best_row(chip)
    rng = random.Random(11)
    for path in {row, "dp4a"} | ({"mma_m16n8k64_s4"} if chip in
                                 ("sm_80", "sm_86", "sm_89") else set()):
        for _ in range(25):
            n, k = rng.randint(1, 300), rng.randint(1, 700)
            yield "exact", Spec(DYNAMIC, n, k, path, "i32")
    for n, k in SIZES:
        yield "gemv", Spec(1, n, k, row, "f32", row_scale="rows",
                           channel_scale="columns")
        for m in ROWS:
            yield "gemm", Spec(m, n, k, row, "i32")
            yield "fused", Spec(m, n, k, row, "f32", row_scale="rows",
                                channel_scale="columns")


def assemble(ptx, chip, path):
    """A cubin beside the PTX; what ptxas says of registers and spills."""
    if not shutil.which("ptxas"):
        return None
    result = subprocess.run(["ptxas", "-v", f"-arch={chip}", ptx, "-o", path],
                            capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"ptxas: {result.stderr}")
    return result.stderr


def main():
    opt, chip, out = sys.argv[1:4]
    os.makedirs(out, exist_ok=True)
    manifest = []
    todo = list(specs(chip))
    for i, (purpose, spec) in enumerate(todo):
        ptx, launches = compile_kernels(opt, spec.mlir(), chip)
        name = f"k{i}"
        path = os.path.join(out, name + ".ptx")
        with open(path, "w") as f:
            f.write(ptx)
        report = assemble(path, chip, os.path.join(out, name + ".cubin"))
        manifest.append({
            "file": name + (".cubin" if report else ".ptx"),
            "purpose": purpose, "kernels": launches, "ptxas": report,
            "m": spec.m, "n": spec.n, "k": spec.k, "kr": spec.kr,
            "row": spec.row, "result": spec.result})
        if report:
            os.remove(path)
        print(f"\r{i + 1} of {len(todo)}", end="", file=sys.stderr)
    print(file=sys.stderr)
    with open(os.path.join(out, "manifest.json"), "w") as f:
        json.dump({"chip": chip, "kernels": manifest}, f, indent=1)
    spills = [m["file"] for m in manifest
              if m["ptxas"] and " 0 bytes spill stores" not in m["ptxas"]]
    print(f"{len(manifest)} modules for {chip} in {out}; with spills: "
          f"{spills or 'none'}")


if __name__ == "__main__":
    main()
