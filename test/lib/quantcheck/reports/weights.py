"""A folder with weights of another tool, for import-quantized-weights.py.

w*.npz, x*.npy and expected*.npy belong together by what follows their stem
(`wbias.npz`, `xbias.npy`, `expected_bias.npy`). The folder's name begins with
the importer's format.
"""

import pathlib
import shutil
import tempfile

import numpy as np

from quantcheck import closeness, module
from quantcheck.reports.program import TARGETS, Verdict

FORMATS = ("matmulnbits",)


def is_one(folder):
    return folder.name.startswith(FORMATS) and any(folder.glob("w*.npz"))


def beside(weight, stem):
    """The file of `stem` that goes with a weight, or None."""
    key = weight.stem[1:]
    for name in (f"{stem}{key}", f"{stem}_{key.lstrip('_')}"):
        path = weight.with_name(name + ".npy")
        if path.is_file():
            return path
    return None


def matmul_nbits(weight, x):
    """ONNX Runtime's MatMulNBits by its definition, in float64."""
    z = np.load(weight)
    n, k, block = (int(z[key].item()) for key in ("N", "K", "block_size"))
    bits = int(z["bits"].item()) if "bits" in z else 4

    def unpack(data, rows, width):
        data = np.ascontiguousarray(data).reshape(rows, -1).view(np.uint8)
        if bits == 4:
            data = np.stack([data & 15, data >> 4], -1).reshape(rows, -1)
        return data[:, :width].astype(np.float64)

    groups = -(-k // block)
    scale = z["scales"].astype(np.float64).reshape(n, groups)
    zero = np.full((n, groups), 2.0**(bits - 1))
    if "zero_points" in z:
        given = z["zero_points"]
        zero = given.astype(np.float64).reshape(n, groups) \
            if given.dtype.kind == "f" else unpack(given, n, groups)
    group = z["g_idx"].astype(np.int64)[:k] if "g_idx" in z else \
        np.arange(k) // block
    w = (unpack(z["B"], n, k) - zero[:, group]) * scale[:, group]
    y = x.astype(np.float64) @ w.T
    return y + z["bias"].astype(np.float64) if "bias" in z else y


def run_weight(tools, weight, target, activations, scratch):
    """(kind, text) of one weight on one target."""
    model = scratch / f"{weight.stem}{activations}.mlir"
    kind = next(f for f in FORMATS if weight.parent.name.startswith(f))
    ended = tools("/usr/bin/python3", tools.importer, kind, weight, "-o", model,
                  f"--activations={activations}")
    if ended.fault():
        return "wrong", ended.fault()
    if not ended.succeeded:
        return "refused", ended.reason()
    inputs, expected = beside(weight, "x"), beside(weight, "expected")
    x = np.load(inputs)
    out = scratch / f"{weight.stem}{target}{activations}"
    out.mkdir()
    ended = tools(tools.run_, model, f"--target={target}", "--print=false",
                  module.QUICK, f"--inputs={inputs}", f"--outputs={out}")
    if ended.fault():
        return "wrong", ended.fault()
    if not ended.succeeded:
        return "refused", ended.reason()
    want = np.load(expected) if expected else \
        matmul_nbits(weight, x).astype(np.float32)
    text = closeness.difference(np.load(out / "out0.npy"), want,
                                allowed=None if activations == "float"
                                else closeness.NORM)
    return ("wrong", text) if text else ("integer", "")


def run_folder(tools, folder):
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="reports."))
    try:
        for weight in sorted(folder.glob("w*.npz")):
            if beside(weight, "x") is None:
                continue
            for activations in ("float", "int8"):
                for target in TARGETS:
                    kind, text = run_weight(tools, weight, target, activations,
                                            scratch)
                    yield Verdict(f"{folder.name}/{weight.name}",
                                  f"{target}, {activations} activations", kind,
                                  text)
    finally:
        shutil.rmtree(scratch)
