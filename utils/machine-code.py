#!/usr/bin/python3
"""Whether a change of the compiler's sources changed the code that it makes.

    utils/machine-code.py [--check] [--machines=REGEX] [--programs=REGEX]
            [--keep=FOLDER] [--jobs=2] [--file=test/Inputs/machine-code.json]

A tool for refactoring and no part of the product: no test or build reads the
file. It compiles the matmuls of benchmarks/x86.json, and one of each scheme
whose number of rows is not known, for some machines, and keeps a hash of each
one's text: for CPUs LLVM's assembly, for GPUs the PTX and the program that
launches it. What the constants hold is part of the text that is hashed.

Without --check the hashes are written to the file. With it, those that differ
are listed, and the status is 1 if there are any. Hashes belong to one version
of LLVM: after a change of it, or of the code that is made, write them anew.
--keep=FOLDER keeps the texts, for diff. `QUANT_BUILD` names the build folder.
"""

import argparse
import concurrent.futures
import hashlib
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
CPUS = ["icelake-server", "znver5", "sapphirerapids", "haswell"]
CHIPS = ["sm_80", "sm_90a"]
UNKNOWN_ROWS = "?x4096x4096"
# Constants of more characters are hashed apart: LLVM need not see them.
LARGE = 8192


def load_contender():
    spec = importlib.util.spec_from_file_location("contender", ROOT / "benchmarks/contender.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


contender = load_contender()


def get_programs():
    """{"<contender> <B>x<N>x<D>": (contender, B, N, D)}; weights that come from
    memory and those that do not are one program."""
    programs = {}
    for entry in json.loads((ROOT / "benchmarks/x86.json").read_text()):
        for shape in [s.partition(":")[0] for s in entry["shapes"]] + [UNKNOWN_ROWS]:
            b, n, d = shape.split("x")
            programs[f"{entry['ours']} {shape}"] = (entry["ours"], b, int(n), int(d))
    return programs


def write_program(path, name, rows, n, d):
    """The program that benchmarks/contender.py measures, on weights drawn anew."""
    rng = np.random.default_rng([n, d])
    ours = next(c for c in contender.CONTENDERS if c.name == name)
    is_int2, group = "int2" in name, getattr(ours, "group", d)
    sizes = dict(B=rows, N=n, D=d, H=d // (4 if is_int2 else 2), GROUP=group, GROUPS=d // group)
    if name == "i8.quant":
        parts, types = [contender.MATMUL], dict(IN="i8", OUT="i32", LHS="in", ACC="result")
    elif name == "i8.quant_fused":
        parts = [contender.QUANTIZE, contender.MATMUL, contender.RESCALE]
        types = dict(IN="f32", OUT="f32", LHS="q", ACC="acc")
    else:
        parts = [ours.quantize, contender.SCALED_INT2 if is_int2 else contender.SCALED]
        types = dict(IN="f32", OUT="f32", LHS=ours.activations, ELEMENT=ours.element,
                     SCALES=ours.scales.format(**sizes))
    body = "\n".join(part.format(**sizes, **types) for part in parts)
    if rows == "?":
        body = ("  %c0 = arith.constant 0 : index\n  %rows = memref.dim %x, %c0 : "
                f"memref<?x{d}x{types['IN']}>\n" + body.replace("empty()", "empty(%rows)"))
    is_int4 = name.startswith("i4")
    blobs = {"w": rng.integers(0, 256, (n, sizes["H"]), np.uint8) if is_int4
             else rng.integers(-127, 128, (n, d), np.int8)}
    if name != "i8.quant":
        blobs["sw"] = rng.uniform(.001, .01, (n, d // group)).astype(np.float32)
    text = contender.PROGRAM.format(BODY=body, **sizes, **types)
    path.write_text(text + "\n{-# dialect_resources: { builtin: {" + ",".join(
        f'{key}: "0x40000000{a.tobytes().hex()}"' for key, a in blobs.items()) + "} } #-}\n")


def set_constants_apart(path):
    """Takes large constants out of a program; a hash of them, by their order."""
    code, mark, rest = path.read_text().partition("\n{-#")
    blobs = dict(re.findall(r'^ +([\w.]+): "(0x[0-9A-Fa-f]*)"', rest, re.M))
    if all(len(b) < LARGE for b in blobs.values()):
        return ""
    digests = []

    def externalize(match):
        symbol, blob, kind = match.groups()
        if len(blobs[blob]) < LARGE:
            return match.group(0)
        digests.append(hashlib.sha256(blobs[blob].encode()).hexdigest())
        return f"llvm.mlir.global external hidden constant @{symbol}() {{alignment = 64 : i64}} : {kind}"

    code = re.sub(r"llvm\.mlir\.global private constant @(\w+)\(dense_resource<([\w.]+)> : "
                  r"tensor<[^>]*>\) \{[^}]*\} : (.*)", externalize, code)
    small = ",".join(f'{k}: "{b}"' for k, b in blobs.items() if len(b) < LARGE)
    path.write_text(code + ("\n{-# dialect_resources: { builtin: {" + small + "} } #-}\n"
                            if small else "\n"))
    return "\n".join(digests)


def run_tool(folder, name, *arguments):
    """In `folder`: programs hold the names of the files that they were made from."""
    done = subprocess.run([name, *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[:2000])


def compile_text(folder, program, machine, is_gpu):
    """The text of the code of one program for one machine."""
    opt = os.path.abspath(os.path.join(contender.BUILD, "bin", "quant-opt"))
    flag = (f"--quant-to-nvvm=chip={machine} format=isa" if is_gpu
            else f"--quant-to-x86=cpu={machine}")
    run_tool(folder, opt, flag, program, "-o", "lowered.mlir")
    constants = set_constants_apart(folder / "lowered.mlir")
    if is_gpu:
        # In lines, and without how long LLVM took for it.
        text = re.sub(r"LLVMIRToISATimeInMs = \d+", "", (folder / "lowered.mlir").read_text())
        return text.replace("\\0A", "\n") + constants
    cpu = ["-O3", f"-mcpu={machine}", "-mtriple=x86_64-pc-linux-gnu"]
    for tool, *arguments in (
            ("mlir-translate", "--mlir-to-llvmir", "lowered.mlir", "-o", "lowered.ll"),
            ("opt", *cpu, "lowered.ll", "-o", "lowered.bc"),
            ("llc", *cpu, "--relocation-model=pic", "lowered.bc", "-o", "lowered.s")):
        run_tool(folder, contender.tool(tool), *arguments)
    return (folder / "lowered.s").read_text() + constants


def hash_program(name, arguments, machines, keep):
    """{"<machine> <program>": hash}"""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        write_program(folder / "program.mlir", *arguments)
        for machine in machines:
            try:
                text = compile_text(folder, "program.mlir", machine, machine in CHIPS)
            except RuntimeError as error:
                text = f"error: {error}"
            found[f"{machine} {name}"] = (
                "error" if text.startswith("error: ") else hashlib.sha256(text.encode()).hexdigest()[:16])
            if keep:
                path = pathlib.Path(keep, f"{machine} {name}".replace(" ", "_") + ".txt")
                path.write_text(text)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--machines", default="")
    parser.add_argument("--programs", default="")
    parser.add_argument("--keep", default="")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--file", type=pathlib.Path, default=ROOT / "test/Inputs/machine-code.json")
    args = parser.parse_args()
    if args.keep:
        os.makedirs(args.keep, exist_ok=True)
    machines = [m for m in CPUS + CHIPS if re.search(args.machines, m)]
    hashes = {}
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        todo = [pool.submit(hash_program, name, arguments, machines, args.keep)
                for name, arguments in get_programs().items() if re.search(args.programs, name)]
        for done in todo:
            hashes.update(done.result())
    failed = [name for name, value in hashes.items() if value == "error"]
    if failed or not hashes:
        sys.exit("error: not compiled: " + (", ".join(failed) or "nothing was selected"))
    if not args.check:
        if args.machines or args.programs:
            sys.exit("error: expected all machines and programs to be written")
        args.file.write_text(json.dumps(hashes, indent=0, sort_keys=True) + "\n")
        print(f"{len(hashes)} hashes in {args.file}")
        return 0
    known = json.loads(args.file.read_text())
    differ = [name for name, value in hashes.items() if known.get(name) != value]
    if not args.machines and not args.programs:
        differ += [name for name in known if name not in hashes]
    for name in differ:
        print(f"differs: {name}")
    print(f"{len(hashes)} programs compiled, {len(differ)} differ")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
