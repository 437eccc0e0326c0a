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

    def attention(self, op, arguments, inputs, flags, like, types):
        """An op of attention whose query, and keys and values of the past, are
        the first `inputs` of `arguments`; sizes of tokens are dynamic where
        there are `types`, which the arguments are cast to. The result has the
        shape `like`, [tokens, heads, group, size]."""
        result = tensor_type(like, "f32")
        count = ""
        if types:
            arguments = [self.cast(a, t) for a, t in zip(arguments, types)]
            result = tensor_type(like, "f32", dynamic=True)
            count = self.line(f"arith.constant {like[0]} : index", "index")[0]
        init = self.line(f"tensor.empty({count}) : {result}", result)[0]
        group = lambda part: (", ".join(n for n, _ in part) + " : " +
                              ", ".join(t for _, t in part))
        query, past = inputs
        return self.line(
            f"{op} query({group(arguments[:query])}) "
            f"past({group(arguments[query:past])}) "
            f"new({group(arguments[past:])}) outs({init} : {result}) {flags} "
            f"-> {result}", result)

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

    def write(self, folder):
        """Writes the program and its inputs; the arguments of quant-run for
        them."""
        os.makedirs(folder, exist_ok=True)
        model = os.path.join(folder, "batch.mlir")
        with open(model, "w") as f:
            f.write(self.text())
        inputs = []
        for i, (_, _, array) in enumerate(self.arguments):
            inputs.append(os.path.join(folder, f"in{i}.npy"))
            np.save(inputs[-1], array)
        return [model, "--inputs=" + ",".join(inputs), "--outputs=" + folder]

    def run(self, folder, *options):
        """Number of results that differ; each is named."""
        subprocess.run([os.environ.get("QUANT_RUN", "quant-run"),
                        *self.write(folder), *options],
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


def report(batches, target, *options):
    """Runs (batch, folder)s and says how many results agree; an exit status."""
    failures = checked = 0
    for batch, folder in batches:
        failures += batch.run(folder, f"--target={target}", *options)
        checked += len(batch.results)
    print(f"{checked - failures} of {checked} results agree with NumPy")
    return 1 if failures or not checked else 0
