"""A program of many small cases, run once by quant-run.

Each case adds arguments, lines and results to one function; `run` compiles it
for a target, and every result is compared with what the case expects.
"""

import os
import subprocess

import numpy as np

ELEMENT = {np.dtype(np.float32): "f32", np.dtype(np.int8): "i8",
           np.dtype(np.int32): "i32"}


def tensor_type(shape, element, dynamic=False):
    sizes = [str(s) for s in shape]
    if dynamic and sizes:
        sizes[0] = "?"
    return "tensor<" + "".join(s + "x" for s in sizes) + element + ">"


class Batch:
    def __init__(self):
        self.arguments, self.lines, self.results = [], [], []
        self.counter = 0

    def name(self):
        self.counter += 1
        return f"%v{self.counter}"

    def argument(self, array, dynamic=False):
        """A function argument; returns its name and type."""
        array = np.asarray(array)
        name = f"%arg{len(self.arguments)}"
        type_ = tensor_type(array.shape, ELEMENT[array.dtype], dynamic)
        self.arguments.append((name, type_, array))
        return name, type_

    def line(self, text, type_):
        """`%new = text`; returns the new name and its type."""
        name = self.name()
        self.lines.append(f"  {name} = {text}")
        return name, type_

    def cast(self, value, type_):
        """A tensor.cast, where the types differ."""
        if value[1] == type_:
            return value
        return self.line(f"tensor.cast {value[0]} : {value[1]} to {type_}",
                         type_)

    def expect(self, value, array, what, bound=0):
        """The result is `array` to the bit, or within `bound` of it."""
        self.results.append((value, np.asarray(array), what, bound))

    def text(self):
        arguments = ", ".join(f"{n}: {t}" for n, t, _ in self.arguments)
        types = ", ".join(v[1] for v, *_ in self.results)
        names = ", ".join(v[0] for v, *_ in self.results)
        body = "\n".join(self.lines)
        return (f"func.func @main({arguments}) -> ({types}) {{\n{body}\n"
                f"  return {names} : {types}\n}}\n")

    def run(self, folder, *options):
        """Number of results that differ; each is named."""
        os.makedirs(folder, exist_ok=True)
        model = os.path.join(folder, "batch.mlir")
        with open(model, "w") as f:
            f.write(self.text())
        inputs = []
        for i, (_, _, array) in enumerate(self.arguments):
            inputs.append(os.path.join(folder, f"in{i}.npy"))
            np.save(inputs[-1], array)
        subprocess.run(
            [os.environ.get("QUANT_RUN", "quant-run"), model, "--inputs=" + ",".join(inputs),
             "--outputs=" + folder, *options],
            check=True, stdout=subprocess.DEVNULL)
        failures = 0
        for i, (_, expected, what, bound) in enumerate(self.results):
            got = np.load(os.path.join(folder, f"out{i}.npy"))
            same = got.shape == expected.shape and (
                np.all(np.abs(got - expected) <= bound) if np.any(bound) else
                np.array_equal(got.astype(np.float64),
                               expected.astype(np.float64), equal_nan=True))
            if not same:
                failures += 1
                print(f"MISMATCH {' '.join(options)} {what}: expected\n"
                      f"{expected}\nfound\n{got}")
        return failures
