# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t
"""Products as float products of dequantized operands, against the formula of
quant.matmul and quant.rescale in NumPy, within the rounding of float sums: signs,
zero points, batches, scales of either side, and all that a rescale does. Sizes are
of the run."""

import itertools
import pathlib
import subprocess
import sys

import numpy as np
import quantmlir

FOLDER = pathlib.Path(sys.argv[1])
F32 = np.float32
rng = np.random.default_rng(7)
SHAPES = (((), False), ((2,), False), ((2,), True), ((2, 3), True))
RESTS = ("plain", "bias", "residual", "clamp", "integer")


def type_of(value, element=None):
    names = {"float32": "f32", "int32": "i32", "int8": "i8"}
    return f"tensor<{'?x' * value.ndim}{element or names[str(value.dtype)]}>"


def case(i, unsigned, rest):
    """(inputs, arguments, text, type of the result, expected)."""
    batch, rhs_batched = SHAPES[i % len(SHAPES)]
    transposed, m, k, n = i % 3 == 0, 3, 17, 5
    inputs, arguments = [], []

    def add(name, value):
        inputs.append(value)
        arguments.append(f"%{name}{i}: {type_of(value)}")
        return f"%{name}{i} : {type_of(value)}"

    x, w = (rng.integers(0, 256, s) - (0 if u else 128) for s, u in zip(
        (batch + (m, k), (batch if rhs_batched else ()) + (k, n)), unsigned))
    stored = np.ascontiguousarray((np.swapaxes(w, -1, -2) if transposed else w).astype(np.int8))
    types = [add("x", x.astype(np.int8)), add("w", stored)]
    ins = f"%x{i}, %w{i} : " + ", ".join(t.split(" : ")[1] for t in types)
    zeros, terms = "", ""
    zx, zw = np.int32(0), np.int32(0)
    if i % 2:
        zx = rng.integers(0, 128, x.shape[:-1]).astype(np.int32)
        zw = np.int32(rng.integers(0, 128))
        zeros = f"lhs_zero_point({add('zx', zx)}) rhs_zero_point({add('zw', np.asarray(zw))})"
        zx = zx[..., None]
    sx, sw = F32(1), F32(1)
    if i % 5 != 4:
        sx = rng.uniform(0.01, 0.1, x.shape[:-1]).astype(F32)
        terms += f" row_scale({add('sx', sx)})"
        sx = sx[..., None]
    if i % 5 != 3:
        sw = rng.uniform(0.01, 0.1, n).astype(F32)
        terms += f" channel_scale({add('sw', sw)})"
    y = ((x - zx) @ (w - zw)).astype(np.float64) * sx * sw
    flags, element = [], "f32"
    if rest == "bias":
        bias = rng.standard_normal(n).astype(F32)
        terms, y = terms + f" bias({add('b', bias)})", y + bias
    elif rest == "residual":
        residual = rng.standard_normal(y.shape).astype(F32)
        terms, y = terms + f" residual({add('r', residual)})", y + residual
    elif rest == "clamp":
        flags, y = ["clamp_min = -1.0 : f32", "clamp_max = 2.0 : f32"], np.clip(y, -1, 2)
    elif rest == "integer":
        flags, element = ["zero_point = 3 : i32", "range = array<i64: -128, 127>"], "i8"
        y = np.clip(np.rint(y) + 3, -128, 127)
    init = np.zeros(y.shape, np.int32)
    acc, result = type_of(init), type_of(init, element)
    add("c", init)
    on = ", ".join(f for f, is_on in (
        ("transpose_rhs", transposed), ("lhs_unsigned", unsigned[0]),
        ("rhs_unsigned", unsigned[1])) if is_on)
    text = f"""
  %i{i} = linalg.fill ins(%zero : i32) outs(%c{i} : {acc}) -> {acc}
  %a{i} = quant.matmul ins({ins}) {zeros} outs(%i{i} : {acc}) {{{on}}} -> {acc}
  %y{i} = quant.rescale %a{i}{terms} {{{', '.join(flags)}}} : {acc} -> {result}"""
    return inputs, arguments, text, result, y


cases = [case(i, unsigned, rest) for i, (rest, unsigned) in enumerate(itertools.product(
    RESTS, itertools.product((False, True), repeat=2)))]
results = ", ".join(c[3] for c in cases)
(FOLDER / "source.mlir").write_text(
    f"func.func @main({', '.join(a for c in cases for a in c[1])}) -> ({results}) {{\n"
    "  %zero = arith.constant 0 : i32" + "".join(c[2] for c in cases) + "\n  return "
    + ", ".join(f"%y{i}" for i in range(len(cases))) + f" : {results}\n}}\n")
program = FOLDER / "qdq.mlir"
subprocess.run(["quant-opt", "--convert-quant-to-linalg=qdq", FOLDER / "source.mlir",
                "-o", program], check=True)
text = program.read_text()
assert "quant." not in text
for op in ("linalg.matmul", "linalg.batch_matmul", "linalg.contract"):
    lines = [line for line in text.splitlines() if op in line]
    assert lines and all("i32" not in line for line in lines), lines
found = quantmlir.compile(program, target="generic")(*(x for c in cases for x in c[0]))
for i, (c, y) in enumerate(zip(cases, found)):
    expected = c[4]
    # A quotient beside a tie may go either way.
    bound = 1 if y.dtype == np.int8 else 1e-5 * max(1, np.abs(expected).max())
    assert np.abs(y.astype(np.float64) - expected).max() <= bound, (i, y, expected)
    if y.dtype == np.int8:
        assert (y == expected).mean() > 0.9
print(len(cases), "products agree with NumPy")
