# RUN: %python %s %build
"""Floats that do not fit in a narrow integer keep their low bits: `arith.fptosi`
and `fptoui` to i1 ... i16, of tensors and of constants, on both targets."""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

BIN = pathlib.Path(sys.argv[1]) / "bin"
N = 67
WIDTHS = (1, 2, 4, 7, 8, 12, 16)


def program():
    lines, results = [], []
    for bits in WIDTHS:
        for kind in ("si", "ui"):
            name = f"{kind}{bits}"
            lines.append(f"""
    %{name} = arith.fpto{kind} %x : tensor<{N}xf32> to tensor<{N}xi{bits}>
    %w{name} = arith.ext{kind} %{name} : tensor<{N}xi{bits}> to tensor<{N}xi32>
    %c{name} = arith.fpto{kind} %c : f64 to i{bits}
    %d{name} = arith.ext{kind} %c{name} : i{bits} to i32
    %e{name} = tensor.from_elements %d{name} : tensor<1xi32>""")
            results += [(f"%w{name}", f"tensor<{N}xi32>"),
                        (f"%e{name}", "tensor<1xi32>")]
    types = ", ".join(t for _, t in results)
    return (f"func.func @main(%x: tensor<{N}xf32>) -> ({types}) {{\n"
            "    %c = arith.constant 14617.9 : f64" + "".join(lines) +
            f"\n    return {', '.join(n for n, _ in results)} : {types}\n}}\n")


def wrapped(x, bits, signed):
    low = np.trunc(x).astype(np.int64) & (2**bits - 1)
    return np.where(low >> (bits - 1), low - 2**bits, low) if signed else low


x = (np.random.default_rng(3).standard_normal(N) * 40000).astype(np.float32)
x[:6] = [146.0, -1.0, 255.9, -128.9, 65535.5, -0.5]
for target in ("generic", "x86"):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "model.mlir").write_text(program())
        np.save(f"{folder}/x.npy", x)
        done = subprocess.run(
            [BIN / "quant-run", f"{folder}/model.mlir", f"--target={target}",
             "-O0", f"--inputs={folder}/x.npy", "--print=false",
             f"--outputs={folder}"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        for i, (bits, signed) in enumerate((b, s) for b in WIDTHS
                                           for s in (True, False)):
            for j, value in enumerate((x, np.array([14617.9]))):
                got = np.load(f"{folder}/out{2 * i + j}.npy")
                want = wrapped(value, bits, signed)
                assert np.array_equal(got, want), \
                    f"{target}, {bits} bits: {got} for {want}"
