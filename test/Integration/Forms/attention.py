# RUN: %python %s %build
"""Attention's two products of activations, quantized on request: a scale for
each row of the left operand, one for each batch of the right one. NumPy's
result to the bit, on both targets."""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

BUILD = pathlib.Path(sys.argv[1])
FORMS = {
    # name: (op, shapes of left, right, result)
    "scores": ("linalg.batch_matmul indexing_maps = ["
               "affine_map<(b, m, n, k) -> (b, m, k)>,"
               "affine_map<(b, m, n, k) -> (b, n, k)>,"
               "affine_map<(b, m, n, k) -> (b, m, n)>]",
               (3, 17, 33), (3, 19, 33), (3, 17, 19)),
    "values": ("linalg.batch_matmul", (3, 17, 19), (3, 19, 33), (3, 17, 33)),
    "dynamic": ("linalg.batch_matmul", (2, 5, 70), (2, 70, 9), (2, 5, 9)),
}


def tensor(shape):
    return f"tensor<{'x'.join(map(str, shape))}xf32>"


def program(op, left, right, result):
    return f"""func.func @main(%a: {tensor(left)}, %b: {tensor(right)}) -> {tensor(result)} {{
  %z = arith.constant dense<0.0> : {tensor(result)}
  %y = {op} ins(%a, %b : {tensor(left)}, {tensor(right)}) outs(%z : {tensor(result)}) -> {tensor(result)}
  return %y : {tensor(result)}
}}"""


def quantize(x, axes):
    scale = (np.abs(x).max(axis=axes, keepdims=True) /
             np.float32(127)).astype(np.float32)
    scale[scale == 0] = 1
    return np.clip(np.rint(x / scale), -128, 127).astype(np.int64), scale


rng = np.random.default_rng(5)
with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    for name, (op, left, right, result) in FORMS.items():
        a = rng.normal(size=left).astype(np.float32)
        b = (rng.normal(size=right) * 3).astype(np.float32)
        a[0, 0] = 0
        np.save(folder / "a.npy", a)
        np.save(folder / "b.npy", b)
        (folder / "m.mlir").write_text(program(op, left, right, result))
        qa, sa = quantize(a, (2,))
        qb, sb = quantize(b, (1, 2))
        acc = qa @ (qb.transpose(0, 2, 1) if name == "scores" else qb)
        want = acc.astype(np.float32) * (sa * sb)
        for target in ("generic", "x86"):
            subprocess.run(
                [BUILD / "bin/quant-run", folder / "m.mlir",
                 f"--inputs={folder}/a.npy,{folder}/b.npy",
                 "--quantize=attention=true", f"--target={target}",
                 "-O0", f"--outputs={folder}/out"], check=True, capture_output=True)
            got = np.load(folder / "out/out0.npy")
            assert np.array_equal(got, want), (name, target,
                                               np.abs(got - want).max())
print(f"{len(FORMS)} forms equal NumPy on both targets")
