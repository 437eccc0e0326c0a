# RUN: rm -rf %t && mkdir %t
# RUN: %python %s %t
"""Products as linalg's named ops, against NumPy: signs, zero points, batches. Sizes
are of the run."""

import itertools
import pathlib
import subprocess
import sys

import numpy as np
import quantmlir

FOLDER = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(5)


class Case:
    """One product, its inputs and its result."""

    def __init__(self, i, batch, rhs_batched, transposed, unsigned, zeros):
        m, k, n = 3, 7, 5
        lhs, rhs = batch + (m, k), (batch if rhs_batched else ()) + (k, n)
        init = rng.integers(-9, 9, batch + (m, n), np.int32)
        x, w = (rng.integers(0, 256, s) - (0 if u else 128)
                for s, u in zip((lhs, rhs), unsigned))
        self.inputs, parts, values = [], [], []
        stored = np.swapaxes(w, -1, -2) if transposed else w
        for value in (x, stored):
            self.inputs.append(np.ascontiguousarray(value.astype(np.int8)))
        for side, zero, shape in zip("lr", zeros, (
                lhs[:-1], rhs[:-2] + (n,))):
            if zero == "none":
                values.append(np.int32(0))
                continue
            z = np.asarray(rng.integers(-128, 256, () if zero == "one" else shape),
                           np.int32)
            # A zero point lies in its operand's range.
            z = np.clip(z, 0 if unsigned[side == "r"] else -128,
                        255 if unsigned[side == "r"] else 127).astype(np.int32)
            self.inputs.append(z)
            parts.append(f"{side}hs_zero_point(%z{side}{i} : {self.type(z)})")
            values.append(z if zero == "one" else
                          z[..., None] if side == "l" else z[..., None, :])
        self.expected = init + (x - values[0]) @ (w - values[1])
        self.inputs.append(init)
        names = ["x", "w", *("z" + part[0] for part in parts), "c"]
        self.arguments = [f"%{n}{i}: {self.type(v)}"
                          for n, v in zip(names, self.inputs)]
        flags = ", ".join(f for f, on in (
            ("transpose_rhs", transposed), ("lhs_unsigned", unsigned[0]),
            ("rhs_unsigned", unsigned[1])) if on)
        self.result = self.type(init)
        self.text = f"""
  %r{i} = quant.matmul
    ins(%x{i}, %w{i} : {self.type(x)}, {self.type(stored)}) {" ".join(parts)}
    outs(%c{i} : {self.result}) {{{flags}}} -> {self.result}"""

    @staticmethod
    def type(value):
        element = "i32" if value.dtype == np.int32 else "i8"  # x and w are wide
        return f"tensor<{'?x' * value.ndim}{element}>"


shapes = (((), False), ((2,), False), ((2,), True), ((2, 3), True), ((2, 3), False))
kinds = ("none", "one", "each")
cases = []
for i, (unsigned, (turn, zero)) in enumerate(itertools.product(
        itertools.product((False, True), repeat=2), enumerate(kinds))):
    # Shapes and orders take turns, as does the other side's zero point.
    batch, rhs_batched = shapes[i % len(shapes)]
    other = kinds[(turn + i // 3) % 3]
    cases.append(Case(i, batch, rhs_batched, i % 2 == 0, unsigned, (zero, other)))
program = FOLDER / "named.mlir"
source = FOLDER / "source.mlir"
arguments = ", ".join(a for case in cases for a in case.arguments)
results = ", ".join(case.result for case in cases)
source.write_text(
    f"func.func @main({arguments}) -> ({results}) {{"
    + "".join(case.text for case in cases) + "\n  return "
    + ", ".join(f"%r{i}" for i in range(len(cases))) + f" : {results}\n}}\n")
subprocess.run(["quant-opt", "--convert-quant-to-linalg=named-matmul", source,
                "-o", program], check=True)
text = program.read_text()
assert "quant." not in text
for op in ("linalg.matmul", "linalg.batch_matmul", "linalg.contract"):
    assert op in text, op

found = quantmlir.compile(program, target="generic")(
    *(value for case in cases for value in case.inputs))
for value, case in zip(found, cases):
    assert np.array_equal(value, case.expected), case.text
