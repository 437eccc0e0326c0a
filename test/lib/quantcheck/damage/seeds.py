"""What is damaged: the programs of the tests, and small files made here."""

import io
import pathlib
import re
import struct
import subprocess

import numpy as np

from quantmlir.checkpoint import ggml

ROOT = pathlib.Path(__file__).resolve().parents[4]
MAX_BYTES = 5000
SCHEMES = ["weights=channel activations=dynamic-token",
           "weights=tensor activations=dynamic-tensor symmetric=false",
           "weights=channel weight-bits=4 activation-bits=4 "
           "activations=dynamic-token",
           "weights=group group-size=4 activations=dynamic-token",
           "weights=group group-size=4 activations=dynamic-block "
           "block-size=2 activation-scales=e8m0",
           "weights=channel activations=float weight-bits=4"]
PASSES = [
    "quant-import", "quant-import-tosa", "quant-convolution-to-matmul",
    "quant-name-matmuls", "quant-equalize", "quant-fuse-epilogue",
    "quant-fuse-quantize-rows", "quant-fuse-quantize-rows=plain",
    "quant-quantize-constants", "quant-check-sizes", "convert-quant-to-linalg",
    "convert-quant-to-linalg=reciprocal", "quant-expand-bf16",
    "quant-approximate-math", "quant-copy-globals",
    "quant-expand-dynamic-reshapes", "quant-fuse-elementwise",
    "quant-order-contraction-loops", "quant-vectorize-rows",
    "quant-vectorize-contractions", "quant-parallelize-loops=threads=2",
    "quant-parallelize-matmuls=threads=2", "quant-serialize-reductions",
    "quant-instrument-matmuls",
    "quant-account-products", "quant-account-products=strict",
    "quant-drop-foreign-attributes", "quant-fill-splats",
    "quant-fold-constant-globals", "quant-inline-calls",
    "quant-keep-loop-types", "quant-tensor-globals",
    "quant-widen-float-to-int", "canonicalize"] + [f"quant-verify-stage=stage={stage}" for stage in
                       ("quant", "packed", "target", "llvm")] + [
    f"quant-quantize-matmul={scheme}" for scheme in SCHEMES]
CPUS = ["x86-64", "haswell", "icelake-server", "alderlake", "sapphirerapids"]
CHIPS = ["sm_80", "sm_89", "sm_90a"]
STAGES = ["quant", "packed", "target", "llvm"]


def arguments(draw):
    """Options of quant-opt: a pass, a few of a target, or a pipeline."""
    how = draw.random()
    if how < .55:
        return [f"--{draw.choice(PASSES)}"]
    x86 = f"--quant-set-target=cpu={draw.choice(CPUS)}"
    nvvm = f"--quant-set-nvvm-target=chip={draw.choice(CHIPS)}"
    if how < .75:
        return draw.choice([
            [x86, "--convert-quant-to-cpu"],
            [x86, "--quant-pack-matmul", "--quant-lower-pack"],
            [x86, "--quant-vectorize-rows", "--quant-vectorize-contractions"],
            [nvvm, "--quant-pack-matmul", "--quant-lower-pack"],
            [nvvm, "--convert-quant-to-nvvm"]])
    scheme = draw.choice([""] * 3 + [f'quantize="{s}"' for s in SCHEMES])
    stage = f"stop-after={draw.choice(STAGES + ['llvm'])}"
    target = draw.choice(["generic", "x86", "x86", "nvvm"])
    machine = {"generic": "", "x86": f"cpu={draw.choice(CPUS)}",
               "nvvm": f"chip={draw.choice(CHIPS)}"}[target]
    more = draw.choice(["", "", "", "strict", "threads=2" *
                        (target == "x86")])
    return [f"--quant-to-{target}=" + " ".join(
        part for part in (machine, scheme, stage, more) if part)]


def _own_arguments(text):
    """What a test runs quant-opt with, where it needs nothing else."""
    found = []
    for line in re.findall(r"RUN: (?:not )?quant-opt (?:%s )?(-[^|>\n]*)", text):
        line = re.sub(r" \d$", "", line.strip())
        if "%" not in line and "verify-diag" not in line:
            found.append(line)
    return found


def programs(folder=None):
    """(text, options of its test) of the tests' programs, in one order; and of
    those in `folder`."""
    result = []
    paths = sorted((ROOT / "test").rglob("*.mlir"))
    if folder:
        paths += sorted(pathlib.Path(folder).rglob("*.mlir"))
    for path in paths:
        text = path.read_text(errors="replace")
        own = _own_arguments(text)
        text = re.sub(r"^\s*//(?! -----|---).*\n", "", text, flags=re.M)
        for part in re.split(r"^// -----.*$|^//--- .*$", text, flags=re.M):
            part = part.strip("\n") + "\n"
            if "@" in part and len(part) < MAX_BYTES and (
                    ROOT / "test/Inputs") not in path.parents:
                result.append((part, own))
    return result


def bytecodes(quant_opt, texts):
    found = []
    for text in texts:
        done = subprocess.run([quant_opt, "--emit-bytecode", "-"],
                              input=text.encode(), capture_output=True,
                              timeout=60)
        if done.returncode == 0:
            found.append(done.stdout)
    return found


# Two matmuls of dynamic and static rows, and a grouped one.
MODEL = """\
func.func @main(%x: tensor<?x8xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %z = arith.constant 0.0 : f32
  %w = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [0.5, -1.0, 0.25, 2.0],
    [1.0, 2.0, 3.0, 4.0], [0.5, -1.0, 0.25, 2.0], [1.0, 2.0, 3.0, 4.0],
    [0.5, -1.0, 0.25, 2.0], [1.0, 2.0, 3.0, 4.0], [0.5, -1.0, 0.25, 2.0]]>
    : tensor<8x4xf32>
  %m = tensor.dim %x, %c0 : tensor<?x8xf32>
  %e = tensor.empty(%m) : tensor<?x4xf32>
  %i = linalg.fill ins(%z : f32) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x8xf32>, tensor<8x4xf32>)
    outs(%i : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
"""


def npy(shape=(3, 8), kind=np.float32):
    out = io.BytesIO()
    np.save(out, np.arange(np.prod(shape), dtype=kind).reshape(shape))
    return out.getvalue()


def npz(deflated, **arrays):
    out = io.BytesIO()
    (np.savez_compressed if deflated else np.savez)(out, **arrays)
    return out.getvalue()


def nbits(deflated=False, **more):
    return npz(deflated, B=np.arange(128, dtype=np.uint8).reshape(4, 2, 16),
               scales=np.linspace(-1, 1, 8, dtype=np.float32), N=4, K=64,
               block_size=32, **more)


GGUF_KINDS = [kind for kind in ggml.BY_NAME.values() if kind.block == 32]


def gguf(kind, n=2, k=64):
    text = lambda s: struct.pack("<Q", len(s)) + s.encode()
    out = b"GGUF" + struct.pack("<IQQ", 3, 1, 2)
    out += text("general.architecture") + struct.pack("<I", 8) + text("llama")
    out += text("list") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("bc")
    out += text("w") + struct.pack("<IQQIQ", 2, k, n, kind.number, 0)
    out += b"\0" * (-len(out) % 32)
    return out + bytes(range(n * k // kind.block * kind.size))


RECIPE = """{"version": 1, "matmuls": [
  {"name": "main#0", "options": "weight-bits=4 weights=group group-size=4"},
  {"name": "main#[12]", "options": "none"},
  {"name": "*matmul", "options": ""}]}
"""

SCHEDULES = """{"version": 1, "cpu": "icelake-server", "schedules": [
  {"instruction": "vpdpbusd_512", "m": 3, "n": 64, "k": 8, "rows": 4,
   "columns": 64, "blockM": 8, "blockK": 128},
  {"instruction": "vpdpbusd_512", "m": null, "n": 4, "k": 8, "rows": 5,
   "columns": 32, "blockM": 0, "blockK": 0}]}
"""

PACKABLE = """\
func.func @f(%x: tensor<3x8xi8>, %w: tensor<64x8xi8>, %c: tensor<3x64xi32>)
    -> tensor<3x64xi32> {
  %y = quant.matmul ins(%x, %w : tensor<3x8xi8>, tensor<64x8xi8>)
    outs(%c : tensor<3x64xi32>) {transpose_rhs} -> tensor<3x64xi32>
  return %y : tensor<3x64xi32>
}
"""
